"""One token store, handled by a sync or by an asyncio program, with the same words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from flex_tokenstore import ANY_REVISION, AsyncTokenStore, Token, TokenStore, open_store
from flex_tokenstore._store.aio import async_store

from .fakes import IDENTITY

Kind = Literal["sync", "async"]


class Program(Protocol):
    """What both kinds of program can do with a store."""

    store: Any

    def get(self) -> Token | None: ...
    def set(self, token: Token, expected: str | None = ANY_REVISION) -> None: ...
    def remove(self, expected: str | None = ANY_REVISION) -> None: ...
    def prepare(self, expected: str | None = ANY_REVISION) -> None: ...
    def lock(self, wait: float = 0, lease: float = 30) -> Any: ...
    def close(self) -> None: ...


class SyncProgram:
    def __init__(self, config: Any) -> None:
        self.store: TokenStore = open_store(config, IDENTITY)
        self.get = self.store.get_token
        self.set = self.store.set_token
        self.remove = self.store.remove_token
        self.prepare = self.store.prepare_save
        self.close = self.store.close

    def lock(self, wait: float = 0, lease: float = 30) -> Any:
        return self.store.token_lock(wait, lease)


class AsyncProgram:
    def __init__(self, config: Any) -> None:
        self._runner = asyncio.Runner()
        self.store: AsyncTokenStore = async_store(config, IDENTITY)

    def get(self) -> Token | None:
        return self._runner.run(self.store.get_token())

    def set(self, token: Token, expected: str | None = ANY_REVISION) -> None:
        self._runner.run(self.store.set_token(token, expected))

    def remove(self, expected: str | None = ANY_REVISION) -> None:
        self._runner.run(self.store.remove_token(expected))

    def prepare(self, expected: str | None = ANY_REVISION) -> None:
        self._runner.run(self.store.prepare_save(expected))

    @contextmanager
    def lock(self, wait: float = 0, lease: float = 30) -> Iterator[float | None]:
        manager = self.store.token_lock(wait, lease)
        end = self._runner.run(manager.__aenter__())
        try:
            yield end
        finally:
            self._runner.run(manager.__aexit__(None, None, None))

    def close(self) -> None:
        try:
            self._runner.run(self.store.aclose())
        finally:
            self._runner.close()


@contextmanager
def program(kind: Kind, config: Any) -> Iterator[Program]:
    """A program of that kind that has opened the store."""
    running: Program = SyncProgram(config) if kind == "sync" else AsyncProgram(config)
    try:
        yield running
    finally:
        running.close()


def issued(number: int = 1) -> Token:
    """A token of the test's identity; the number makes it another one."""
    answer = {
        "access_token": f"access-{number}-SENTINEL",
        "refresh_token": f"refresh-{number}-SENTINEL",
        "token_type": "bearer",
        "expires_in": 3600,
    }
    return Token.issued(answer, identity_key=IDENTITY.key, obtained_at=1_000_000.0 + number)
