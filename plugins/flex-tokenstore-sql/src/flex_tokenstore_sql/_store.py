"""The store, for sync and for asyncio programs; they differ by ``await`` alone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from enum import Enum
from typing import Any, ClassVar, NamedTuple, TypeVar

from flex_tokenstore import TokenIdentity, TokenUnavailableError, hookimpl

from ._engines import make_engine, place_of, sqlite_path
from ._keeper import Answer, Keeper, Statement, Steps
from ._locks import Lock, LockSteps, lock_for, not_had
from ._mark import Loose, Mark
from ._options import STORE
from ._options import Options as SqlOptions
from ._reasons import is_lock_timeout, is_missing_table, is_timeout, reason_of

GRACE = 0.5  # seconds for a driver to keep the timeout itself before asyncio ends the call

T = TypeVar("T")


class _Next(Enum):
    """What to do after an error."""

    SEND_AGAIN = "a kept connection turned out to be dead, so another may do"
    MAKE_TABLE = "the table is missing"
    GIVE_UP = "it cannot be done"


class _Base:
    """What both have in common."""

    Options = SqlOptions
    _is_async: ClassVar[bool]

    def __init__(self, options: SqlOptions, identity: TokenIdentity) -> None:
        self._options = options
        self._identity = identity
        self._engines: dict[int, Any] = {}
        self._loose = Loose()
        self._left: list[Any] = []  # a parent's connections, which a child must not even close
        backend = self._engine().dialect.name  # says now that it cannot be made
        self._keeper = Keeper(options, identity, backend, place_of(options))

    @property
    def place(self) -> str:
        """Database, table and identity, without user and password."""
        return self._keeper.place

    @hookimpl
    def lock_id(self) -> str:
        return f"{STORE}:{self.place}"

    def _engine(self) -> Any:
        # One for each process: a forked child leaves alone what its parent made, sockets and all.
        engine = self._engines.get(os.getpid())
        if engine is None:
            made = make_engine(self._options, is_async=self._is_async)
            engine = self._engines.setdefault(os.getpid(), made)
        return engine

    def _own_engine(self) -> Any:
        engine = self._engines.pop(os.getpid(), None)
        return None if self._options.engine is not None else engine

    def _lock(self) -> Lock:
        engine = self._engine()
        table = f"{self._options.schema or ''}.{self._options.table}"
        # A file has many names, so its own is not part of it.
        database = "" if engine.dialect.name == "sqlite" else engine.url.database
        name = f"{database}/{table}/{self._identity.key}"
        return lock_for(engine.dialect.name, name, sqlite_path(engine), self._options.timeout)

    def _after(self, error: Exception, statement: Statement) -> _Next | Answer:
        """What to do now, or the answer to a statement that met nothing."""
        from sqlalchemy.exc import IntegrityError

        if is_missing_table(error):
            return _Next.MAKE_TABLE
        if isinstance(error, IntegrityError) or is_lock_timeout(error):
            return Answer()
        lost = bool(getattr(error, "connection_invalidated", False))
        again = lost and statement.first and not is_timeout(error)
        return _Next.SEND_AGAIN if again else _Next.GIVE_UP

    def _reason(self, error: Exception) -> str:
        return reason_of(error, self._options)

    def _unavailable(self, reason: str) -> TokenUnavailableError:
        return TokenUnavailableError(
            f"token store {STORE!r}, {self.place}: {reason}", store=STORE, place=self.place
        )

    def _make_table(self, connection: Any) -> None:
        """Called with a sync connection, in an asyncio program too."""
        from sqlalchemy import inspect, text

        from ._table import ddl_of

        if self._options.create_table:
            with suppress(Exception):
                if connection.dialect.name == "sqlite" and self._options.engine is None:
                    connection.execute(text("PRAGMA journal_mode=WAL"))  # the file keeps it
            with suppress(Exception):  # it may not, or another did: looked at below
                self._keeper.table.create(connection)
            with suppress(Exception):
                if inspect(connection).has_table(self._options.table, schema=self._options.schema):
                    return
        statement = ddl_of(self._keeper.table, connection.dialect)
        raise self._unavailable(f"the table is missing; have it made by: {statement}")


class SqlStore(_Base):
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
    def remove_token(self, expected: str | None) -> None:
        self._do(self._keeper.put(None, expected))

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        lock = self._lock()
        pid = os.getpid()
        deadline = time.monotonic() + wait
        with self._connection(lock.needs_connection) as connection:
            if not self._locking(lock.take(wait), connection):
                raise not_had(self.place, wait)
            try:
                with self._marked(lock.needs_connection, deadline, wait, lease):
                    yield None
            finally:
                if os.getpid() == pid:
                    self._release(lock, connection)

    @contextmanager
    def _marked(self, needed: bool, deadline: float, wait: float, lease: float) -> Iterator[None]:
        if not needed:
            yield
            return
        mark = Mark(self._keeper.lock_row, self._loose)
        pid = os.getpid()
        # Not on the lock's connection: there an open transaction would keep it back.
        with self._connection() as connection:
            left = deadline - time.monotonic()
            if not self._locking(mark.take(left, lease), connection):
                raise not_had(self.place, wait)
        try:
            yield
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

    def _locking(self, steps: LockSteps, connection: Any) -> bool:
        reason = ""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Statement):
                    step = steps.send(self._send(step, connection))
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
            self._locking(lock.release(), connection)
        except TokenUnavailableError:  # it is free when the connection ends, as it does now
            connection.invalidate()

    @contextmanager
    def _connection(self, needed: bool = True) -> Iterator[Any]:
        """A connection, or None if none is needed."""
        if not needed:
            yield None
            return
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
        again = made = False
        while True:
            try:
                done = connection.execute(statement.sql, statement.params)
                return _answer(done, again)
            except Exception as error:  # noqa: BLE001 - whatever the driver raises
                after = self._after(error, statement)
                reason = self._reason(error)
            if isinstance(after, Answer):
                return after._replace(again=again)
            if after is _Next.SEND_AGAIN and not again:
                again = True
                connection.rollback()
            elif after is _Next.MAKE_TABLE and not made:
                made = True
                self._make_table(connection)
            else:
                break
        raise self._unavailable(reason)  # outside of the handler: the driver's frames hold tokens


class AsyncSqlStore(_Base):
    """Keeps the token in a table of PostgreSQL, MySQL, MariaDB or SQLite."""

    _is_async = True

    @hookimpl
    async def get_token(self) -> dict[str, Any] | None:
        return await self._do(self._keeper.get())

    @hookimpl
    async def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        await self._do(self._keeper.put(token, expected))

    @hookimpl
    async def remove_token(self, expected: str | None) -> None:
        await self._do(self._keeper.put(None, expected))

    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[None]:
        lock = self._lock()
        pid = os.getpid()
        deadline = time.monotonic() + wait
        async with self._connection(lock.needs_connection) as connection:
            try:
                had = await self._locking(lock.take(wait), connection)
            except asyncio.CancelledError:
                if connection is None:  # a thread may have had it meanwhile
                    next(lock.release(), None)
                raise
            if not had:
                raise not_had(self.place, wait)
            try:
                async with self._marked(lock.needs_connection, deadline, wait, lease):
                    yield None
            finally:
                if os.getpid() == pid:
                    await self._release(lock, connection)

    @asynccontextmanager
    async def _marked(
        self, needed: bool, deadline: float, wait: float, lease: float
    ) -> AsyncIterator[None]:
        if not needed:
            yield
            return
        mark = Mark(self._keeper.lock_row, self._loose)
        pid = os.getpid()
        # Not on the lock's connection: there an open transaction would keep it back.
        async with self._connection() as connection:
            left = deadline - time.monotonic()
            if not await self._locking(mark.take(left, lease), connection):
                raise not_had(self.place, wait)
        try:
            yield
        finally:
            if os.getpid() == pid:
                async with self._connection() as connection:
                    await self._locking(mark.release(), connection)

    @hookimpl
    async def close(self) -> None:
        engine = self._own_engine()
        if engine is not None:
            await engine.dispose()

    async def _do(self, steps: Steps[T]) -> T:
        async with self._connection() as connection:
            try:
                statement = next(steps)
                while True:
                    statement = steps.send(await self._send(statement, connection))
            except StopIteration as stop:
                result: T = stop.value
                return result

    async def _locking(self, steps: LockSteps, connection: Any) -> bool:
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
                else:
                    await asyncio.sleep(step)
        except sqlite3.Error as error:
            reason = self._reason(error)
        raise self._unavailable(reason)

    async def _release(self, lock: Lock, connection: Any) -> None:
        try:
            await self._locking(lock.release(), connection)
        except TokenUnavailableError:  # it is free when the connection ends, as it does now
            await connection.invalidate()

    @asynccontextmanager
    async def _connection(self, needed: bool = True) -> AsyncIterator[Any]:
        """A connection, or None if none is needed."""
        if not needed:
            yield None
            return
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
                async with asyncio.timeout(self._options.timeout + GRACE):
                    done = await connection.execute(statement.sql, statement.params)
                return _answer(done, again)
            except Exception as error:  # noqa: BLE001 - whatever the driver raises
                after = self._after(error, statement)
                reason = self._reason(error)
            if isinstance(after, Answer):
                return after._replace(again=again)
            if after is _Next.SEND_AGAIN and not again:
                again = True
                await connection.rollback()
            elif after is _Next.MAKE_TABLE and not made:
                made = True
                await connection.run_sync(self._make_table)
            else:
                break
        raise self._unavailable(reason)  # outside of the handler: the driver's frames hold tokens


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
        await asyncio.wait([step])  # one try, which does not wait
        raise


def _answer(done: Any, again: bool) -> Answer:
    rows = tuple(done.fetchall()) if done.returns_rows else ()
    return Answer(rows, done.rowcount, again)
