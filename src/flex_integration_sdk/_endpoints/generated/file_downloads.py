"""``sdk.file_downloads``: ``file_downloads/create``.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import Unpack, overload

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send
from flex_integration_sdk._endpoints.param_types import (
    UNSET,
    AnyNames,
    Fields,
    Id,
    ImageVariants,
    Limits,
    NothingMore,
    Unset,
)
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.suggesting import Suggesting
from flex_integration_sdk.resources import FileDownload


class FileDownloadsEndpoints(Suggesting):
    """``sdk.file_downloads`` of sync programs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    @overload
    def create(
        self,
        /,
        *,
        file_attachment_id: Id,
        file_id: Unset = UNSET,
        expand: bool | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[FileDownload]: ...
    @overload
    def create(
        self,
        /,
        *,
        file_id: Id,
        file_attachment_id: Unset = UNSET,
        expand: bool | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[FileDownload]: ...
    def create(
        self,
        /,
        *,
        file_attachment_id: Id | Unset = UNSET,
        file_id: Id | Unset = UNSET,
        expand: bool | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[FileDownload]:
        """Makes a signed URL to download an ``available`` file from, by its id or an attachment's.

        Args:
            file_attachment_id: The attachment's id.
            file_id: The file's id.
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


class AsyncFileDownloadsEndpoints(Suggesting):
    """``sdk.file_downloads`` of asyncio programs."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    @overload
    async def create(
        self,
        /,
        *,
        file_attachment_id: Id,
        file_id: Unset = UNSET,
        expand: bool | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[FileDownload]: ...
    @overload
    async def create(
        self,
        /,
        *,
        file_id: Id,
        file_attachment_id: Unset = UNSET,
        expand: bool | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[FileDownload]: ...
    async def create(
        self,
        /,
        *,
        file_attachment_id: Id | Unset = UNSET,
        file_id: Id | Unset = UNSET,
        expand: bool | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[FileDownload]:
        """Makes a signed URL to download an ``available`` file from, by its id or an attachment's.

        Args:
            file_attachment_id: The attachment's id.
            file_id: The file's id.
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
