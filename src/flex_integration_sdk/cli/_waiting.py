"""How long the commands wait for a token lock, and that they say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ._notices import tell

# Seconds that other programs wait at most, if this one dies with a lock.
LEASE = 30.0
LOCK_WAIT = LEASE + 5  # seconds; so a second run outwaits what the first one left
QUIET = 2.0  # seconds; a refresh of another program takes less

T = TypeVar("T")


def patiently(act: Callable[[float], T]) -> T:
    """Does what needs a token lock; tells the user if that takes long.

    Args:
        act: Does it, given the seconds to wait for each lock. It can be done again.
    """
    from flex_tokenstore import TokenLockTimeoutError

    try:
        return act(QUIET)
    except TokenLockTimeoutError:
        tell(
            f"waiting up to {LOCK_WAIT:g} s for the token lock: another program holds it, or one "
            "that was killed has left it"
        )
        return act(LOCK_WAIT)
