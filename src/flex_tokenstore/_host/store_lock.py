"""A host lock for what a store does by itself, such as a write of several steps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .host_lock import Holding, HostLock
from .paths import state_folder

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")  # a file name on each system


def host_lock(name: str, *, wait: float, make: bool = True) -> AbstractContextManager[bool]:
    """A lock among all programs of this user on this host, for a store that needs one.

    Such a store keeps its tokens where nothing else keeps two writers apart, and writes in several
    steps. Hold the lock for a write only: the token lock is another one, which the framework
    adds. The system frees the lock when its holder dies. It is a file in the user's state folder,
    the same for each program that uses the framework. It cannot be acquired twice by one holder.

    >>> with host_lock("acme-cabinet", wait=10) as held:
    ...     held
    True

    Args:
        name: What it protects, such as the store's name: lower-case letters, digits, dashes.
        wait: Seconds to wait for it; 0: one try.
        make: False: if there is no lock file, nobody has ever held the lock. Then none is made, the
            block runs without the lock, and gets False: for a reader that must leave nothing
            behind.

    Raises:
        TokenLockTimeoutError: On entering: another program or thread held it all the time.
        TokenPermissionError: On entering: this user may not use the lock file.
        TokenUnavailableError: On entering: the file system refuses for another reason.
        ValueError: ``name`` has other characters, or is too long.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"name must have lower-case letters, digits and dashes, at most 64, got {name!r:.80}"
        )
    return _Held(name, wait, make)


class _StoreLock(HostLock):
    def _instead(self) -> str:
        return "choose another folder with XDG_STATE_HOME"


class _Held:
    """The ``with`` block, which may have no lock; not a generator, for the reason of Holding."""

    def __init__(self, name: str, wait: float, make: bool) -> None:
        self._name, self._wait, self._make = name, wait, make
        self._holding: Holding | None = None

    def __enter__(self) -> bool:
        path = state_folder() / f"{self._name}.store.lock"
        if not self._make and not path.exists():
            return False
        self._holding = _StoreLock(path).hold(self._wait)
        self._holding.__enter__()
        return True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._holding is not None:
            self._holding.__exit__(kind, error, traceback)
