"""A token that could not be saved, and one that was obtained while the store was down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .state import Unsaved

if TYPE_CHECKING:
    from flex_tokenstore._values.secret import Secret
    from flex_tokenstore._values.token import Token

    from .state import State

# Between two tries to save a token that exists nowhere else: the store may come back after the
# lock's lease has expired, and then whoever finds it first uses up the old refresh token.
SAVE_PAUSE = 0.5
QUIET = 1.0  # seconds until a failed save is reported again; doubled each time
MOST_QUIET = 60.0


def settle(state: State, stored: str | None) -> None:
    """Drops the unsaved token if the store holds it after all, or has changed."""
    unsaved = state.unsaved
    if unsaved is None or stored == unsaved.expected:
        return
    note_settled(state, stored)
    state.unsaved = None


def note_settled(state: State, stored: str | None) -> None:
    """Notes what became of the unsaved token, if there is one: the store was read."""
    unsaved = state.unsaved
    if unsaved is None:
        return
    if stored == unsaved.token.revision:
        state.note("saved", unsaved.token, reason="after_all")
    else:
        reason = "removed" if stored is None else "replaced"
        state.note("discarded", unsaved.token, reason=reason)


def keep(state: State, token: Token, expected: str | None, error: Exception) -> None:
    """Remembers a token whose save failed, to be saved later."""
    before, now = state.unsaved, state.monotonic
    quiet, quiet_until = QUIET, now + QUIET
    loud = True
    if before is not None and before.token.revision == token.revision:
        quiet, quiet_until, loud = before.quiet, before.quiet_until, now >= before.quiet_until
        if loud:  # less and less often: a store may be down for hours
            quiet = min(2 * quiet, MOST_QUIET)
            quiet_until = now + quiet
    state.unsaved = Unsaved(token, expected, now + SAVE_PAUSE, quiet, quiet_until)
    if loud:
        state.note("save_failed", token, seconds=SAVE_PAUSE, error=error)


def keep_own(state: State, token: Token, refresh: Secret[str] | None) -> None:
    """Remembers a token obtained while the store was down, with ``refresh`` or a sign-in."""
    unsaved = state.unsaved
    if refresh is not None and unsaved is not None and unsaved.token.refresh_token == refresh:
        # The refresh token of the unsaved one is used up: this one is to be saved instead.
        state.unsaved = replace(unsaved, token=token)
    else:
        state.own = token


def forget_own(state: State) -> None:
    """The store is back and holds a token, or will: all programs share that one."""
    state.own = None
