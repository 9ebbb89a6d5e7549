"""A token store as the plugins' tests handle it: of either kind, with plain methods."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol, TypeVar

from flex_tokenstore import ANY_REVISION, Token, TokenIdentity, open_async_store, open_store

T = TypeVar("T")

IDENTITY = TokenIdentity("https://api.example.com", "my-client", "integ")
OTHER = TokenIdentity("https://api.example.com", "my-client", "integ", profile="other")


def token(name: str, identity: TokenIdentity = IDENTITY) -> Token:
    """A token whose secrets hold the word SENTINEL."""
    return Token.issued(
        {
            "access_token": f"access-{name}-SENTINEL",
            "refresh_token": f"refresh-{name}-SENTINEL",
            "token_type": "bearer",
            "expires_in": 3600,
            "extra": {"kept": [1, None, "ü", 2**80, "\ud800"]},
        },
        identity_key=identity.key,
        obtained_at=time.time(),
    )


class Handle(Protocol):
    """A store of either kind, with plain methods."""

    @property
    def place(self) -> str: ...
    def get_token(self) -> Token | None: ...
    def set_token(self, token: Token, expected: str | None = ANY_REVISION) -> None: ...
    def prepare_save(self, expected: str | None = ANY_REVISION) -> None: ...
    def remove_token(self, expected: str | None = ANY_REVISION) -> None: ...
    def token_lock(
        self, wait: float, lease: float
    ) -> contextlib.AbstractContextManager[float | None]: ...
    def close(self) -> None: ...


Open = Callable[..., Handle]
"""Opens a store from its config; a test's fixture closes it."""


class AsyncHandle:
    """The async store, each call run to its end in an event loop of its own."""

    def __init__(self, config: Any, identity: TokenIdentity) -> None:
        self._runner = asyncio.Runner()
        try:
            self._store = self._runner.run(open_async_store(config, identity))
        except BaseException:
            self._runner.close()
            raise
        self.place = self._store.place

    def get_token(self) -> Token | None:
        return self._run(self._store.get_token())

    def set_token(self, token: Token, expected: str | None = ANY_REVISION) -> None:
        self._run(self._store.set_token(token, expected))

    def prepare_save(self, expected: str | None = ANY_REVISION) -> None:
        self._run(self._store.prepare_save(expected))

    def remove_token(self, expected: str | None = ANY_REVISION) -> None:
        self._run(self._store.remove_token(expected))

    @contextlib.contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        manager = self._store.token_lock(wait, lease)
        end = self._run(manager.__aenter__())
        try:
            yield end
        finally:
            self._run(manager.__aexit__(None, None, None))

    def _run(self, awaitable: Awaitable[T]) -> T:
        async def call() -> T:
            await asyncio.sleep(0)  # lets the loop see what came while it did not run
            return await awaitable

        return self._runner.run(call())

    def close(self) -> None:
        self._run(self._store.aclose())
        self._runner.close()


def open_handle(kind: str, config: Any, identity: TokenIdentity = IDENTITY) -> Handle:
    """Opens a store of this kind, ``"sync"`` or ``"async"``."""
    if kind == "sync":
        return open_store(config, identity)
    return AsyncHandle(config, identity)


@contextlib.contextmanager
def opener(kind: str) -> Iterator[Open]:
    """Gives a function that opens stores; closes them all at the end."""
    with contextlib.ExitStack() as stack:

        def opened(config: Any, identity: TokenIdentity = IDENTITY) -> Handle:
            handle = open_handle(kind, config, identity)
            stack.callback(handle.close)
            return handle

        yield opened
