"""The token locks of two stores at once, for a token that moves between them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..errors import TokenLockTimeoutError
from .sync import TokenStore


class HeldLocks:
    """The leases of the locks that are held."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def check(self) -> None:
        """Raises TokenLockTimeoutError if one has expired: another program may go on then."""
        if self.have_expired():
            raise TokenLockTimeoutError(
                "the token lock expired before the token was moved, since a store answers slowly; "
                "try again"
            )

    def have_expired(self) -> bool:
        """Whether one of the leases is over."""
        return any(end <= time.monotonic() for end in self.ends)


@contextmanager
def both_locked(
    source: TokenStore, destination: TokenStore, wait: float, lease: float
) -> Iterator[HeldLocks]:
    """Holds the locks of both. Always in the same order, so that no two moves wait for each other.

    Two stores may share one lock, such as two files in a folder, or the host's lock file of this
    identity: taken twice, it would wait for itself.
    """
    held = HeldLocks()
    locks = {_lock_of(store): store for store in (destination, source)}
    # One location by two names has one lock by two names: the second wait is for ourselves, and
    # ends with it or with our own lease.
    hint = (
        f". If {source.place} and {destination.place} are one location by two names, there is "
        "nothing to move"
    )
    with ExitStack() as stack:
        for number, lock in enumerate(sorted(locks)):
            try:
                end = stack.enter_context(locks[lock].token_lock(wait, lease))
            except TokenLockTimeoutError as error:
                if number:
                    error.message += hint
                    error.args = (error.message,)
                raise
            if held.have_expired():
                raise TokenLockTimeoutError(
                    "the first token lock expired while another program held the second one; try "
                    f"again{hint}"
                )
            if end is not None:
                held.ends.append(end)
        yield held


def _lock_of(store: TokenStore) -> tuple[int, str, int]:
    """What the store's lock is: equal for one lock, and the same order in all programs."""
    binding = store._binding
    if binding.token_lock is None:
        return 2, "the lock file of this identity", 0
    key = store.lock_key
    return (
        (0, _without_links(key), 0)
        if isinstance(key, str)
        else (1, store.place, id(binding.innermost.plugin))
    )


def _without_links(key: str) -> str:
    """A folder has one lock, by whatever name it is reached.

    The store does not say it so: it is asked on an event loop, which must not wait for a disk.
    """
    kind, colon, path = key.partition(":")
    return f"{kind}{colon}{os.path.realpath(path)}" if Path(path).is_absolute() else key
