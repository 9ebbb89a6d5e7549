"""``sdk.files``: ``files/create``, ``files/query``.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from flex_integration_sdk._endpoints.file_uploading import AsyncFileUploading, FileUploading
from flex_integration_sdk._endpoints.param_types import (
    Fields,
    Id,
    Ids,
    ImageVariants,
    Limits,
    NamesOf,
    NothingMore,
    datetime,
)
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk.resources import File

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator
    from flex_integration_sdk._endpoints.paging.sync import ResourceIterator
    from flex_integration_sdk._vocabulary.includes import FileInclude


class FilesEndpoints(FileUploading):
    """``sdk.files`` of sync programs."""

    def create(
        self,
        /,
        *,
        name: str,
        mime_type: str,
        size: int,
        expand: bool | None = None,
        include: NamesOf[FileInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[File]:
        """Registers a file that you will upload.

        Args:
            name: Its name.
            mime_type: Such as ``application/pdf``.
            size: Bytes, below 1 GB.
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

    def query(
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
        include: NamesOf[FileInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
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

    def iterate(
        self,
        /,
        *,
        ids: Ids | None = None,
        message_id: Id | None = None,
        owner_id: Id | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        per_page: int | None = None,
        include: NamesOf[FileInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> ResourceIterator[File]:
        """Files. Walks through all pages; after an error it can go on.

        Args:
            ids: These files only, at most 100.
            message_id: Attached to this message.
            owner_id: Of this user.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
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
            "files.query",
            {
                "ids": ids,
                "messageId": message_id,
                "ownerId": owner_id,
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )


class AsyncFilesEndpoints(AsyncFileUploading):
    """``sdk.files`` of asyncio programs."""

    async def create(
        self,
        /,
        *,
        name: str,
        mime_type: str,
        size: int,
        expand: bool | None = None,
        include: NamesOf[FileInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[File]:
        """Registers a file that you will upload.

        Args:
            name: Its name.
            mime_type: Such as ``application/pdf``.
            size: Bytes, below 1 GB.
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
        include: NamesOf[FileInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
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

    def iterate(
        self,
        /,
        *,
        ids: Ids | None = None,
        message_id: Id | None = None,
        owner_id: Id | None = None,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        per_page: int | None = None,
        include: NamesOf[FileInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> AsyncResourceIterator[File]:
        """Files. Walks through all pages; after an error it can go on.

        Args:
            ids: These files only, at most 100.
            message_id: Attached to this message.
            owner_id: Of this user.
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
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
            "files.query",
            {
                "ids": ids,
                "messageId": message_id,
                "ownerId": owner_id,
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )
