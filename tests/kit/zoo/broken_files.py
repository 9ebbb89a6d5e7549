"""Stores whose files others can read, or that leave copies and handles behind."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from sqlite3 import Connection
from typing import Any, ClassVar

from flex_tokenstore import TokenConflictError, TokenUnavailableError, hookimpl

from .beasts import caught_by
from .forty_lines import FortyLineStore
from .full import FullStore, T

PRIVATE = "test_its_files_are_private"
WHILE = "test_its_files_are_private_while_they_are_written"
REMOVED = "test_a_removed_token_is_in_no_file"


class _OfMode(FortyLineStore):
    mode = 0o600
    later: int | None = None

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        new = self._path.with_name(f"{uuid.uuid4().hex}.tmp")
        new.touch(mode=0o600)
        new.write_text(json.dumps(token), encoding="utf-8")
        new.chmod(self.mode)
        os.replace(new, self._path)
        if self.later is not None:
            self._path.chmod(self.later)


@caught_by(PRIVATE)
class WorldReadableFile(_OfMode):
    """0666, so that no program is locked out."""

    mode = 0o666


@caught_by(PRIVATE)
class ReadableFile(_OfMode):
    """0644, as `open` makes it."""

    mode = 0o644


@caught_by(PRIVATE, kind="async")
class ReadableForTheGroup(_OfMode):
    """0640: the group is everybody on many hosts."""

    mode = 0o640


@caught_by(WHILE)
class PrivateAfterwards(_OfMode):
    """The right mode comes when the token is already in the file."""

    mode, later = 0o644, 0o600


@caught_by(PRIVATE)
class OpenToOthers(FullStore):
    """As SQLite makes its file."""

    def transact(self, work: Callable[[Connection], T]) -> T:
        result = super().transact(work)
        Path(self._options.path).chmod(0o644)
        return result


class _KeepsACopy(FullStore):
    def copy(self) -> Path:
        raise NotImplementedError

    def write(self, connection: Connection, token: dict[str, Any]) -> None:
        super().write(connection, token)
        copy = self.copy()
        copy.touch(mode=0o600)
        copy.write_text(json.dumps(token), encoding="utf-8")


@caught_by(REMOVED)
class LeavesABackup(_KeepsACopy):
    """The token before, in a file of its own, which no removal knows."""

    def copy(self) -> Path:
        return Path(f"{self._options.path}.bak")


@caught_by(REMOVED)
class LeavesATemporaryCopy(_KeepsACopy):
    """`NamedTemporaryFile(delete=False)`."""

    def copy(self) -> Path:
        return Path(tempfile.gettempdir(), f"token-{uuid.uuid4().hex}")


@caught_by("test_it_writes_no_file_where_it_was_not_told_to")
class CopiesIntoTheCurrentDirectory(_KeepsACopy):
    """A relative path: wherever the program was started."""

    def copy(self) -> Path:
        return Path(f".token-cache-{os.getpid()}.zoo")


@caught_by(REMOVED, kind="async")
class OnlyUnlinksTheRow(FullStore):
    """SQLite's free pages hold the token until others need them."""

    def transact(self, work: Callable[[Connection], T]) -> T:
        def insecure(connection: Connection) -> T:
            connection.execute("PRAGMA secure_delete = OFF")
            return work(connection)

        return super().transact(insecure)


@caught_by("test_failed_tries_for_the_lock_leave_nothing_behind", swift=False)
class LeavesAFileForEachFailedTry(FullStore):
    """The file that it tried to lock stays open."""

    _left: ClassVar[list[Any]] = []

    def try_lock(self, holder: str, lease: float) -> bool:
        acquired = super().try_lock(holder, lease)
        if not acquired:
            self._left.append(Path(os.devnull).open())  # noqa: SIM115 - its fault
        return acquired


@caught_by("test_failed_tries_for_the_lock_leave_nothing_behind", kind="async", swift=False)
class LeavesATicketForEachTry(FullStore):
    """A file for each waiter, which only the one that is served removes."""

    def try_lock(self, holder: str, lease: float) -> bool:
        acquired = super().try_lock(holder, lease)
        if not acquired:
            Path(f"{self._options.path}.{holder}.waits").touch()
        return acquired


class _OnConflict(FullStore):
    def leave(self) -> None:
        raise NotImplementedError

    def check(self, connection: Connection, expected: str | None) -> None:
        try:
            super().check(connection, expected)
        except TokenConflictError:
            self.leave()
            raise


@caught_by("test_conflicts_leave_nothing_behind", swift=False)
class LeavesAFileForEachConflict(_OnConflict):
    """The temporary file that it did not come to rename."""

    def leave(self) -> None:
        Path(f"{self._options.path}.{uuid.uuid4().hex}.tmp").touch()


@caught_by("test_conflicts_leave_nothing_behind", swift=False)
class LeavesAThreadForEachConflict(_OnConflict):
    """It waits for its successor."""

    def leave(self) -> None:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


@caught_by("test_calls_in_an_outage_leave_nothing_behind", swift=False)
class LeavesAConnectionForEachOutage(FullStore):
    """Opened before the one that failed, and not closed."""

    _left: ClassVar[list[Any]] = []

    def transact(self, work: Callable[[Connection], T]) -> T:
        try:
            return super().transact(work)
        except TokenUnavailableError:
            self._left.append(Path(os.devnull).open())  # noqa: SIM115 - its fault
            raise
