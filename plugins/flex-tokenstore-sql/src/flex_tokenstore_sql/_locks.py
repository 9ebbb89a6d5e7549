"""The right to renew, by the database's own means: freed by it with the holder's connection."""

from __future__ import annotations

import hashlib
import math
import sqlite3
import time
from collections.abc import Generator
from contextlib import suppress
from typing import Protocol

from flex_tokenstore import Patience, TokenLockTimeoutError

from ._keeper import Answer, Statement
from ._options import STORE
from ._sqlite import make_private

BRISK = 0.02  # seconds between two tries, at first
# A dead host is noticed within 25 s; else the system's two hours count.
_KEEPALIVE = (
    ("tcp_keepalives_idle", 10),
    ("tcp_keepalives_interval", 5),
    ("tcp_keepalives_count", 3),
)
_LONGEST_LEASE = 2_000_000  # seconds; MySQL takes no more everywhere

Pause = float
LockSteps = Generator[Statement | Pause, Answer | None, bool]
"""Statements, and seconds to wait; True if the lock is acquired."""


class Lock(Protocol):
    """A lock, held on the one connection that its statements are sent on."""

    needs_connection: bool
    end: float | None
    """Monotonic time at which it expires, once it is acquired; None: when it is released."""

    def take(self, wait: float) -> LockSteps: ...
    def release(self) -> LockSteps: ...


class PostgresLock:
    """An advisory lock for as long as a transaction is open: it works behind PgBouncer too."""

    needs_connection = True
    end: float | None = None

    def __init__(self, name: str, longest: float) -> None:
        import sqlalchemy as sa

        self._longest = longest
        # PostgreSQL's advisory locks are signed numbers of 64 bits.
        key = {"key": int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)}
        # A host that lost power says no good-bye: the server asks it, within the transaction.
        asks = "".join(f"set_config('{what}', '{value}', true), " for what, value in _KEEPALIVE)
        # By hand, since the engine is in AUTOCOMMIT.
        self._begin = Statement(sa.text("BEGIN"))
        self._limit = sa.text(f"SELECT {asks}set_config('lock_timeout', :limit, true)")
        self._try = Statement(
            sa.text(f"SELECT {asks}pg_try_advisory_xact_lock(:key)"), key, first=False
        )
        self._wait = Statement(sa.text("SELECT pg_advisory_xact_lock(:key)"), key, first=False)
        self._end = Statement(sa.text("ROLLBACK"), first=False)

    def take(self, wait: float) -> LockSteps:
        deadline = time.monotonic() + wait
        yield self._begin
        # Without waiting at first: `lock_timeout` would need a round trip of its own.
        if _value((yield self._try)):
            return True
        while (left := deadline - time.monotonic()) > 0:
            # The server wakes one who waits. Its limit ends before that of the connection.
            limit = str(max(1, int(min(left, self._longest) * 1000)))  # 0 would be no limit
            yield Statement(self._limit, {"limit": limit}, first=False)
            waited = yield self._wait
            if isinstance(waited, Answer) and waited.rows:
                return True
            # lock_timeout aborts the transaction, and an aborted one accepts nothing but ROLLBACK.
            yield self._end
            yield self._begin
        yield self._end
        return False

    def release(self) -> LockSteps:
        yield self._end
        return True


class MySqlLock:
    """A named lock of the connection. Its names are the whole server's, so ours is a digest.

    The server closes a connection that is idle for longer than the lease: nothing else would tell
    it for hours that a host has lost power.
    """

    needs_connection = True

    def __init__(self, name: str, lease: float, patience: Patience) -> None:
        import sqlalchemy as sa

        self.end: float | None = None
        self._lease = lease
        self._patience = patience
        # MySQL refuses names of more than 64 characters.
        params = {"name": f"flex:{hashlib.sha256(name.encode()).hexdigest()[:48]}"}
        seconds = min(max(1, math.ceil(lease)), _LONGEST_LEASE)
        self._limit = Statement(sa.text(f"SET SESSION wait_timeout = {seconds}"))
        self._try = Statement(sa.text("SELECT GET_LOCK(:name, 0)"), params, first=False)
        self._end = Statement(sa.text("SELECT RELEASE_LOCK(:name)"), params, first=False)
        self._no_limit = Statement(sa.text("SET SESSION wait_timeout = DEFAULT"), first=False)

    def take(self, wait: float) -> LockSteps:
        # Tried again and again: MySQL waits for whole seconds only.
        deadline = time.monotonic() + wait
        self._patience.begin()
        yield self._limit
        while True:
            asked = time.monotonic()
            if _value((yield self._try)):
                # From before the request: the server's count of idle seconds begins later.
                self.end = asked + self._lease
                self._patience.end()
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                # The connection goes back to the pool, where it may be idle for longer than the
                # lease.
                yield self._no_limit
                return False
            yield min(left, self._patience.pause())

    def release(self) -> LockSteps:
        yield self._end
        yield self._no_limit
        return True


class SqliteLock:
    """An exclusive transaction on a small database beside the real one, which others may write.

    SQLite's files are of one host, and the system frees their locks when a process ends.
    """

    needs_connection = False
    end: float | None = None

    def __init__(self, path: str, patience: Patience) -> None:
        self._path = path
        self._patience = patience
        self._connection: sqlite3.Connection | None = None

    def take(self, wait: float) -> LockSteps:
        deadline = time.monotonic() + wait
        self._patience.begin()
        make_private(self._path)
        # timeout=0: the caller pauses between two tries, by `time.sleep` or by `await`. A lock may
        # be released in another thread than it was acquired in.
        connection = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            while not _is_exclusive(connection):
                left = deadline - time.monotonic()
                if left <= 0:
                    connection.close()
                    return False
                yield min(left, self._patience.pause())
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._patience.end()
        return True

    def release(self) -> LockSteps:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                # If this fails, close() frees the lock.
                connection.execute("ROLLBACK")
            connection.close()
        yield from ()  # a generator, as the others
        return True


def lock_for(
    backend: str,
    name: str,
    path: str | None,
    *,
    timeout: float,
    lease: float,
    patience: Patience,
) -> Lock:
    """The lock of one identity's row.

    Args:
        backend: Name of the database.
        name: Names database, table and identity.
        path: File of an SQLite database.
        timeout: Seconds to wait for one response.
        lease: Seconds after which a lock that needs it may end by itself.
        patience: The store's, for the locks that are tried again and again.
    """
    if backend == "postgresql":
        return PostgresLock(name, timeout / 2)
    if backend in ("mysql", "mariadb"):
        return MySqlLock(name, lease, patience)
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return SqliteLock(f"{path}-{digest}.lock", patience)


def not_acquired(place: str, wait: float) -> TokenLockTimeoutError:
    """The lock could not be acquired in time."""
    return TokenLockTimeoutError(
        f"the lock of {place} could not be acquired within {wait:g} s: another program holds it "
        "while it obtains a token. That program may be suspended or blocked (a debugger, a "
        "blocking call in an event loop): resume it or stop it, or wait longer",
        store=STORE,
        place=place,
    )


def _value(answer: Answer | None) -> bool:
    return answer is not None and bool(answer.rows) and bool(answer.rows[0][-1])


def _is_exclusive(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        # Only these two say that another holds it; a full disk or a missing folder is an error.
        if error.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
        return False
    return True
