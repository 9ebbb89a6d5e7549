"""A session that only reads the store: it uses the token that another program renews.

It takes no lock, requests nothing, and changes nothing in the store.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from flex_tokenstore.errors import TokenReadOnlyError

from . import backoff, held_token, reading, refusals
from .state import Outcome
from .steps import Pause, Reply, Step, do

if TYPE_CHECKING:
    from .reading import Found
    from .state import State

# Seconds to wait for the other program's new token: it renews at about the same moment, and that
# takes a fraction of a second. If it does not run, each call would wait so long.
WATCH = 5.0
# The same after a 401 of the API, which may concern its endpoint only, and then no token comes.
WATCH_REFUSED = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds between two looks at the store


def watch(state: State, found: Found, early: bool) -> Generator[Step, Reply, Outcome]:
    """A token that works, or the error of a program that cannot renew it.

    Args:
        state: What the session knows.
        found: What the store holds, which is not a token to take.
        early: The token in memory still works. It is due, but that is no failure here.
    """
    held = state.held
    if early and held is not None:
        held_token.postpone(state, state.monotonic + backoff.BUSY_PAUSE)
        return Outcome(held.token, "adopted", state.held)
    backoff.check_failure(state)
    started, pause = state.monotonic, FIRST_PAUSE
    most = WATCH_REFUSED if _is_refused(state, found) else WATCH
    limit = min(most, state.policy.lock_wait)
    while (waited := state.monotonic - started) < limit:
        yield from do(state, Pause(min(pause, limit - waited)))
        pause = min(2 * pause, LONGEST_PAUSE)
        found = yield from reading.load(state)
        if taken := _take(state, found):
            state.note("waited", reason="adopted", seconds=state.monotonic - started)
            return taken
    if found.corrupt is not None:
        raise found.corrupt
    if found.token is not None and _is_refused(state, found):
        # No other token can be obtained here: the caller gets the API's 401.
        return refusals.settle_for(state, found.token)
    what = "holds no token" if found.token is None else "holds a token that has expired"
    raise TokenReadOnlyError(
        f"the token store {what}, and this program only reads it: start the program that renews "
        "the token. That one renews it when it makes a call, so it must make some"
    )


def refuse(state: State, what: str) -> None:
    """Raises TokenReadOnlyError for a session that only reads, before anything is sent."""
    if state.read_only:
        raise TokenReadOnlyError(
            f"this program only reads the token store, so it cannot {what} the token: do it with "
            "the program that renews the token, or open the store without 'read-only'"
        )


def _take(state: State, found: Found) -> Outcome | None:
    if adopted := held_token.adopt(state, found.token):
        return adopted
    token = found.token
    # Within the margin: it serves as long as it works.
    if token is None or not held_token.still_works(state, token):
        return None
    held_token.note_adopted(state, token)
    return Outcome(token, "adopted", held_token.hold(state, token))


def _is_refused(state: State, found: Found) -> bool:
    """The API refused the stored token, though it has not expired."""
    token = found.token
    return (
        token is not None
        and token.access_token in state.refused
        and not held_token.has_expired(state, token)
    )
