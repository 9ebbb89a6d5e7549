"""The file while it is not whole yet, and how far it is.

``FILE.part`` has the rows as lines of JSON, and ``FILE.part.json`` says how many of its bytes
count and where to go on. A run that is killed at any moment leaves both so that the next run goes
on from the last page that was saved: it cuts off what came after.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from flex_integration_sdk._values.whole_file import WRITING, write_whole
from flex_integration_sdk.errors import ExportError
from flex_tokenstore.embedding import lock_open_file

_VERSION = 1
# Seconds for which a part is good: what it has is as old. A nightly run begins anew.
FRESH = 12 * 3600.0
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)  # for the other end of a FIFO


class Saved(NamedTuple):
    """How far an export is."""

    size: int = 0
    """Bytes of the part that count."""
    rows: int = 0
    done: int = 0
    """Number of resources of the query that the rows come from."""
    position: str | None = None
    """Where the query goes on."""
    is_whole: bool = False
    """There are no more."""


class Part:
    """One unfinished export; :func:`opened` makes it."""

    def __init__(self, target: Path, stream: IO[bytes], of: str) -> None:
        self._target, self._stream, self._of = target, stream, of
        self.saved = Saved()
        self._begun = time.time()
        self.rows = 0
        """Number of rows that it has."""
        self.note = ""
        """What to tell the user about an earlier part."""

    def write(self, line: bytes) -> None:
        """Adds a row; it counts once :meth:`save` was called."""
        with _naming(part_of(self._target)):
            self._stream.write(line)
        self.rows += 1

    def save(self, position: str | None, done: int, *, is_whole: bool = False) -> None:
        """Has the rows until now count."""
        with _naming(part_of(self._target)):
            self._stream.flush()
            os.fsync(self._stream.fileno())
        self.saved = Saved(self._stream.tell(), self.rows, done, position, is_whole)
        state = {"version": _VERSION, "of": self._of, "begun": self._begun, **self.saved._asdict()}
        with _naming(state_of(self._target)):
            path = state_of(self._target)
            made = path.with_name(f"{path.name}.new")
            write_whole(path, json.dumps(state).encode(), made, mode=0o600)

    def finish(self, convert: Callable[[Path, Path], None] | None) -> None:
        """Puts the whole file in place.

        Args:
            convert: Makes the file from that of the lines, such as one of CSV; None: it is that.
        """
        part = made = part_of(self._target)
        mode = 0o600
        with suppress(OSError):
            mode = self._target.stat().st_mode & 0o777
        if os.name == "nt":  # Windows neither renames nor lets read what is open and locked
            self._stream.close()
        if convert is not None:
            made = self._target.with_name(f"{self._target.name}.new")
            with _naming(made):
                os.close(os.open(made, WRITING | os.O_TRUNC, 0o600))
                convert(part, made)
                _sync(made)
        made.chmod(mode)
        if made is part:
            # Before: as soon as the part has gone, another run may begin, with a state of its own.
            state_of(self._target).unlink(missing_ok=True)
            made.replace(self._target)
        else:
            made.replace(self._target)
            self.forget()

    def forget(self) -> None:
        """Removes the part."""
        # The state first: without it, what is left of the part is not used.
        state_of(self._target).unlink(missing_ok=True)
        part_of(self._target).unlink(missing_ok=True)

    def begin(self, *, restart: bool) -> None:
        """Goes on with what an earlier run left, or begins anew."""
        found = None if restart else self._left()
        self.saved = found or Saved()
        if found is None:
            state_of(self._target).unlink(missing_ok=True)
        else:
            self.note = (
                f"goes on after {found.rows:,} rows of an earlier run; --restart starts again"
            )
        self._stream.truncate(self.saved.size)
        self._stream.seek(self.saved.size)
        self.rows = self.saved.rows
        # Now: a name that is too long, and a folder that cannot be written to, show here.
        self.save(self.saved.position, self.saved.done, is_whole=self.saved.is_whole)

    def _left(self) -> Saved | None:
        path, part = state_of(self._target), part_of(self._target)
        try:
            state = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            state = {}
        found = _saved_of(state)
        size = self._stream.seek(0, os.SEEK_END)
        if found is None:
            self.note = f"{path.name} is damaged, or of another version: starts again"
        elif state["of"] != self._of:
            self.note = f"{part.name} is of another export: starts again"
        elif not 0 <= time.time() - state["begun"] <= FRESH:
            hours = FRESH / 3600
            self.note = f"an earlier run began over {hours:g} hours ago: starts again"
        elif size < found.size:
            self.note = f"{part.name} is shorter than it was: starts again"
        elif found.done or found.is_whole:
            self._begun = state["begun"]
            return found
        return None


def _saved_of(state: Any) -> Saved | None:
    """What the file of the state says; None: it is not of this version, or damaged."""
    if not isinstance(state, dict) or state.get("version") != _VERSION:
        return None
    said: list[Any] = [state.get(each) for each in ("size", "rows", "done", "position", "is_whole")]
    found = Saved(*said)
    counts = all(
        isinstance(each, int) and not isinstance(each, bool) and each >= 0
        for each in (found.size, found.rows, found.done)
    )
    others = isinstance(found.is_whole, bool) and isinstance(state.get("of"), str)
    others = others and isinstance(state.get("begun"), (int, float))
    position = found.position is None or isinstance(found.position, str)
    return found if counts and others and position else None


@contextmanager
def opened(target: Path, of: str, *, restart: bool) -> Iterator[Part]:
    """The part of a file, which no other run writes at the same time.

    A block that fails leaves it, unless it has nothing yet.

    Args:
        target: The file that will be made.
        of: What is exported, and whose: a part of something else is not used.
        restart: Begin anew whatever there is.

    Raises:
        ExportError: Another run writes it, or the file is none that can be replaced.
        OSError: The folder does not exist, or cannot be written to.
    """
    target = real(target)
    for path in (target, part_of(target)):
        if path.exists() and not path.is_file():
            raise ExportError(f"{path} is not a regular file: name another one")
    with open(os.open(part_of(target), WRITING | _WITHOUT_WAITING, 0o600), "r+b") as stream:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise ExportError(f"{part_of(target)} is not a regular file: remove it")
        if not lock_open_file(stream.fileno()):
            raise ExportError(
                f"another run is writing {target}: wait until it has ended, or export into "
                "another file"
            )
        if not _is_at(part_of(target), stream):
            raise ExportError(f"another run has just finished {target}: run it again")
        part = Part(target, stream, of)
        try:
            part.begin(restart=restart)
            yield part
        except BaseException:
            if not part.saved.done and not part.saved.is_whole:
                part.forget()
            raise


def real(target: Path) -> Path:
    """The file that is written: what a link leads to is replaced, not the link.

    Raises:
        ExportError: The link leads back to itself.
    """
    found: Path | None = None
    try:
        found = target.resolve()
        is_loop = found.is_symlink()  # which some versions of Python leave as it is
    except (OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno != errno.ELOOP:
            raise
        is_loop = True
    if found is None or is_loop:
        raise ExportError(f"{target} is a link that leads back to itself: name another file")
    return found


def _is_at(path: Path, stream: IO[bytes]) -> bool:
    """Whether the open file is that of the path: another run may have finished in between."""
    try:
        return os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def part_of(target: Path) -> Path:
    """The file of the rows, until all are there."""
    return target.with_name(f"{target.name}.part")


def state_of(target: Path) -> Path:
    """The file that says how far it is."""
    return target.with_name(f"{target.name}.part.json")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """A block whose OSError names the file: that of a write does not."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
