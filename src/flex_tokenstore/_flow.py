"""How a token is had: one flow without I/O, for sync and async programs.

Generators of steps (:mod:`._steps`); every decision that needs no step is in :mod:`._state`.
The lock is released by the driver when a flow ends, however it ends: no generator here yields
while it is being closed.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

from ._state import BUSY_PAUSE, Origin, Outcome, State
from ._steps import Load, Lock, Pause, Remove, Reply, Request, Revoke, Save, Step, Unlock
from ._token import ANY_REVISION, Token, TokenObject
from .errors import (
    GrantError,
    TokenConflictError,
    TokenCorruptError,
    TokenLockTimeoutError,
    TokenUnavailableError,
)

logger = logging.getLogger("flex_tokenstore")

ROUNDS = 4
SLICE = 0.25  # seconds between looks at the store while another holds the lock
SECOND_LOOK = 0.5  # seconds before corrupt content is believed to stay so


class Found(NamedTuple):
    """What the store holds: a token, nothing, or (``corrupt``) something that is none."""

    token: Token | None
    corrupt: TokenCorruptError | None = None

    @property
    def revision(self) -> str | None:
        return None if self.token is None else self.token.revision


Flow = Generator[Step, Reply, Any]


def obtain(state: State) -> Generator[Step, Reply, Outcome]:
    """A token for a call that has none it may use, or one that should soon be renewed."""
    held = state.held
    if state.unsaved is not None and held is not None and state.monotonic < _due(state, held):
        yield from save_again(state)
        return Outcome(held.token, "adopted", state.held)
    early = held is not None and held.alive(state.monotonic)
    try:
        found = yield from _load(state)
        if adopted := state.adopt(found.token):
            return adopted
        if not early and found.token is not None and state.still_works(found.token):
            state.hold(found.token)
            early = True
        if state.failure is not None and state.monotonic < state.failure_until:
            raise state.failure
        return (yield from _renew(state, early))
    except TokenUnavailableError:
        if state.policy.on_store_error != "memory":
            return _carry_on(state, early)
    except Exception:  # noqa: BLE001 - a token that still works outweighs any failure
        return _carry_on(state, early)
    return (yield from _renew_without_store(state))


def save_again(state: State) -> Generator[Step, Reply, None]:
    """One more try to save the token whose save failed."""
    unsaved = state.unsaved
    if unsaved is None:
        return
    error: Exception | None = None
    if not state.compare_and_set:
        # With it none is needed: after an outage the lock may still be held, by this very session
        # even, whose release was lost; and each who waits for it has a refresh token that is dead.
        reply = yield from _do(state, Lock(0, state.policy.lease))
        error = reply.error
        state.lease_end = reply.value
    if error is None:
        reply = yield from _do(state, Load())
        error = reply.error
    if error is None:
        state.settle_unsaved(Found(reply.value).revision)
        if state.unsaved is None:
            return
        reply = yield from _do(state, Save(unsaved.token, unsaved.expected))
        error = reply.error
    if error is not None:
        state.keep_unsaved(unsaved.token, unsaved.expected, error)
        return
    logger.info("token %s is saved at last", unsaved.token.digest)
    state.unsaved = None


def revoke(state: State) -> Generator[Step, Reply, bool]:
    """Revokes and removes the token; True if the server revoked one. Never signs in."""
    yield from _acquire(state)
    reply = yield from _do(state, Load())
    if isinstance(reply.error, TokenCorruptError):
        yield from _must(state, Remove(ANY_REVISION))
        state.forget()
        return False
    if reply.error is not None:
        raise reply.error
    stored: Token | None = reply.value
    state.settle_unsaved(Found(stored).revision)
    token = state.unsaved.token if state.unsaved is not None else stored
    revoked = False
    if token is not None and token.refresh_token is not None:
        revoked, stored = yield from _revoke(state, token, stored)
    reply = yield from _do(state, Remove(None if stored is None else stored.revision))
    if reply.error is not None and not isinstance(reply.error, TokenConflictError):
        raise reply.error
    state.forget()
    return revoked


def remove(state: State) -> Generator[Step, Reply, None]:
    """Removes the token from the store, whatever it is, and from memory."""
    yield from _acquire(state)
    yield from _must(state, Remove(ANY_REVISION))
    state.forget()


def _revoke(
    state: State, token: Token, stored: Token | None
) -> Generator[Step, Reply, tuple[bool, Token | None]]:
    reply = yield from _do(state, Revoke(token))
    if reply.error is None:
        return True, stored
    refresh = token.refresh_token
    if refresh is None or not _rejected(reply.error):
        raise reply.error
    refused = reply.error
    try:
        fresh = yield from _request(state, refresh)
    except GrantError as error:
        raise refused from error
    if fresh is None:
        return False, stored  # both tokens are dead already: there is nothing left to revoke
    reply = yield from _do(state, Save(fresh, Found(stored).revision))
    if reply.error is None:
        stored = fresh
    reply = yield from _do(state, Revoke(fresh))
    if reply.error is not None:
        state.hold(fresh)
        raise reply.error
    return True, stored


def _renew(state: State, early: bool) -> Generator[Step, Reply, Outcome]:
    locked = False
    for _ in range(ROUNDS):
        if not locked:
            adopted = yield from _acquire_or_adopt(state, early)
            if adopted is not None:
                return adopted
            locked = True
        found = yield from _read_locked(state)
        if adopted := state.adopt(found.token):
            return adopted
        state.settle_unsaved(found.revision)
        if state.lease_is_short():
            yield from _do(state, Unlock())
            locked = False
            continue
        refresh = state.choose(found.token)
        sent_at = state.monotonic
        token = yield from _request(state, refresh)
        if token is not None:
            state.failure = None
            origin: Origin = "signed_in" if refresh is None else "refreshed"
            state.hold(token, sent_at)
            return (yield from _save(state, token, found.revision, origin))
    raise GrantError(
        f"no token was had in {ROUNDS} rounds: the server rejected each refresh token, or the "
        "lock's lease was too short for a request; try again, or sign in anew after `token remove`"
    )


def _renew_without_store(state: State) -> Generator[Step, Reply, Outcome]:
    pending = state.unsaved.token if state.unsaved is not None else state.own
    for _ in range(2):
        refresh = pending.refresh_token if pending is not None else None
        if refresh is not None and refresh in state.dead:
            refresh = None
        sent_at = state.monotonic
        token = yield from _request(state, refresh)
        if token is not None:
            state.own = token
            held = state.hold(token, sent_at)
            return Outcome(token, "signed_in" if refresh is None else "refreshed", held)
    raise GrantError("the server rejected the token request")


def _acquire(state: State) -> Generator[Step, Reply, None]:
    reply = yield from _do(state, Lock(state.policy.lock_wait, state.policy.lease))
    if reply.error is not None:
        raise reply.error
    state.lease_end = reply.value


def _acquire_or_adopt(state: State, early: bool) -> Generator[Step, Reply, Outcome | None]:
    started = state.monotonic
    while True:
        wait = 0.0 if early else SLICE
        reply = yield from _do(state, Lock(wait, state.policy.lease))
        if reply.error is None:
            state.lease_end = reply.value
            return None
        # Another thread may have had a 401 with the held token meanwhile: nothing is spare then.
        early = early and _still_held(state)
        if early or not isinstance(reply.error, TokenLockTimeoutError):
            raise reply.error
        found = yield from _load(state)
        if adopted := state.adopt(found.token):
            return adopted
        waited = state.monotonic - started
        if waited >= state.policy.lock_wait:
            raise TokenLockTimeoutError(
                f"another program has held the lock of this token for {waited:.0f} s and saved no "
                "new one; it may hang: end it, or raise lock_timeout"
            ) from reply.error


def _read_locked(state: State) -> Generator[Step, Reply, Found]:
    found = yield from _load(state)
    for _ in range(2):
        if found.corrupt is None:
            return found
        yield from _do(state, Pause(SECOND_LOOK))
        found = yield from _load(state)
    corrupt = found.corrupt
    if corrupt is None:
        return found
    if corrupt.revision is None:
        raise corrupt
    reply = yield from _do(state, Remove(corrupt.revision))
    if isinstance(reply.error, TokenConflictError):
        return (yield from _load(state))
    if reply.error is not None:
        raise reply.error
    logger.warning("%s; it was moved aside and a new token is asked for", corrupt)
    return Found(None)


def _request(state: State, refresh: Any) -> Generator[Step, Reply, Token | None]:
    """A fresh token; None if the server rejected the refresh token."""
    for attempt in (1, 2):
        sent_at = state.wall
        reply = yield from _do(state, Request(refresh))
        if reply.error is None:
            return _issued(state, reply.value, refresh, sent_at)
        if refresh is not None and _rejected(reply.error):
            state.dead.add(refresh)
            return None
        transient = isinstance(reply.error, GrantError) and reply.error.reason == "transient"
        if not transient or attempt == 2 or state.lease_is_short():
            raise reply.error
    raise AssertionError("not reached")


def _save(
    state: State, token: Token, expected: str | None, origin: Origin
) -> Generator[Step, Reply, Outcome]:
    compare = state.compare_and_set
    error: Exception | None = None
    for _ in range(ROUNDS):
        if compare or not state.lease_is_over():
            reply = yield from _do(state, Save(token, expected))
            if reply.error is None:
                state.unsaved = None
                return Outcome(token, origin, state.held)
            error = reply.error
            if not isinstance(error, TokenConflictError):
                break
        else:
            # Without compare-and-set only the lock keeps a newer token from being overwritten.
            yield from _do(state, Unlock())
            reply = yield from _do(state, Lock(SLICE, state.policy.lease))
            if reply.error is not None:
                error = reply.error
                continue
            state.lease_end = reply.value
        reply = yield from _do(state, Load())
        if reply.error is not None:
            error = reply.error
            break
        stored: Token | None = reply.value
        if stored is None and expected is not None:
            state.forget()
            return Outcome(token, origin, None)
        if stored is not None and stored.revision != expected:
            if adopted := state.adopt(stored):
                return adopted
            expected = stored.revision
    state.keep_unsaved(token, expected, error or TokenConflictError("it changed each time"))
    return Outcome(token, origin, state.held)


def _load(state: State) -> Generator[Step, Reply, Found]:
    reply = yield from _do(state, Load())
    if isinstance(reply.error, TokenCorruptError):
        return Found(None, reply.error)
    if reply.error is not None:
        raise reply.error
    return Found(reply.value)


def _must(state: State, step: Step) -> Generator[Step, Reply, None]:
    reply = yield from _do(state, step)
    if reply.error is not None:
        raise reply.error


def _do(state: State, step: Step) -> Generator[Step, Reply, Reply]:
    reply = yield step
    state.monotonic, state.wall = reply.monotonic, reply.wall
    return reply


def _carry_on(state: State, early: bool) -> Outcome:
    """Called while an error is handled: goes on with a token that still works, else raises it."""
    import sys

    error = sys.exc_info()[1]
    assert isinstance(error, Exception)
    busy = isinstance(error, TokenLockTimeoutError)
    fresh = state.failure is not error
    if fresh and not (early and busy):
        state.failure = error
        state.failure_until = state.monotonic + state.policy.failure_window
    held = state.held
    if not early or held is None or not held.alive(state.monotonic):
        raise error
    pause = BUSY_PAUSE if busy else state.policy.failure_window
    if fresh and not busy:
        logger.warning("the token is still valid but could not be renewed: %s", error)
    state.postpone(state.monotonic + pause)
    return Outcome(held.token, "adopted", state.held)


def _still_held(state: State) -> bool:
    return state.held is not None and state.held.alive(state.monotonic)


def _due(state: State, held: Any) -> float:
    return float("inf") if held.expires_at is None else float(held.renew_at)


def _issued(state: State, answer: Mapping[str, Any], refresh: Any, sent_at: float) -> Token:
    if refresh is not None and not answer.get("refresh_token"):
        # RFC 6749 section 6: without a new one, the old one stays valid.
        answer = TokenObject({**answer, "refresh_token": refresh.reveal()})
    try:
        return Token.issued(answer, identity_key=state.identity_key, obtained_at=sent_at)
    except ValueError as error:
        raise GrantError(f"the server's token answer is not valid: {error}") from None


def _rejected(error: Exception) -> bool:
    return isinstance(error, GrantError) and error.reason == "rejected"
