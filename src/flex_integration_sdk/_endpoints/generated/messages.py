"""``sdk.messages``: ``messages/query``.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack, overload

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
from flex_integration_sdk.resources import Message

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator
    from flex_integration_sdk._endpoints.paging.sync import ResourceIterator
    from flex_integration_sdk._vocabulary.includes import MessageInclude


class MessagesEndpoints(Suggesting):
    """``sdk.messages`` of sync programs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    @overload
    def query(
        self,
        /,
        *,
        transaction_id: Id,
        ids: None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[MessageInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[list[Message]]: ...
    @overload
    def query(
        self,
        /,
        *,
        ids: Ids,
        transaction_id: None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[MessageInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[list[Message]]: ...
    def query(
        self,
        /,
        *,
        transaction_id: Id | None = None,
        ids: Ids | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[MessageInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[list[Message]]:
        """Messages of a transaction.

        Args:
            transaction_id: Of this transaction.
            ids: Or: these messages, at most 100.
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

    @overload
    def iterate(
        self,
        /,
        *,
        transaction_id: Id,
        ids: None = None,
        per_page: int | None = None,
        include: NamesOf[MessageInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> ResourceIterator[Message]: ...
    @overload
    def iterate(
        self,
        /,
        *,
        ids: Ids,
        transaction_id: None = None,
        per_page: int | None = None,
        include: NamesOf[MessageInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> ResourceIterator[Message]: ...
    def iterate(
        self,
        /,
        *,
        transaction_id: Id | None = None,
        ids: Ids | None = None,
        per_page: int | None = None,
        include: NamesOf[MessageInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> ResourceIterator[Message]:
        """Messages of a transaction. Walks through all pages; after an error it can go on.

        Args:
            transaction_id: Of this transaction.
            ids: Or: these messages, at most 100.
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
            "messages.query",
            {
                "transactionId": transaction_id,
                "ids": ids,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )


class AsyncMessagesEndpoints(Suggesting):
    """``sdk.messages`` of asyncio programs."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    @overload
    async def query(
        self,
        /,
        *,
        transaction_id: Id,
        ids: None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[MessageInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[list[Message]]: ...
    @overload
    async def query(
        self,
        /,
        *,
        ids: Ids,
        transaction_id: None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[MessageInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[list[Message]]: ...
    async def query(
        self,
        /,
        *,
        transaction_id: Id | None = None,
        ids: Ids | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[MessageInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[list[Message]]:
        """Messages of a transaction.

        Args:
            transaction_id: Of this transaction.
            ids: Or: these messages, at most 100.
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

    @overload
    def iterate(
        self,
        /,
        *,
        transaction_id: Id,
        ids: None = None,
        per_page: int | None = None,
        include: NamesOf[MessageInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> AsyncResourceIterator[Message]: ...
    @overload
    def iterate(
        self,
        /,
        *,
        ids: Ids,
        transaction_id: None = None,
        per_page: int | None = None,
        include: NamesOf[MessageInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> AsyncResourceIterator[Message]: ...
    def iterate(
        self,
        /,
        *,
        transaction_id: Id | None = None,
        ids: Ids | None = None,
        per_page: int | None = None,
        include: NamesOf[MessageInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> AsyncResourceIterator[Message]:
        """Messages of a transaction. Walks through all pages; after an error it can go on.

        Args:
            transaction_id: Of this transaction.
            ids: Or: these messages, at most 100.
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
            "messages.query",
            {
                "transactionId": transaction_id,
                "ids": ids,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )
