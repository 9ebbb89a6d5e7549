"""A file's bytes by plain system calls: made, read, written to the end and synced."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flex_tokenstore._host.windows import retried
from flex_tokenstore._values.secret import Secret

LIMIT = 1 << 20  # bytes; a token has a few kilobytes
# O_BINARY: in text mode Windows changes line ends and takes Ctrl-Z for the end of the file.
NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # opening a named pipe would wait for a writer
CHUNK = 1 << 16  # bytes


def write_new(path: Path, data: Secret[bytes], look: Callable[[int], object]) -> None:
    """Makes the file (0600), in place of what a crash left there, with these bytes; synced.

    Args:
        path: The file.
        data: What to write.
        look: Called with the open file before anything is written; may raise.
    """
    fd = open_new(path)
    try:
        look(fd)
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)


def open_new(path: Path) -> int:
    """Makes the file (0600), in place of what a crash left there, and opens it to be written."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NOFOLLOW
    try:
        return retried(lambda: os.open(path, flags, 0o600))
    except FileExistsError:
        retried(path.unlink)  # left by a crash: whoever writes holds a lock on it
        return retried(lambda: os.open(path, flags, 0o600))


def write_all(fd: int, data: Secret[bytes]) -> None:
    """Writes the bytes where the descriptor is."""
    written = 0
    while written < len(data.reveal()):
        # write(2) may write less than it is given.
        written += os.write(fd, data.reveal()[written:])


def contents(fd: int) -> Secret[bytes]:
    """The file's bytes; of a larger one the first 1 MiB and a byte."""
    # Plain calls: a file object adds four system calls and keeps the bytes in its buffer.
    chunks: list[Secret[bytes]] = []
    left = LIMIT + 1
    while left > 0:
        chunk = Secret(os.read(fd, min(left, CHUNK)))
        if not chunk.reveal():
            break
        chunks.append(chunk)
        left -= len(chunk.reveal())
    return Secret(b"".join(chunk.reveal() for chunk in chunks))


def is_there(path: Path) -> bool:
    """Whether anything has this name."""
    # Not os.path.lexists: it takes every error for absence.
    with suppress(FileNotFoundError):
        retried(path.lstat)
        return True
    return False


@contextmanager
def removed_on_failure(temporary: Path) -> Iterator[None]:
    """Removes the file if the block raises."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
