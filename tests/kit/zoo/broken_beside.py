"""Stores whose lock is right by itself, and wrong beside other calls."""

from __future__ import annotations

import asyncio
import sqlite3
import time
import uuid
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, ClassVar

from flex_tokenstore import TokenIdentity, TokenLockTimeoutError, hookimpl

from .beasts import caught_by
from .full import AsyncFullStore, FullStore, TwinStore

Connection = sqlite3.Connection
HOLDER = "test_nothing_but_its_holder_frees_the_lock"
IDLE = "test_waiting_for_the_lock_leaves_the_processor_idle"


class _Frees(FullStore):
    def free(self, connection: Connection | None = None) -> None:
        statement = ("DELETE FROM locks WHERE key = ?", (self.lock_key(),))
        if connection is None:
            self.transact(lambda connection: connection.execute(*statement))
        else:
            connection.execute(*statement)


@caught_by(HOLDER, case="close")
class CloseFreesTheLock(_Frees):
    """`close()` deletes the lock of its key, whoever holds it."""

    @hookimpl
    def close(self) -> None:
        self.free()


@caught_by(HOLDER, case="close after a failed try")
class CloseFreesWhatItWaitedFor(_Frees):
    """It takes a lock that it has tried for one that it has."""

    _tried = False

    def try_lock(self, holder: str, lease: float) -> bool:
        self._tried = True
        return super().try_lock(holder, lease)

    @hookimpl
    def close(self) -> None:
        if self._tried:
            self.free()


@caught_by(HOLDER, case="remove")
class RemovalFreesTheLock(_Frees):
    """Token and lock are one row."""

    def delete(self, connection: Connection, expected: str | None) -> None:
        super().delete(connection, expected)
        self.free(connection)


@caught_by(HOLDER, case="set")
class SavingFreesTheLock(_Frees):
    """Whoever saves is done, it thinks."""

    def write(self, connection: Connection, token: dict[str, Any]) -> None:
        super().write(connection, token)
        self.free(connection)


@caught_by(HOLDER, case="open", kind="async")
class OpeningFreesTheLock(_Frees):
    """It clears away what a process before it has left."""

    _cleared = False

    def read(self, connection: Connection) -> Any:
        if not self._cleared:
            self._cleared = True
            self.free(connection)
        return super().read(connection)


@caught_by(HOLDER, case="collect")
class CollectingFreesTheLock(FullStore):
    """A finalizer that knows the key, and not the holder."""

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        weakref.finalize(self, _delete_lock, options.path, self._key)


def _delete_lock(path: str, key: str) -> None:
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(path)
        connection.execute("DELETE FROM locks WHERE key = ?", (key,))
        connection.commit()
        connection.close()


@caught_by("test_reading_does_not_wait_for_the_lock", swift=False)
class ReadsWaitForTheLock(FullStore):
    """A reader must not see the old token, it thinks."""

    @hookimpl
    def get_token(self) -> Any:
        with suppress(TokenLockTimeoutError), self.token_lock(0.7, 5.0):
            pass
        return super().get_token()


@caught_by("test_saving_under_the_lock_does_not_wait_for_it", swift=False)
class SavesWaitForTheLock(FullStore):
    """Its holder too: it waits for itself until the lease ends."""

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> Any:
        with suppress(TokenLockTimeoutError), self.token_lock(30.0, 5.0):
            return super().set_token(token, expected)


@caught_by(IDLE, swift=False)
class LockBusyLoop(FullStore):
    """Waits without a pause: a core is kept busy."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        deadline, holder = time.monotonic() + wait, uuid.uuid4().hex
        while True:
            end = time.monotonic() + lease
            if self.try_lock(holder, lease):
                break
            if time.monotonic() >= deadline:
                raise TokenLockTimeoutError("held")
            again = time.monotonic() + 0.01
            while time.monotonic() < again:  # a try by itself may wait for the disk
                pass
        try:
            yield end
        finally:
            self.unlock(holder)


class _AsyncBusyLoop(AsyncFullStore):
    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float | None]:
        deadline, holder = time.monotonic() + wait, uuid.uuid4().hex
        tries = 0
        while True:
            end = time.monotonic() + lease
            if tries % 50 == 0 and await asyncio.to_thread(self.store.try_lock, holder, lease):
                break
            if time.monotonic() >= deadline:
                raise TokenLockTimeoutError("held")
            tries += 1
            await asyncio.sleep(0)
        try:
            yield end
        finally:
            await asyncio.to_thread(self.store.unlock, holder)


@caught_by(IDLE, kind="async", swift=False)
class AsyncBusyLoop(TwinStore):
    """`await asyncio.sleep(0)`: others get their turn, and the core its heat."""

    async_class: ClassVar[type] = _AsyncBusyLoop


class _AsyncKeepsWaiting(AsyncFullStore):
    manager: Any  # else it is collected, which releases its lock

    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float | None]:
        manager = self.manager = self.store.token_lock(wait, lease)
        end = await asyncio.to_thread(manager.__enter__)
        try:
            yield end
        finally:
            await asyncio.to_thread(manager.__exit__, None, None, None)


@caught_by("test_a_cancelled_wait_leaves_the_lock_to_others", kind="async", swift=False)
class CancelledWaitGoesOn(TwinStore):
    """The thread that waits is not cancelled with its task, and acquires the lock for nobody."""

    async_class: ClassVar[type] = _AsyncKeepsWaiting
