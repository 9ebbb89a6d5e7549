"""How long the commands wait for a token lock, and that they say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

from ._notices import tell
from ._progress import waiting_for
from ._time_limit import time_limit

if TYPE_CHECKING:
    from flex_tokenstore import TokenStore

# Seconds that other programs wait at most, if this one dies with a lock.
LEASE = 30.0
LOCK_WAIT = LEASE + 5  # seconds; so a second run outwaits what the first one left
QUIET = 2.0  # seconds; a refresh of another program takes less

T = TypeVar("T")


@contextmanager
def patient_lock(store: TokenStore) -> Iterator[None]:
    """Holds the token lock; tells the user if another program has it for long."""
    with ExitStack() as stack:
        patiently(lambda wait: stack.enter_context(store.token_lock(wait, LEASE)))
        yield


def patiently(act: Callable[[float], T]) -> T:
    """Does what needs a token lock; tells the user if that takes long.

    Args:
        act: Does it, given the seconds to wait for each lock. It can be done again.
    """
    from flex_tokenstore import TokenLockTimeoutError

    limit = time_limit() or LOCK_WAIT
    try:
        return act(min(QUIET, limit))
    except TokenLockTimeoutError:
        if limit <= QUIET:
            raise
        tell(
            f"waiting up to {limit:g} s for the token lock: another program holds it, or one "
            "that was killed has left it"
        )
        with waiting_for("the token lock"):
            return act(limit)
