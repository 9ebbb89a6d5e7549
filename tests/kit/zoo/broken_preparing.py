"""Stores that do more than look when they find out whether a token could be saved, or forget to."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from typing import Any, ClassVar

from flex_tokenstore import TokenPermissionError, WrapperStore, file_store, hookimpl

from .beasts import caught_by
from .forty_lines import FortyLineStore
from .full import AsyncFullStore, FullStore, TwinStore

Connection = sqlite3.Connection


@caught_by("test_preparing_a_save_changes_no_token")
class TriesOnTheTokenItself(FullStore):
    """Writes something and means to have it replaced by the save."""

    def prove(self, connection: Connection, expected: str | None) -> None:
        if self.text(connection) is not None:
            self.write(connection, {"access_token": "a try"})


@caught_by("test_preparing_a_save_changes_no_token")
class CountsItsTries(FullStore):
    """Adds a field, so that the token is another than before."""

    def prove(self, connection: Connection, expected: str | None) -> None:
        text = self.text(connection)
        if text is not None:
            self.write(connection, {**self.decode(text), "tries": 1})


@caught_by("test_preparing_the_first_save_stores_nothing")
class StoresAPlaceholder(FullStore):
    """So that there is a row for the save to update."""

    def prove(self, connection: Connection, expected: str | None) -> None:
        if self.text(connection) is None:
            self.write(connection, {"access_token": "none yet"})


@caught_by("test_preparing_a_save_changes_no_token")
class WorksOnce(FortyLineStore):
    """Its scratch file is in its own way."""

    @hookimpl
    def prepare_save(self) -> None:
        try:
            self._path.with_suffix(".try").touch(exist_ok=False)
        except FileExistsError:
            raise TokenPermissionError("a file is in the way") from None


@caught_by("test_preparing_a_save_leaves_no_file_behind")
class LeavesItsScratchFile(FortyLineStore):
    """One for all tries, but one that nobody asked for."""

    @hookimpl
    def prepare_save(self) -> None:
        self._path.with_suffix(".try").touch()


@caught_by("test_preparing_saves_leaves_no_connection_behind")
class LeavesConnections(FullStore):
    """One of its own for each try, kept for ever."""

    @hookimpl
    def prepare_save(self, expected: str | None) -> None:
        self._kept = [*getattr(self, "_kept", []), sqlite3.connect(self._options.path)]
        self._kept[-1].execute("SELECT 1 FROM sqlite_master").fetchall()


@caught_by("test_a_save_is_prepared_under_the_lock", swift=False)
class TakesTheLockOnceMore(FullStore):
    """The session has it already."""

    @hookimpl
    def prepare_save(self, expected: str | None) -> None:
        with self.token_lock(30.0, 30.0):
            pass


@caught_by("test_a_save_is_prepared_under_the_lock")
class FreesTheLock(FullStore):
    """Clears what it takes for leftovers."""

    def prove(self, connection: Connection, expected: str | None) -> None:
        connection.execute("DELETE FROM locks")


@caught_by("test_a_revision_that_is_not_stored_is_no_refusal")
class TakesAConflictForARefusal(FullStore):
    """Compares, which is for the save."""

    def prove(self, connection: Connection, expected: str | None) -> None:
        self.check(connection, expected)


@caught_by("test_preparing_a_save_hangs_in_no_outage", swift=False)
class WaitsForTheOutageToEnd(FullStore):
    """Tries again and again."""

    @hookimpl
    def prepare_save(self, expected: str | None) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.transact(lambda connection: None)
            except OSError:
                time.sleep(0.1)
            else:
                return


class _AsyncWithout(AsyncFullStore):
    """The coroutines of the full store, without this one."""

    prepare_save = None  # type: ignore[assignment]  # as if it had never been written


@caught_by("test_sync_and_async_programs_prepare_saves_alike")
class OnlyItsSyncClassLooks(TwinStore):
    """The other one was forgotten."""

    async_class: ClassVar[type] = _AsyncWithout


@caught_by("test_a_wrapper_hands_a_refusal_on")
class KeepsRefusalsToItself(WrapperStore):
    """Believes that it knows better than the store that it wraps."""

    @dataclass(kw_only=True)
    class Options:
        path: str  #: where the token is
        timeout: float = 1.0  #: of no use here
        inner: Any = None  #: the store that it wraps

        def __post_init__(self) -> None:
            self.inner = file_store(path=f"{self.path}.json")

    @hookimpl
    def prepare_save(self, expected: str | None) -> Any:
        try:
            return super().prepare_save(expected)
        except TokenPermissionError:
            return None
