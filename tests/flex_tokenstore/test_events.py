"""Each event appears when it should, and nowhere a secret; through the public interfaces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    Event,
    GrantError,
    TokenSession,
    open_async_store,
    open_store,
)

from .fakes import IDENTITY, AsyncServer, DictStore, Server, stored

Kind = Literal["sync", "async"]


class World:
    """A store, a server and the events of all sessions on them, sync or async."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.server = Server()
        self.store: Any = DictStore()
        self.events: list[Event] = []

    def run(self, *calls: str, **options: Any) -> list[Any]:
        """What each call of a new session gives or raises; the session is closed at the end."""
        options.setdefault("on_event", self.events.append)
        if self.kind == "sync":
            with TokenSession(
                open_store(self.store, IDENTITY, host_lock="off"), self.server, **options
            ) as session:
                return [_caught(getattr(session, call)) for call in calls]
        return asyncio.run(self._run(calls, options))

    async def _run(self, calls: tuple[str, ...], options: dict[str, Any]) -> list[Any]:
        handle = await open_async_store(self.store, IDENTITY, host_lock="off")
        results: list[Any] = []
        async with AsyncTokenSession(handle, AsyncServer(self.server), **options) as session:
            for call in calls:
                try:
                    results.append(await getattr(session, call)())
                except Exception as error:
                    results.append(error)
        return results

    @property
    def told(self) -> list[tuple[str, str | None]]:
        """Name and reason of each event so far, in order, but for the waits."""
        return [(event.name, event.reason) for event in self.events if event.name != "waited"]


def _caught(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return error


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def test_a_first_sign_in(world: World) -> None:
    token = world.run("token", "token")[0]
    assert world.told == [("signed_in", "empty"), ("saved", None)]
    event = world.events[1]
    assert event.name == "signed_in"
    assert event.secret_sent
    assert event.store == "DictStore"
    assert event.identity_key == IDENTITY.key
    assert event.digest == token.digest
    assert event.seconds is not None
    assert event.seconds >= 0


def test_a_refresh(world: World) -> None:
    world.store.token = stored(world.server, age=4000)
    world.run("token")
    assert world.told == [("refreshed", None), ("saved", None)]
    assert not any(event.secret_sent for event in world.events)


def test_a_rejected_refresh_token_tells_why_the_secret_was_sent(world: World) -> None:
    world.store.token = stored(world.server, age=4000)
    world.server.live.clear()
    world.run("token")
    assert world.told == [
        ("refresh_rejected", "rejected"),
        ("signed_in", "rejected"),
        ("saved", None),
    ]


def test_a_failed_refresh(world: World) -> None:
    world.store.token = stored(world.server, age=4000)
    world.server.failures = [GrantError("500", reason="transient"), GrantError("no")]
    world.run("token", "token", "token")
    assert world.told == [
        ("request_failed", "transient"),
        ("request_failed", "failed"),
        ("renewal_failed", "raised"),
    ], "within the failure window nothing happens"
    assert world.events[-1].error_type == "GrantError"
    assert world.events[-1].error == "no"
