"""Where a position is kept: in a file, or in an object of the program's own."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Awaitable
from glob import escape
from pathlib import Path
from typing import Protocol, TypeAlias

from flex_integration_sdk._values.whole_file import write_whole
from flex_integration_sdk.errors import ConfigurationError, CursorError

_LARGEST = 4096  # bytes; a position has about 150
_STALE = 3600.0  # seconds after which a file that a killed program left is nobody's


class Cursor(Protocol):
    """An object that keeps a position, such as in a row of the program's database."""

    def load(self) -> str | None:
        """What was saved last; None: nothing yet."""
        ...

    def save(self, position: str) -> object:
        """Keeps it, so that it outlasts the program."""
        ...


class AsyncCursor(Protocol):
    """The same with coroutines."""

    def load(self) -> Awaitable[str | None]:
        """What was saved last; None: nothing yet."""
        ...

    def save(self, position: str) -> Awaitable[object]:
        """Keeps it, so that it outlasts the program."""
        ...


AnyCursor: TypeAlias = "str | os.PathLike[str] | Cursor"
AnyAsyncCursor: TypeAlias = "str | os.PathLike[str] | Cursor | AsyncCursor"


class FileCursor:
    """Keeps a position in a file, which is replaced whole.

    Raises:
        ConfigurationError: Its folder is missing, or this user cannot write in it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # The file that a link leads to: else the link would be replaced.
        try:
            self.path = Path(os.path.realpath(Path(path).expanduser()))
        except (RuntimeError, ValueError) as error:  # an unknown user's folder, a NUL
            raise ConfigurationError(f"cursor={str(path)!r} cannot be a path: {error}") from None
        folder = self.path.parent
        if not folder.is_dir():
            raise ConfigurationError(f"cursor={str(path)!r}: there is no folder {folder}; make it")
        if self.path.is_dir():
            raise ConfigurationError(f"cursor={str(path)!r} is a folder; name a file in it")
        # A device would be replaced by a file, and a pipe be waited for.
        if self.path.exists() and not self.path.is_file():
            raise ConfigurationError(f"cursor={str(path)!r} is not a regular file; name another")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ConfigurationError(f"cursor={str(path)!r}: this user cannot write in {folder}")

    def __str__(self) -> str:
        return f"the cursor file {self.path}"

    def load(self) -> str | None:
        """The position.

        Raises:
            CursorError: The file cannot be read.
        """
        self._tidy()
        try:
            with self.path.open("rb") as file:
                return file.read(_LARGEST + 1).decode("utf-8", "replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CursorError(f"{self} cannot be read: {error.strerror}") from None

    def save(self, position: str) -> None:
        """Replaces the file; it is on disk when this returns.

        Raises:
            CursorError: It cannot be written; it is as it was.
        """
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        try:
            write_whole(self.path, position.encode() + b"\n", new)
        except OSError as error:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            raise CursorError(
                f"{self} cannot be written: {error.strerror}; it is as it was, so the last event "
                "will be handed out again"
            ) from None

    def _tidy(self) -> None:
        """Removes what programs left that were killed while they saved."""
        for left in self.path.parent.glob(f".{escape(self.path.name)}.*.new"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _STALE:
                    left.unlink()


def name_of(cursor: object) -> str:
    """What messages call it."""
    return str(cursor) if isinstance(cursor, FileCursor) else f"{type(cursor).__name__}.load()"


def opened(cursor: object) -> object:
    """The cursor of an argument: a path becomes a file's.

    Raises:
        ConfigurationError: It is neither a path nor such an object, or the file cannot be written.
    """
    if cursor is None:
        return None
    if isinstance(cursor, (str, os.PathLike)):
        return FileCursor(cursor)
    if callable(getattr(cursor, "load", None)) and callable(getattr(cursor, "save", None)):
        return cursor
    raise ConfigurationError(
        "cursor must be a path, or an object with load() and save(position), got a value of type "
        f"{type(cursor).__name__}"
    )
