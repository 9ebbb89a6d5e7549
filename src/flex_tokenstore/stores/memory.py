"""The built-in store that forgets."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from flex_tokenstore._identity import TokenIdentity
from flex_tokenstore._processes import PerProcess
from flex_tokenstore._token import ANY_REVISION, revision_of
from flex_tokenstore.errors import TokenConflictError, TokenLockTimeoutError
from flex_tokenstore.hookspecs import hookimpl


class _Cell:
    """What both classes of the store do, apart from how they are called."""

    def __init__(self) -> None:
        self._token: dict[str, Any] | None = None
        # A thread of the parent that a forked child does not have may have held the parent's.
        self._mutex = PerProcess(threading.Lock)

    def put(self, token: dict[str, Any] | None, expected: str | None) -> None:
        with self._mutex.get():
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


class _Turn:
    """A lock of threads that belongs to an object.

    An exception from a signal handler may come at any moment. After one that came when a plain
    ``threading.Lock`` was just acquired, nobody knows whether it was.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._holder: object = None
        self._waiting: deque[threading.Lock] = deque()

    def take(self, holder: object, wait: float) -> bool:
        """Makes ``holder`` the one that has it; False: not within ``wait`` seconds."""
        deadline = time.monotonic() + wait
        while True:
            bell = threading.Lock()
            bell.acquire()
            left = deadline - time.monotonic()
            with self._mutex:
                if self._holder is None:
                    self._holder = holder
                    return True
                if left > 0:
                    self._waiting.append(bell)
            if left <= 0:
                return False
            bell.acquire(timeout=left)

    def leave(self, holder: object) -> None:
        """Frees it, if ``holder`` has it, and wakes all who wait."""
        with self._mutex:
            if self._holder is not holder:
                return
            self._holder = None
            while self._waiting:
                self._waiting.popleft().release()


class _Holding:
    """A ``with`` block that has the turn; not a generator, see ``_host_lock.Holding``."""

    def __init__(self, turn: _Turn, wait: float) -> None:
        self._turn = turn
        self._wait = wait
        self._holder = object()

    def __enter__(self) -> None:
        if not self._turn.take(self._holder, self._wait):
            raise _busy(self._wait)

    def __exit__(self, *error: object) -> None:
        self._turn.leave(self._holder)

    def __del__(self) -> None:
        if hasattr(self, "_holder"):
            self._turn.leave(self._holder)


def _busy(wait: float) -> TokenLockTimeoutError:
    return TokenLockTimeoutError(
        f"the lock of the memory store could not be acquired within {wait:g} s: another thread or "
        "task of this process holds it",
        store="memory",
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
        self._turn = PerProcess(_Turn)

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
    def token_lock(self, wait: float, lease: float) -> _Holding:
        return _Holding(self._turn.get(), wait)


class AsyncMemoryStore:
    """Keeps the token in this process only; gone when it ends."""

    place = MemoryStore.place
    Options = MemoryStore.Options

    def __init__(self, options: MemoryStore.Options, identity: TokenIdentity) -> None:
        import asyncio

        self._cell = _Cell()
        self._lock = PerProcess(asyncio.Lock)

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
        import asyncio

        lock = self._lock.get()
        try:
            async with asyncio.timeout(max(wait, 0.001)):
                await lock.acquire()
        except TimeoutError:
            raise _busy(wait) from None
        try:
            yield None
        finally:
            lock.release()


MemoryStore.async_class = AsyncMemoryStore
