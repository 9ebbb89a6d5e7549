"""The store: how a database keeps a record and a lock. The rest is the base's."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, NamedTuple

from flex_tokenstore import Secret, TokenIdentity, hookimpl
from flex_tokenstore.records import (
    ABSENT,
    AsyncRecordStore,
    Busy,
    Changed,
    Kind,
    Problem,
    Record,
    RecordStore,
    Steps,
)

from ._engines import Made, abandon, check_driver, given_engine, make_engine
from ._options import SQLITE, STORE
from ._options import Options as SqlOptions
from ._problems import Named, is_missing, problem_of
from ._sqlite import FileLock
from ._urls import PROBLEM, address_of, is_doubtful, is_read_wrongly, sqlite_path, url_of

_NOT_THE_TABLE = (Kind.LOST, Kind.WRONG_SERVER, Kind.BUSY)
GRACE = 0.5  # seconds for a driver to keep the timeout itself before asyncio ends the call


class InThread(NamedTuple):
    """A command that is file I/O, and needs no connection."""

    run: Callable[[], Any]


class _Sql:
    """What both have in common: the primitives, as generators of functions of a connection."""

    Options = SqlOptions
    store = STORE
    record = "row"
    elsewhere = "table"
    options: SqlOptions
    identity: TokenIdentity
    _is_async: ClassVar[bool]

    def __init__(self, options: SqlOptions, identity: TokenIdentity) -> None:
        from ._table import Statements

        if options.engine is not None:
            given_engine(options.engine, is_async=self._is_async)  # says now that it is wrong
            self._url: Secret[Any] = Secret(options.engine.url)
            self._unclear = is_read_wrongly(self._url)
        else:
            self._url = url_of(options)
            self._unclear = is_doubtful(options.url or Secret(""))
            check_driver(self._url.reveal().get_backend_name(), is_async=self._is_async)
        self._backend: str = self._url.reveal().get_backend_name()
        self._file = sqlite_path(self._url.reveal())
        self._statements = Statements(options, self._backend)
        self._locks: dict[str, FileLock] = {}
        if self._file is not None:
            self.acquire, self.release, self.leased = self._acquire, self._release, False
        super().__init__(options, identity)  # type: ignore[call-arg]  # the base's

    @property
    def given(self) -> bool:
        return self.options.engine is not None

    def locate(self, key: str) -> str:
        address = "(address not shown)" if self._unclear else address_of(self._url.reveal())
        return f"{self._backend} {address} table {self.options.full_table}, identity {key}"

    @property
    def token_file(self) -> str | None:
        """Path of the SQLite database; None: it is a server's."""
        return self._file

    @property
    def lock_file(self) -> str | None:
        """Path of the file beside it that the token lock is on."""
        return None if self._file is None else self._lock_path(self._file)

    @hookimpl
    def lock_id(self) -> str:
        self._check_url()  # a session asks for this when it is made
        return super().lock_id()  # type: ignore[misc, no-any-return]  # the base's

    def _check_url(self) -> None:
        """Raises for a url that can be read in two ways; it names no host to connect to."""
        if self._unclear:
            raise self.options.wrong("engine" if self.given else "url", PROBLEM)

    def connect(self) -> Made:
        self._check_url()
        if self.given:
            return given_engine(self.options.engine, is_async=self._is_async)
        return make_engine(self.options, self._url, is_async=self._is_async)

    def describe(self, error: Exception) -> Problem | None:
        return problem_of(error, self.options, self._file)

    def read(self, client: Made, key: str) -> Steps[Record]:
        if not key.endswith(":lock"):
            rows = yield self._ask(self._statements.read, key=key)
            return _record(rows[0][0]) if rows else ABSENT
        ((raw, clock),) = yield self._ask(self._statements.look, key=key)
        there = ABSENT if raw.reveal() is None else _record(raw)
        return there._replace(clock=float(clock))

    def write(
        self, client: Made, key: str, data: Secret[bytes], version: Any
    ) -> Steps[Secret[bytes]]:
        if version is None:
            yield self._ask(self._statements.insert, key=key, new=data)
        else:
            yield self._change(self._statements.update, key=key, new=data, seen=version)
        return data

    def delete(self, client: Made, key: str, version: Any) -> Steps[None]:
        yield self._change(self._statements.delete, key=key, seen=version)
        if self._file is not None:
            # A reader that is at work meanwhile keeps the log for now; the next removal, or the
            # last program that closes the database, empties it then.
            with suppress(Exception):
                yield self._ask(self._statements.forget)

    def put_aside(self, client: Made, key: str, name: str, record: Record) -> Steps[None]:
        yield self._change(self._statements.aside, key=key, name=name, seen=record.version)

    def prove(self, client: Made, key: str, expected: str | None) -> Steps[None]:
        if self._file is not None:
            yield partial(self._try_to_write, f"{key}:try")
        elif expected is None:
            yield self._ask(self._statements.prove_insert)
        else:
            yield self._ask(self._statements.prove_update)

    def drop_idle(self, client: Made) -> Any:
        return client.engine.dispose()

    disconnect = drop_idle

    def _acquire(self, client: Made, key: str, owner: str, seconds: float) -> Steps[Busy | None]:
        assert self._file is not None
        lock = self._locks[owner] = FileLock(self._lock_path(self._file))
        acquired = False
        try:
            acquired = yield InThread(lock.take)
        finally:
            if not acquired:
                self._locks.pop(owner).free()
        return None if acquired else Busy()

    def _lock_path(self, file: str) -> str:
        name = f"/{self.options.schema or ''}.{self.options.table}/{self.identity.key}"
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        return f"{file}-{digest}.lock"

    def _release(self, client: Made, key: str, owner: str) -> Steps[None]:
        lock = self._locks.pop(owner, None)
        if lock is not None:
            yield InThread(lock.free)

    def _ask(self, sql: Any, **params: Any) -> Callable[[Any], Any]:
        return partial(self._execute, sql, params, False)

    def _change(self, sql: Any, **params: Any) -> Callable[[Any], Any]:
        return partial(self._execute, sql, params, True)

    def _execute(self, sql: Any, params: dict[str, Any], must_meet: bool, connection: Any) -> Any:
        """Called with a sync connection, in an asyncio program too."""
        try:
            done = connection.execute(sql, params)
        except Exception as error:
            if not is_missing(error):
                raise
            self._make_table(connection)
            done = connection.execute(sql, params)
        # Only the count tells: nothing is raised for a row that another has changed.
        if must_meet and not done.rowcount:
            raise Changed
        return done.fetchall() if done.returns_rows else ()

    def _try_to_write(self, key: str, connection: Any) -> None:
        connection.execute(self._statements.begin)
        try:
            self._ask(self._statements.insert, key=key, new=Secret(b""))(connection)
        finally:
            connection.execute(self._statements.back)

    def _make_table(self, connection: Any) -> None:
        from sqlalchemy import inspect

        from ._table import ddl_of

        table, failed = self._statements.table, None
        if self.options.create_table:
            with suppress(Exception):
                if connection.dialect.name == SQLITE and not self.given:
                    # A file system without shared memory (NFS) refuses it, and the store works
                    # without.
                    connection.execute(self._statements.use_wal)
            try:
                table.create(connection)
            except Exception as error:  # noqa: BLE001 - it may not, or another did: looked at below
                failed = error
            with suppress(Exception):
                # If several programs create the table at once, one succeeds and the others find it
                # here.
                if inspect(connection).has_table(table.name, schema=table.schema):
                    return
        if failed is not None:
            problem = self.describe(failed)
            elsewhere = problem is not None and problem.kind in _NOT_THE_TABLE
            if elsewhere or is_missing(failed, schema=True):
                raise failed
        statement = ddl_of(table, connection.dialect)
        raise Named(f"the table is missing; create it with: {statement}")


