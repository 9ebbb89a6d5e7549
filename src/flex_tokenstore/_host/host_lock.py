"""A lock among the processes of one host, freed by the system when its holder dies."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import (
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenStoreError,
    TokenUnavailableError,
)
from . import windows
from .lock_files import FLAGS, PRIVATE, Hold
from .owners import whose
from .patience import Patience

if TYPE_CHECKING:
    from types import TracebackType

_FRESH = 1.0  # seconds; a lock file that was opened earlier may have been replaced since
_LOOKS = 10  # lock files that vanish one after the other, before somebody is told

# flock says EAGAIN, byte-range locks (NFS) also EACCES; msvcrt.locking says EACCES or EDEADLK.
# On opening the file, EACCES means that this user may not.
_BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
# The error of opening a link with O_NOFOLLOW: on Linux and macOS, on FreeBSD, on NetBSD.
_IS_LINK = {errno.ELOOP, errno.EMLINK, getattr(errno, "EFTYPE", errno.ELOOP)}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS, *_IS_LINK}
_REMEDY = (
    "Check the owner and mode of it and of its folder, or choose a folder that this user may "
    "write in"
)
_FULL = "Free some space"
_LOCKLESS = ("its file system offers no locks", "Choose a folder on a local one")
_REASONS = {
    **dict.fromkeys(_IS_LINK, ("it is a symbolic link", _REMEDY)),
    errno.ENOENT: (
        "its folder cannot be created, or was removed, or its path is too long",
        "Choose another location",
    ),
    errno.ENOSPC: ("the disk is full", _FULL),
    errno.EDQUOT: ("the disk quota is used up", _FULL),
    errno.EROFS: ("the file system is read-only", "Choose a folder that this user can write in"),
    errno.ENOTDIR: ("a folder of its path is a file", "Choose another folder"),
    errno.EISDIR: ("it is a folder", "Move that away"),
    errno.ENAMETOOLONG: ("its name is too long", "Choose a shorter one"),
    errno.ENOLCK: _LOCKLESS,
    errno.ENOTSUP: _LOCKLESS,
}


class HostLock:
    """A lock file. Two objects on one path exclude each other, in and across processes.

    Args:
        path: The lock file. It and its folder (0700) are made if absent, and never removed. One
            that somebody else removes or replaces is noticed by whoever locks it next.
        store: Name of the store to put into errors.
        patience: How long earlier objects for this lock have waited.
        mode: Of the lock file, if it is made.
    """

    def __init__(
        self,
        path: Path,
        *,
        store: str | None = None,
        patience: Patience | None = None,
        mode: int = PRIVATE,
    ) -> None:
        self.path = path
        self._mode = mode
        self._store = store
        self._patience = Patience() if patience is None else patience
        self._holds: list[Hold] = []

    def try_acquire(self) -> bool:
        """Acquires the lock if nobody holds it, this object included.

        Raises:
            TokenPermissionError: The lock file may not be made or opened.
            TokenUnavailableError: The file system refuses for another reason.
        """
        mine: list[Hold] = []
        acquired = False
        try:
            acquired = self._take(mine)
        finally:
            if not acquired:
                self._end(mine)  # Ctrl-C after it was acquired: nobody would know of it
        return acquired

    def release(self) -> None:
        """Frees the lock; from any thread, and twice is fine."""
        self._end(self._holds)

    def acquire(self, wait: float, *, sleep: Callable[[float], object] | None = None) -> None:
        """Acquires the lock. It tries again after 2 to 4 ms at first, later after up to 0.6 s.

        Whoever acquires it after a wait leaves a time stamp on the lock file. The others see that
        it is being passed on, and pause no longer than 0.05 s for a while.

        Args:
            wait: Seconds to wait for it; 0: one try.
            sleep: What to wait with, between tries; None: ``time.sleep``.

        Raises:
            TokenLockTimeoutError: It could not be acquired in time.
            TokenUnavailableError: See :meth:`try_acquire`.
        """
        deadline = time.monotonic() + wait
        self._patience.begin()
        mine: list[Hold] = []
        try:
            waited = False
            while not self._take(mine):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._not_acquired(wait)
                if waited and mine[-1].was_passed_on():
                    self._patience.stir()
                waited = True
                (sleep or time.sleep)(min(left, self._patience.pause()))
            # Only then: where nobody waits, the stamp would be a system call for nothing.
            if waited:
                mine[-1].pass_on()
            self._patience.end()
        # Also from a signal handler, when it was just acquired: nobody would release it.
        except BaseException:
            self._end(mine)
            raise

    def hold(self, wait: float, *, sleep: Callable[[float], object] | None = None) -> Holding:
        """Holds the lock for a ``with`` block; arguments and errors as of :meth:`acquire`."""
        return Holding(self, wait, sleep)

    def check(self) -> None:
        """Raises if the lock file is there and may not be opened; changes nothing.

        Raises:
            TokenPermissionError: See :meth:`try_acquire`.
            TokenUnavailableError: The same.
        """
        try:
            with suppress(FileNotFoundError):
                os.close(windows.retried(lambda: os.open(self.path, FLAGS, PRIVATE)))
        except OSError as error:
            raise self._refused(error) from None

    def __del__(self) -> None:
        # An exception from a signal handler may come between taking it and what would free it.
        if getattr(self, "_holds", None):  # there is none if it came in __init__
            self.release()

    def _take(self, mine: list[Hold]) -> bool:
        """Tries once. What it opened is in ``mine``; if it fails, the caller closes that.

        The next try uses the same open file, since the tries of a waiter must be cheap.
        """
        for _ in range(_LOOKS):
            if (hold := self._opened(mine)) is None:
                return False
            try:
                hold.lock()
            except OSError as error:
                if error.errno in _BUSY:
                    return False
                raise self._refused(error) from None
            if self._is_found(hold):
                self._holds.append(hold)
                return True
            self._end(mine)
        raise TokenUnavailableError(
            f"the lock file {self.path} was removed or replaced each time it was locked: find out "
            "which program does that, and make it keep lock files",
            store=self._store,
            place=str(self.path),
        )

    def _opened(self, mine: list[Hold]) -> Hold | None:
        """The open lock file; None: another program has it open, so that Windows refuses."""
        if mine and time.monotonic() - mine[-1].opened_at < _FRESH:
            return mine[-1]
        self._end(mine)
        hold = Hold(self.path, self._mode)
        mine.append(hold)
        try:
            hold.open()
        except OSError as error:
            if windows.is_shared(error):
                return None
            return self._opened_again(hold, error)
        return hold

    def _opened_again(self, hold: Hold, error: OSError) -> Hold:
        """Windows may also say "access denied" while another program has the file open."""
        try:
            if not (windows.WINDOWS and isinstance(error, PermissionError)):
                raise error
            windows.retried(hold.open)
        except OSError as last:
            raise self._refused(last) from None
        return hold

    def _is_found(self, hold: Hold) -> bool:
        try:
            return hold.is_found()
        except OSError as error:
            raise self._refused(error) from None

    def _end(self, holds: list[Hold]) -> None:
        for hold in list(holds):
            hold.end()
            with suppress(ValueError):  # another thread was faster
                holds.remove(hold)

    def _not_acquired(self, wait: float) -> TokenStoreError:
        return TokenLockTimeoutError(
            f"the lock {self.path} could not be acquired within {wait:g} s: another process or "
            "thread holds it. That holder may be suspended or blocked (a debugger, "
            "a blocking call in an event loop): resume it or stop it, or wait longer",
            store=self._store,
            place=str(self.path),
        )

    def _instead(self) -> str:
        """What else the user can do if the lock file cannot be used."""
        if self._store is None:  # it is the one that we give to a store that has none
            return (
                "choose another folder with XDG_STATE_HOME, or work without a lock between "
                'processes: host_lock="off"'
            )
        from .paths import elsewhere

        return elsewhere(self.path)

    def _refused(self, error: OSError) -> TokenUnavailableError:
        kind = TokenPermissionError if error.errno in _DENIED else TokenUnavailableError
        why, remedy = _REASONS.get(error.errno or 0, (error.strerror, _REMEDY))
        if error.errno in (errno.EACCES, errno.EPERM) and (owner := whose(self.path)):
            remedy = f"{owner}; or choose a folder that this user may write in"
        refused = kind(
            f"the lock file {self.path} cannot be used: {why}. {remedy}, or {self._instead()}",
            store=self._store,
            place=str(self.path),
        )
        refused.errno = error.errno
        return refused


class Holding:
    """A ``with`` block that holds a lock.

    Not a generator: an exception from a signal handler that arrives between the ``yield`` and the
    block would leave the lock held for as long as its traceback is kept.
    """

    def __init__(
        self, lock: HostLock, wait: float, sleep: Callable[[float], object] | None = None
    ) -> None:
        self._lock = lock
        self._wait = wait
        self._sleep = sleep

    def __enter__(self) -> None:
        self._lock.acquire(self._wait, sleep=self._sleep)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._lock.release()
        except BaseException:
            self._lock.release()  # once more: it was interrupted
            raise
