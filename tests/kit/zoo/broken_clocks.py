"""Stores that ask a clock what it does not know, and leases that are not as long as they say."""

from __future__ import annotations

import datetime
import json
import math
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from flex_tokenstore import TokenLockTimeoutError, hookimpl

from .beasts import caught_by
from .forty_lines import FortyLineStore
from .full import FullStore

DISAGREE = "test_clocks_that_disagree_do_not_share_the_lock"
EXPIRES = "test_no_clock_makes_a_token_expire"
FALLS_FREE = "test_a_lock_falls_free_after_its_lease"
# As if the database were on a server that many hosts use.
MANY_HOSTS: dict[str, Any] = {"one_host": False}


class _LockByAClock(FullStore):
    def now(self) -> float:
        raise NotImplementedError

    def try_lock(self, holder: str, lease: float) -> bool:
        def take(connection: sqlite3.Connection) -> bool:
            now = self.now()
            connection.execute("DELETE FROM locks WHERE key = ? AND ends <= ?", (self._key, now))
            row = (self._key, holder, now + lease)
            statement = "INSERT OR IGNORE INTO locks VALUES (?, ?, ?)"
            return connection.execute(statement, row).rowcount == 1

        return self.transact(take)


@caught_by(DISAGREE, swift=False)
class LeaseByTheHostsClock(FullStore):
    """A host whose clock is five minutes ahead acquires the lock at once."""

    contract: ClassVar[dict[str, Any]] = MANY_HOSTS


@caught_by("test_a_lease_ends_whatever_the_clock_says", swift=False)
class LeaseByTheClockOfTheHolder(_LockByAClock):
    """The one whose clock is ahead holds it five minutes longer."""

    contract: ClassVar[dict[str, Any]] = MANY_HOSTS

    def now(self) -> float:
        return time.time_ns() / 1e9


@caught_by(DISAGREE, swift=False)
class LeaseByMonotonicTime(_LockByAClock):
    """`time.monotonic()` in the database: each host, and each start, has its own."""

    def now(self) -> float:
        return time.monotonic()


@caught_by(DISAGREE, kind="async", swift=False)
class LeaseByLocalTime(_LockByAClock):
    """`datetime.now()` without a time zone: a container in UTC has another one."""

    def now(self) -> float:
        return datetime.datetime.now().replace(tzinfo=datetime.UTC).timestamp()  # noqa: DTZ005


@caught_by("test_a_wrong_clock_does_not_let_two_have_the_lock", swift=False)
class StaleByTheAgeOfAFile(FortyLineStore):
    """A lock file that is old is taken over; a file server's clock made its time."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        lock, deadline = self._path.with_suffix(".lock"), time.monotonic() + wait
        while not self._take(lock):
            if time.monotonic() >= deadline:
                raise TokenLockTimeoutError("held")
            time.sleep(0.01)
        try:
            yield None
        finally:
            lock.unlink(missing_ok=True)

    def _take(self, lock: Path) -> bool:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if time.time() - lock.stat().st_mtime < 120:
                return False
            lock.unlink(missing_ok=True)
            return self._take(lock)
        return True


@caught_by(FALLS_FREE, swift=False)
class LeaseInWholeSeconds(FullStore):
    """`SET … EX int(lease)`."""

    def try_lock(self, holder: str, lease: float) -> bool:
        return super().try_lock(holder, int(lease))


@caught_by(FALLS_FREE, swift=False)
class LeaseRounded(FullStore):
    """1.45 s is 1 s."""

    def try_lock(self, holder: str, lease: float) -> bool:
        return super().try_lock(holder, round(lease))


@caught_by(FALLS_FREE, swift=False)
class LeaseRoundedUp(FullStore):
    """Holds it for 2 s, and says so, where 1.45 s were asked for."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        with FullStore.token_lock(self, wait, math.ceil(lease)) as end:
            yield end


@caught_by(FALLS_FREE, kind="async", swift=False)
class LeaseInMinutes(FullStore):
    """A lease that was made for a cluster: a minute at least."""

    def try_lock(self, holder: str, lease: float) -> bool:
        return super().try_lock(holder, max(lease, 60.0))


@caught_by(EXPIRES)
class ExpiresAfterAMonth(FullStore):
    """Old tokens are cleaned up."""

    def read(self, connection: sqlite3.Connection) -> Any:
        token = super().read(connection)
        if token and token["flex_tokenstore"]["obtained_at"] < time.time() - 500 * 86_400:
            return None
        return token


@caught_by(EXPIRES, kind="async")
class PurgesWhenItOpens(FullStore):
    """`DELETE … WHERE` at each call; whoever is first next year removes all."""

    def text(self, connection: sqlite3.Connection) -> Any:
        text = super().text(connection)
        if text is not None and text.startswith("{") and len(text) < 2000:
            obtained = json.loads(text).get("flex_tokenstore", {}).get("obtained_at", 1e12)
            if obtained < time.time() - 365 * 86_400:
                connection.execute("DELETE FROM tokens WHERE key = ?", (self._key,))
                return None
        return text


@caught_by(EXPIRES)
class ForgetsByItsOwnClock(FullStore):
    """A cache that lets an entry go, and nothing behind it."""

    _written = float("inf")

    def write(self, connection: sqlite3.Connection, token: dict[str, Any]) -> None:
        super().write(connection, token)
        self._written = time.monotonic()

    def text(self, connection: sqlite3.Connection) -> Any:
        old = time.monotonic() - self._written > 86_400
        return None if old else super().text(connection)
