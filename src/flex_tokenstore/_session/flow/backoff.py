"""After a failure: which token still serves, and until when no further request is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flex_tokenstore.errors import GrantError, TokenLockTimeoutError

from . import held_token, refusals
from .state import Outcome

if TYPE_CHECKING:
    from .state import State

BUSY_PAUSE = 1.0  # seconds between tries to refresh early while another holds the lock
MOST_RETRY_AFTER = 300.0  # seconds that a server can make us wait, whatever it asks for


def carry_on(state: State, error: Exception, early: bool) -> Outcome:
    """Goes on with a token that still works, in spite of ``error``; else raises that."""
    busy = isinstance(error, TokenLockTimeoutError)
    # check_failure raises a kept error once more: that is neither a new failure nor an event.
    fresh = state.failure is not error
    window = max(state.policy.failure_window, _asked_to_wait(error))
    # A wait that the server asked for outlasts other failures meanwhile.
    if fresh and not (early and busy) and not is_waiting(state):
        state.failure = error
        state.failure_until = state.monotonic + window
    held = state.held
    if not early or held is None or not held_token.still_held(state):
        refusals.reinstate(state)
        if fresh:
            state.note("renewal_failed", error=error)
        raise error
    pause = BUSY_PAUSE if busy else window
    if fresh and not busy:
        state.note("renewal_postponed", held.token, error=error)
    held_token.postpone(state, state.monotonic + pause)
    return Outcome(held.token, "adopted", state.held)


def _asked_to_wait(error: Exception) -> float:
    """Seconds that the server wants no further token request for."""
    asked = error.retry_after if isinstance(error, GrantError) else None
    return min(asked, MOST_RETRY_AFTER) if asked is not None and asked > 0 else 0.0


def is_waiting(state: State) -> bool:
    """The server has asked for no further request yet."""
    failure = state.failure
    return failure is not None and _asked_to_wait(failure) > 0 and _in_window(state)


def _in_window(state: State) -> bool:
    return state.failure is not None and state.monotonic < state.failure_until


def check_failure(state: State) -> None:
    """For a while after a failed token request none is sent."""
    if state.failure is not None and _in_window(state):
        # It is raised for many calls, and each would add its frames to the traceback.
        raise state.failure.with_traceback(None)
