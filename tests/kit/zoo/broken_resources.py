"""Stores that are right by themselves, and wrong in a program that has other things to do."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

from flex_tokenstore import TokenIdentity, TokenUnavailableError, hookimpl

from .beasts import caught_by
from .full import FullStore, T

Connection = sqlite3.Connection


@caught_by("test_an_expired_token_comes_back")
class ExpiredIsNone(FullStore):
    """Looks whether the access token still lives, and drops the refresh token with it."""

    def read(self, connection: Connection) -> Any:
        token = super().read(connection)
        ends = None if token is None else token["flex_tokenstore"]["expires_at"]
        return None if ends is None or ends < time.time() else token


@caught_by("test_a_token_stays_when_its_access_token_expires")
class LivesAsLongAsTheAccessToken(FullStore):
    """`SETEX key expires_in token`, as for any cache."""

    _ends: ClassVar[dict[str, float]] = {}

    def write(self, connection: Connection, token: dict[str, Any]) -> None:
        super().write(connection, token)
        self._ends[self._key] = time.monotonic() + token["expires_in"]

    def text(self, connection: Connection) -> Any:
        gone = time.monotonic() > self._ends.get(self._key, float("inf"))
        return None if gone else super().text(connection)


@caught_by("test_a_handle_serves_many_callers_at_once")
class OneConnectionForAllThreads(FullStore):
    """It is not made for that: one caller's statement comes into another's transaction."""

    _connection: Connection | None = None

    def transact(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            super().transact(lambda _: None)  # makes the tables
            self._connection = sqlite3.connect(
                self._options.path, isolation_level=None, check_same_thread=False
            )
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._connection)
                time.sleep(0.001)  # as long as a network takes
            finally:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise TokenUnavailableError(f"SQLite: {error}") from None
        return result


@caught_by("test_closing_one_handle_leaves_the_others")
class ClosesForAll(FullStore):
    """A pool of the module, which whoever closes first closes for everybody."""

    _open: ClassVar[set[str]] = set()

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        self._open.add(options.path)

    def transact(self, work: Callable[[Connection], T]) -> T:
        if self._options.path not in self._open:
            raise TokenUnavailableError("the pool is closed")
        return super().transact(work)

    @hookimpl
    def close(self) -> None:
        self._open.discard(self._options.path)


@caught_by("test_calls_leave_no_connection_behind", swift=False)
class LeavesItsConnections(FullStore):
    """One for each call; the server's limit is reached at night."""

    _left: ClassVar[list[Connection]] = []

    def transact(self, work: Callable[[Connection], T]) -> T:
        connection = sqlite3.connect(self._options.path, check_same_thread=False)
        connection.execute("PRAGMA user_version")
        self._left.append(connection)
        return super().transact(work)


@caught_by("test_closed_handles_leave_nothing_behind", swift=False)
class LeavesItsThread(FullStore):
    """A heartbeat that nobody stops."""

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()


@caught_by("test_nothing_of_the_whole_process_is_changed")
class SetsTheUmask(FullStore):
    """For its own file alone, it thinks; other threads make files meanwhile."""

    def write(self, connection: Connection, token: dict[str, Any]) -> None:
        before = os.umask(0o077)
        try:
            super().write(connection, token)
        finally:
            os.umask(before)


@caught_by("test_nothing_of_the_whole_process_is_changed", kind="async")
class SetsTheTimeoutOfAll(FullStore):
    """The driver has no option for it."""

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        socket.setdefaulttimeout(30.0)
