"""The two locks of a token file: of whoever writes it, and of whoever obtains the token."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flex_tokenstore._host.host_lock import Holding, HostLock
from flex_tokenstore.errors import TokenStoreError, TokenUnavailableError
from flex_tokenstore.stores.file.siblings import write_lock

if TYPE_CHECKING:
    from types import TracebackType


class WriteLock(HostLock):
    """Lets in one writer at a time.

    Named after the file itself: two links to it are two names of one thing to lock.
    """

    def __init__(self, path: Path, mode: int = 0o600) -> None:
        super().__init__(write_lock(path), store="file", mode=mode)

    def _not_acquired(self, wait: float) -> TokenStoreError:
        return TokenUnavailableError(
            f"{self.path} has been held by another process for {wait:g} s; a write takes "
            "milliseconds, so that process hangs: stop it",
            store="file",
            place=str(self.path),
        )


class Renewing(Holding):
    """Holds the token lock.

    Args:
        lock: The lock.
        wait: Seconds to wait for it.
        lease: Seconds for which it is wanted.
        note: Is told until when it is wanted, on the monotonic clock; None: it is not held.
    """

    def __init__(
        self, lock: HostLock, wait: float, lease: float, note: Callable[[float | None], None]
    ) -> None:
        super().__init__(lock, wait)
        self._lease = lease
        self._note = note

    def __enter__(self) -> None:
        super().__enter__()
        try:
            self._note(time.monotonic() + self._lease)
        except BaseException:  # from a signal handler
            self._note(None)
            self._lock.release()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Before the release: after it, another thread may hold this lock and have noted that.
        self._note(None)
        super().__exit__(kind, error, traceback)
