"""The file while it is not whole yet, and how far it is.

``FILE.part`` has the rows as lines of JSON, and ``FILE.part.json`` says how many of its bytes
count and where to go on. A run that is killed at any moment leaves both so that the next run goes
on from the last page that was saved: it cuts off what came after.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from flex_integration_sdk.errors import ExportError
from flex_tokenstore.embedding import lock_open_file

_VERSION = 1
# Seconds for which a part is good: what it has is as old. A nightly run begins anew.
FRESH = 12 * 3600.0


class Part:
    """One unfinished export; :func:`opened` makes it."""

    def __init__(self, target: Path, stream: IO[bytes], of: str) -> None:
        self._target, self._stream, self._of = target, stream, of
        self.rows = 0
        """Number of rows that it has."""
        self.done = 0
        """Number of resources of the query that they come from."""
        self.position: str | None = None
        """Where the query goes on."""
        self.note = ""
        """What to tell the user about an earlier part."""

    def write(self, line: bytes) -> None:
        """Adds a row; it counts once :meth:`save` was called."""
        self._stream.write(line)
        self.rows += 1

    def save(self, position: str | None, done: int) -> None:
        """Has the rows until now count."""
        self.position, self.done = position, done
        self._stream.flush()
        os.fsync(self._stream.fileno())
        state = {
            "version": _VERSION,
            "of": self._of,
            "bytes": self._stream.tell(),
            "rows": self.rows,
            "done": done,
            "position": position,
        }
        _write_whole(_state_of(self._target), json.dumps(state).encode())

    def finish(self, convert: Callable[[Path, Path], None] | None) -> None:
        """Puts the whole file in place.

        Args:
            convert: Makes the file from that of the lines, such as one of CSV; None: it is that.
        """
        self.save(self.position, self.done)
        part, made = _part_of(self._target), self._target
        mode = 0o600
        with suppress(OSError):
            mode = self._target.stat().st_mode & 0o777
        if os.name == "nt":  # Windows neither renames nor lets read what is open and locked
            self._stream.close()
        if convert is not None:
            made = self._target.with_name(f"{self._target.name}.new")
            convert(part, made)
            _sync(made)
        finished = part if convert is None else made
        finished.chmod(mode)
        finished.replace(self._target)
        _state_of(self._target).unlink(missing_ok=True)
        if convert is not None:
            part.unlink(missing_ok=True)

    def begin(self, *, restart: bool) -> None:
        """Goes on with what an earlier run left, or begins anew."""
        state = None if restart else self._left()
        if state is None:
            _state_of(self._target).unlink(missing_ok=True)
            self._stream.truncate(0)
            self._stream.seek(0)
            return
        self._stream.truncate(state["bytes"])
        self._stream.seek(state["bytes"])
        self.rows, self.done, self.position = state["rows"], state["done"], state["position"]
        self.note = f"goes on after {self.rows:,} rows of an earlier run; --restart starts again"

    def _left(self) -> dict[str, Any] | None:
        path = _state_of(self._target)
        try:
            age = time.time() - path.stat().st_mtime
            state = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            self.note = f"{path.name} is damaged: starts again"
            return None
        size = self._stream.seek(0, os.SEEK_END)
        if not isinstance(state, dict) or state.get("version") != _VERSION:
            self.note = f"{path.name} is of another version: starts again"
        elif state["of"] != self._of:
            self.note = f"{_part_of(self._target).name} is of another export: starts again"
        elif not 0 <= age <= FRESH:
            hours = FRESH / 3600
            self.note = f"what an earlier run left is older than {hours:g} hours: starts again"
        elif size < state["bytes"]:
            self.note = f"{_part_of(self._target).name} is shorter than it was: starts again"
        else:
            return state
        return None


@contextmanager
def opened(target: Path, of: str, *, restart: bool) -> Iterator[Part]:
    """The part of a file, which no other run writes at the same time.

    Args:
        target: The file that will be made.
        of: What is exported, and whose: a part of something else is not used.
        restart: Begin anew whatever there is.

    Raises:
        ExportError: Another run writes it.
        OSError: The folder does not exist, or cannot be written to.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(_part_of(target), flags, 0o600), "r+b") as stream:  # noqa: PTH123
        if not lock_open_file(stream.fileno()):
            raise ExportError(
                f"another run is writing {target}: wait until it has ended, or export into "
                "another file"
            )
        if not _is_at(_part_of(target), stream):
            raise ExportError(f"another run has just finished {target}: run it again")
        part = Part(target, stream, of)
        part.begin(restart=restart)
        yield part


def _is_at(path: Path, stream: IO[bytes]) -> bool:
    """Whether the open file is that of the path: another run may have finished in between."""
    try:
        return os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def _part_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _state_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.json")


def _write_whole(path: Path, content: bytes) -> None:
    made = path.with_name(f"{path.name}.new")
    made.write_bytes(content)
    _sync(made)
    made.replace(path)


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
