"""``sdk.availability_exceptions``: ``availability_exceptions/query``,
``availability_exceptions/create``, ``availability_exceptions/delete``.

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
from flex_integration_sdk.resources import AvailabilityException

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator
    from flex_integration_sdk._endpoints.paging.sync import ResourceIterator
    from flex_integration_sdk._vocabulary.includes import AvailabilityExceptionInclude


class AvailabilityExceptionsEndpoints(Suggesting):
    """``sdk.availability_exceptions`` of sync programs."""

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
        include: NamesOf[AvailabilityExceptionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[list[AvailabilityException]]:
        """A listing's availability exceptions in a time span of at most 366 days.

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
            "availabilityExceptions.query",
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
        include: NamesOf[AvailabilityExceptionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> ResourceIterator[AvailabilityException]:
        """A listing's availability exceptions in a time span of at most 366 days. Walks through all
        pages; after an error it can go on.

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
            "availabilityExceptions.query",
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
        seats: int,
        start: datetime,
        end: datetime,
        expand: bool | None = None,
        include: NamesOf[AvailabilityExceptionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[AvailabilityException]:
        """Sets a listing's seats in a time span, whatever its plan says.

        Args:
            listing_id: The listing's id.
            seats: Seats that are free; 0: blocked.
            start: Start of the time span.
            end: End of the time span.
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
            "availabilityExceptions.create",
            {
                "listingId": listing_id,
                "seats": seats,
                "start": start,
                "end": end,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    def delete(
        self,
        /,
        *,
        id: Id,
        **further: Unpack[NothingMore],
    ) -> Response[AvailabilityException]:
        """Deletes an availability exception; returns its id and type.

        Args:
            id: The availability exception's id.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._send(
            "availabilityExceptions.delete",
            {
                "id": id,
            },
            further,
        )


class AsyncAvailabilityExceptionsEndpoints(Suggesting):
    """``sdk.availability_exceptions`` of asyncio programs."""

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
        include: NamesOf[AvailabilityExceptionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[list[AvailabilityException]]:
        """A listing's availability exceptions in a time span of at most 366 days.

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
            "availabilityExceptions.query",
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
        include: NamesOf[AvailabilityExceptionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> AsyncResourceIterator[AvailabilityException]:
        """A listing's availability exceptions in a time span of at most 366 days. Walks through all
        pages; after an error it can go on.

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
            "availabilityExceptions.query",
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
        seats: int,
        start: datetime,
        end: datetime,
        expand: bool | None = None,
        include: NamesOf[AvailabilityExceptionInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[AvailabilityException]:
        """Sets a listing's seats in a time span, whatever its plan says.

        Args:
            listing_id: The listing's id.
            seats: Seats that are free; 0: blocked.
            start: Start of the time span.
            end: End of the time span.
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
            "availabilityExceptions.create",
            {
                "listingId": listing_id,
                "seats": seats,
                "start": start,
                "end": end,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def delete(
        self,
        /,
        *,
        id: Id,
        **further: Unpack[NothingMore],
    ) -> Response[AvailabilityException]:
        """Deletes an availability exception; returns its id and type.

        Args:
            id: The availability exception's id.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._send(
            "availabilityExceptions.delete",
            {
                "id": id,
            },
            further,
        )
