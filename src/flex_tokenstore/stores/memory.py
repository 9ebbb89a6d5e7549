"""The built-in store that forgets."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from flex_tokenstore._concurrency.per_process import PerProcess
from flex_tokenstore._values.identity import TokenIdentity
from flex_tokenstore._values.token import ANY_REVISION, revision_of
from flex_tokenstore.errors import TokenConflictError, TokenLockTimeoutError
from flex_tokenstore.hookspecs import hookimpl


class _Version:
    """A content, and the one that was written after it, if any."""

    def __init__(self, token: dict[str, Any] | None) -> None:
        self.token = token
        self.next: dict[str, _Version] = {}


class _Cell:
    """What both classes of the store do, apart from how they are called.

    Without a lock: a finalizer or a signal handler may save a token in the thread that is saving
    one, at any line, and would wait for its own thread for ever.
    """

    def __init__(self) -> None:
        self._version = _Version(None)

    def put(self, token: dict[str, Any] | None, expected: str | None) -> None:
        new = _Version(token)
        while True:
            newest = self._newest()
            stored = None if newest.token is None else revision_of(newest.token)
            if expected not in (ANY_REVISION, stored):
                raise TokenConflictError(
                    "another token was stored in memory meanwhile; nothing was changed",
                    store="memory",
                    place=MemoryStore.place,
                )
            if newest.next.setdefault("next", new) is new:  # only one write can follow another
                return

    def get(self) -> dict[str, Any] | None:
        return self._newest().token

    def __reduce__(self) -> Any:
        raise TypeError("a store object cannot be pickled: it holds a token")

    def _newest(self) -> _Version:
        version = self._version
        while version.next:
            version = version.next["next"]
        # Moved on, so that the older tokens are freed.
        self._version = version
        return version


class _Turn:
    """A lock of threads that belongs to an object.

    Without a lock in it, for the reason that :class:`_Cell` gives. An exception from a signal
    handler may come at any moment too: after one that came when a ``threading.Lock`` was just
    acquired, nobody knows whether it was.
    """

    def __init__(self) -> None:
        self._holder: dict[str, object] = {}
        self._waiting: dict[threading.Lock, None] = {}

    def take(self, holder: object, wait: float) -> bool:
        """Makes ``holder`` the one that has it; False: not within ``wait`` seconds."""
        deadline = time.monotonic() + wait
        while True:
            bell = threading.Lock()
            bell.acquire()
            self._waiting[bell] = None  # before the look: who leaves after that rings
            try:
                if self._holder.setdefault("holder", holder) is holder:
                    return True
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                bell.acquire(timeout=left)
            finally:
                self._waiting.pop(bell, None)

    def leave(self, holder: object) -> None:
        """Frees it, if ``holder`` has it, and wakes all who wait; twice is fine."""
        if self._holder.get("holder") is holder:
            self._holder.pop("holder")
        # Whatever was found: an earlier call may have been interrupted here.
        for bell in list(self._waiting):
            if self._waiting.pop(bell, self) is None:  # nobody else rings it
                bell.release()


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
        # An interrupted __enter__ has no __exit__. There is no holder if it came in __init__.
        if hasattr(self, "_holder"):
            self._turn.leave(self._holder)


def _busy(wait: float) -> TokenLockTimeoutError:
    return TokenLockTimeoutError(
        f"the lock of the memory store could not be acquired within {wait:g} s: another thread or "
        "task of this process holds it",
        store="memory",
    )


class MemoryStore:
    """Keeps the token in memory, each instance its own; gone when that is closed."""

    place = "memory of this process"
    encrypted_at_rest: ClassVar[bool] = True  # nothing is at rest: it is gone with the process
    async_class: ClassVar[type]  # set below: it is defined after this class

    @dataclass(kw_only=True)
    class Options:
        """It has none."""

    def __init__(self, options: Options, identity: TokenIdentity) -> None:
        self._cell = _Cell()
        # In a forked child the thread that holds it does not run, and would never leave it.
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
    """Keeps the token in memory, each instance its own; gone when that is closed."""

    place = MemoryStore.place
    encrypted_at_rest: ClassVar[bool] = True
    Options = MemoryStore.Options

    def __init__(self, options: MemoryStore.Options, identity: TokenIdentity) -> None:
        # Late: sync programs use this module too, and asyncio costs 25 ms (docs/decisions/017).
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
