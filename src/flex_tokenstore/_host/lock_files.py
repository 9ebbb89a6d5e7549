"""Lock files that a process has open: locked, unlocked, and left to their parent after a fork."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from .._concurrency.per_process import PerProcess
from .paths import make_private_folder
from .platform import check_files

# Before the imports below: where there is no fcntl (WASI), the error says what to do.
check_files()

if os.name == "nt":
    import msvcrt

    def _lock(fd: int) -> None:
        # One byte, though the file is empty: Windows lets a range behind the end be locked.
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows

    def _unlock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows
else:
    import fcntl

    def _lock(fd: int) -> None:
        # Not fcntl.lockf: a process loses its POSIX locks on a file when it closes any descriptor
        # of it, and they do not exclude threads of one process (fcntl(2)).
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


logger = logging.getLogger("flex_tokenstore")

# O_NOFOLLOW: whoever may write in the folder could have us make a file elsewhere by a link.
FLAGS = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)

PRIVATE = 0o600

Inode = tuple[int, int]  # device and inode: what a file is, whatever its path


def lock_open_file(fd: int) -> bool:
    """Locks a file of the program's own, for as long as it is open.

    Args:
        fd: Its descriptor, opened for writing.

    Returns:
        False if it is locked already, by another process or by another descriptor of this one.
        True also where the file system has no locks.
    """
    try:
        _lock(fd)
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True


class _Opened:
    """The lock files that one process has open, or is about to open."""

    def __init__(self) -> None:
        self.holds: set[Hold] = set()
        # Held while a file is opened, and by a fork, so that a child knows all of them.
        # Reentrant: a signal handler may fork, or release a lock.
        self.noting = threading.RLock()


def _leave_to_parent(opened: _Opened) -> None:
    """In a forked child: closes its parent's lock files, which else outlive the parent's end.

    Closed, not unlocked: unlocking here would free the parent's lock.
    """
    while opened.holds:
        try:
            opened.holds.pop().leave()
        except KeyError:  # another thread was faster
            break


_opened = PerProcess(_Opened, leave=_leave_to_parent)


def here() -> _Opened:
    """The lock files of this process, by its id: a fork in C runs no fork hook."""
    return _opened.get()


class Hold:
    """One lock file: not open yet, open, or locked.

    Whoever opens it knows it before, so that an exception from a signal handler, which may come
    at any moment, leaves none open that nobody knows.
    """

    def __init__(self, path: Path, mode: int = PRIVATE) -> None:
        self.path = path
        self._mode = mode
        self.opened_at = 0.0  # monotonic
        self._fd: int | None = None
        self._inode: Inode | None = None
        self._stamp = 0

    def open(self) -> None:
        """Opens the file; makes it and its folder if absent.

        Raises:
            OSError: The file system refuses.
        """
        ours = here()
        with ours.noting:
            ours.holds.add(self)
            self._fd = _open(self.path, self._mode)
            found = os.fstat(self._fd)
            self._inode, self._stamp = _inode(found), found.st_mtime_ns
            self.opened_at = time.monotonic()

    def lock(self) -> None:
        """Locks it, if nobody else has.

        Raises:
            OSError: Somebody has, or the file system refuses.
        """
        assert self._fd is not None
        _lock(self._fd)

    def pass_on(self) -> None:
        """Leaves a time stamp, by which those who wait see that the lock has another holder."""
        # Windows cannot stamp an open file: waiters there keep their long pauses.
        if os.utime in os.supports_fd and self._fd is not None:
            with suppress(OSError):
                os.utime(self._fd)

    def was_passed_on(self) -> bool:
        """Whether somebody has left a time stamp since it was opened, or since the last look."""
        with suppress(OSError):
            if self._fd is not None:
                before, self._stamp = self._stamp, os.fstat(self._fd).st_mtime_ns
                return self._stamp != before
        return False

    def is_found(self) -> bool:
        """Whether its path still leads to this file: otherwise its lock excludes nobody.

        Raises:
            OSError: The file system refuses.
        """
        # By lstat: a link that was put in its place is another file.
        # Windows neither removes nor replaces a file that is open.
        try:
            return os.name == "nt" or _inode(self.path.lstat()) == self._inode
        except FileNotFoundError:
            return False

    def end(self) -> None:
        """Unlocks and closes it; twice is fine, and so is once more after an interruption."""
        ours = here()
        with ours.noting:
            if self in ours.holds:  # else it is closed, or the parent's of this forked child
                self._end(ours)

    def leave(self) -> None:
        """In a forked child: closes it. Unlocking it would free the parent's lock."""
        fd, self._fd = self._fd, None
        if fd is not None:
            with suppress(OSError):
                # Else the program closed it, and the number may be another file's by now.
                if _inode(os.fstat(fd)) == self._inode:
                    os.close(fd)

    def _end(self, ours: _Opened) -> None:
        try:
            if self._fd is not None:
                # Unlocked first: closing alone does not free it while a forked child has the
                # file open (flock(2)).
                with suppress(OSError):  # closing frees it as well
                    _unlock(self._fd)
        finally:
            # Forgotten before it is closed: from then on the number may be another file's.
            fd, self._fd = self._fd, None
            ours.holds.discard(self)
            if fd is not None:
                _close(fd, self.path)


def _open(path: Path, mode: int) -> int:
    try:
        return _made(path, mode)
    except FileNotFoundError:
        make_private_folder(path.parent)
        return _made(path, mode)


def _made(path: Path, mode: int) -> int:
    if mode == PRIVATE:
        return os.open(path, FLAGS | os.O_CREAT, mode)
    try:
        # O_EXCL tells who made it: only then its mode is ours to change.
        fd = os.open(path, FLAGS | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return os.open(path, FLAGS | os.O_CREAT, mode)
    with suppress(OSError):
        os.fchmod(fd, mode)  # the umask may have taken the group's rights away
    return fd


def _inode(found: os.stat_result) -> Inode:
    return found.st_dev, found.st_ino


def _close(fd: int, path: Path) -> None:
    try:
        os.close(fd)
    except OSError as error:
        # Network file systems report late; what the lock protected is done all the same.
        logger.warning("the lock file %s was not closed cleanly: %s", path, error.strerror)


if hasattr(os, "register_at_fork"):
    # At once: a child that never asks for a lock would keep its parent's after the parent's end.
    os.register_at_fork(
        before=lambda: here().noting.acquire(),
        after_in_parent=lambda: here().noting.release(),
        after_in_child=_opened.leave_parents,
    )
