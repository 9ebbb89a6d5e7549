"""The token in memory: whether it is usable, and which one takes its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import unsaved_token
from .state import CLOCK_SKEW, Held, Outcome

if TYPE_CHECKING:
    from flex_tokenstore._values.token import Token

    from .state import State

# A token is refreshed so many seconds before it expires, or at this share of its life if that is
# less: see docs/decisions/012.
MARGIN = 30.0
MARGIN_SHARE = 0.1


def usable(state: State, token: Token) -> bool:
    """Of this identity, not refused, and not within the margin of its expiry."""
    if not is_acceptable(state, token):
        return False
    left = _seconds_left(state, token)
    return left is None or left > _margin(token)


def still_works(state: State, token: Token) -> bool:
    """Not refused and not expired, though perhaps within the margin."""
    return is_acceptable(state, token) and not has_expired(state, token)


def has_expired(state: State, token: Token) -> bool:
    """By its times; not if they are not known."""
    left = _seconds_left(state, token)
    return left is not None and left <= 0


def adopt(state: State, token: Token | None) -> Outcome | None:
    """Takes a token that another stored, if usable."""
    if token is None or not usable(state, token):
        return None
    note_adopted(state, token)
    unsaved_token.note_settled(state, token.revision)
    if state.held is not None and state.held.token.access_token != token.access_token:
        state.believed.clear()  # they may accept this one
    # A usable token is stored: there is nothing to be saved any more.
    state.unsaved = None
    unsaved_token.forget_own(state)
    return Outcome(token, "adopted", hold(state, token))


def note_adopted(state: State, token: Token) -> None:
    """Notes that a token from the store is taken, unless it is the one in memory."""
    if state.held is None or state.held.token.access_token != token.access_token:
        state.note("adopted", token)


def hold(state: State, token: Token, sent_at: float | None = None) -> Held:
    """Keeps ``token`` in memory.

    Args:
        token: A token of this identity.
        sent_at: Monotonic time at which this process asked for it; None: another did, and
            only the wall clock tells its age.
    """
    if sent_at is not None and token.lifetime is not None:
        # From the start of the request: the server counts from a later moment.
        expires: float | None = sent_at + token.lifetime
    else:
        left = _seconds_left(state, token)
        expires = None if left is None else state.monotonic + left
    renew = float("inf") if expires is None else expires - _margin(token)
    state.benched = None
    state.held = Held(token, renew, expires, state.wall - state.monotonic)
    return state.held


def postpone(state: State, until: float) -> None:
    """Lets the held token serve without another look until then, or until it expires."""
    held = state.held
    if held is not None:
        # What is left of its life, on a monotonic clock that may have stood still.
        left = held.now(state.monotonic, state.wall) - state.monotonic
        expires = None if held.expires_at is None else held.expires_at - left
        until = until if expires is None else min(until, expires)
        state.held = Held(held.token, until, expires, state.wall - state.monotonic)


def forget(state: State) -> None:
    """Nothing is known any more: revoked or removed."""
    state.held = state.unsaved = state.own = state.benched = None


def is_acceptable(state: State, token: Token) -> bool:
    return is_ours(state, token) and token.access_token not in state.refused


def is_ours(state: State, token: Token) -> bool:
    """Programs with different identities may share a store, and a process: no token of one
    serves another."""
    return token.identity_key == state.identity_key


def _seconds_left(state: State, token: Token) -> float | None:
    if token.expires_at is None or token.obtained_at is None:
        return None
    if token.obtained_at > state.wall + CLOCK_SKEW:
        return None  # one of the clocks is wrong: the token is used until refused
    return token.expires_at - state.wall


def _margin(token: Token) -> float:
    return MARGIN if token.lifetime is None else min(MARGIN, MARGIN_SHARE * token.lifetime)


def still_held(state: State) -> bool:
    return state.held is not None and state.held.alive(state.monotonic, state.wall)


def is_due(state: State) -> bool:
    held = state.held
    if held is None or held.expires_at is None:
        return held is None
    return held.due(state.monotonic, state.wall)
