"""Acquiring the token lock; whoever waits for it looks at the store meanwhile."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from flex_tokenstore.errors import TokenLockTimeoutError

from . import held_token, reading
from .steps import Lock, Reply, Step, do

if TYPE_CHECKING:
    from .state import Outcome, State

SLICE = 0.25  # seconds between looks at the store while another holds the lock, at first
LONGEST_SLICE = 1.0  # seconds; a look costs more than a try to acquire the lock


def acquire(state: State) -> Generator[Step, Reply, None]:
    started = state.monotonic
    reply = yield from do(state, Lock(state.policy.lock_wait, state.policy.lease))
    if isinstance(reply.error, TokenLockTimeoutError):
        state.note("waited", reason="timeout", seconds=state.monotonic - started)
    if reply.error is not None:
        raise reply.error
    state.note("waited", reason="lock", seconds=state.monotonic - started)
    state.lease_end = reply.value


def acquire_or_adopt(state: State, early: bool) -> Generator[Step, Reply, Outcome | None]:
    started = state.monotonic
    while True:
        slice_ = max(SLICE, min(LONGEST_SLICE, (state.monotonic - started) / 2))
        # With a token that still works nobody waits: docs/decisions/012.
        wait = 0.0 if early else slice_
        reply = yield from do(state, Lock(wait, state.policy.lease))
        if reply.error is None:
            state.note("waited", reason="lock", seconds=state.monotonic - started)
            state.lease_end = reply.value
            return None
        # A token that expired, or was refused in another thread, serves nobody any more: from here
        # on this caller waits as all do.
        early = early and held_token.still_held(state)
        if early or not isinstance(reply.error, TokenLockTimeoutError):
            raise reply.error
        found = yield from reading.load(state)
        waited = state.monotonic - started
        if adopted := held_token.adopt(state, found.token):
            state.note("waited", reason="adopted", seconds=waited)
            return adopted
        # After the look: the new token may have come during the last slice.
        if waited >= state.policy.lock_wait:
            state.note("waited", reason="timeout", seconds=waited)
            raise TokenLockTimeoutError(
                f"another program has held the lock of this token for {waited:.0f} s without "
                "saving a new one. That holder may be suspended or blocked (a debugger, "
                "a blocking call in an event loop): resume it or stop it, or raise "
                "lock_timeout"
            ) from reply.error
