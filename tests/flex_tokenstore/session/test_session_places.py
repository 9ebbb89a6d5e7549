"""Token requests that find no connection: the lock is released, and nothing counts as failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    Event,
    GrantError,
    TokenSession,
    TokenUnavailableError,
    open_async_store,
    open_store,
)
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server

both = pytest.mark.parametrize("kind", ["sync", "async"])


def busy() -> GrantError:
    error = GrantError("all connections are busy", reason="transient")
    error.sent, error.busy = False, True
    return error


class LockedStore(DictStore):
    """Notes when its lock is acquired and released."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self.log = log

    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        del wait, lease
        self.log.append("lock")
        yield
        self.log.append("unlock")


class Placed(Server):
    """Gives a place before the lock."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self.before = lambda: log.append("request")
        self.log = log

    @contextmanager
    def place(self) -> Iterator[None]:
        self.log.append("place")
        yield
        self.log.append("left")


class AsyncPlaced(AsyncServer):
    """As Placed, over one."""

    def __init__(self, server: Placed) -> None:
        super().__init__(server)
        self.log = server.log

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        self.log.append("place")
        yield
        self.log.append("left")


def obtain(kind: str, store: Any, server: Any, **options: Any) -> str:
    if kind == "sync":
        with TokenSession(open_store(store, IDENTITY, host_lock="off"), server, **options) as one:
            return one.token().access_token.reveal()

    async def main() -> str:
        opened = await open_async_store(store, IDENTITY, host_lock="off")
        async with AsyncTokenSession(opened, server, **options) as session:
            return (await session.token()).access_token.reveal()

    return asyncio.run(main())


@both
def test_the_lock_is_released_until_a_connection_is_free(kind: str) -> None:
    log: list[str] = []
    events: list[Event] = []
    server = Placed(log)
    server.failures = [busy() for _ in range(6)]  # more than a renewal has rounds
    assert obtain(
        kind,
        LockedStore(log),
        server if kind == "sync" else AsyncPlaced(server),
        on_event=events.append,
    )
    turn = ["place", "lock", "request", "unlock", "left"]
    assert log == turn * 7
    assert "request_failed" not in [event.name for event in events]
    assert [event.name for event in events if event.secret_sent] == ["signed_in"]


@both
def test_without_the_store_too(kind: str) -> None:
    server = Server()
    server.failures = [busy() for _ in range(6)]
    store = DictStore()
    store.get_error = TokenUnavailableError("down")
    assert obtain(
        kind, store, server if kind == "sync" else AsyncServer(server), on_store_error="memory"
    )
    assert len(server.calls) == 7
