"""Stores with a wrong lock, or a wrong compare-and-set."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from flex_tokenstore import ANY_REVISION, TokenConflictError, TokenLockTimeoutError, hookimpl

from .beasts import caught_by
from .forty_lines import FortyLineStore
from .full import FullStore

Connection = sqlite3.Connection


@caught_by("test_a_released_lock_is_free")
class NeverFreesTheLock(FullStore):
    """Leaves it to the lease."""

    def unlock(self, holder: str) -> None:
        """Nothing."""


@caught_by("test_leaving_after_the_lease_frees_nothing", swift=False)
class FreesTheLockOfAnother(FullStore):
    """Deletes the lock without a look at whose it is by then."""

    def unlock(self, holder: str) -> None:
        self.transact(lambda connection: connection.execute("DELETE FROM locks"))


@caught_by("test_a_try_that_failed_leaves_the_lock_as_it_was")
class FreesWhatItDidNotGet(FullStore):
    """The `finally` is around the try as well."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        try:
            with super().token_lock(wait, lease) as end:
                yield end
        finally:
            self.transact(lambda connection: connection.execute("DELETE FROM locks"))


@caught_by("test_the_lock_is_exclusive")
class NoLockAtAll(FullStore):
    """Says that it has one."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        yield None


@caught_by("test_the_lock_is_exclusive")
class LooksThenTakesTheLock(FullStore):
    """Two steps, and the second one does not fail."""

    def try_lock(self, holder: str, lease: float) -> bool:
        self.transact(
            lambda connection: connection.execute(
                "REPLACE INTO locks VALUES (?, ?, ?)", (self._key, holder, time.time() + lease)
            )
        )
        return True


class _InProcess(FullStore):
    _locks: ClassVar[dict[str, Any]] = {}
    kind: Any = staticmethod(threading.Lock)

    def lock(self) -> Any:
        return self._locks.setdefault(self.lock_id(), self.kind())

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        lock = self.lock()
        if not lock.acquire(timeout=wait):
            raise TokenLockTimeoutError("another holds the lock")
        try:
            yield None
        finally:
            lock.release()


@caught_by("test_the_lock_is_exclusive_across_processes")
class LocksThisProcessAlone(_InProcess):
    """A `threading.Lock` for a storage that processes share."""

    _locks: ClassVar[dict[str, Any]] = {}


@caught_by("test_the_lock_is_not_reentrant")
class ReentrantLock(_InProcess):
    """A second caller in the thread gets it too, and renews a second time."""

    _locks: ClassVar[dict[str, Any]] = {}
    kind: Any = staticmethod(threading.RLock)


@caught_by("test_the_lock_may_be_left_in_another_thread")
class LockOfItsThread(_InProcess):
    """Only the thread that took it can free it."""

    _locks: ClassVar[dict[str, Any]] = {}
    kind: Any = staticmethod(threading.RLock)


@caught_by("test_a_lock_falls_free_after_its_lease", swift=False)
class LeaseIgnored(FullStore):
    """Gives an end, and does not keep to it."""

    def try_lock(self, holder: str, lease: float) -> bool:
        return super().try_lock(holder, 1e9)


@caught_by("test_a_lock_falls_free_after_its_lease", swift=False)
class LeaseTooShort(FullStore):
    """Milliseconds taken for seconds, or the like: it ends before the time that it gave."""

    def try_lock(self, holder: str, lease: float) -> bool:
        return super().try_lock(holder, lease / 3)


@caught_by("test_the_lease_ends_at_the_monotonic_time_given")
class LeaseOfTheWallClock(FullStore):
    """Seconds since 1970, where `time.monotonic()` was asked for."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        with super().token_lock(wait, lease):
            yield time.time() + lease


@caught_by("test_the_lease_ends_at_the_monotonic_time_given")
class LeaseAsDuration(FullStore):
    """Seconds that are left, not the time at which it ends."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        with super().token_lock(wait, lease):
            yield lease


@caught_by("test_one_try_does_not_wait", swift=False)
class WaitsForEver(FullStore):
    """Does not look at `wait`."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        with super().token_lock(30.0, lease) as end:
            yield end


