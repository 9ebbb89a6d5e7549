"""A store, a server and what is told of them, for the tests of events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from flex_tokenstore import (
    AsyncTokenSession,
    Event,
    TokenConflictError,
    TokenCorruptError,
    TokenLockTimeoutError,
    TokenSession,
    open_async_store,
    open_store,
    revision_of,
)

from .fakes import IDENTITY, AsyncServer, DictStore, Server

Kind = Literal["sync", "async"]


class Store(DictStore):
    """Compare-and-set and a lock that another holds for some tries; tells it if corrupt."""

    def __init__(self) -> None:
        super().__init__()
        self.corrupt = False
        self.busy = 0
        self.before_set: Callable[[], None] = lambda: None
        self.after_set: Callable[[], None] = lambda: None
        self.when_busy: Callable[[], None] = lambda: None

    def get_token(self) -> dict[str, Any] | None:
        if self.corrupt:
            raise TokenCorruptError("no token here", revision="junk")
        return super().get_token()

    def set_token(  # type: ignore[override]  # a store may take more
        self, token: dict[str, Any], expected: str | None
    ) -> None:
        before, self.before_set = self.before_set, lambda: None
        before()
        found = None if self.token is None else revision_of(self.token)
        if expected not in (found, "*"):
            raise TokenConflictError("another is stored")
        super().set_token(token)
        self.after_set()

    def remove_token(  # type: ignore[override]  # a store may take more
        self, expected: str | None
    ) -> None:
        self.corrupt = False
        super().remove_token()

    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        if self.busy:
            self.busy -= 1
            self.when_busy()
            raise TokenLockTimeoutError("another holds it")
        yield


class World:
    """A store, a server and the events of all sessions on them, sync or async."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.server = Server()
        self.store = Store()
        self.events: list[Event] = []

    def run(self, *calls: str | Callable[[], Any], **options: Any) -> list[Any]:
        """What each call of a new session gives or raises; the session is closed at the end."""
        options.setdefault("on_event", self.events.append)
        return asyncio.run(self._run(calls, options))

    async def _run(
        self, calls: tuple[str | Callable[[], Any], ...], options: dict[str, Any]
    ) -> list[Any]:
        session = await self.open(**options)
        results: list[Any] = []
        for call in (*calls, "close"):
            try:
                if callable(call):
                    call()
                else:
                    results.append(await self.call(session, call))
            except Exception as error:
                results.append(error)
        return results

    async def open(self, **options: Any) -> Any:
        if self.kind == "sync":
            store = open_store(self.store, IDENTITY, host_lock="off")
            return TokenSession(store, self.server, **options)
        handle = await open_async_store(self.store, IDENTITY, host_lock="off")
        return AsyncTokenSession(handle, AsyncServer(self.server), **options)

    async def call(self, session: Any, call: str) -> Any:
        if self.kind == "sync":
            return getattr(session, call)()
        return await getattr(session, "aclose" if call == "close" else call)()

    @property
    def told(self) -> list[str]:
        """Name and reason of each event so far, in order."""
        return [f"{e.name} {e.reason}" if e.reason else e.name for e in self.events]
