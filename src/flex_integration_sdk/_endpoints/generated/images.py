"""``sdk.images``: ``images/upload``.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import Unpack

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send
from flex_integration_sdk._endpoints.param_types import (
    AnyNames,
    AsyncUpload,
    Fields,
    ImageVariants,
    Limits,
    NothingMore,
    Progress,
    Upload,
)
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.suggesting import Suggesting
from flex_integration_sdk.resources import Image


class ImagesEndpoints(Suggesting):
    """``sdk.images`` of sync programs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def upload(
        self,
        /,
        *,
        image: Upload,
        name: str | None = None,
        mime_type: str | None = None,
        on_progress: Progress | None = None,
        expand: bool | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Image]:
        """Uploads an image, to be used in a listing or profile.

        Args:
            image: Path of a file, its bytes, a file or stream opened for reading bytes, or an
                iterable of bytes. It is read while it is sent.
            name: The file's name. If omitted: the path's or the open file's.
            mime_type: Such as ``image/webp``. If omitted: by the name's ending.
            on_progress: Called with the bytes that were sent, and with their number (None: it is
                not known). It begins again from 0 if the file has to be sent again. What it raises
                ends the upload.
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
            "images.upload",
            {
                "image": image,
                "name": name,
                "mimeType": mime_type,
                "onProgress": on_progress,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class AsyncImagesEndpoints(Suggesting):
    """``sdk.images`` of asyncio programs."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def upload(
        self,
        /,
        *,
        image: AsyncUpload,
        name: str | None = None,
        mime_type: str | None = None,
        on_progress: Progress | None = None,
        expand: bool | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[Image]:
        """Uploads an image, to be used in a listing or profile.

        Args:
            image: Path of a file, its bytes, a file or stream opened for reading bytes, or an
                iterable of bytes. It is read while it is sent.
            name: The file's name. If omitted: the path's or the open file's.
            mime_type: Such as ``image/webp``. If omitted: by the name's ending.
            on_progress: Called with the bytes that were sent, and with their number (None: it is
                not known). It begins again from 0 if the file has to be sent again. What it raises
                ends the upload.
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
            "images.upload",
            {
                "image": image,
                "name": name,
                "mimeType": mime_type,
                "onProgress": on_progress,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )
