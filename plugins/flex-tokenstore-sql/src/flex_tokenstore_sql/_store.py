"""The store, for sync and for asyncio programs; they differ only by ``await``."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, ClassVar, NamedTuple, TypeVar

from flex_tokenstore import TokenUnavailableError, hookimpl

from ._base import GRACE, Base, Next, answer_of
from ._forks import forget, note
from ._keeper import Answer, Statement, Steps
from ._locks import Lock, LockSteps, not_acquired
from ._loops import is_running
from ._mark import Mark
from ._refusals import is_refusal, only_refusals

T = TypeVar("T")


class SqlStore(Base):
    """Keeps the token in a table of PostgreSQL, MySQL, MariaDB or SQLite."""

    _is_async = False
    async_class: ClassVar[type]  # set below: it is defined after this class

    @hookimpl
    def get_token(self) -> dict[str, Any] | None:
        return self._do(self._keeper.get())

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        self._do(self._keeper.put(token, expected))

    @hookimpl
    def prepare_save(self, expected: str | None) -> None:
        with only_refusals():
            self._do(self._keeper.prepare(expected))

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        self._do(self._keeper.put(None, expected))
        with suppress(TokenUnavailableError):  # it is removed
            self._do(self._keeper.forget())

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        lock = self._lock(lease)
        pid = os.getpid()
        deadline = time.monotonic() + wait
        with self._connection(lock.needs_connection) as connection:
            try:
                acquired = self._locking(lock.take(wait), connection, lock)
            except BaseException:  # Ctrl-C too: it may have been acquired
                self._end(lock, connection)
                raise
            if not acquired:
                forget(lock)
                raise not_acquired(self.place, wait)
            try:
                with self._marked(lock, deadline, wait, lease) as end:
                    yield end
            finally:
                # A forked child has a copy of the connection: what it sent there would free its
                # parent's lock.
                if os.getpid() == pid:
                    self._release(lock, connection)

    @contextmanager
    def _marked(
        self, lock: Lock, deadline: float, wait: float, lease: float
    ) -> Iterator[float | None]:
        """Names the holder in a row; yields the time at which the lock expires."""
        if not lock.needs_connection:
            yield lock.end
            return
        mark = Mark(self._keeper.lock_row, self._loose)
        pid = os.getpid()
        # Not on the lock's connection: there an open transaction would keep it back.
        with self._connection() as connection:
            left = deadline - time.monotonic()
            if not self._locking(mark.take(left, lease), connection):
                raise not_acquired(self.place, wait)
        try:
            # That of a dead holder may have been waited for, so the lease counts from here.
            yield mark.end if lock.end is not None else None
        finally:
            if os.getpid() == pid:
                with self._connection() as connection:
                    self._locking(mark.release(), connection)

    @hookimpl
    def close(self) -> None:
        engine = self._own_engine()
        if engine is not None:
            engine.dispose()

    def _do(self, steps: Steps[T]) -> T:
        with self._connection() as connection:
            try:
                statement = next(steps)
                while True:
                    statement = steps.send(self._send(statement, connection))
            except StopIteration as stop:
                result: T = stop.value
                return result

    def _locking(self, steps: LockSteps, connection: Any, holder: Lock | None = None) -> bool:
        """Takes the steps; a forked child does not use the connection of a holder."""
        reason = ""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Statement):
                    answer = self._send(step, connection)
                    if holder is not None:
                        note(holder, connection)
                    step = steps.send(answer)
                else:
                    time.sleep(step)
                    step = steps.send(None)
        except StopIteration as stop:
            return bool(stop.value)
        except sqlite3.Error as error:
            reason = self._reason(error)
        raise self._unavailable(reason)

    def _release(self, lock: Lock, connection: Any) -> None:
        try:
            self._locking(lock.release(), connection, lock)
        except TokenUnavailableError:
            # The token is saved by now. The database frees the lock when the connection ends.
            self._end(lock, connection)
        except BaseException:
            self._end(lock, connection)
            raise
        forget(lock)

    def _end(self, lock: Lock, connection: Any) -> None:
        """Ends the connection; the database frees the lock then, if it was acquired."""
        forget(lock)
        if connection is not None:
            with suppress(Exception):  # it may be dead
                # Not close(): the pool would keep the connection, and the lock with it.
                connection.invalidate()

    @contextmanager
    def _connection(self, needed: bool = True) -> Iterator[Any]:
        """A connection, or None if none is needed."""
        if not needed:
            yield None
            return
        self._check_url()
        reason = ""
        try:
            connection = self._engine().connect()
        except Exception as error:  # noqa: BLE001 - whatever the driver raises
            reason = self._reason(error)
        if reason:
            raise self._unavailable(reason)  # outside of the handler: the frames hold the password
        pid = os.getpid()
        try:
            yield connection
        finally:
            if os.getpid() == pid:
                with suppress(Exception):  # it may be dead
                    connection.close()
            else:
                self._left.append(connection)

    def _send(self, statement: Statement, connection: Any) -> Answer:
        # Each remedy is tried once; after that it is an outage.
        again = made = False
        while True:
            try:
                done = connection.execute(statement.sql, statement.params)
                return answer_of(done, again)
            except Exception as error:  # noqa: BLE001 - whatever the driver raises
                after = self._after(error, statement)
                reason, refused = self._reason(error), is_refusal(error, self._file)
            if isinstance(after, Answer):
                return after._replace(again=again)
            if after is Next.SEND_AGAIN and not again:
                again = True
                # SQLAlchemy uses an invalidated connection again only after a rollback.
                connection.rollback()
            elif after is Next.MAKE_TABLE and not made:
                made = True
                self._make_table(connection)
            else:
                break
        raise self._unavailable(reason, refused)  # outside: the driver's frames hold tokens


class AsyncSqlStore(Base):
    """Keeps the token in a table of PostgreSQL, MySQL, MariaDB or SQLite."""

    _is_async = True

    @hookimpl
    async def get_token(self) -> dict[str, Any] | None:
        return await self._do(self._keeper.get())

    @hookimpl
    async def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        await self._do(self._keeper.put(token, expected))

    @hookimpl
    async def prepare_save(self, expected: str | None) -> None:
        with only_refusals():
            await self._do(self._keeper.prepare(expected))

    @hookimpl
    async def remove_token(self, expected: str | None) -> None:
        await self._do(self._keeper.put(None, expected))
        with suppress(TokenUnavailableError):  # it is removed
            await self._do(self._keeper.forget())

    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float | None]:
        lock = self._lock(lease)
        pid = os.getpid()
        deadline = time.monotonic() + wait
        async with self._connection(lock.needs_connection) as connection:
            try:
                acquired = await self._locking(lock.take(wait), connection, lock)
            except BaseException:  # a cancelled task too: it may have been acquired
                await self._end(lock, connection)
                raise
            if not acquired:
                forget(lock)
                raise not_acquired(self.place, wait)
            try:
                async with self._marked(lock, deadline, wait, lease) as end:
                    yield end
            finally:
                if os.getpid() == pid:
                    await self._release(lock, connection)

    @asynccontextmanager
    async def _marked(
        self, lock: Lock, deadline: float, wait: float, lease: float
    ) -> AsyncIterator[float | None]:
        """Names the holder in a row; yields the time at which the lock expires."""
        if not lock.needs_connection:
            yield lock.end
            return
        mark = Mark(self._keeper.lock_row, self._loose)
        pid = os.getpid()
        # Not on the lock's connection: there an open transaction would keep it back.
        async with self._connection() as connection:
            left = deadline - time.monotonic()
            if not await self._locking(mark.take(left, lease), connection):
                raise not_acquired(self.place, wait)
        try:
            # That of a dead holder may have been waited for, so the lease counts from here.
            yield mark.end if lock.end is not None else None
        finally:
            if os.getpid() == pid:
                async with self._connection() as connection:
                    await self._locking(mark.release(), connection)

    @hookimpl
    async def close(self) -> None:
        engine = self._own_engine()
        if engine is not None:
            await engine.dispose()
        # What other loops that still run have open is closed by them.
        for key in [key for key in list(self._engines) if is_running(key)]:
            other = self._engines.pop(key)
            if self._options.engine is None:
                asyncio.run_coroutine_threadsafe(other.dispose(), key[1])  # type: ignore[arg-type]  # it runs

    async def _do(self, steps: Steps[T]) -> T:
        async with self._connection() as connection:
            try:
                statement = next(steps)
                while True:
                    statement = steps.send(await self._send(statement, connection))
            except StopIteration as stop:
                result: T = stop.value
                return result

    async def _locking(self, steps: LockSteps, connection: Any, holder: Lock | None = None) -> bool:
        """Takes the steps; a forked child does not use the connection of a holder."""
        reason = ""
        answer: Answer | None = None
        try:
            while True:
                # Without a connection a step is file I/O.
                step = (
                    _advance(steps, answer) if connection is not None else await _in_thread(steps)
                )
                if isinstance(step, _Had):
                    return step.value
                answer = None
                if isinstance(step, Statement):
                    answer = await self._send(step, connection)
                    if holder is not None:
                        note(holder, connection)
                else:
                    await asyncio.sleep(step)
        except sqlite3.Error as error:
            reason = self._reason(error)
        raise self._unavailable(reason)

    async def _release(self, lock: Lock, connection: Any) -> None:
        try:
            await self._locking(lock.release(), connection, lock)
        except TokenUnavailableError:
            await self._end(lock, connection)
        except BaseException:
            await self._end(lock, connection)
            raise
        forget(lock)

    async def _end(self, lock: Lock, connection: Any) -> None:
        """Ends the connection; the database frees the lock then, if it was acquired."""
        forget(lock)
        if connection is None:
            next(lock.release(), None)  # a thread may have acquired it meanwhile
            return
        with suppress(Exception):  # it may be dead
            await connection.invalidate()

    @asynccontextmanager
    async def _connection(self, needed: bool = True) -> AsyncIterator[Any]:
        """A connection, or None if none is needed."""
        if not needed:
            yield None
            return
        self._check_url()
        reason = ""
        try:
            async with asyncio.timeout(self._options.timeout + GRACE):
                connection = await self._engine().connect()
        except Exception as error:  # noqa: BLE001 - whatever the driver raises
            reason = self._reason(error)
        if reason:
            raise self._unavailable(reason)  # outside of the handler: the frames hold the password
        pid = os.getpid()
        try:
            yield connection
        finally:
            if os.getpid() == pid:
                with suppress(Exception):  # it may be dead
                    await connection.close()
            else:
                self._left.append(connection)

    async def _send(self, statement: Statement, connection: Any) -> Answer:
        again = made = False
        while True:
            try:
                # aiomysql limits the connecting only, and aiosqlite the wait for a lock of the
                # file.
                async with asyncio.timeout(self._options.timeout + GRACE):
                    done = await connection.execute(statement.sql, statement.params)
                return answer_of(done, again)
            except Exception as error:  # noqa: BLE001 - whatever the driver raises
                after = self._after(error, statement)
                reason, refused = self._reason(error), is_refusal(error, self._file)
            if isinstance(after, Answer):
                return after._replace(again=again)
            if after is Next.SEND_AGAIN and not again:
                again = True
                await connection.rollback()
            elif after is Next.MAKE_TABLE and not made:
                made = True
                await connection.run_sync(self._make_table)
            else:
                break
        raise self._unavailable(reason, refused)  # outside: the driver's frames hold tokens


SqlStore.async_class = AsyncSqlStore


class _Had(NamedTuple):
    """The end of a lock's steps."""

    value: bool


def _advance(steps: LockSteps, answer: Answer | None) -> Statement | float | _Had:
    try:
        return steps.send(answer)
    except StopIteration as stop:
        return _Had(bool(stop.value))


async def _in_thread(steps: LockSteps) -> Statement | float | _Had:
    step = asyncio.ensure_future(asyncio.to_thread(_advance, steps, None))
    try:
        return await asyncio.shield(step)
    except asyncio.CancelledError:
        # A try that is under way may acquire the lock; only when it has ended can it be released.
        await asyncio.wait([step])  # one try, which does not wait
        raise
