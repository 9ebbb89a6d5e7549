"""Stores whose sync and async class have different locks, or locks of different kinds."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

from flex_tokenstore import TokenIdentity, TokenLockTimeoutError, hookimpl

from .beasts import caught_by
from .full import AsyncFullStore, FullStore, TwinStore

EXCLUDED = "test_sync_and_async_programs_exclude_each_other"


class _LocksElsewhere(FullStore):
    def lock_key(self) -> str:
        return "async:" + self._key


class _AsyncOfAnotherKey(AsyncFullStore):
    def made(self, options: Any, identity: TokenIdentity) -> FullStore:
        return _LocksElsewhere(options, identity)


@caught_by(EXCLUDED)
class TwinLocksApart(TwinStore):
    """The async class has another key for its lock."""

    async_class: ClassVar[type] = _AsyncOfAnotherKey


class _AsyncWithALockFile(AsyncFullStore):
    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[None]:
        path = Path(f"{self.store._options.path}.{self.store._key}.lock")
        deadline = time.monotonic() + wait
        while True:
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
                break
            except FileExistsError:
                if time.monotonic() >= deadline:
                    raise TokenLockTimeoutError("held") from None
                await asyncio.sleep(0.01)
        try:
            yield None
        finally:
            path.unlink()


@caught_by(EXCLUDED, kind="async")
class TwinLocksByAFile(TwinStore):
    """The sync class has a row in the database, the async one a file beside it."""

    async_class: ClassVar[type] = _AsyncWithALockFile


class _AsyncWithoutALock(AsyncFullStore):
    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float | None]:
        yield time.monotonic() + lease


@caught_by(EXCLUDED)
class OnlySyncLocks(TwinStore):
    """A coroutine is alone in its thread, so it needs no lock, it thinks."""

    async_class: ClassVar[type] = _AsyncWithoutALock


class _AsyncEntersTwice(AsyncFullStore):
    _depth = 0

    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float | None]:
        if self._depth:
            yield time.monotonic() + lease
            return
        async with AsyncFullStore.token_lock(self, wait, lease) as end:
            self._depth += 1
            try:
                yield end
            finally:
                self._depth -= 1


@caught_by("test_the_lock_is_not_reentrant", kind="async")
class AsyncLockIsReentrant(TwinStore):
    """Whoever holds it may enter it again: another task of the same program too."""

    async_class: ClassVar[type] = _AsyncEntersTwice


class _AsyncNamesAnotherLock(AsyncFullStore):
    @hookimpl
    def lock_id(self) -> str:
        return "async" + self.store.lock_id()


@caught_by(EXCLUDED)
class TwinNamesAnotherLock(TwinStore):
    """One lock with two names: two sessions of one program wait for each other in the store."""

    async_class: ClassVar[type] = _AsyncNamesAnotherLock


class _AsyncFreesNothing(AsyncFullStore):
    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float | None]:
        async with AsyncFullStore.token_lock(self, wait, lease):
            pass
        end = time.monotonic() + lease
        while not self.store.try_lock("async", lease):
            await asyncio.sleep(0.01)
        yield end
        self.store.unlock("async")


@caught_by("test_whatever_is_raised_under_the_lock_frees_it", kind="async", case="CancelledError")
class AsyncLockStaysAfterAnError(TwinStore):
    """No `finally` around the `yield`: a cancelled task leaves the lock held."""

    async_class: ClassVar[type] = _AsyncFreesNothing


@caught_by("test_whatever_is_raised_under_the_lock_frees_it", case="ValueError")
class LockStaysAfterAnError(FullStore):
    """`except Exception` is not reached by what a `with` statement throws in, it thinks."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        holder, end = "held", time.monotonic() + lease
        if not self.try_lock(holder, lease):
            raise TokenLockTimeoutError("held")
        yield end
        self.unlock(holder)


@caught_by("test_whatever_is_raised_under_the_lock_frees_it", case="KeyboardInterrupt")
class LockStaysAfterCtrlC(FullStore):
    """It frees the lock for an `Exception` only."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        holder, end = "held", time.monotonic() + lease
        if not self.try_lock(holder, lease):
            raise TokenLockTimeoutError("held")
        try:
            yield end
        except Exception:
            self.unlock(holder)
            raise
        self.unlock(holder)
