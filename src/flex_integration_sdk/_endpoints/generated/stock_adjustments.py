"""``sdk.stock_adjustments``: ``stock_adjustments/query``, ``stock_adjustments/create``.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send
from flex_integration_sdk._endpoints.param_types import (
    Fields,
    Id,
    ImageVariants,
    Limits,
    NamesOf,
    NothingMore,
    datetime,
)
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.suggesting import Suggesting
from flex_integration_sdk.resources import StockAdjustment

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator
    from flex_integration_sdk._endpoints.paging.sync import ResourceIterator
    from flex_integration_sdk._vocabulary.includes import StockAdjustmentInclude


class StockAdjustmentsEndpoints(Suggesting):
    """``sdk.stock_adjustments`` of sync programs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def query(
        self,
        /,
        *,
        listing_id: Id,
        start: datetime,
        end: datetime,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[StockAdjustmentInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[list[StockAdjustment]]:
        """A listing's stock adjustments in a time span.

        Args:
            listing_id: The listing's id.
            start: Start of the time span.
            end: End of the time span.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
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

    def iterate(
        self,
        /,
        *,
        listing_id: Id,
        start: datetime,
        end: datetime,
        per_page: int | None = None,
        include: NamesOf[StockAdjustmentInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> ResourceIterator[StockAdjustment]:
        """A listing's stock adjustments in a time span. Walks through all pages; after an error it
        can go on.

        Args:
            listing_id: The listing's id.
            start: Start of the time span.
            end: End of the time span.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            resume: ``position`` of an iterator with the same arguments: goes on there.
            further: Parameters that this version does not know, passed through. Type checkers take
                them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        from flex_integration_sdk._endpoints.paging.sync import ResourceIterator

        return ResourceIterator(
            self._send,
            "stockAdjustments.query",
            {
                "listingId": listing_id,
                "start": start,
                "end": end,
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
        listing_id: Id,
        quantity: int,
        expand: bool | None = None,
        include: NamesOf[StockAdjustmentInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[StockAdjustment]:
        """Adds to a listing's stock, or takes from it.

        Args:
            listing_id: The listing's id.
            quantity: Number to add; a negative number takes away.
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


class AsyncStockAdjustmentsEndpoints(Suggesting):
    """``sdk.stock_adjustments`` of asyncio programs."""

    def __init__(self, send: AsyncSend) -> None:
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
        include: NamesOf[StockAdjustmentInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[list[StockAdjustment]]:
        """A listing's stock adjustments in a time span.

        Args:
            listing_id: The listing's id.
            start: Start of the time span.
            end: End of the time span.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
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

    def iterate(
        self,
        /,
        *,
        listing_id: Id,
        start: datetime,
        end: datetime,
        per_page: int | None = None,
        include: NamesOf[StockAdjustmentInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> AsyncResourceIterator[StockAdjustment]:
        """A listing's stock adjustments in a time span. Walks through all pages; after an error it
        can go on.

        Args:
            listing_id: The listing's id.
            start: Start of the time span.
            end: End of the time span.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            resume: ``position`` of an iterator with the same arguments: goes on there.
            further: Parameters that this version does not know, passed through. Type checkers take
                them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator

        return AsyncResourceIterator(
            self._send,
            "stockAdjustments.query",
            {
                "listingId": listing_id,
                "start": start,
                "end": end,
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
        listing_id: Id,
        quantity: int,
        expand: bool | None = None,
        include: NamesOf[StockAdjustmentInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[StockAdjustment]:
        """Adds to a listing's stock, or takes from it.

        Args:
            listing_id: The listing's id.
            quantity: Number to add; a negative number takes away.
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