@caught_by("test_waiting_gets_the_lock_that_falls_free")
class GivesUpAtOnce(FullStore):
    """Does not look at `wait` either."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        with super().token_lock(0.0, lease) as end:
            yield end


@caught_by("test_each_identity_has_a_lock_of_its_own")
class OneLockForAll(FullStore):
    """The renewal of one client waits for that of another."""

    def lock_key(self) -> str:
        return "lock"


@caught_by("test_all_handles_on_a_token_name_its_lock_alike")
class LockIdOfTheObject(FullStore):
    """Another one for each handle."""

    @hookimpl
    def lock_id(self) -> str:
        return f"store-{id(self)}"


@caught_by("test_a_killed_holder_frees_the_lock", swift=False)
class LockFileThatStays(FortyLineStore):
    """Made with O_EXCL, and nobody removes it for the dead."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        path = self._path.with_suffix(".lock")
        deadline = time.monotonic() + wait
        while True:
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL))
                break
            except FileExistsError:
                if time.monotonic() >= deadline:
                    raise TokenLockTimeoutError("another holds the lock") from None
                time.sleep(0.01)
        try:
            yield None
        finally:
            path.unlink()


class _InTwoSteps(FullStore):
    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        self.transact(lambda connection: self.check(connection, expected))
        time.sleep(0.02)  # as long as a slow round trip: the others come in between
        self.transact(lambda connection: self.write(connection, token))


@caught_by("test_no_update_is_lost")
class ComparesThenSets(_InTwoSteps):
    """Two transactions where one was promised."""


@caught_by("test_one_of_many_first_writers_wins")
class ComparesThenCreates(_InTwoSteps):
    """The same, for the first token."""


@caught_by("test_another_token_than_expected_is_a_conflict")
class ReturnsFalse(FullStore):
    """Says no where it should raise."""

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> bool | None:
        try:
            super().set_token(token, expected)
        except TokenConflictError:
            return False
        return None


@caught_by("test_another_token_than_expected_is_a_conflict")
class TakesExpectedAndIgnoresIt(FullStore):
    """A signature copied from an example."""

    def check(self, connection: Connection, expected: str | None) -> None:
        """Nothing."""


@caught_by("test_none_expects_that_nothing_is_stored")
class NoneMeansAny(FullStore):
    """`if expected:`"""

    def check(self, connection: Connection, expected: str | None) -> None:
        super().check(connection, expected or ANY_REVISION)


@caught_by("test_any_revision_replaces_whatever_is_there")
class AnyRevisionUnknown(FullStore):
    """Looks for a token whose revision is a star."""

    def check(self, connection: Connection, expected: str | None) -> None:
        super().check(connection, "star" if expected == ANY_REVISION else expected)


@caught_by("test_the_expected_token_is_replaced")
class RevisionOfTheText(FullStore):
    """The hash of what it stores, not `revision_of`."""

    def revision(self, text: Any) -> str:
        return hashlib.sha256(text.encode()).hexdigest()


@caught_by("test_the_revision_is_that_of_the_tokens_alone")
class RevisionOfTheWholeToken(FullStore):
    """Remembers what it wrote: right as long as nobody writes other fields."""

    def check(self, connection: Connection, expected: str | None) -> None:
        super().check(connection, expected)
        text = self.text(connection)
        if text is not None and expected != ANY_REVISION and "more" in json.loads(text):
            raise TokenConflictError("another token is stored; read it again")


@caught_by("test_a_revision_in_the_token_counts")
class RevisionOfTheTokensAlways(FullStore):
    """Its own copy of `revision_of`, without the tag's revision."""

    def revision(self, text: Any) -> str:
        token = json.loads(text)
        pair = [token["access_token"], token.get("refresh_token") or None]
        return hashlib.sha256(
            json.dumps(pair, separators=(",", ":"), ensure_ascii=False).encode()
        ).hexdigest()


@caught_by("test_an_expected_token_that_is_gone_is_a_conflict")
class NothingMatchesEverything(FullStore):
    """Compares only if there is something to compare with."""

    def check(self, connection: Connection, expected: str | None) -> None:
        if self.text(connection) is not None:
            super().check(connection, expected)


@caught_by("test_removing_compares_too")
class RemovesWhateverIsThere(FullStore):
    """Compares in `set_token` alone."""

    def delete(self, connection: Connection, expected: str | None) -> None:
        super().delete(connection, ANY_REVISION)


@caught_by("test_a_storm_on_many_handles_is_one_request")
class LockOfEachHandle(FullStore):
    """Each handle has a lock of its own, so that all of them renew."""

    def lock_key(self) -> str:
        self._own = getattr(self, "_own", None) or uuid.uuid4().hex
        return self._own

    @hookimpl
    def lock_id(self) -> str:
        return f"lock-{self.lock_key()}"
