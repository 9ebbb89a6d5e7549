"""``sdk.events``, with ``follow`` beside what is generated."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from flex_integration_sdk._endpoints.generated.events import AsyncEventsEndpoints, EventsEndpoints
from flex_integration_sdk._endpoints.lazy import AsyncSend, Send
from flex_integration_sdk._endpoints.param_types import Fields, Id, NamesOf, datetime

from .ground import Ground
from .plan import FULL_PAGE_PAUSE, INTERVAL, TAKEOVER, Delivery, Plan

if TYPE_CHECKING:
    from flex_integration_sdk._vocabulary.names import EventFilter

    from .aio import AsyncEventStream
    from .cursor import AnyAsyncCursor, AnyCursor
    from .sync import EventStream


class FollowedEvents(EventsEndpoints):
    """``sdk.events`` of sync programs."""

    def __init__(self, send: Send, ground: Ground[Send]) -> None:
        super().__init__(send)
        self._ground = ground

    def follow(
        self,
        /,
        *,
        cursor: AnyCursor | None = None,
        interval: float = INTERVAL,
        delivery: Delivery = "at-least-once",
        since: datetime | None = None,
        worker: str | None = None,
        takeover: float = TAKEOVER,
        stop_on: Collection[int] = (),
        on_error: Callable[[Exception], object] | None = None,
        full_page_pause: float = FULL_PAGE_PAUSE,
        resource_id: Id | None = None,
        related_resource_id: Id | None = None,
        event_types: NamesOf[EventFilter] | None = None,
        fields: Fields | None = None,
        **further: Any,
    ) -> EventStream:
        """Events as they happen, in their order, from where the last run of the program ended.

        Use it in a ``with`` statement and iterate over it. It waits for events until it is stopped.
        A query that fails is repeated: 1 s later at first, then after longer pauses, up to
        ``interval``.

        Args:
            cursor: Where the position is kept between two runs: the path of a file, or an object
                with ``load() -> str | None`` and ``save(position: str)``. None: nowhere.
            interval: Seconds between two queries while nothing happens. The API's documentation
                asks for at least 10.
            delivery: ``"at-least-once"``: the position is saved when an event is handled, so a
                program that dies handles it again. ``"at-most-once"``: saved before the program
                gets the event.
            since: Where the first run begins; None: now. Not used where ``cursor`` has a position.
            worker: A name that replicas of the program share: one of them works, the others wait
                and take over. They also have to share the token store and the cursor.
            takeover: Seconds after which another replica takes over from one that has died, where
                the token store's lock has a lease.
            stop_on: Signals that stop the stream after the event under way, such as
                ``(signal.SIGTERM, signal.SIGINT)``. A second one acts as if this were not set.
            on_error: Called with each error that does not end the stream, and with an
                ``EventGapError`` if events may be missing. What it raises ends the stream.
            full_page_pause: Seconds until the next query after a full page.
            resource_id: About this resource.
            related_resource_id: Or: about this one and related resources.
            event_types: Such as ``listing/updated``; ``listing``: all of listings.
            fields: Attributes to return, by type; ``event`` needs ``sequenceId``.
            further: Further parameters of the query.

        Raises:
            ConfigurationError: An argument is wrong, or the cursor's folder cannot be written. Also
                raised by the iteration: the token store cannot keep replicas apart.
            CursorError: By the iteration: the cursor holds no position, or cannot be written.
            FlexError: By the iteration: the API refuses, in a way that a repetition does not mend.
            SessionClosedError: By the iteration: the instance is closed.
        """
        from .sync import EventStream

        plan = Plan(
            query=_query(resource_id, related_resource_id, event_types, fields),
            further=further,
            interval=interval,
            full_page_pause=full_page_pause,
            delivery=delivery,
            since=since,
            worker=worker,
            takeover=takeover,
            stop_on=stop_on,
            on_error=on_error,
        )
        plan.check_cursor(cursor)
        return EventStream(self._ground, plan, cursor)


class AsyncFollowedEvents(AsyncEventsEndpoints):
    """``sdk.events`` of asyncio programs."""

    def __init__(self, send: AsyncSend, ground: Ground[AsyncSend]) -> None:
        super().__init__(send)
        self._ground = ground

    def follow(
        self,
        /,
        *,
        cursor: AnyAsyncCursor | None = None,
        interval: float = INTERVAL,
        delivery: Delivery = "at-least-once",
        since: datetime | None = None,
        worker: str | None = None,
        takeover: float = TAKEOVER,
        stop_on: Collection[int] = (),
        on_error: Callable[[Exception], object] | None = None,
        full_page_pause: float = FULL_PAGE_PAUSE,
        resource_id: Id | None = None,
        related_resource_id: Id | None = None,
        event_types: NamesOf[EventFilter] | None = None,
        fields: Fields | None = None,
        **further: Any,
    ) -> AsyncEventStream:
        """Events as they happen, in their order, from where the last run of the program ended.

        Use it in an ``async with`` statement and iterate over it with ``async for``. It waits for
        events until it is stopped. A query that fails is repeated: 1 s later at first, then after
        longer pauses, up to ``interval``.

        Args:
            cursor: Where the position is kept between two runs: the path of a file, or an object
                with ``load() -> str | None`` and ``save(position: str)``, plain methods or
                coroutines. None: nowhere.
            interval: Seconds between two queries while nothing happens. The API's documentation
                asks for at least 10.
            delivery: ``"at-least-once"``: the position is saved when an event is handled, so a
                program that dies handles it again. ``"at-most-once"``: saved before the program
                gets the event.
            since: Where the first run begins; None: now. Not used where ``cursor`` has a position.
            worker: A name that replicas of the program share: one of them works, the others wait
                and take over. They also have to share the token store and the cursor.
            takeover: Seconds after which another replica takes over from one that has died, where
                the token store's lock has a lease. The event loop must not be blocked as long.
            stop_on: Signals that stop the stream after the event under way, such as
                ``(signal.SIGTERM, signal.SIGINT)``. A second one acts as if this were not set.
            on_error: Called with each error that does not end the stream, and with an
                ``EventGapError`` if events may be missing. What it raises ends the stream.
            full_page_pause: Seconds until the next query after a full page.
            resource_id: About this resource.
            related_resource_id: Or: about this one and related resources.
            event_types: Such as ``listing/updated``; ``listing``: all of listings.
            fields: Attributes to return, by type; ``event`` needs ``sequenceId``.
            further: Further parameters of the query.

        Raises:
            ConfigurationError: An argument is wrong, or the cursor's folder cannot be written. Also
                raised by the iteration: the token store cannot keep replicas apart.
            CursorError: By the iteration: the cursor holds no position, or cannot be written.
            FlexError: By the iteration: the API refuses, in a way that a repetition does not mend.
            SessionClosedError: By the iteration: the instance is closed.
        """
        from .aio import AsyncEventStream

        plan = Plan(
            query=_query(resource_id, related_resource_id, event_types, fields),
            further=further,
            interval=interval,
            full_page_pause=full_page_pause,
            delivery=delivery,
            since=since,
            worker=worker,
            takeover=takeover,
            stop_on=stop_on,
            on_error=on_error,
        )
        plan.check_cursor(cursor)
        return AsyncEventStream(self._ground, plan, cursor)


def _query(
    resource_id: Any, related_resource_id: Any, event_types: Any, fields: Any
) -> dict[str, Any]:
    named = {
        "resourceId": resource_id,
        "relatedResourceId": related_resource_id,
        "eventTypes": event_types,
        "fields": fields,
    }
    return {name: value for name, value in named.items() if value is not None}