class SqlStore(_Sql, RecordStore):
    """Keeps the token in a table of PostgreSQL, MySQL, MariaDB or SQLite."""

    _is_async = False
    async_class: ClassVar[type]  # set below: it is defined after this class

    def send(self, client: Made, command: Any) -> Any:
        if isinstance(command, InThread):
            return command.run()
        connection = client.engine.connect()
        try:
            return command(connection)
        finally:
            with suppress(Exception):  # it may be dead
                connection.close()


class AsyncSqlStore(_Sql, AsyncRecordStore):
    """Keeps the token in a table of PostgreSQL, MySQL, MariaDB or SQLite."""

    _is_async = True
    abandon = staticmethod(abandon)

    async def connect(self) -> Made:  # type: ignore[override]  # the sync one's
        if any(self.options.files()):  # on a network they may take long, and certificates 50 ms
            return await asyncio.to_thread(super().connect)
        return super().connect()

    async def send(self, client: Made, command: Any) -> Any:
        if isinstance(command, InThread):
            return await _in_thread(command.run)
        # aiomysql limits the connecting only, and aiosqlite the wait for a lock of the file.
        limit = self.options.timeout + GRACE
        async with asyncio.timeout(limit + self.options.connect_timeout):
            connection = await client.engine.connect()
        try:
            async with asyncio.timeout(limit):
                return await connection.run_sync(command)
        finally:
            with suppress(Exception):
                await connection.close()


SqlStore.async_class = AsyncSqlStore


async def _in_thread(run: Callable[[], Any]) -> Any:
    step = asyncio.ensure_future(asyncio.to_thread(run))
    try:
        return await asyncio.shield(step)
    except asyncio.CancelledError:
        # A try that is under way may acquire the lock; only when it has ended can it be released.
        await asyncio.wait([step])  # one try, which does not wait
        raise


def _record(raw: Secret[Any]) -> Record:
    if raw.reveal() is None:  # of a table made by hand
        return Record(Secret(b""), raw, problem="it is NULL")
    return Record(raw, raw)
