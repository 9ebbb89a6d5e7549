"""``sdk.stock_reservations``: ``stock_reservations/show``.

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
    UnusedPaging,
)
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.suggesting import Suggesting
from flex_integration_sdk.resources import StockReservation

if TYPE_CHECKING:
    from flex_integration_sdk._vocabulary.includes import StockReservationInclude


class StockReservationsEndpoints(Suggesting):
    """``sdk.stock_reservations`` of sync programs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def show(
        self,
        /,
        *,
        id: Id,
        include: NamesOf[StockReservationInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[StockReservation]:
        """One stock reservation, by its id.

        Args:
            id: The stock reservation's id.
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


class AsyncStockReservationsEndpoints(Suggesting):
    """``sdk.stock_reservations`` of asyncio programs."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def show(
        self,
        /,
        *,
        id: Id,
        include: NamesOf[StockReservationInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[StockReservation]:
        """One stock reservation, by its id.

        Args:
            id: The stock reservation's id.
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
