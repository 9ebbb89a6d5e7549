"""Saving a fresh token, which exists nowhere else until that is done."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from flex_tokenstore.errors import TokenConflictError, TokenLockTimeoutError

from . import held_token, locking, unsaved_token
from .reading import Found
from .state import Outcome
from .steps import Load, Lock, Reply, Save, Step, Unlock, do

if TYPE_CHECKING:
    from flex_tokenstore._values.token import Token

    from .state import Origin, State

MOST_TRIES = 4  # to save one token while others change what is stored


def save_again(state: State) -> Generator[Step, Reply, None]:
    """One more try to save the token whose save failed."""
    unsaved = state.unsaved
    if unsaved is None:
        return
    error: Exception | None = None
    if not state.compare_and_set:
        # With it none is needed: after an outage the lock may still be held, by this very session
        # even, whose release was lost; and each who waits for it has a refresh token that is dead.
        reply = yield from do(state, Lock(0, state.policy.lease))
        error = reply.error
        state.lease_end = reply.value
    stored: Token | None = None
    if error is None:
        reply = yield from do(state, Load())
        stored, error = reply.value, reply.error
    if error is None:
        unsaved_token.settle(state, Found(stored).revision)
        if state.unsaved is None:
            return
        error = yield from save_now(state, unsaved.token, unsaved.expected)
    if error is not None:
        unsaved_token.keep(state, unsaved.token, unsaved.expected, error)
        return
    state.note("saved", unsaved.token, reason="again")
    state.unsaved = None


def save(
    state: State, token: Token, expected: str | None, origin: Origin
) -> Generator[Step, Reply, Outcome]:
    error: Exception | None = None
    for _ in range(MOST_TRIES):
        if state.may_write():
            reply = yield from do(state, Save(token, expected))
            if reply.error is None:
                state.note("saved", token)
                state.unsaved = None
                return Outcome(token, origin, state.held)
            error = reply.error
            if not isinstance(error, TokenConflictError):
                break
            state.note("conflict", token, error=error)
        else:
            # The lease has ended, and without compare-and-set only a lock keeps a newer token safe:
            # docs/decisions/002.
            yield from do(state, Unlock())
            reply = yield from do(state, Lock(locking.SLICE, state.policy.lease))
            if reply.error is not None:
                error = reply.error
                continue
            state.lease_end = reply.value
        reply = yield from do(state, Load())
        if reply.error is not None:
            error = reply.error
            break
        stored: Token | None = reply.value
        if stored is None and expected is not None:
            # Somebody removed or revoked the token meanwhile; a save would bring it back.
            state.note("discarded", token, reason="removed")
            held_token.forget(state)
            return Outcome(token, origin, None)
        if stored is not None and stored.revision != expected:
            if adopted := held_token.adopt(state, stored):
                return adopted
            # Another program's token, which does not work for this session: ours replaces it.
            expected = stored.revision
    unsaved_token.keep(state, token, expected, error or TokenConflictError("it changed each time"))
    return Outcome(token, origin, state.held)


def save_now(
    state: State, token: Token, expected: str | None
) -> Generator[Step, Reply, Exception | None]:
    """One save under the lock, if the lock is still held or is not needed; returns its error."""
    if not state.may_write():
        return TokenLockTimeoutError("the lock's lease expired before the token was saved")
    reply = yield from do(state, Save(token, expected))
    return reply.error
