"""``sdk.transactions``: ``transactions/show``, ``transactions/query``, ``transactions/transition``,
``transactions/transition_speculative``, ``transactions/update_metadata``.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send
from flex_integration_sdk._endpoints.param_types import (
    ExtendedData,
    Fields,
    Id,
    ImageVariants,
    Limits,
    Names,
    NamesOf,
    NothingMore,
    TimeRange,
    UnusedPaging,
    datetime,
)
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.suggesting import Suggesting
from flex_integration_sdk.resources import Transaction

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator
    from flex_integration_sdk._endpoints.paging.sync import ResourceIterator
    from flex_integration_sdk._vocabulary.includes import TransactionInclude
    from flex_integration_sdk._vocabulary.names import (
        BookingState,
        StockReservationState,
        TransactionSort,
    )


class TransactionsEndpoints(Suggesting):
    """``sdk.transactions`` of sync programs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def show(
        self,
        /,
        *,
        id: Id,
        include: NamesOf[TransactionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[Transaction]:
        """One transaction, by its id.

        Args:
            id: The transaction's id.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Parameters that this version does not know, passed through. Type checkers take
                them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._send(
            "transactions.show",
            {
                "id": id,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    def query(
        self,
        /,
        *,
        user_id: Id | None = None,
        customer_id: Id | None = None,
        provider_id: Id | None = None,
        listing_id: Id | None = None,
        states: Names | None = None,
        last_transitions: Names | None = None,
        process_names: Names | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        has_booking: bool | None = None,
        has_stock_reservation: bool | None = None,
        has_payin: bool | None = None,
        has_message: bool | None = None,
        booking_states: NamesOf[BookingState] | None = None,
        stock_reservation_states: NamesOf[StockReservationState] | None = None,
        booking_start: TimeRange | None = None,
        booking_end: TimeRange | None = None,
        sort: NamesOf[TransactionSort] | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[TransactionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[Transaction]]:
        """Transactions, newest first.

        Args:
            user_id: With this user, as customer or provider.
            customer_id: Of this customer.
            provider_id: Of this provider.
            listing_id: About this listing.
            states: In these states of their process.
            last_transitions: With one of these last transitions.
            process_names: Of these processes.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            has_booking: With or without a booking.
            has_stock_reservation: With or without a stock reservation.
            has_payin: With or without a payment.
            has_message: With or without messages.
            booking_states: Booking states: ``pending``, ``proposed``, ``accepted``, ``declined``,
                ``cancelled``.
            stock_reservation_states: Stock reservation states: ``pending``, ``proposed``,
                ``accepted``, ``declined``, ``cancelled``.
            booking_start: Booking starts in ``(from, below)``; None: no limit.
            booking_end: Booking ends in ``(from, below)``; None: no limit.
            sort: Up to 3 of ``createdAt``, ``lastTransitionedAt``, ``lastMessageAt``,
                ``bookingStart``, ``bookingEnd``; ``-`` before a name reverses it.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Filters by extended data, ``pub_…``, ``meta_…``, ``priv_…`` and ``prot_…``, and
                other parameters that this version does not know.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._send(
            "transactions.query",
            {
                "userId": user_id,
                "customerId": customer_id,
                "providerId": provider_id,
                "listingId": listing_id,
                "states": states,
                "lastTransitions": last_transitions,
                "processNames": process_names,
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
                "hasBooking": has_booking,
                "hasStockReservation": has_stock_reservation,
                "hasPayin": has_payin,
                "hasMessage": has_message,
                "bookingStates": booking_states,
                "stockReservationStates": stock_reservation_states,
                "bookingStart": booking_start,
                "bookingEnd": booking_end,
                "sort": sort,
                "page": page,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    def iterate(
        self,
        /,
        *,
        user_id: Id | None = None,
        customer_id: Id | None = None,
        provider_id: Id | None = None,
        listing_id: Id | None = None,
        states: Names | None = None,
        last_transitions: Names | None = None,
        process_names: Names | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        has_booking: bool | None = None,
        has_stock_reservation: bool | None = None,
        has_payin: bool | None = None,
        has_message: bool | None = None,
        booking_states: NamesOf[BookingState] | None = None,
        stock_reservation_states: NamesOf[StockReservationState] | None = None,
        booking_start: TimeRange | None = None,
        booking_end: TimeRange | None = None,
        sort: NamesOf[TransactionSort] | None = None,
        per_page: int | None = None,
        include: NamesOf[TransactionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Any,
    ) -> ResourceIterator[Transaction]:
        """Transactions. Walks through all pages, oldest first unless ``sort`` says otherwise; after
        an error it can go on.

        Args:
            user_id: With this user, as customer or provider.
            customer_id: Of this customer.
            provider_id: Of this provider.
            listing_id: About this listing.
            states: In these states of their process.
            last_transitions: With one of these last transitions.
            process_names: Of these processes.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            has_booking: With or without a booking.
            has_stock_reservation: With or without a stock reservation.
            has_payin: With or without a payment.
            has_message: With or without messages.
            booking_states: Booking states: ``pending``, ``proposed``, ``accepted``, ``declined``,
                ``cancelled``.
            stock_reservation_states: Stock reservation states: ``pending``, ``proposed``,
                ``accepted``, ``declined``, ``cancelled``.
            booking_start: Booking starts in ``(from, below)``; None: no limit.
            booking_end: Booking ends in ``(from, below)``; None: no limit.
            sort: Up to 3 of ``createdAt``, ``lastTransitionedAt``, ``lastMessageAt``,
                ``bookingStart``, ``bookingEnd``; ``-`` before a name reverses it.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            resume: ``position`` of an iterator with the same arguments: goes on there.
            further: Filters by extended data, ``pub_…``, ``meta_…``, ``priv_…`` and ``prot_…``, and
                other parameters that this version does not know.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        from flex_integration_sdk._endpoints.paging.sync import ResourceIterator

        return ResourceIterator(
            self._send,
            "transactions.query",
            {
                "userId": user_id,
                "customerId": customer_id,
                "providerId": provider_id,
                "listingId": listing_id,
                "states": states,
                "lastTransitions": last_transitions,
                "processNames": process_names,
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
                "hasBooking": has_booking,
                "hasStockReservation": has_stock_reservation,
                "hasPayin": has_payin,
                "hasMessage": has_message,
                "bookingStates": booking_states,
                "stockReservationStates": stock_reservation_states,
                "bookingStart": booking_start,
                "bookingEnd": booking_end,
                "sort": sort,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )

    def transition(
        self,
        /,
        *,
        id: Id,
        transition: str,
        params: ExtendedData,
        expand: bool | None = None,
        include: NamesOf[TransactionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Transaction]:
        """Moves a transaction on in its process.

        Args:
            id: The transaction's id.
            transition: A transition of operators: ``transition/accept``.
            params: Parameters of the transition; may be empty.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._send(
            "transactions.transition",
            {
                "id": id,
                "transition": transition,
                "params": params,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    def transition_speculative(
        self,
        /,
        *,
        id: Id,
        transition: str,
        params: ExtendedData,
        expand: bool | None = None,
        include: NamesOf[TransactionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Transaction]:
        """Returns what ``transition`` would; changes nothing.

        Args:
            id: The transaction's id.
            transition: A transition of operators: ``transition/accept``.
            params: Parameters of the transition; may be empty.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._send(
            "transactions.transitionSpeculative",
            {
                "id": id,
                "transition": transition,
                "params": params,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    def update_metadata(
        self,
        /,
        *,
        id: Id,
        metadata: ExtendedData,
        expand: bool | None = None,
        include: NamesOf[TransactionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Transaction]:
        """Changes a transaction's metadata.

        Args:
            id: The transaction's id.
            metadata: Merged with the stored data, key by key.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._send(
            "transactions.updateMetadata",
            {
                "id": id,
                "metadata": metadata,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class AsyncTransactionsEndpoints(Suggesting):
    """``sdk.transactions`` of asyncio programs."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def show(
        self,
        /,
        *,
        id: Id,
        include: NamesOf[TransactionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[Transaction]:
        """One transaction, by its id.

        Args:
            id: The transaction's id.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Parameters that this version does not know, passed through. Type checkers take
                them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._send(
            "transactions.show",
            {
                "id": id,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def query(
        self,
        /,
        *,
        user_id: Id | None = None,
        customer_id: Id | None = None,
        provider_id: Id | None = None,
        listing_id: Id | None = None,
        states: Names | None = None,
        last_transitions: Names | None = None,
        process_names: Names | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        has_booking: bool | None = None,
        has_stock_reservation: bool | None = None,
        has_payin: bool | None = None,
        has_message: bool | None = None,
        booking_states: NamesOf[BookingState] | None = None,
        stock_reservation_states: NamesOf[StockReservationState] | None = None,
        booking_start: TimeRange | None = None,
        booking_end: TimeRange | None = None,
        sort: NamesOf[TransactionSort] | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[TransactionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[Transaction]]:
        """Transactions, newest first.

        Args:
            user_id: With this user, as customer or provider.
            customer_id: Of this customer.
            provider_id: Of this provider.
            listing_id: About this listing.
            states: In these states of their process.
            last_transitions: With one of these last transitions.
            process_names: Of these processes.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            has_booking: With or without a booking.
            has_stock_reservation: With or without a stock reservation.
            has_payin: With or without a payment.
            has_message: With or without messages.
            booking_states: Booking states: ``pending``, ``proposed``, ``accepted``, ``declined``,
                ``cancelled``.
            stock_reservation_states: Stock reservation states: ``pending``, ``proposed``,
                ``accepted``, ``declined``, ``cancelled``.
            booking_start: Booking starts in ``(from, below)``; None: no limit.
            booking_end: Booking ends in ``(from, below)``; None: no limit.
            sort: Up to 3 of ``createdAt``, ``lastTransitionedAt``, ``lastMessageAt``,
                ``bookingStart``, ``bookingEnd``; ``-`` before a name reverses it.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Filters by extended data, ``pub_…``, ``meta_…``, ``priv_…`` and ``prot_…``, and
                other parameters that this version does not know.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._send(
            "transactions.query",
            {
                "userId": user_id,
                "customerId": customer_id,
                "providerId": provider_id,
                "listingId": listing_id,
                "states": states,
                "lastTransitions": last_transitions,
                "processNames": process_names,
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
                "hasBooking": has_booking,
                "hasStockReservation": has_stock_reservation,
                "hasPayin": has_payin,
                "hasMessage": has_message,
                "bookingStates": booking_states,
                "stockReservationStates": stock_reservation_states,
                "bookingStart": booking_start,
                "bookingEnd": booking_end,
                "sort": sort,
                "page": page,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    def iterate(
        self,
        /,
        *,
        user_id: Id | None = None,
        customer_id: Id | None = None,
        provider_id: Id | None = None,
        listing_id: Id | None = None,
        states: Names | None = None,
        last_transitions: Names | None = None,
        process_names: Names | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        has_booking: bool | None = None,
        has_stock_reservation: bool | None = None,
        has_payin: bool | None = None,
        has_message: bool | None = None,
        booking_states: NamesOf[BookingState] | None = None,
        stock_reservation_states: NamesOf[StockReservationState] | None = None,
        booking_start: TimeRange | None = None,
        booking_end: TimeRange | None = None,
        sort: NamesOf[TransactionSort] | None = None,
        per_page: int | None = None,
        include: NamesOf[TransactionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Any,
    ) -> AsyncResourceIterator[Transaction]:
        """Transactions. Walks through all pages, oldest first unless ``sort`` says otherwise; after
        an error it can go on.

        Args:
            user_id: With this user, as customer or provider.
            customer_id: Of this customer.
            provider_id: Of this provider.
            listing_id: About this listing.
            states: In these states of their process.
            last_transitions: With one of these last transitions.
            process_names: Of these processes.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            has_booking: With or without a booking.
            has_stock_reservation: With or without a stock reservation.
            has_payin: With or without a payment.
            has_message: With or without messages.
            booking_states: Booking states: ``pending``, ``proposed``, ``accepted``, ``declined``,
                ``cancelled``.
            stock_reservation_states: Stock reservation states: ``pending``, ``proposed``,
                ``accepted``, ``declined``, ``cancelled``.
            booking_start: Booking starts in ``(from, below)``; None: no limit.
            booking_end: Booking ends in ``(from, below)``; None: no limit.
            sort: Up to 3 of ``createdAt``, ``lastTransitionedAt``, ``lastMessageAt``,
                ``bookingStart``, ``bookingEnd``; ``-`` before a name reverses it.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            resume: ``position`` of an iterator with the same arguments: goes on there.
            further: Filters by extended data, ``pub_…``, ``meta_…``, ``priv_…`` and ``prot_…``, and
                other parameters that this version does not know.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator

        return AsyncResourceIterator(
            self._send,
            "transactions.query",
            {
                "userId": user_id,
                "customerId": customer_id,
                "providerId": provider_id,
                "listingId": listing_id,
                "states": states,
                "lastTransitions": last_transitions,
                "processNames": process_names,
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
                "hasBooking": has_booking,
                "hasStockReservation": has_stock_reservation,
                "hasPayin": has_payin,
                "hasMessage": has_message,
                "bookingStates": booking_states,
                "stockReservationStates": stock_reservation_states,
                "bookingStart": booking_start,
                "bookingEnd": booking_end,
                "sort": sort,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )

    async def transition(
        self,
        /,
        *,
        id: Id,
        transition: str,
        params: ExtendedData,
        expand: bool | None = None,
        include: NamesOf[TransactionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Transaction]:
        """Moves a transaction on in its process.

        Args:
            id: The transaction's id.
            transition: A transition of operators: ``transition/accept``.
            params: Parameters of the transition; may be empty.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._send(
            "transactions.transition",
            {
                "id": id,
                "transition": transition,
                "params": params,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def transition_speculative(
        self,
        /,
        *,
        id: Id,
        transition: str,
        params: ExtendedData,
        expand: bool | None = None,
        include: NamesOf[TransactionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Transaction]:
        """Returns what ``transition`` would; changes nothing.

        Args:
            id: The transaction's id.
            transition: A transition of operators: ``transition/accept``.
            params: Parameters of the transition; may be empty.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._send(
            "transactions.transitionSpeculative",
            {
                "id": id,
                "transition": transition,
                "params": params,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def update_metadata(
        self,
        /,
        *,
        id: Id,
        metadata: ExtendedData,
        expand: bool | None = None,
        include: NamesOf[TransactionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Transaction]:
        """Changes a transaction's metadata.

        Args:
            id: The transaction's id.
            metadata: Merged with the stored data, key by key.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._send(
            "transactions.updateMetadata",
            {
                "id": id,
                "metadata": metadata,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )
