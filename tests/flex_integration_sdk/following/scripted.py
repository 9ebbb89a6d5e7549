"""An API that a test writes, a clock that goes on while a stream waits, and streams on both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any
from uuid import UUID

from flex_integration_sdk import Response
from flex_integration_sdk._following.aio import AsyncEventStream
from flex_integration_sdk._following.ground import Ground
from flex_integration_sdk._following.plan import Plan
from flex_integration_sdk._following.sync import EventStream
from flex_integration_sdk._following.turn import Clock
from flex_integration_sdk._transport.closing import Closing

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def event(number: int) -> dict[str, Any]:
    attributes = {"sequenceId": number, "createdAt": EPOCH + timedelta(minutes=number)}
    return {"id": UUID(int=number), "type": "event", "attributes": attributes}


class World:
    """The API, the clock and the bell of one stream.

    Args:
        numbers: Of the events that there are.
        per_page: Size of a page.
    """

    def __init__(self, *numbers: int, per_page: int = 3) -> None:
        self.events = [event(each) for each in numbers]
        self.per_page = per_page
        self.now = 1000.0
        self.polls: list[tuple[float, dict[str, Any]]] = []
        self.waits: list[float] = []
        self.outcomes: list[Exception | None] = []
        self.in_wait: Callable[[], object] = lambda: None
        self.ahead = 0.0  # seconds, of this machine's clock
        self.closing = Closing()
        self.clock = Clock(lambda: self.now, self._wall)

    def _wall(self) -> float:
        return self.now + EPOCH.timestamp() + self.ahead

    def add(self, *numbers: int) -> None:
        self.events += [event(each) for each in numbers]

    def send(self, name: str, named: Mapping[str, Any], further: Mapping[str, Any]) -> Any:
        assert name == "events.query"
        self.polls.append((self.now, {**named, **further}))
        if self.outcomes and (error := self.outcomes.pop(0)) is not None:
            raise error
        after, since = named.get("startAfterSequenceId", 0), named.get("createdAtStart", EPOCH)
        found = [
            each
            for each in self.events
            if each["attributes"].get("sequenceId", 1) > after
            and each["attributes"]["createdAt"] >= since
        ]
        data = found[: self.per_page]
        headers = {"date": formatdate(self._wall() - self.ahead, usegmt=True)}
        return Response(200, {"data": data, "meta": {"perPage": self.per_page}}, headers)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        assert len(self.waits) < 1000, "it waits for ever"
        self.now += seconds
        self.in_wait()

    def ring(self) -> None:
        pass

    def stream(self, cursor: Any = None, **plan: Any) -> EventStream:
        ground: Any = self._ground(self.send)
        bell: Any = Bell(self)
        made = EventStream(ground, Plan(**plan), cursor, clock=self.clock, bell=bell)
        self.in_wait = made.stop
        return made

    def aio_stream(self, cursor: Any = None, **plan: Any) -> AsyncEventStream:
        async def send(*arguments: Any) -> Any:
            await asyncio.sleep(0)
            return self.send(*arguments)

        ground: Any = self._ground(send)
        bell: Any = AsyncBell(self)
        made = AsyncEventStream(ground, Plan(**plan), cursor, clock=self.clock, bell=bell)
        self.in_wait = made.stop
        return made

    def _ground(self, send: Any) -> Any:
        return Ground(
            send=send,
            closing=self.closing,
            settings=None,  # type: ignore[arg-type]  # for a worker's lock only
            store=lambda: None,
            open_store=lambda config, identity: None,
        )


class Bell:
    """Lets the clock go on in place of a wait."""

    def __init__(self, world: World) -> None:
        self._world = world

    def ring(self) -> None:
        pass

    def wait(self, seconds: float) -> None:
        self._world.wait(seconds)


class AsyncBell(Bell):
    """The same in an event loop."""

    async def wait(self, seconds: float) -> None:  # type: ignore[override]
        self._world.wait(seconds)


class Memory:
    """A cursor of the test's own."""

    def __init__(self, position: str | None = None) -> None:
        self.position = position
        self.saved: list[str] = []

    def load(self) -> str | None:
        return self.position

    def save(self, position: str) -> None:
        self.position = position
        self.saved.append(position)


class AsyncMemory:
    """The same with coroutines."""

    def __init__(self) -> None:
        self.inner = Memory()

    async def load(self) -> str | None:
        await asyncio.sleep(0)
        return self.inner.load()

    async def save(self, position: str) -> None:
        await asyncio.sleep(0)
        self.inner.save(position)


def numbers(stream: EventStream) -> list[int]:
    """Those of all events until it is stopped."""
    return [each["attributes"]["sequenceId"] for each in stream]


def after(cursor: Memory) -> Any:
    """``sequenceId`` of the position that it holds."""
    import json

    return json.loads(cursor.position or "{}").get("after")
