"""``sdk.marketplace``: ``marketplace/show``.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import Unpack

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send
from flex_integration_sdk._endpoints.param_types import (
    AnyNames,
    Fields,
    ImageVariants,
    Limits,
    UnusedPaging,
)
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.suggesting import Suggesting
from flex_integration_sdk.resources import Marketplace


class MarketplaceEndpoints(Suggesting):
    """``sdk.marketplace`` of sync programs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def show(
        self,
        /,
        *,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[Marketplace]:
        """The marketplace that the client belongs to.

        Args:
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
            "marketplace.show",
            {
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class AsyncMarketplaceEndpoints(Suggesting):
    """``sdk.marketplace`` of asyncio programs."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def show(
        self,
        /,
        *,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[Marketplace]:
        """The marketplace that the client belongs to.

        Args:
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
            "marketplace.show",
            {
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )
