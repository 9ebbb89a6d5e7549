"""``sdk.stock``: ``stock/compare_and_set``.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import Unpack

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send
from flex_integration_sdk._endpoints.param_types import (
    AnyNames,
    Fields,
    Id,
    ImageVariants,
    Limits,
    NothingMore,
)
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.suggesting import Suggesting
from flex_integration_sdk.resources import Stock


class StockEndpoints(Suggesting):
    """``sdk.stock`` of sync programs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def compare_and_set(
        self,
        /,
        *,
        listing_id: Id,
        old_total: int | None,
        new_total: int,
        expand: bool | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Stock]:
        """Sets a listing's stock if it is still the expected one.

        Args:
            listing_id: The listing's id.
            old_total: Expected stock; None: stock was never set.
            new_total: Stock to set.
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


class AsyncStockEndpoints(Suggesting):
    """``sdk.stock`` of asyncio programs."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def compare_and_set(
        self,
        /,
        *,
        listing_id: Id,
        old_total: int | None,
        new_total: int,
        expand: bool | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Stock]:
        """Sets a listing's stock if it is still the expected one.

        Args:
            listing_id: The listing's id.
            old_total: Expected stock; None: stock was never set.
            new_total: Stock to set.
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
