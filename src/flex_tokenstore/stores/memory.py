"""The built-in store that forgets."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import WeakSet

from flex_tokenstore._identity import TokenIdentity
from flex_tokenstore._token import ANY_REVISION, revision_of
from flex_tokenstore.errors import TokenConflictError, TokenLockTimeoutError
from flex_tokenstore.hookspecs import hookimpl

_with_locks: WeakSet[_Cell | MemoryStore] = WeakSet()


class _Cell:
    """What both classes of the store do, apart from how they are called."""

    def __init__(self) -> None:
        self._token: dict[str, Any] | None = None
        self._after_fork()
        _with_locks.add(self)

    def _after_fork(self) -> None:
        self._mutex = threading.Lock()

    def put(self, token: dict[str, Any] | None, expected: str | None) -> None:
        with self._mutex:
            stored = None if self._token is None else revision_of(self._token)
            if expected not in (ANY_REVISION, stored):
                raise TokenConflictError(
                    "another token was stored in memory meanwhile; nothing was changed",
                    store="memory",
                    place=MemoryStore.place,
                )
            self._token = token

    def get(self) -> dict[str, Any] | None:
        return self._token


def _busy(wait: float) -> TokenLockTimeoutError:
    return TokenLockTimeoutError(
        f"the lock of the memory store was not had within {wait} s", store="memory"
    )


class MemoryStore:
    """Keeps the token in this process only; gone when it ends."""

    place = "memory of this process"
    async_class: ClassVar[type]  # set below: it is defined after this class

    @dataclass(kw_only=True)
    class Options:
        """It has none."""

    def __init__(self, options: Options, identity: TokenIdentity) -> None:
        self._cell = _Cell()
        self._after_fork()
        _with_locks.add(self)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    @hookimpl
    def get_token(self) -> dict[str, Any] | None:
        return self._cell.get()

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        self._cell.put(token, expected)

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        self._cell.put(None, expected)

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        lock = self._lock
        if not lock.acquire(timeout=wait):
            raise _busy(wait)
        try:
            yield None
        finally:
            lock.release()


class AsyncMemoryStore:
    """Keeps the token in this process only; gone when it ends."""

    place = MemoryStore.place
    Options = MemoryStore.Options

    def __init__(self, options: MemoryStore.Options, identity: TokenIdentity) -> None:
        self._cell = _Cell()
        self._lock = asyncio.Lock()

    @hookimpl
    async def get_token(self) -> dict[str, Any] | None:
        return self._cell.get()

    @hookimpl
    async def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        self._cell.put(token, expected)

    @hookimpl
    async def remove_token(self, expected: str | None) -> None:
        self._cell.put(None, expected)

    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(max(wait, 0.001)):
                await self._lock.acquire()
        except TimeoutError:
            raise _busy(wait) from None
        try:
            yield None
        finally:
            self._lock.release()


MemoryStore.async_class = AsyncMemoryStore


def _after_fork() -> None:
    # A thread that the child has not may have held them, for ever then.
    for each in list(_with_locks):
        each._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
