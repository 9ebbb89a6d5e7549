"""Sources that can usually be read twice: bytes, a file by its path, an open file."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Any

from flex_integration_sdk.errors import ParameterError

from .source import PIECE, Source, check_binary, checked, own_name

# Longer names are not file names, on any system that Python runs on.
_LONGEST_NAME = 255


class Bytes(Source):
    """Bytes in memory. They are not copied."""

    blocks = False
    again = True

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        # Of one with gaps, as of a slice with a step, there is no other way.
        self._view = view.cast("B") if view.c_contiguous else memoryview(view.tobytes())
        self.size = self._view.nbytes
        self._place = 0

    def read(self) -> bytes:
        piece = bytes(self._view[self._place : self._place + PIECE])
        self._place += len(piece)
        return piece

    def rewind(self) -> None:
        self._place = 0

    def close(self) -> None:
        # While it is held, a bytearray cannot change its size.
        self._view.release()


class OpenFile(Source):
    """A file that the program has opened in binary mode, from where it stands."""

    def __init__(self, parameter: str, file: Any) -> None:
        self._parameter, self._file = parameter, file
        self.name = own_name(file)
        self.blocks = type(file) is not io.BytesIO
        self._start: int | None = None

    def open(self) -> None:
        """Finds out where it stands, and how much is left; a pipe cannot tell."""
        _check_open(self._parameter, self._file)
        self._start = _place_of(self._file)
        self.again = self._start is not None
        if self.again:
            check_binary(self._parameter, self._file.read(0))  # a text file returns a string
            self.size = self._left()

    def read(self) -> Any:
        return checked(self._parameter, self._file.read(PIECE))

    def rewind(self) -> None:
        self._file.seek(self._start)

    def stamp(self) -> Any:
        return _stamp(self._file) or (None if self.size is None else self._left(keep=True))

    def _left(self, *, keep: bool = False) -> int | None:
        """Bytes from its start to its end; None if it cannot go to its end."""
        assert self._start is not None
        back = self._file.tell() if keep else self._start
        try:
            self._file.seek(0, os.SEEK_END)
            # Not what ``seek`` returns: that of mmap returns None before Python 3.13.
            size = int(self._file.tell()) - self._start
        except (OSError, ValueError):
            return None
        finally:
            self._file.seek(back)
        return max(size, 0)


class FilePath(Source):
    """A file by its path. Each reading opens it anew."""

    def __init__(self, parameter: str, path: str) -> None:
        self._parameter, self._path = parameter, path
        self.name = Path(path).name
        self._file: Any = None

    def open(self) -> None:
        """Opens it; what is no regular file, such as a named pipe, can be read once only."""
        self._file = _opened(self._parameter, self._path)
        self.again = self._file.seekable()
        if not self.again:
            return
        self.size = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        # Those of the kernel (/proc) have a size of 0 and are not empty.
        if not self.size and self._file.read(1):
            self.size = None
            self._file.seek(0)

    def read(self) -> bytes:
        piece: bytes | None = self._file.read(PIECE)
        return bytes(checked(self._parameter, piece))

    def rewind(self) -> None:
        self.close()
        self._file = _opened(self._parameter, self._path)

    def stamp(self) -> Any:
        return _stamp(self._file)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _opened(parameter: str, path: str) -> io.FileIO:
    try:
        # Unbuffered: the pieces are larger than a buffer.
        return io.FileIO(path, "rb")
    except (OSError, ValueError):
        problem = _problem_of(path)
        if not problem:
            raise
    # Outside: the error that was caught quotes the string, which may be the file's content.
    raise ParameterError(
        f"{parameter} is a string, which is taken for a file's path, but {problem}"
    )


def _problem_of(text: str) -> str:
    """Why a string is not a path; it may be the file's content, or its address."""
    if "://" in text[:12]:
        return "it is an address: open it, and pass the stream or its bytes"
    longest = max(len(part.encode(errors="replace")) for part in text.replace("\\", "/").split("/"))
    if text.startswith("data:") or "\0" in text or "\n" in text or longest > _LONGEST_NAME:
        return "it cannot be one: to upload what is in a string, pass it as bytes"
    return ""


def _check_open(parameter: str, file: Any) -> None:
    if getattr(file, "closed", False) is True:
        raise ParameterError(f"{parameter} is a closed file: pass it before it is closed")
    if isinstance(file, io.TextIOBase):
        raise ParameterError(
            f"{parameter} is opened in text mode: open it in binary mode, open(path, 'rb')"
        )
    readable = getattr(file, "readable", None)
    if callable(readable) and readable() is False:
        raise ParameterError(f"{parameter} is not opened for reading: use open(path, 'rb')")


def _place_of(file: Any) -> int | None:
    """Where it stands; None if it cannot go back there."""
    seekable = getattr(file, "seekable", None)
    if callable(seekable) and not seekable():
        return None
    if not (hasattr(file, "seek") and hasattr(file, "tell")):
        return None
    try:
        place = int(file.tell())
        file.seek(place)
    except (OSError, ValueError, TypeError):
        return None
    return place


def _stamp(file: Any) -> Any:
    """What is different after a change of a regular file; None for any other."""
    try:
        found = os.fstat(file.fileno())
    except (AttributeError, OSError, ValueError, TypeError):
        return None
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
