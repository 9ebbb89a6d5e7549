"""Obtaining a token: from the store or, under the token lock, from the server."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from flex_tokenstore.errors import GrantError, TokenUnavailableError

from . import (
    backoff,
    held_token,
    locking,
    reading,
    refresh_tokens,
    refusals,
    replica,
    requesting,
    saving,
    sign_ins,
    unsaved_token,
)
from .state import Outcome
from .steps import Load, Prepare, Reply, Step, Unlock, do, must

if TYPE_CHECKING:
    from flex_tokenstore._values.token import Token

    from .reading import Found
    from .state import State

# Each round acquires the lock, reads the store and sends a request. A second one is needed if the
# server rejected the stored refresh token, or the lease became too short; more show that something
# goes on which this session cannot mend.
ROUNDS = 4
# The same without a store, where no other program can interfere.
ROUNDS_WITHOUT_STORE = 3


def obtain(state: State) -> Generator[Step, Reply, Outcome]:
    """A token for a call that has none it may use, or one that should soon be refreshed."""
    held = state.held
    if state.unsaved is not None and held is not None and not held_token.is_due(state):
        # The token works; only its save is due.
        yield from saving.save_again(state)
        return Outcome(held.token, "adopted", state.held)
    early = held_token.still_held(state)
    try:
        found = yield from reading.load(state)
        if adopted := held_token.adopt(state, found.token):
            return adopted
        # Another program's token, within the margin: it serves until there is a new one.
        if not early and found.token is not None and held_token.still_works(state, found.token):
            held_token.note_adopted(state, found.token)
            held_token.hold(state, found.token)
            early = True
        if state.read_only:
            return (yield from replica.watch(state, found, early))
        backoff.check_failure(state)
        return (yield from _renew(state, early))
    except TokenUnavailableError as error:
        if state.policy.on_store_error != "memory" or state.read_only:
            return backoff.carry_on(state, error, early)
        state.note("store_unavailable", error=error)
    except Exception as error:  # noqa: BLE001 - a token that still works outweighs any failure
        return backoff.carry_on(state, error, early)
    return (yield from _obtain_without_store(state, early))


def _obtain_without_store(state: State, early: bool) -> Generator[Step, Reply, Outcome]:
    """A token of this session's own, while the store is down (``on_store_error="memory"``).

    Here too a token that still works outweighs any failure.
    """
    try:
        backoff.check_failure(state)
        return (yield from _renew_without_store(state))
    except Exception as error:  # noqa: BLE001 - as in :func:`obtain`
        return backoff.carry_on(state, error, early)


def look(state: State, refused: Token) -> Generator[Step, Reply, Outcome | None]:
    """Another token than ``refused``, if another program stored one meanwhile; no request."""
    if state.unsaved is not None:
        return None
    reply = yield from do(state, Load())
    stored: Token | None = reply.value
    if reply.error is not None or stored is None or stored.access_token == refused.access_token:
        return None
    return held_token.adopt(state, stored)


def _renew(state: State, early: bool) -> Generator[Step, Reply, Outcome]:
    locked, rounds = False, 0
    while rounds < ROUNDS:
        rounds += 1
        if not locked:
            adopted = yield from locking.acquire_or_adopt(state, early)
            if adopted is not None:
                return adopted
            locked = True
        found = yield from reading.read_locked(state)
        if adopted := held_token.adopt(state, found.token):
            return adopted
        unsaved_token.settle(state, found.revision)
        yield from _check_that_it_can_be_saved(state, found)
        if state.lease_is_short():
            yield from do(state, Unlock())
            locked = False
            continue
        try:
            outcome = yield from _renew_once(state, found)
        except GrantError as error:
            if not error.busy:
                raise
            # Not under the lock: its lease would expire while this waits for a connection.
            yield from do(state, Unlock())
            # Nothing was sent, so that it was not a round.
            locked, rounds = False, rounds - 1
            continue
        if outcome is not None:
            return outcome
    raise GrantError(
        f"no access token could be obtained in {ROUNDS} rounds: the server rejected each refresh "
        "token, or the lock's lease was too short for a request; try again, or run `token remove`, "
        "so that the next call signs in"
    )


def _check_that_it_can_be_saved(state: State, found: Found) -> Generator[Step, Reply, None]:
    """Before a refresh token is used up: a token that cannot be saved is not requested."""
    return must(state, Prepare(found.revision))


def _renew_once(state: State, found: Found) -> Generator[Step, Reply, Outcome | None]:
    """One grant under the lock, saved; None: it brought nothing of use, look again."""
    # The refresh token of what is stored was used up for a pending token.
    refresh = refresh_tokens.choose(state, None if state.unsaved is not None else found.token)
    why = refresh_tokens.why_sign_in(state, found.token)
    sent_at = state.monotonic
    try:
        token = yield from requesting.request(state, refresh, found.token, why)
    except GrantError as error:
        settled = None if error.sent or error.busy else _settle(state, found.token, error)
        if settled is None:
            raise
        return settled
    if token is None:
        return None
    state.failure = None
    unsaved_token.forget_own(state)
    repeated = token.access_token in state.refused
    if not repeated:
        # Before the save: if that fails, this process has the token at least.
        held_token.hold(state, token, sent_at)
    outcome = yield from saving.save(
        state, token, found.revision, "signed_in" if refresh is None else "refreshed"
    )
    if not repeated or outcome.token.access_token != token.access_token:
        return outcome
    if refresh is None:
        return refusals.settle_for(state, token)
    refusals.spend(state, refresh, token)
    return None


def _settle(state: State, stored: Token | None, error: GrantError) -> Outcome | None:
    """For a sign-in that is not to be: goes on with a token that only the API refused."""
    pending = state.unsaved.token if state.unsaved is not None else stored
    if pending is None or not sign_ins.caused_by_api(state, stored):
        return None
    refresh = pending.refresh_token
    missing = refresh is None or refresh in state.dead
    if missing and not isinstance(error, sign_ins.TooManySignIns):
        # The caller is told what is missing; other endpoints may still take the token.
        refusals.settle_for(state, pending)
        return None
    return refusals.settle_for(state, pending)


def _renew_without_store(state: State) -> Generator[Step, Reply, Outcome]:
    rounds = 0
    while rounds < ROUNDS_WITHOUT_STORE:
        rounds += 1
        refresh = refresh_tokens.choose(state, state.own)
        sent_at = state.monotonic
        try:
            token = yield from requesting.request(state, refresh, state.own, "store_unavailable")
        except GrantError as error:
            if error.busy:
                # Nothing was sent.
                rounds -= 1
                continue
            settled = None if error.sent else _settle(state, state.own, error)
            if settled is None:
                raise
            return settled
        if token is None:
            continue
        state.failure = None
        repeated = token.access_token in state.refused
        unsaved_token.keep_own(state, token, refresh)
        if not repeated:
            held = held_token.hold(state, token, sent_at)
            return Outcome(token, "signed_in" if refresh is None else "refreshed", held)
        if refresh is None:
            return refusals.settle_for(state, token)
        refusals.spend(state, refresh, token)
    raise GrantError("the server rejected the token request")
