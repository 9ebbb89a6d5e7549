"""``sdk.listings``: ``listings/show``, ``listings/query``, ``listings/create``,
``listings/update``, ``listings/approve``, ``listings/open``, ``listings/close``.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send
from flex_integration_sdk._endpoints.param_types import (
    UNSET,
    AnyName,
    ExtendedData,
    Fields,
    Id,
    Ids,
    ImageVariants,
    LatLng,
    LatLngBounds,
    Limits,
    Money,
    NamesOf,
    NothingMore,
    PriceRange,
    Unset,
    UnusedPaging,
    datetime,
)
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.suggesting import Suggesting
from flex_integration_sdk.resources import (
    AvailabilityPlan,
    Listing,
)

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator
    from flex_integration_sdk._endpoints.paging.sync import ResourceIterator
    from flex_integration_sdk._vocabulary.includes import ListingInclude
    from flex_integration_sdk._vocabulary.names import (
        AvailabilityMode,
        ListingSort,
        ListingState,
        NewListingState,
        StockMode,
    )


class ListingsEndpoints(Suggesting):
    """``sdk.listings`` of sync programs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def show(
        self,
        /,
        *,
        id: Id,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[Listing]:
        """One listing, by its id.

        Args:
            id: The listing's id.
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

    def query(
        self,
        /,
        *,
        ids: Ids | None = None,
        author_id: Id | None = None,
        states: NamesOf[ListingState] | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        keywords: str | None = None,
        origin: LatLng | None = None,
        bounds: LatLngBounds | None = None,
        price: PriceRange | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        seats: int | None = None,
        availability: AvailabilityMode | AnyName | None = None,
        min_duration: int | None = None,
        min_stock: int | None = None,
        stock_mode: StockMode | AnyName | None = None,
        sort: NamesOf[ListingSort] | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[Listing]]:
        """Listings, in all states unless you pass ``states``.

        Args:
            ids: These listings only, at most 100.
            author_id: Of this user only.
            states: ``draft``, ``pendingApproval``, ``published``, ``closed``.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            keywords: Words to search for, best matches first; not with ``origin``.
            origin: Nearest to this point first; not with ``keywords``.
            bounds: Within this box.
            price: In minor units: a price, or ``(from, below)`` with None for no limit.
            start: With ``end``: free in this time, at most 90 days.
            end: See ``start``.
            seats: Free seats needed, with ``start`` and ``end``.
            availability: ``day-full`` (default), ``day-partial``, ``time-full`` or ``time-
                partial``: all of the time or a part of it, of listings with a plan of that type.
            min_duration: Free in one piece: days with ``day-partial``, minutes with ``time-
                partial``.
            min_stock: Minimum stock.
            stock_mode: ``strict`` (default), or ``match-undefined``: also those without stock.
            sort: Up to 3 of ``createdAt``, ``price`` and public data; ``-`` before a name reverses
                it.
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

    def iterate(
        self,
        /,
        *,
        ids: Ids | None = None,
        author_id: Id | None = None,
        states: NamesOf[ListingState] | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        keywords: str | None = None,
        origin: LatLng | None = None,
        bounds: LatLngBounds | None = None,
        price: PriceRange | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        seats: int | None = None,
        availability: AvailabilityMode | AnyName | None = None,
        min_duration: int | None = None,
        min_stock: int | None = None,
        stock_mode: StockMode | AnyName | None = None,
        sort: NamesOf[ListingSort] | None = None,
        per_page: int | None = None,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Any,
    ) -> ResourceIterator[Listing]:
        """Listings, in all states unless you pass ``states``. Walks through all pages, oldest first
        unless ``sort`` says otherwise; after an error it can go on.

        Args:
            ids: These listings only, at most 100.
            author_id: Of this user only.
            states: ``draft``, ``pendingApproval``, ``published``, ``closed``.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            keywords: Words to search for, best matches first; not with ``origin``.
            origin: Nearest to this point first; not with ``keywords``.
            bounds: Within this box.
            price: In minor units: a price, or ``(from, below)`` with None for no limit.
            start: With ``end``: free in this time, at most 90 days.
            end: See ``start``.
            seats: Free seats needed, with ``start`` and ``end``.
            availability: ``day-full`` (default), ``day-partial``, ``time-full`` or ``time-
                partial``: all of the time or a part of it, of listings with a plan of that type.
            min_duration: Free in one piece: days with ``day-partial``, minutes with ``time-
                partial``.
            min_stock: Minimum stock.
            stock_mode: ``strict`` (default), or ``match-undefined``: also those without stock.
            sort: Up to 3 of ``createdAt``, ``price`` and public data; ``-`` before a name reverses
                it.
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
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )

    def create(
        self,
        /,
        *,
        title: str,
        author_id: Id,
        state: NewListingState | AnyName | Unset = UNSET,
        description: str | Unset = UNSET,
        geolocation: LatLng | Unset | None = UNSET,
        price: Money | Unset | None = UNSET,
        availability_plan: AvailabilityPlan | Unset | None = UNSET,
        public_data: ExtendedData | Unset = UNSET,
        private_data: ExtendedData | Unset = UNSET,
        metadata: ExtendedData | Unset = UNSET,
        images: Ids | Unset = UNSET,
        expand: bool | None = None,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Listing]:
        """Creates a listing for a user. At most 100 a minute.

        Args:
            title: Its title.
            author_id: The author's id.
            state: ``published`` or ``pendingApproval``.
            description: Text on the listing's page.
            geolocation: Location of the listing.
            price: Price of the listing.
            availability_plan: ``type`` (``availability-plan/day`` or ``…/time``), ``timezone``,
                ``entries``.
            public_data: Merged with the stored data, key by key.
            private_data: Merged key by key; owner and operators read it.
            metadata: Merged key by key; only operators write it, all read it.
            images: Ids of uploaded images, in their order.
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

    def update(
        self,
        /,
        *,
        id: Id,
        title: str | Unset = UNSET,
        description: str | Unset = UNSET,
        geolocation: LatLng | Unset | None = UNSET,
        price: Money | Unset | None = UNSET,
        availability_plan: AvailabilityPlan | Unset | None = UNSET,
        public_data: ExtendedData | Unset = UNSET,
        private_data: ExtendedData | Unset = UNSET,
        metadata: ExtendedData | Unset = UNSET,
        images: Ids | Unset = UNSET,
        expand: bool | None = None,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Listing]:
        """Changes a listing; what you omit stays. The state is changed by ``approve``, ``open`` and
        ``close``.

        Args:
            id: The listing's id.
            title: Its title.
            description: Text on the listing's page.
            geolocation: Location of the listing.
            price: Price of the listing.
            availability_plan: ``type`` (``availability-plan/day`` or ``…/time``), ``timezone``,
                ``entries``.
            public_data: Merged with the stored data, key by key.
            private_data: Merged key by key; owner and operators read it.
            metadata: Merged key by key; only operators write it, all read it.
            images: Ids of uploaded images, in their order.
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

    def approve(
        self,
        /,
        *,
        id: Id,
        expand: bool | None = None,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Listing]:
        """Publishes a listing that waits for approval.

        Args:
            id: The listing's id.
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

    def open(
        self,
        /,
        *,
        id: Id,
        expand: bool | None = None,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Listing]:
        """Publishes a closed listing.

        Args:
            id: The listing's id.
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

    def close(
        self,
        /,
        *,
        id: Id,
        expand: bool | None = None,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Listing]:
        """Closes a listing.

        Args:
            id: The listing's id.
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


class AsyncListingsEndpoints(Suggesting):
    """``sdk.listings`` of asyncio programs."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def show(
        self,
        /,
        *,
        id: Id,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[Listing]:
        """One listing, by its id.

        Args:
            id: The listing's id.
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
        states: NamesOf[ListingState] | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        keywords: str | None = None,
        origin: LatLng | None = None,
        bounds: LatLngBounds | None = None,
        price: PriceRange | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        seats: int | None = None,
        availability: AvailabilityMode | AnyName | None = None,
        min_duration: int | None = None,
        min_stock: int | None = None,
        stock_mode: StockMode | AnyName | None = None,
        sort: NamesOf[ListingSort] | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[Listing]]:
        """Listings, in all states unless you pass ``states``.

        Args:
            ids: These listings only, at most 100.
            author_id: Of this user only.
            states: ``draft``, ``pendingApproval``, ``published``, ``closed``.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            keywords: Words to search for, best matches first; not with ``origin``.
            origin: Nearest to this point first; not with ``keywords``.
            bounds: Within this box.
            price: In minor units: a price, or ``(from, below)`` with None for no limit.
            start: With ``end``: free in this time, at most 90 days.
            end: See ``start``.
            seats: Free seats needed, with ``start`` and ``end``.
            availability: ``day-full`` (default), ``day-partial``, ``time-full`` or ``time-
                partial``: all of the time or a part of it, of listings with a plan of that type.
            min_duration: Free in one piece: days with ``day-partial``, minutes with ``time-
                partial``.
            min_stock: Minimum stock.
            stock_mode: ``strict`` (default), or ``match-undefined``: also those without stock.
            sort: Up to 3 of ``createdAt``, ``price`` and public data; ``-`` before a name reverses
                it.
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

    def iterate(
        self,
        /,
        *,
        ids: Ids | None = None,
        author_id: Id | None = None,
        states: NamesOf[ListingState] | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        keywords: str | None = None,
        origin: LatLng | None = None,
        bounds: LatLngBounds | None = None,
        price: PriceRange | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        seats: int | None = None,
        availability: AvailabilityMode | AnyName | None = None,
        min_duration: int | None = None,
        min_stock: int | None = None,
        stock_mode: StockMode | AnyName | None = None,
        sort: NamesOf[ListingSort] | None = None,
        per_page: int | None = None,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Any,
    ) -> AsyncResourceIterator[Listing]:
        """Listings, in all states unless you pass ``states``. Walks through all pages, oldest first
        unless ``sort`` says otherwise; after an error it can go on.

        Args:
            ids: These listings only, at most 100.
            author_id: Of this user only.
            states: ``draft``, ``pendingApproval``, ``published``, ``closed``.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            keywords: Words to search for, best matches first; not with ``origin``.
            origin: Nearest to this point first; not with ``keywords``.
            bounds: Within this box.
            price: In minor units: a price, or ``(from, below)`` with None for no limit.
            start: With ``end``: free in this time, at most 90 days.
            end: See ``start``.
            seats: Free seats needed, with ``start`` and ``end``.
            availability: ``day-full`` (default), ``day-partial``, ``time-full`` or ``time-
                partial``: all of the time or a part of it, of listings with a plan of that type.
            min_duration: Free in one piece: days with ``day-partial``, minutes with ``time-
                partial``.
            min_stock: Minimum stock.
            stock_mode: ``strict`` (default), or ``match-undefined``: also those without stock.
            sort: Up to 3 of ``createdAt``, ``price`` and public data; ``-`` before a name reverses
                it.
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
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )

    async def create(
        self,
        /,
        *,
        title: str,
        author_id: Id,
        state: NewListingState | AnyName | Unset = UNSET,
        description: str | Unset = UNSET,
        geolocation: LatLng | Unset | None = UNSET,
        price: Money | Unset | None = UNSET,
        availability_plan: AvailabilityPlan | Unset | None = UNSET,
        public_data: ExtendedData | Unset = UNSET,
        private_data: ExtendedData | Unset = UNSET,
        metadata: ExtendedData | Unset = UNSET,
        images: Ids | Unset = UNSET,
        expand: bool | None = None,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Listing]:
        """Creates a listing for a user. At most 100 a minute.

        Args:
            title: Its title.
            author_id: The author's id.
            state: ``published`` or ``pendingApproval``.
            description: Text on the listing's page.
            geolocation: Location of the listing.
            price: Price of the listing.
            availability_plan: ``type`` (``availability-plan/day`` or ``…/time``), ``timezone``,
                ``entries``.
            public_data: Merged with the stored data, key by key.
            private_data: Merged key by key; owner and operators read it.
            metadata: Merged key by key; only operators write it, all read it.
            images: Ids of uploaded images, in their order.
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
        availability_plan: AvailabilityPlan | Unset | None = UNSET,
        public_data: ExtendedData | Unset = UNSET,
        private_data: ExtendedData | Unset = UNSET,
        metadata: ExtendedData | Unset = UNSET,
        images: Ids | Unset = UNSET,
        expand: bool | None = None,
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Listing]:
        """Changes a listing; what you omit stays. The state is changed by ``approve``, ``open`` and
        ``close``.

        Args:
            id: The listing's id.
            title: Its title.
            description: Text on the listing's page.
            geolocation: Location of the listing.
            price: Price of the listing.
            availability_plan: ``type`` (``availability-plan/day`` or ``…/time``), ``timezone``,
                ``entries``.
            public_data: Merged with the stored data, key by key.
            private_data: Merged key by key; owner and operators read it.
            metadata: Merged key by key; only operators write it, all read it.
            images: Ids of uploaded images, in their order.
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
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Listing]:
        """Publishes a listing that waits for approval.

        Args:
            id: The listing's id.
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
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Listing]:
        """Publishes a closed listing.

        Args:
            id: The listing's id.
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
        include: NamesOf[ListingInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Listing]:
        """Closes a listing.

        Args:
            id: The listing's id.
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
