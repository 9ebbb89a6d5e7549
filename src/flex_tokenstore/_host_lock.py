"""A lock among the processes of one host, freed by the system when its holder dies."""

from __future__ import annotations

import errno
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ._folders import make_private_folder
from .errors import TokenLockTimeoutError, TokenPermissionError, TokenUnavailableError

if os.name == "nt":
    import msvcrt

    def _lock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows

    def _unlock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows
else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


logger = logging.getLogger("flex_tokenstore")

_BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP}
_REMEDY = (
    "Check the owner and mode of it and of its folder, or choose a folder that this user may "
    "write in"
)
_FULL = "Free some space"
_LOCKLESS = ("its file system offers no locks", "Choose a folder on a local one")
_REASONS = {
    errno.ELOOP: ("it is a symbolic link", _REMEDY),
    errno.ENOSPC: ("the disk is full", _FULL),
    errno.EDQUOT: ("the disk quota is used up", _FULL),
    errno.EROFS: ("the file system is read-only", "Choose a folder that can be written in"),
    errno.ENOTDIR: ("a folder of its path is a file", "Choose another folder"),
    errno.ENOLCK: _LOCKLESS,
    errno.ENOTSUP: _LOCKLESS,
}
_SHORTEST, _LONGEST = 0.001, 0.005  # seconds between two tries; a try costs 6 µs

_open_fds: dict[int, HostLock] = {}
# Held from opening a lock file to noting it, and by a fork, so that a child knows all of them.
# Reentrant: a signal handler may fork.
_forking = threading.RLock()


class HostLock:
    """Two of them on one path exclude each other, in one process and across processes.

    Args:
        path: The lock file. It and its folder (0700) are made if absent, and never removed: a
            lock on a removed file excludes nobody.
        store: Name of the store to put into errors.
    """

    def __init__(self, path: Path, *, store: str | None = None) -> None:
        self.path = path
        self._store = store
        self._fd: int | None = None
        self._mutex = threading.Lock()

    def try_acquire(self) -> bool:
        """Takes the lock if nobody has it, this object included.

        Raises:
            TokenPermissionError: The lock file may not be made or opened.
            TokenUnavailableError: The file system refuses for another reason.
        """
        fd = self._open()
        try:
            _lock(fd)
            with self._mutex:
                self._fd = fd
        except OSError as error:
            _close(fd)
            if error.errno in _BUSY:
                return False
            raise self._refused(error) from None
        except BaseException:
            _close(fd)  # Ctrl-C between the two: nobody would know of it
            raise
        return True

    def release(self) -> None:
        """Frees the lock; from any thread, and twice is fine."""
        with self._mutex:
            fd, self._fd = self._fd, None
        if fd is not None:
            try:
                with suppress(OSError):  # closing frees it as well
                    _unlock(fd)
            finally:
                _close(fd)

    def acquire(self, wait: float, *, sleep: Callable[[float], object] = time.sleep) -> None:
        """Takes the lock, trying again after 1 to 5 ms, at random.

        Args:
            wait: Seconds to wait for it; 0: one try.
            sleep: What to wait with, between tries.

        Raises:
            TokenLockTimeoutError: It was not had in time.
            TokenUnavailableError: See :meth:`try_acquire`.
        """
        deadline = time.monotonic() + wait
        while not self.try_acquire():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TokenLockTimeoutError(
                    f"the lock {self.path} was not had within {wait:g} s: another process or "
                    "thread holds it; wait longer, or end the process that hangs",
                    store=self._store,
                    place=str(self.path),
                )
            sleep(min(left, random.uniform(_SHORTEST, _LONGEST)))  # noqa: S311 - a jitter

    @contextmanager
    def hold(self, wait: float, *, sleep: Callable[[float], object] = time.sleep) -> Iterator[None]:
        """Holds the lock for the ``with`` block; arguments and errors as of :meth:`acquire`."""
        self.acquire(wait, sleep=sleep)
        try:
            yield None
        finally:
            self.release()

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            with _forking:
                try:
                    fd = os.open(self.path, flags, 0o600)
                except FileNotFoundError:
                    make_private_folder(self.path.parent)
                    fd = os.open(self.path, flags, 0o600)
                _open_fds[fd] = self
        except OSError as error:
            raise self._refused(error) from None
        return fd

    def _refused(self, error: OSError) -> TokenUnavailableError:
        kind = TokenPermissionError if error.errno in _DENIED else TokenUnavailableError
        why, remedy = _REASONS.get(error.errno or 0, (error.strerror, _REMEDY))
        if self._store is None:  # it is the one that we give to a store that has none
            remedy += ', or do without a lock among processes: host_lock="off"'
        return kind(
            f"the lock file {self.path} cannot be used: {why}. {remedy}",
            store=self._store,
            place=str(self.path),
        )


def _close(fd: int) -> None:
    with _forking:
        # No longer there: we are a forked child, which closed it already.
        lock = _open_fds.pop(fd, None)
        if lock is None:
            return
        try:
            os.close(fd)
        except OSError as error:
            # Network file systems report late; what the lock protected is done all the same.
            logger.warning("the lock file %s was not closed cleanly: %s", lock.path, error.strerror)


def _after_fork_in_child() -> None:
    # Closed, not unlocked: unlocking here would free the parent's lock, and keeping it open
    # would hold the lock after the parent's end.
    for fd, lock in _open_fds.items():
        with suppress(OSError):
            os.close(fd)
        lock._fd = None
        lock._mutex = threading.Lock()  # another thread may have held the old one
    _open_fds.clear()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_forking.acquire,
        after_in_parent=_forking.release,
        after_in_child=_after_fork_in_child,
    )
