"""What the sync and the async store have in common."""

from __future__ import annotations

import os
from contextlib import suppress
from enum import Enum
from typing import Any, ClassVar

from flex_tokenstore import (
    Patience,
    TokenIdentity,
    TokenPermissionError,
    TokenUnavailableError,
    hookimpl,
)

from ._engines import backend_if_unclear, let_go, location_of, make_engine
from ._forks import after_fork
from ._keeper import Answer, Keeper, Statement
from ._locks import BRISK, Lock, lock_for
from ._loops import Key, here, is_over
from ._mark import Loose
from ._options import STORE, wrong
from ._options import Options as SqlOptions
from ._reasons import is_lock_timeout, is_missing_schema, is_missing_table, is_timeout, reason_of
from ._sqlite import sqlite_path
from ._urls import PROBLEM

GRACE = 0.5  # seconds for a driver to keep the timeout itself before asyncio ends the call


class Next(Enum):
    """What to do after an error."""

    SEND_AGAIN = "a kept connection turned out to be dead, so another may do"
    MAKE_TABLE = "the table is missing"
    GIVE_UP = "it cannot be done"


class Base:
    """What both have in common."""

    Options = SqlOptions
    _is_async: ClassVar[bool]

    def __init__(self, options: SqlOptions, identity: TokenIdentity) -> None:
        self._options = options
        self._identity = identity
        self._engines: dict[Key, Any] = {}
        self._loose = Loose()
        self._patience = Patience(BRISK)
        self._left: list[Any] = []  # a parent's connections, which a child must not even close
        self._file: str | None = None
        unclear = backend_if_unclear(options)
        self._unclear = unclear is not None
        if unclear is not None:  # then no engine: its repr would show the address
            place = f"{unclear} (address not shown) table {options.table}"
            self._keeper = Keeper(options, identity, unclear, place)
            return
        engine = self._engine()  # says now that it cannot be made
        self._file = sqlite_path(engine)  # now: a program may change its current directory
        self._keeper = Keeper(options, identity, engine.dialect.name, location_of(options, engine))

    @property
    def place(self) -> str:
        """Database, table and identity, without user and password."""
        return self._keeper.place

    @hookimpl
    def lock_id(self) -> str:
        self._check_url()  # a session asks for this when it is made
        return f"{STORE}:{self.place}"

    def _engine(self) -> Any:
        # One for each process and event loop: a forked child does not use what its parent made,
        # sockets and all, and a loop cannot wait for what belongs to another.
        # First: a fork in C runs no hook, so a child gives up its parent's locks here.
        after_fork()
        key = self._key()
        engine = self._engines.get(key)
        if engine is None:
            self._let_go()
            # One that was made before there was a loop has no connection yet.
            made = self._engines.pop((os.getpid(), None), None)
            if made is None:
                made = make_engine(self._options, is_async=self._is_async)
            engine = self._engines.setdefault(key, made)
        return engine

    def _key(self) -> Key:
        return here() if self._is_async else (os.getpid(), None)

    def _own_engine(self) -> Any:
        self._let_go()
        engine = self._engines.pop(self._key(), None)
        return None if self._options.engine is not None else engine

    def _let_go(self) -> None:
        """Closes what belongs to event loops that are closed; a program's own engine is its own."""
        for key in [key for key in list(self._engines) if is_over(key)]:
            engine = self._engines.pop(key, None)
            if engine is not None and self._options.engine is None:
                let_go(engine)

    def _check_url(self) -> None:
        """Raises for a url that can be read in two ways; it names no host to connect to."""
        if self._unclear:
            raise wrong("url" if self._options.engine is None else "engine", PROBLEM)

    def _lock(self, lease: float) -> Lock:
        self._check_url()
        engine = self._engine()
        table = f"{self._options.schema or ''}.{self._options.table}"
        # A file has many names, so its own is not part of it.
        database = "" if engine.dialect.name == "sqlite" else engine.url.database
        name = f"{database}/{table}/{self._identity.key}"
        timeout = self._options.timeout
        return lock_for(
            engine.dialect.name,
            name,
            self._file,
            timeout=timeout,
            lease=lease,
            patience=self._patience,
        )

    def _after(self, error: Exception, statement: Statement) -> Next | Answer:
        """What to do now, or the answer to a statement that met nothing."""
        from sqlalchemy.exc import IntegrityError

        if is_missing_table(error):
            return Next.MAKE_TABLE
        # Another program inserted first, or holds the lock. That is a result, not an outage.
        if isinstance(error, IntegrityError) or is_lock_timeout(error):
            return Answer()
        # Within a transaction a new connection would not help: what came before is lost. After a
        # timeout the statement may still be carried out.
        lost = bool(getattr(error, "connection_invalidated", False))
        again = lost and statement.first and not is_timeout(error)
        return Next.SEND_AGAIN if again else Next.GIVE_UP

    def _reason(self, error: Exception) -> str:
        return reason_of(error, self._options)

    def _unavailable(self, reason: str, refused: bool = False) -> TokenUnavailableError:
        kind = TokenPermissionError if refused else TokenUnavailableError
        return kind(f"token store {STORE!r}, {self.place}: {reason}", store=STORE, place=self.place)

    def _make_table(self, connection: Any) -> None:
        """Called with a sync connection, in an asyncio program too."""
        from sqlalchemy import inspect, text

        from ._table import ddl_of

        what = ""
        if self._options.create_table:
            with suppress(Exception):
                if connection.dialect.name == "sqlite" and self._options.engine is None:
                    # With WAL readers do not wait for a writer. A file system without shared memory
                    # (NFS) refuses it, and the store works without.
                    connection.execute(text("PRAGMA journal_mode=WAL"))  # the file keeps it
            try:
                self._keeper.table.create(connection)
            except Exception as error:  # noqa: BLE001 - it may not, or another did: looked at below
                what = self._reason(error) if is_missing_schema(error) else ""
            with suppress(Exception):
                # If several programs create the table at once, one succeeds and the others find it
                # here.
                if inspect(connection).has_table(self._options.table, schema=self._options.schema):
                    return
        statement = ddl_of(self._keeper.table, connection.dialect)
        raise self._unavailable(what or f"the table is missing; create it with: {statement}")


def answer_of(done: Any, again: bool) -> Answer:
    rows = tuple(done.fetchall()) if done.returns_rows else ()
    return Answer(rows, done.rowcount, again)
