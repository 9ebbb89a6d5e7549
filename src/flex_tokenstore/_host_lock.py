"""A lock among the processes of one host, freed by the system when its holder dies."""

from __future__ import annotations

import errno
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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


_BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
_held: set[int] = set()


class HostLock:
    """Two of them on one path exclude each other, in one process and across processes.

    Args:
        path: The lock file. It and its folder (0700) are made if absent, and never removed: a
            lock on a removed file excludes nobody.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None
        self._mutex = threading.Lock()

    def try_acquire(self) -> bool:
        """Takes the lock if nobody has it.

        Raises:
            TokenPermissionError: The lock file may not be opened.
            TokenUnavailableError: The file system refuses for another reason.
        """
        fd = self._open()
        try:
            _lock(fd)
        except OSError as error:
            os.close(fd)
            if error.errno in _BUSY:
                return False
            raise self._refused(error) from None
        with self._mutex:
            self._fd = fd
            _held.add(fd)
        return True

    def release(self) -> None:
        """Frees the lock; from any thread, and twice is fine."""
        with self._mutex:
            fd, self._fd = self._fd, None
        if fd is None or fd not in _held:
            return
        _held.discard(fd)
        try:
            _unlock(fd)
        finally:
            os.close(fd)

    @contextmanager
    def hold(self, wait: float, *, sleep: Callable[[float], object] = time.sleep) -> Iterator[None]:
        """Holds the lock.

        Args:
            wait: Seconds to wait for it; 0: one try.
            sleep: What to wait with, between tries.

        Raises:
            TokenLockTimeoutError: It was not had in time.
        """
        deadline = time.monotonic() + wait
        while not self.try_acquire():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TokenLockTimeoutError(
                    f"the lock {self.path} was not had within {wait:g} s: another process holds it",
                    place=str(self.path),
                )
            sleep(min(left, random.uniform(0.001, 0.02)))  # noqa: S311 - a jitter
        try:
            yield None
        finally:
            self.release()

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            try:
                return os.open(self.path, flags, 0o600)
            except FileNotFoundError:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                return os.open(self.path, flags, 0o600)
        except OSError as error:
            raise self._refused(error) from None

    def _refused(self, error: OSError) -> TokenUnavailableError:
        kind = (
            TokenPermissionError
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP)
            else TokenUnavailableError
        )
        return kind(
            f"the lock file {self.path} cannot be used: {error.strerror}. Give this user a folder "
            'to write in, or switch the lock off with host_lock="off"',
            place=str(self.path),
        )


def _after_fork() -> None:
    # Closed, not unlocked: unlocking here would free the parent's lock, and keeping it open
    # would hold the lock after the parent's end.
    for fd in list(_held):
        os.close(fd)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
