"""The store, for sync and for asyncio programs; they differ by ``await`` alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, ClassVar, TypeVar

from flex_tokenstore import Secret, TokenIdentity, TokenUnavailableError, hookimpl

from ._engines import (
    is_lock_timeout,
    is_lost_connection,
    is_missing_table,
    make_engine,
    place_of,
    reason_of,
    sqlite_path,
)
from ._keeper import Answer, Keeper, Refused, Statement, Steps, ddl_of
from ._locks import Lock, LockSteps, lock_for, not_had
from ._options import STORE, wrong
from ._options import Options as SqlOptions

T = TypeVar("T")


class _Params(dict[str, Any]):
    """Parameters with a token among them; it does not print itself."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self)})"


class _Base:
    """What both have in common."""

    Options = SqlOptions
    _is_async: ClassVar[bool]

    def __init__(self, options: SqlOptions, identity: TokenIdentity) -> None:
        self._options = options
        self._identity = identity
        self._engines: dict[int, Any] = {}
        self._keeper = Keeper(options, identity, place_of(options))
        self._has_table = False
        engine = self._engine()  # says now that it cannot be made
        if sqlite_path(engine) in (None, ":memory:") and engine.dialect.name == "sqlite":
            raise wrong("engine", "is of a database in memory, which no other process shares")

    @property
    def place(self) -> str:
        """Database, table and row, without user and password."""
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
        name = f"{self._options.schema or ''}.{self._options.table}/{self._identity.key}"
        return lock_for(engine.dialect.name, name, sqlite_path(engine))

    def _refusal(self, error: Exception) -> Refused | None:
        """What the flow goes on from; None: an error."""
        from sqlalchemy.exc import IntegrityError

        if isinstance(error, IntegrityError):
            return Refused.EXISTS
        if is_missing_table(error):
            return Refused.NO_TABLE
        return Refused.LOCK_TIMEOUT if is_lock_timeout(error) else None

    def _reason(self, error: Exception) -> str:
        return reason_of(error, self._options)

    def _unavailable(self, reason: str) -> TokenUnavailableError:
        return TokenUnavailableError(
            f"token store {STORE!r}, {self.place}: {reason}", store=STORE, place=self.place
        )

    def _no_table(self) -> TokenUnavailableError:
        statement = ddl_of(self._keeper.table, self._engine().dialect)
        return self._unavailable(f"the table is missing; have it made by: {statement}")


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
        self._do(self._keeper.remove(expected))

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        lock = self._lock()
        pid = os.getpid()
        with self._connection() as connection:
            if not self._locking(lock.take(wait), connection):
                raise not_had(self.place, wait)
            try:
                yield None
            finally:
                if os.getpid() == pid:
                    self._locking(lock.release(), connection)

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

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        """A connection, or None for a lock that needs none; its own errors are in plain words."""
        reason = ""
        with contextlib.ExitStack() as held:
            try:
                engine = self._engine().execution_options(isolation_level="AUTOCOMMIT")
                connection = held.enter_context(engine.connect())
            except Exception as error:  # noqa: BLE001 - whatever the driver raises
                reason = self._reason(error)
            else:
                yield connection
                return
        raise self._unavailable(reason)  # outside of the handler: the frames hold the password

    def _send(self, statement: Statement, connection: Any) -> Answer | Refused:
        for attempt in (1, 2, 3):
            try:
                return _answer(connection.execute(statement.sql, _plain(statement)))
            except Exception as error:  # noqa: BLE001 - whatever the driver raises
                refusal = self._refusal(error)
                again = attempt < 3 and is_lost_connection(error)
                reason = self._reason(error)
            if refusal is Refused.NO_TABLE and attempt < 3:
                self._make_table(connection)
            elif refusal is not None:
                return refusal
            elif not again:
                break
        raise self._unavailable(reason)  # outside of the handler: the driver's frames hold tokens

    def _make_table(self, connection: Any) -> None:
        if self._options.create_table:
            with contextlib.suppress(Exception):  # another may have made it; else it is told below
                self._keeper.table.create(connection)
                return
            with contextlib.suppress(Exception):
                if self._engine().dialect.has_table(
                    connection, self._options.table, schema=self._options.schema
                ):
                    return
        raise self._no_table()


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
        await self._do(self._keeper.remove(expected))

    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[None]:
        lock = self._lock()
        pid = os.getpid()
        async with self._connection() as connection:
            if not await self._locking(lock.take(wait), connection):
                raise not_had(self.place, wait)
            try:
                yield None
            finally:
                if os.getpid() == pid:
                    await self._locking(lock.release(), connection)

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
        try:
            step = next(steps)
            while True:
                if isinstance(step, Statement):
                    step = steps.send(await self._send(step, connection))
                else:
                    await asyncio.sleep(step)
                    step = steps.send(None)
        except StopIteration as stop:
            return bool(stop.value)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        reason = ""
        async with contextlib.AsyncExitStack() as held:
            try:
                engine = self._engine().execution_options(isolation_level="AUTOCOMMIT")
                async with asyncio.timeout(self._options.timeout):
                    connection = await held.enter_async_context(engine.connect())
            except Exception as error:  # noqa: BLE001 - whatever the driver raises
                reason = self._reason(error)
            else:
                yield connection
                return
        raise self._unavailable(reason)  # outside of the handler: the frames hold the password

    async def _send(self, statement: Statement, connection: Any) -> Answer | Refused:
        for attempt in (1, 2, 3):
            try:
                async with asyncio.timeout(self._options.timeout):
                    done = await connection.execute(statement.sql, _plain(statement))
                return _answer(done)
            except Exception as error:  # noqa: BLE001 - whatever the driver raises
                refusal = self._refusal(error)
                again = attempt < 3 and is_lost_connection(error)
                reason = self._reason(error)
            if refusal is Refused.NO_TABLE and attempt < 3:
                await self._make_table(connection)
            elif refusal is not None:
                return refusal
            elif not again:
                break
        raise self._unavailable(reason)  # outside of the handler: the driver's frames hold tokens

    async def _make_table(self, connection: Any) -> None:
        if self._options.create_table:
            with contextlib.suppress(Exception):  # another may have made it; else it is told below
                await connection.run_sync(self._keeper.table.create)
                return
            with contextlib.suppress(Exception):
                if await connection.run_sync(self._is_there):
                    return
        raise self._no_table()

    def _is_there(self, connection: Any) -> bool:
        dialect = self._engine().dialect
        return bool(
            dialect.has_table(connection, self._options.table, schema=self._options.schema)
        )


SqlStore.async_class = AsyncSqlStore


def _plain(statement: Statement) -> _Params:
    return _Params(
        {
            name: value.reveal() if isinstance(value, Secret) else value
            for name, value in statement.params.items()
        }
    )


def _answer(done: Any) -> Answer:
    rows = [tuple(row) for row in done.fetchall()] if done.returns_rows else []
    return Answer(Secret(rows), done.rowcount)
