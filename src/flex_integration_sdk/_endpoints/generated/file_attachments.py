"""``sdk.file_attachments``: ``file_attachments/query``.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send
from flex_integration_sdk._endpoints.param_types import (
    Fields,
    Id,
    Ids,
    ImageVariants,
    Limits,
    NamesOf,
    NothingMore,
)
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.suggesting import Suggesting
from flex_integration_sdk.resources import FileAttachment

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator
    from flex_integration_sdk._endpoints.paging.sync import ResourceIterator
    from flex_integration_sdk._vocabulary.includes import FileAttachmentInclude


class FileAttachmentsEndpoints(Suggesting):
    """``sdk.file_attachments`` of sync programs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def query(
        self,
        /,
        *,
        ids: Ids | None = None,
        file_ids: Ids | None = None,
        message_id: Id | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[FileAttachmentInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[list[FileAttachment]]:
        """Attachments of messages.

        Args:
            ids: These attachments only, at most 100.
            file_ids: Of these files.
            message_id: Of this message.
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

    def iterate(
        self,
        /,
        *,
        ids: Ids | None = None,
        file_ids: Ids | None = None,
        message_id: Id | None = None,
        per_page: int | None = None,
        include: NamesOf[FileAttachmentInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> ResourceIterator[FileAttachment]:
        """Attachments of messages. Walks through all pages; after an error it can go on.

        Args:
            ids: These attachments only, at most 100.
            file_ids: Of these files.
            message_id: Of this message.
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
            "fileAttachments.query",
            {
                "ids": ids,
                "fileIds": file_ids,
                "messageId": message_id,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )


class AsyncFileAttachmentsEndpoints(Suggesting):
    """``sdk.file_attachments`` of asyncio programs."""

    def __init__(self, send: AsyncSend) -> None:
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
        include: NamesOf[FileAttachmentInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[list[FileAttachment]]:
        """Attachments of messages.

        Args:
            ids: These attachments only, at most 100.
            file_ids: Of these files.
            message_id: Of this message.
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

    def iterate(
        self,
        /,
        *,
        ids: Ids | None = None,
        file_ids: Ids | None = None,
        message_id: Id | None = None,
        per_page: int | None = None,
        include: NamesOf[FileAttachmentInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> AsyncResourceIterator[FileAttachment]:
        """Attachments of messages. Walks through all pages; after an error it can go on.

        Args:
            ids: These attachments only, at most 100.
            file_ids: Of these files.
            message_id: Of this message.
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
            "fileAttachments.query",
            {
                "ids": ids,
                "fileIds": file_ids,
                "messageId": message_id,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )
