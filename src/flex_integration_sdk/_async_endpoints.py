"""The endpoints for asyncio programs. Made by tools/generate.py from _endpoints/table.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ._endpoints.param_types import (
    UNSET,
    ExtendedData,
    Fields,
    Id,
    Ids,
    ImageVariants,
    LatLng,
    LatLngBounds,
    Limits,
    Money,
    Names,
    PriceRange,
    TimeRange,
    Unset,
    Upload,
    datetime,
)
from ._endpoints.response import Response
from .resources import (
    AvailabilityException,
    Event,
    File,
    FileAttachment,
    FileDownload,
    FileUpload,
    Image,
    Listing,
    Marketplace,
    Message,
    Stock,
    StockAdjustment,
    StockReservation,
    Transaction,
    User,
)

Send = Callable[[str, Mapping[str, Any], Mapping[str, Any]], Awaitable[Response[Any]]]


class MarketplaceEndpoints:
    """``marketplace/show``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def show(
        self,
        /,
        *,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Marketplace]:
        """The marketplace that the client belongs to.

        Args:
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "marketplace.show",
            {
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class UsersEndpoints:
    """``users/show``, ``users/query``, ``users/update_profile``, ``users/approve``,
    ``users/update_permissions``, ``users/verify_email``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def show(
        self,
        /,
        *,
        id: Id | None = None,
        email: str | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[User]:
        """One user, by id or e-mail address.

        Args:
            id: The user's id.
            email: The user's e-mail address, instead.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "users.show",
            {
                "id": id,
                "email": email,
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
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        sort: Names | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[User]]:
        """Users, newest first.

        Args:
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            sort: Up to 3 of ``createdAt`` and extended data; ``-`` before a name reverses it.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through, such as the filters ``pub_…``, ``meta_…``,
                ``priv_…`` and ``prot_…``.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "users.query",
            {
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
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

    async def update_profile(
        self,
        /,
        *,
        id: Id,
        first_name: str | Unset = UNSET,
        last_name: str | Unset = UNSET,
        display_name: str | Unset | None = UNSET,
        bio: str | Unset | None = UNSET,
        public_data: ExtendedData | Unset = UNSET,
        protected_data: ExtendedData | Unset = UNSET,
        private_data: ExtendedData | Unset = UNSET,
        metadata: ExtendedData | Unset = UNSET,
        profile_image_id: Id | Unset | None = UNSET,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[User]:
        """Changes a user's profile; what is not given stays.

        Args:
            id: The user's id.
            first_name: First name.
            last_name: Last name.
            display_name: Name that others see.
            bio: Text about the user.
            public_data: Merged into what is there, at the top level.
            protected_data: Likewise; for the user and operators, and in transactions.
            private_data: Likewise; for the owner and operators alone.
            metadata: Likewise; written by operators, read by all.
            profile_image_id: Id of an uploaded image.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "users.updateProfile",
            {
                "id": id,
                "firstName": first_name,
                "lastName": last_name,
                "displayName": display_name,
                "bio": bio,
                "publicData": public_data,
                "protectedData": protected_data,
                "privateData": private_data,
                "metadata": metadata,
                "profileImageId": profile_image_id,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def approve(
        self,
        /,
        *,
        id: Id,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[User]:
        """Makes a pending user active.

        Args:
            id: The user's id.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "users.approve",
            {
                "id": id,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def update_permissions(
        self,
        /,
        *,
        id: Id,
        post_listings: str | Unset = UNSET,
        initiate_transactions: str | Unset = UNSET,
        read: str | Unset = UNSET,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[User]:
        """Changes what a user may do: ``permission/allow`` or ``permission/deny`` each.

        Args:
            id: The user's id.
            post_listings: Whether the user may publish listings.
            initiate_transactions: Whether the user may start transactions.
            read: Whether the user may see the marketplace's data.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "users.updatePermissions",
            {
                "id": id,
                "postListings": post_listings,
                "initiateTransactions": initiate_transactions,
                "read": read,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def verify_email(
        self,
        /,
        *,
        id: Id,
        email: str,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[User]:
        """Marks a user's e-mail address as verified.

        Args:
            id: The user's id.
            email: The address to verify: the user's own or pending one.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "users.verifyEmail",
            {
                "id": id,
                "email": email,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class ListingsEndpoints:
    """``listings/show``, ``listings/query``, ``listings/create``, ``listings/update``,
    ``listings/approve``, ``listings/open``, ``listings/close``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def show(
        self,
        /,
        *,
        id: Id,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Listing]:
        """One listing, by its id.

        Args:
            id: The listing's id.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "listings.show",
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
        ids: Ids | None = None,
        author_id: Id | None = None,
        states: Names | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        keywords: str | None = None,
        origin: LatLng | None = None,
        bounds: LatLngBounds | None = None,
        price: PriceRange | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        seats: int | None = None,
        availability: str | None = None,
        min_duration: int | None = None,
        min_stock: int | None = None,
        stock_mode: str | None = None,
        sort: Names | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[Listing]]:
        """Listings, in all states unless ``states`` is given.

        Args:
            ids: These listings only, at most 100.
            author_id: Of this user only.
            states: ``draft``, ``pendingApproval``, ``published``, ``closed``.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            keywords: Words to search for; not with ``origin``.
            origin: Nearest to this point first; not with ``keywords``.
            bounds: Within this box.
            price: In minor units: a price, or ``(from, below)`` with None for no limit.
            start: With ``end``: free in this time, at most 90 days.
            end: See ``start``.
            seats: Free seats needed, with ``start`` and ``end``.
            availability: ``day-full``, ``day-partial``, ``time-full`` or ``time-partial``.
            min_duration: Minutes free in one piece, with ``…-partial``.
            min_stock: Least stock.
            stock_mode: ``strict`` (default), or ``match-undefined``: also those without stock.
            sort: Up to 3 of ``createdAt``, ``price`` and public data; ``-`` before a name reverses
                it.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through, such as the filters ``pub_…``, ``meta_…``,
                ``priv_…`` and ``prot_…``.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "listings.query",
            {
                "ids": ids,
                "authorId": author_id,
                "states": states,
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
                "keywords": keywords,
                "origin": origin,
                "bounds": bounds,
                "price": price,
                "start": start,
                "end": end,
                "seats": seats,
                "availability": availability,
                "minDuration": min_duration,
                "minStock": min_stock,
                "stockMode": stock_mode,
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

    async def create(
        self,
        /,
        *,
        title: str,
        author_id: Id,
        state: str | Unset = UNSET,
        description: str | Unset = UNSET,
        geolocation: LatLng | Unset | None = UNSET,
        price: Money | Unset | None = UNSET,
        availability_plan: ExtendedData | Unset | None = UNSET,
        public_data: ExtendedData | Unset = UNSET,
        private_data: ExtendedData | Unset = UNSET,
        metadata: ExtendedData | Unset = UNSET,
        images: Ids | Unset = UNSET,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Listing]:
        """Creates a listing for a user. At most 100 a minute.

        Args:
            title: Its title.
            author_id: The author's id.
            state: ``published`` or ``pendingApproval``.
            description: Text on the listing's page.
            geolocation: Where it is.
            price: Its price.
            availability_plan: ``type`` (``availability-plan/day`` or ``…/time``), ``timezone``,
                ``entries``.
            public_data: Merged into what is there, at the top level.
            private_data: Likewise; for the owner and operators alone.
            metadata: Likewise; written by operators, read by all.
            images: Ids of uploaded images, in their order.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "listings.create",
            {
                "title": title,
                "authorId": author_id,
                "state": state,
                "description": description,
                "geolocation": geolocation,
                "price": price,
                "availabilityPlan": availability_plan,
                "publicData": public_data,
                "privateData": private_data,
                "metadata": metadata,
                "images": images,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def update(
        self,
        /,
        *,
        id: Id,
        title: str | Unset = UNSET,
        description: str | Unset = UNSET,
        geolocation: LatLng | Unset | None = UNSET,
        price: Money | Unset | None = UNSET,
        availability_plan: ExtendedData | Unset | None = UNSET,
        public_data: ExtendedData | Unset = UNSET,
        private_data: ExtendedData | Unset = UNSET,
        metadata: ExtendedData | Unset = UNSET,
        images: Ids | Unset = UNSET,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Listing]:
        """Changes a listing; what is not given stays. The state is changed by ``approve``, ``open``
        and ``close``.

        Args:
            id: The listing's id.
            title: Its title.
            description: Text on the listing's page.
            geolocation: Where it is.
            price: Its price.
            availability_plan: ``type`` (``availability-plan/day`` or ``…/time``), ``timezone``,
                ``entries``.
            public_data: Merged into what is there, at the top level.
            private_data: Likewise; for the owner and operators alone.
            metadata: Likewise; written by operators, read by all.
            images: Ids of uploaded images, in their order.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "listings.update",
            {
                "id": id,
                "title": title,
                "description": description,
                "geolocation": geolocation,
                "price": price,
                "availabilityPlan": availability_plan,
                "publicData": public_data,
                "privateData": private_data,
                "metadata": metadata,
                "images": images,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def approve(
        self,
        /,
        *,
        id: Id,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Listing]:
        """Publishes a listing that waits for approval.

        Args:
            id: The listing's id.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "listings.approve",
            {
                "id": id,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def open(
        self,
        /,
        *,
        id: Id,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Listing]:
        """Publishes a closed listing.

        Args:
            id: The listing's id.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "listings.open",
            {
                "id": id,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def close(
        self,
        /,
        *,
        id: Id,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Listing]:
        """Closes a listing.

        Args:
            id: The listing's id.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "listings.close",
            {
                "id": id,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class TransactionsEndpoints:
    """``transactions/show``, ``transactions/query``, ``transactions/transition``,
    ``transactions/transition_speculative``, ``transactions/update_metadata``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def show(
        self,
        /,
        *,
        id: Id,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Transaction]:
        """One transaction, by its id.

        Args:
            id: The transaction's id.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
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
        booking_states: Names | None = None,
        stock_reservation_states: Names | None = None,
        booking_start: TimeRange | None = None,
        booking_end: TimeRange | None = None,
        sort: Names | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: Names | None = None,
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
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through, such as the filters ``pub_…``, ``meta_…``,
                ``priv_…`` and ``prot_…``.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
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

    async def transition(
        self,
        /,
        *,
        id: Id,
        transition: str,
        params: ExtendedData,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Transaction]:
        """Moves a transaction on in its process.

        Args:
            id: The transaction's id.
            transition: Such as ``transition/accept``; an operator's only.
            params: Parameters of the transition; may be empty.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
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
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Transaction]:
        """What ``transition`` would give; nothing is kept.

        Args:
            id: The transaction's id.
            transition: Such as ``transition/accept``; an operator's only.
            params: Parameters of the transition; may be empty.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
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
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Transaction]:
        """Changes a transaction's metadata.

        Args:
            id: The transaction's id.
            metadata: Merged into what is there, at the top level.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
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


class ImagesEndpoints:
    """``images/upload``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def upload(
        self,
        /,
        *,
        image: Upload,
        name: str | None = None,
        mime_type: str | None = None,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Image]:
        """Uploads an image, to be used in a listing or profile.

        Args:
            image: Path of a file, its bytes, or a file opened for reading bytes.
            name: The file's name; else that of the path or of the open file.
            mime_type: Such as ``image/webp``; else by the name's ending.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "images.upload",
            {
                "image": image,
                "name": name,
                "mimeType": mime_type,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class FilesEndpoints:
    """``files/create``, ``files/query``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def create(
        self,
        /,
        *,
        name: str,
        mime_type: str,
        size: int,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[File]:
        """Registers a file that is to be uploaded.

        Args:
            name: Its name.
            mime_type: Such as ``application/pdf``.
            size: Bytes, below 1 GB.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "files.create",
            {
                "name": name,
                "mimeType": mime_type,
                "size": size,
                "expand": expand,
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
        ids: Ids | None = None,
        message_id: Id | None = None,
        owner_id: Id | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[File]]:
        """Files.

        Args:
            ids: These files only, at most 100.
            message_id: Attached to this message.
            owner_id: Of this user.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through, such as the filters ``pub_…``, ``meta_…``,
                ``priv_…`` and ``prot_…``.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "files.query",
            {
                "ids": ids,
                "messageId": message_id,
                "ownerId": owner_id,
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
                "page": page,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class FileUploadsEndpoints:
    """``file_uploads/create``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def create(
        self,
        /,
        *,
        file_id: Id,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[FileUpload]:
        """A signed URL to upload a registered file's bytes to.

        Args:
            file_id: The file's id.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "fileUploads.create",
            {
                "fileId": file_id,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class FileDownloadsEndpoints:
    """``file_downloads/create``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def create(
        self,
        /,
        *,
        file_attachment_id: Id | Unset = UNSET,
        file_id: Id | Unset = UNSET,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[FileDownload]:
        """A signed URL to download a file from. One of both ids is needed.

        Args:
            file_attachment_id: The attachment's id.
            file_id: The file's id, instead.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "fileDownloads.create",
            {
                "fileAttachmentId": file_attachment_id,
                "fileId": file_id,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class FileAttachmentsEndpoints:
    """``file_attachments/query``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def query(
        self,
        /,
        *,
        ids: Ids | None = None,
        file_ids: Ids | None = None,
        message_id: Id | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[FileAttachment]]:
        """Attachments of messages.

        Args:
            ids: These attachments only, at most 100.
            file_ids: Of these files.
            message_id: Of this message.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through, such as the filters ``pub_…``, ``meta_…``,
                ``priv_…`` and ``prot_…``.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "fileAttachments.query",
            {
                "ids": ids,
                "fileIds": file_ids,
                "messageId": message_id,
                "page": page,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class AvailabilityExceptionsEndpoints:
    """``availability_exceptions/query``, ``availability_exceptions/create``,
    ``availability_exceptions/delete``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def query(
        self,
        /,
        *,
        listing_id: Id,
        start: datetime,
        end: datetime,
        page: int | None = None,
        per_page: int | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[AvailabilityException]]:
        """A listing's availability exceptions in a time span of at most 366 days.

        Args:
            listing_id: The listing's id.
            start: Start of the time span.
            end: End of the time span.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through, such as the filters ``pub_…``, ``meta_…``,
                ``priv_…`` and ``prot_…``.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "availabilityExceptions.query",
            {
                "listingId": listing_id,
                "start": start,
                "end": end,
                "page": page,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def create(
        self,
        /,
        *,
        listing_id: Id,
        seats: int,
        start: datetime,
        end: datetime,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[AvailabilityException]:
        """Sets a listing's seats in a time span, whatever its plan says.

        Args:
            listing_id: The listing's id.
            seats: Seats that are free; 0: blocked.
            start: Start of the time span.
            end: End of the time span.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "availabilityExceptions.create",
            {
                "listingId": listing_id,
                "seats": seats,
                "start": start,
                "end": end,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def delete(
        self,
        /,
        *,
        id: Id,
        **further: Any,
    ) -> Response[AvailabilityException]:
        """Deletes an availability exception; gives its id and type.

        Args:
            id: The availability exception's id.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "availabilityExceptions.delete",
            {
                "id": id,
            },
            further,
        )


class EventsEndpoints:
    """``events/query``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def query(
        self,
        /,
        *,
        start_after_sequence_id: int | None = None,
        created_at_start: datetime | None = None,
        resource_id: Id | None = None,
        related_resource_id: Id | None = None,
        event_types: Names | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[Event]]:
        """What happened in the marketplace, oldest first, at most 100. There are no further pages:
        go on with ``start_after_sequence_id``.

        Args:
            start_after_sequence_id: Events after this one.
            created_at_start: Or: created at this time or later.
            resource_id: About this resource.
            related_resource_id: Or: about this resource and those related to it.
            event_types: Such as ``listing/updated``, or ``listing`` for all of it.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through, such as the filters ``pub_…``, ``meta_…``,
                ``priv_…`` and ``prot_…``.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "events.query",
            {
                "startAfterSequenceId": start_after_sequence_id,
                "createdAtStart": created_at_start,
                "resourceId": resource_id,
                "relatedResourceId": related_resource_id,
                "eventTypes": event_types,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class StockAdjustmentsEndpoints:
    """``stock_adjustments/query``, ``stock_adjustments/create``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def query(
        self,
        /,
        *,
        listing_id: Id,
        start: datetime,
        end: datetime,
        page: int | None = None,
        per_page: int | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[StockAdjustment]]:
        """A listing's stock adjustments in a time span.

        Args:
            listing_id: The listing's id.
            start: Start of the time span.
            end: End of the time span.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through, such as the filters ``pub_…``, ``meta_…``,
                ``priv_…`` and ``prot_…``.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "stockAdjustments.query",
            {
                "listingId": listing_id,
                "start": start,
                "end": end,
                "page": page,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def create(
        self,
        /,
        *,
        listing_id: Id,
        quantity: int,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[StockAdjustment]:
        """Adds to a listing's stock, or takes from it.

        Args:
            listing_id: The listing's id.
            quantity: What to add; negative takes away.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "stockAdjustments.create",
            {
                "listingId": listing_id,
                "quantity": quantity,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class StockEndpoints:
    """``stock/compare_and_set``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def compare_and_set(
        self,
        /,
        *,
        listing_id: Id,
        old_total: int | None,
        new_total: int,
        expand: bool | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[Stock]:
        """Sets a listing's stock, if it is what was expected.

        Args:
            listing_id: The listing's id.
            old_total: Expected stock; None: none was ever set.
            new_total: Stock to set.
            expand: Give the whole resource; without, its id and type alone.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further members of the body, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "stock.compareAndSet",
            {
                "listingId": listing_id,
                "oldTotal": old_total,
                "newTotal": new_total,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class StockReservationsEndpoints:
    """``stock_reservations/show``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def show(
        self,
        /,
        *,
        id: Id,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[StockReservation]:
        """One stock reservation, by its id.

        Args:
            id: The stock reservation's id.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "stockReservations.show",
            {
                "id": id,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class MessagesEndpoints:
    """``messages/query``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def query(
        self,
        /,
        *,
        transaction_id: Id | None = None,
        ids: Ids | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: Names | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[Message]]:
        """Messages of a transaction.

        Args:
            transaction_id: Of this transaction.
            ids: Or: these messages, at most 100.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to give, by type: ``{"user": ["email"]}``.
            limit: Most resources of a relationship: ``{"images": 1}``.
            image_variant: Variants of your own, by name: ``{"small": {"w": 320, "h": 240, "fit":
                "scale"}}``.
            further: Further parameters, passed through, such as the filters ``pub_…``, ``meta_…``,
                ``priv_…`` and ``prot_…``.

        Raises:
            FlexError: The API refuses, or does not answer; the class tells why.
            TokenStoreError: No token could be had.
        """
        return await self._send(
            "messages.query",
            {
                "transactionId": transaction_id,
                "ids": ids,
                "page": page,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class Endpoints:
    """All resources of the Integration API."""

    def __init__(self, send: Send) -> None:
        self.marketplace = MarketplaceEndpoints(send)
        self.users = UsersEndpoints(send)
        self.listings = ListingsEndpoints(send)
        self.transactions = TransactionsEndpoints(send)
        self.images = ImagesEndpoints(send)
        self.files = FilesEndpoints(send)
        self.file_uploads = FileUploadsEndpoints(send)
        self.file_downloads = FileDownloadsEndpoints(send)
        self.file_attachments = FileAttachmentsEndpoints(send)
        self.availability_exceptions = AvailabilityExceptionsEndpoints(send)
        self.events = EventsEndpoints(send)
        self.stock_adjustments = StockAdjustmentsEndpoints(send)
        self.stock = StockEndpoints(send)
        self.stock_reservations = StockReservationsEndpoints(send)
        self.messages = MessagesEndpoints(send)
