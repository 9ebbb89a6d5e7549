"""``sdk.events``: ``events/query``.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send
from flex_integration_sdk._endpoints.param_types import (
    AnyNames,
    Fields,
    Id,
    ImageVariants,
    Limits,
    NamesOf,
    NothingMore,
    UnusedPaging,
    datetime,
)
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.suggesting import Suggesting
from flex_integration_sdk.resources import Event

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator
    from flex_integration_sdk._endpoints.paging.sync import ResourceIterator
    from flex_integration_sdk._vocabulary.names import EventFilter


class EventsEndpoints(Suggesting):
    """``sdk.events`` of sync programs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def query(
        self,
        /,
        *,
        start_after_sequence_id: int | None = None,
        created_at_start: datetime | None = None,
        resource_id: Id | None = None,
        related_resource_id: Id | None = None,
        event_types: NamesOf[EventFilter] | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[list[Event]]:
        """What happened in the marketplace, oldest first, at most 100. There are no further pages:
        go on with ``start_after_sequence_id``.

        Args:
            start_after_sequence_id: Events after this one.
            created_at_start: Or: events at this time or later.
            resource_id: About this resource.
            related_resource_id: Or: about this one and related resources.
            event_types: Such as ``listing/updated``; ``listing``: all of listings.
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
            "events.query",
            {
                "startAfterSequenceId": start_after_sequence_id,
                "createdAtStart": created_at_start,
                "resourceId": resource_id,
                "relatedResourceId": related_resource_id,
                "eventTypes": event_types,
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
        start_after_sequence_id: int | None = None,
        created_at_start: datetime | None = None,
        resource_id: Id | None = None,
        related_resource_id: Id | None = None,
        event_types: NamesOf[EventFilter] | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> ResourceIterator[Event]:
        """What happened in the marketplace, oldest first. Walks through all pages; after an error
        it can go on.

        Args:
            start_after_sequence_id: Events after this one.
            created_at_start: Or: events at this time or later.
            resource_id: About this resource.
            related_resource_id: Or: about this one and related resources.
            event_types: Such as ``listing/updated``; ``listing``: all of listings.
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
            "events.query",
            {
                "startAfterSequenceId": start_after_sequence_id,
                "createdAtStart": created_at_start,
                "resourceId": resource_id,
                "relatedResourceId": related_resource_id,
                "eventTypes": event_types,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )


class AsyncEventsEndpoints(Suggesting):
    """``sdk.events`` of asyncio programs."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def query(
        self,
        /,
        *,
        start_after_sequence_id: int | None = None,
        created_at_start: datetime | None = None,
        resource_id: Id | None = None,
        related_resource_id: Id | None = None,
        event_types: NamesOf[EventFilter] | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[list[Event]]:
        """What happened in the marketplace, oldest first, at most 100. There are no further pages:
        go on with ``start_after_sequence_id``.

        Args:
            start_after_sequence_id: Events after this one.
            created_at_start: Or: events at this time or later.
            resource_id: About this resource.
            related_resource_id: Or: about this one and related resources.
            event_types: Such as ``listing/updated``; ``listing``: all of listings.
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
            "events.query",
            {
                "startAfterSequenceId": start_after_sequence_id,
                "createdAtStart": created_at_start,
                "resourceId": resource_id,
                "relatedResourceId": related_resource_id,
                "eventTypes": event_types,
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
        start_after_sequence_id: int | None = None,
        created_at_start: datetime | None = None,
        resource_id: Id | None = None,
        related_resource_id: Id | None = None,
        event_types: NamesOf[EventFilter] | None = None,
        include: AnyNames | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Unpack[NothingMore],
    ) -> AsyncResourceIterator[Event]:
        """What happened in the marketplace, oldest first. Walks through all pages; after an error
        it can go on.

        Args:
            start_after_sequence_id: Events after this one.
            created_at_start: Or: events at this time or later.
            resource_id: About this resource.
            related_resource_id: Or: about this one and related resources.
            event_types: Such as ``listing/updated``; ``listing``: all of listings.
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
            "events.query",
            {
                "startAfterSequenceId": start_after_sequence_id,
                "createdAtStart": created_at_start,
                "resourceId": resource_id,
                "relatedResourceId": related_resource_id,
                "eventTypes": event_types,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )
