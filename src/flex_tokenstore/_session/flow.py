"""How a session obtains a token: one flow without I/O, driven by the sync and the async session.

Generators of steps (:mod:`._steps`); every decision that needs no step is in :mod:`._state`.
The lock is released by the driver when a flow ends, however it ends: no generator here yields
while it is being closed.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

from .._values.token import ANY_REVISION, Token, TokenObject
from ..errors import (
    GrantError,
    TokenConflictError,
    TokenCorruptError,
    TokenLockTimeoutError,
    TokenUnavailableError,
)
from .state import BUSY_PAUSE, MOST_RETRY_AFTER, MOST_SIGN_INS, Origin, Outcome, State
from .steps import Load, Lock, Pause, Prepare, Remove, Reply, Request, Revoke, Save, Step, Unlock

ROUNDS = 4
SLICE = 0.25  # seconds between looks at the store while another holds the lock, at first
LONGEST_SLICE = 1.0  # seconds; a look costs more than a try to acquire the lock
SECOND_LOOK = 0.5  # seconds before corrupt content is believed to stay so


class Found(NamedTuple):
    """What the store holds: a token, nothing, or (``corrupt``) something that is not a token."""

    token: Token | None
    corrupt: TokenCorruptError | None = None

    @property
    def revision(self) -> str | None:
        return None if self.token is None else self.token.revision


Flow = Generator[Step, Reply, Any]


def obtain(state: State) -> Generator[Step, Reply, Outcome]:
    """A token for a call that has none it may use, or one that should soon be refreshed."""
    held = state.held
    if state.unsaved is not None and held is not None and not _due(state):
        yield from save_again(state)
        return Outcome(held.token, "adopted", state.held)
    early = _still_held(state)
    try:
        found = yield from _load(state)
        if adopted := state.adopt(found.token):
            return adopted
        if not early and found.token is not None and state.still_works(found.token):
            state.note_adopted(found.token)
            state.hold(found.token)
            early = True
        _check_failure(state)
        return (yield from _renew(state, early))
    except TokenUnavailableError as error:
        if state.policy.on_store_error != "memory":
            return _carry_on(state, error, early)
        state.note("store_unavailable", error=error)
    except Exception as error:  # noqa: BLE001 - a token that still works outweighs any failure
        return _carry_on(state, error, early)
    return (yield from _obtain_without_store(state, early))


def _obtain_without_store(state: State, early: bool) -> Generator[Step, Reply, Outcome]:
    """A token of this session's own, while the store is down (``on_store_error="memory"``).

    Here too a token that still works outweighs any failure.
    """
    try:
        _check_failure(state)
        return (yield from _renew_without_store(state))
    except Exception as error:  # noqa: BLE001 - as in :func:`obtain`
        return _carry_on(state, error, early)


def look(state: State, refused: Token) -> Generator[Step, Reply, Outcome | None]:
    """Another token than ``refused``, if another program stored one meanwhile; no request."""
    if state.unsaved is not None:
        return None
    reply = yield from _do(state, Load())
    stored: Token | None = reply.value
    if reply.error is not None or stored is None or stored.access_token == refused.access_token:
        return None
    return state.adopt(stored)


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
    stored: Token | None = None
    if error is None:
        reply = yield from _do(state, Load())
        stored, error = reply.value, reply.error
    if error is None:
        state.settle_unsaved(Found(stored).revision)
        if state.unsaved is None:
            return
        error = yield from _save_now(state, unsaved.token, unsaved.expected)
    if error is not None:
        state.keep_unsaved(unsaved.token, unsaved.expected, error)
        return
    state.note("saved", unsaved.token, reason="again")
    state.unsaved = None


def revoke(state: State) -> Generator[Step, Reply, bool]:
    """Revokes and removes the token; True if the server revoked one. Never signs in."""
    yield from _acquire(state)
    found = yield from _load(state)
    if found.corrupt is not None:
        yield from _do(state, Pause(SECOND_LOOK))  # it may be being written
        found = yield from _load(state)
    if found.corrupt is not None:
        yield from _must(state, Remove(ANY_REVISION))
        state.note("removed", reason="revoke")
        state.forget()
        return False
    stored = found.token
    state.settle_unsaved(found.revision)
    token = state.unsaved.token if state.unsaved is not None else stored
    revoked = False
    if token is not None and token.refresh_token is not None:
        revoked, stored = yield from _revoke(state, token, stored)
    reply = yield from _remove_revoked(state, stored)
    if reply.error is not None and not isinstance(reply.error, TokenConflictError):
        raise reply.error
    if reply.error is not None:
        state.note("conflict", stored, error=reply.error)
    elif stored is not None:
        state.note("removed", stored, reason="revoke")
    state.forget()
    return revoked


def _remove_revoked(state: State, stored: Token | None) -> Generator[Step, Reply, Reply]:
    """Removes the token that was read or, if another one is there, the one that was not saved:
    its save reported an error, but may have been done."""
    reply = yield from _do(state, Remove(None if stored is None else stored.revision))
    unsaved = state.unsaved
    if isinstance(reply.error, TokenConflictError) and unsaved is not None:
        reply = yield from _do(state, Remove(unsaved.token.revision))
    return reply


def remove(state: State) -> Generator[Step, Reply, None]:
    """Removes the token from the store, whatever it is, and from memory."""
    yield from _acquire(state)
    yield from _must(state, Remove(ANY_REVISION))
    state.note("removed", reason="remove")
    state.forget()


def _revoke(
    state: State, token: Token, stored: Token | None
) -> Generator[Step, Reply, tuple[bool, Token | None]]:
    reply = yield from _do(state, Revoke(token))
    if reply.error is None:
        state.note("revoked", token)
        return True, stored
    refresh = token.refresh_token
    if refresh is None or not _rejected(reply.error):
        raise reply.error
    refused = reply.error
    if _is_waiting(state):
        _check_failure(state)
    yield from _must(state, Prepare(Found(stored).revision))
    if state.lease_is_short():
        raise GrantError(
            "the access token was not accepted, and too little of the lock's lease is left to "
            "refresh it; revoke again"
        ) from refused
    try:
        fresh = yield from _request(state, refresh, stored, "")
    except GrantError as error:
        raise refused from error
    if fresh is None:
        return False, stored  # both tokens are dead already: there is nothing left to revoke
    stored = yield from _save_before_revoking(state, fresh, stored)
    reply = yield from _do(state, Revoke(fresh))
    if reply.error is not None:
        state.hold(fresh)
        raise reply.error
    state.note("revoked", fresh)
    return True, stored


def _save_before_revoking(
    state: State, fresh: Token, stored: Token | None
) -> Generator[Step, Reply, Token | None]:
    """Saves ``fresh``, or remembers that it is unsaved; returns what is stored then.

    Its revocation may fail. It is then the one token that works, and must not be lost.
    """
    expected = Found(stored).revision
    error = yield from _save_now(state, fresh, expected)
    if error is not None:
        state.keep_unsaved(fresh, expected, error)
        return stored
    state.note("saved", fresh)
    state.unsaved = None
    return fresh


def _renew(state: State, early: bool) -> Generator[Step, Reply, Outcome]:
    locked, rounds = False, 0
    while rounds < ROUNDS:
        rounds += 1
        if not locked:
            adopted = yield from _acquire_or_adopt(state, early)
            if adopted is not None:
                return adopted
            locked = True
        found = yield from _read_locked(state)
        if adopted := state.adopt(found.token):
            return adopted
        state.settle_unsaved(found.revision)
        yield from _check_that_it_can_be_saved(state, found)
        if state.lease_is_short():
            yield from _do(state, Unlock())
            locked = False
            continue
        try:
            outcome = yield from _renew_once(state, found)
        except GrantError as error:
            if not error.busy:
                raise
            # Not under the lock: its lease would expire while this waits for a connection.
            yield from _do(state, Unlock())
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
    return _must(state, Prepare(found.revision))


def _renew_once(state: State, found: Found) -> Generator[Step, Reply, Outcome | None]:
    """One grant under the lock, saved; None: it brought nothing of use, look again."""
    # The refresh token of what is stored was used up for a pending token.
    refresh = state.choose(None if state.unsaved is not None else found.token)
    why = state.why_sign_in(found.token)
    sent_at = state.monotonic
    try:
        token = yield from _request(state, refresh, found.token, why)
    except GrantError as error:
        settled = None if error.sent or error.busy else _settle(state, found.token, error)
        if settled is None:
            raise
        return settled
    if token is None:
        return None
    state.failure = None
    state.forget_own()
    repeated = token.access_token in state.refused
    if not repeated:
        state.hold(token, sent_at)
    outcome = yield from _save(
        state, token, found.revision, "signed_in" if refresh is None else "refreshed"
    )
    if not repeated or outcome.token.access_token != token.access_token:
        return outcome
    if refresh is None:
        return state.settle_for(token)
    state.spend(refresh, token)
    return None


class _TooManySignIns(GrantError):
    """See MOST_SIGN_INS."""


def _settle(state: State, stored: Token | None, error: GrantError) -> Outcome | None:
    """For a sign-in that is not to be: goes on with a token that only the API refused."""
    pending = state.unsaved.token if state.unsaved is not None else stored
    if pending is None or not state.caused_by_api(stored):
        return None
    refresh = pending.refresh_token
    missing = refresh is None or refresh in state.dead
    if missing and not isinstance(error, _TooManySignIns):
        # The caller is told what is missing; other endpoints may still take the token.
        state.settle_for(pending)
        return None
    return state.settle_for(pending)


def _renew_without_store(state: State) -> Generator[Step, Reply, Outcome]:
    rounds = 0
    while rounds < 3:
        rounds += 1
        refresh = state.choose(state.own)
        sent_at = state.monotonic
        try:
            token = yield from _request(state, refresh, state.own, "store_unavailable")
        except GrantError as error:
            if error.busy:
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
        state.keep_own(token, refresh)
        if not repeated:
            held = state.hold(token, sent_at)
            return Outcome(token, "signed_in" if refresh is None else "refreshed", held)
        if refresh is None:
            return state.settle_for(token)
        state.spend(refresh, token)
    raise GrantError("the server rejected the token request")


def _acquire(state: State) -> Generator[Step, Reply, None]:
    started = state.monotonic
    reply = yield from _do(state, Lock(state.policy.lock_wait, state.policy.lease))
    if isinstance(reply.error, TokenLockTimeoutError):
        state.note("waited", reason="timeout", seconds=state.monotonic - started)
    if reply.error is not None:
        raise reply.error
    state.note("waited", reason="lock", seconds=state.monotonic - started)
    state.lease_end = reply.value


def _acquire_or_adopt(state: State, early: bool) -> Generator[Step, Reply, Outcome | None]:
    started = state.monotonic
    while True:
        slice_ = max(SLICE, min(LONGEST_SLICE, (state.monotonic - started) / 2))
        wait = 0.0 if early else slice_
        reply = yield from _do(state, Lock(wait, state.policy.lease))
        if reply.error is None:
            state.note("waited", reason="lock", seconds=state.monotonic - started)
            state.lease_end = reply.value
            return None
        # A token that expired, or was refused in another thread, serves nobody any more: from here
        # on this caller waits as all do.
        early = early and _still_held(state)
        if early or not isinstance(reply.error, TokenLockTimeoutError):
            raise reply.error
        found = yield from _load(state)
        waited = state.monotonic - started
        if adopted := state.adopt(found.token):
            state.note("waited", reason="adopted", seconds=waited)
            return adopted
        if waited >= state.policy.lock_wait:
            state.note("waited", reason="timeout", seconds=waited)
            raise TokenLockTimeoutError(
                f"another program has held the lock of this token for {waited:.0f} s without "
                "saving a new one. That holder may be suspended or blocked (a debugger, "
                "a blocking call in an event loop): resume it or stop it, or raise "
                "lock_timeout"
            ) from reply.error


def _read_locked(state: State) -> Generator[Step, Reply, Found]:
    """Reads the store once more, under the lock: another may have refreshed the token before.

    Corrupt content is moved aside, if it stays the same: it is not just being written.
    """
    found = yield from _load(state)
    before = None
    for look in range(ROUNDS):
        if found.corrupt is None:
            return found
        before = found.corrupt.revision
        yield from _do(state, Pause(SECOND_LOOK))
        found = yield from _load(state)
        if look > 0 and found.corrupt is not None and found.corrupt.revision == before:
            break
    corrupt = found.corrupt
    if corrupt is None:
        return found
    if corrupt.revision is None or corrupt.revision != before:
        raise corrupt  # it must be left where it is, or somebody is writing it
    if not state.may_move_aside():
        return found
    reply = yield from _do(state, Remove(corrupt.revision))
    if isinstance(reply.error, TokenConflictError):
        found = yield from _load(state)
        if found.corrupt is not None:
            raise found.corrupt  # not to be taken for an empty store
        return found
    if reply.error is not None:
        raise reply.error
    state.note("quarantined", error=corrupt)
    return Found(None)


def _request(
    state: State, refresh: Any, stored: Token | None, why: str
) -> Generator[Step, Reply, Token | None]:
    """A fresh token in place of ``stored``; None if the server rejected the refresh token.

    ``why`` the secret is sent, if there is no refresh token: for events and errors.
    """
    by_api = refresh is None and state.caused_by_api(stored)
    for attempt in (1, 2):
        sent_at, started = state.wall, state.monotonic
        sign_ins = state.recent_sign_ins(stored)
        if by_api:
            sign_ins = _count_sign_in(state, sign_ins)
        reply = yield from _do(state, Request(refresh))
        error = reply.error
        if error is None:
            try:
                token = _issued(state, reply.value, refresh, sent_at, sign_ins)
            except GrantError as invalid:
                error = invalid
            else:
                state.doubt = None
                state.note_issued(token, refresh, state.monotonic - started, why)
                if refresh is None:
                    state.renew_trust(token)
                return token
        if by_api and isinstance(error, GrantError) and not error.sent:
            state.sign_ins[:] = sign_ins[:-1]  # no secret was sent
        if isinstance(error, GrantError) and error.busy:
            raise error
        state.note_not_issued(error, refresh, state.monotonic - started)
        if refresh is not None and _refused_for_good(state, error, refresh):
            state.dead.add(refresh)
            state.rejection = str(error)
            return None
        if not _is_worth_a_second_try(error) or attempt == 2 or state.lease_is_short():
            raise _with_reason(state, error, refresh, why)
    raise AssertionError("not reached")


def _refused_for_good(state: State, error: Exception, refresh: Any) -> bool:
    return isinstance(error, GrantError) and state.believes_refusal(error, refresh)


def _is_worth_a_second_try(error: Exception) -> bool:
    """Not where the server asks to wait."""
    return isinstance(error, GrantError) and error.reason == "transient" and not error.retry_after


def _with_reason(state: State, error: Exception, refresh: Any, why: str) -> Exception:
    """Says of a sign-in that failed why it was needed."""
    if refresh is None and isinstance(error, GrantError):
        error.why = why
        error.rejected_by = state.rejection if why == "rejected" else None
    return error


def _count_sign_in(state: State, sign_ins: list[float]) -> list[float]:
    """Counts a sign-in that 401s of the API cause, before it is sent.

    Raises:
        GrantError: There were too many.
    """
    if _are_used_up(sign_ins):
        raise _too_many_sign_ins()
    counted = [*sign_ins, state.wall][-MOST_SIGN_INS:]
    state.sign_ins[:] = counted
    return counted


def _are_used_up(sign_ins: list[float]) -> bool:
    """401s of the API have caused as many sign-ins as they may in a minute.

    A server in need answers 401 to everyone, and the client secret must not go out for each call.
    """
    return len(sign_ins) >= MOST_SIGN_INS


def _too_many_sign_ins() -> GrantError:
    error = _TooManySignIns(
        f"401 responses of the API made this client sign in {MOST_SIGN_INS} times within a minute, "
        "so the client secret is not sent again for now; check that this client may use the API, "
        "and the API's status"
    )
    error.sent = False
    return error


def _save(
    state: State, token: Token, expected: str | None, origin: Origin
) -> Generator[Step, Reply, Outcome]:
    error: Exception | None = None
    for _ in range(ROUNDS):
        if state.may_write():
            reply = yield from _do(state, Save(token, expected))
            if reply.error is None:
                state.note("saved", token)
                state.unsaved = None
                return Outcome(token, origin, state.held)
            error = reply.error
            if not isinstance(error, TokenConflictError):
                break
            state.note("conflict", token, error=error)
        else:
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
            state.note("discarded", token, reason="removed")
            state.forget()
            return Outcome(token, origin, None)
        if stored is not None and stored.revision != expected:
            if adopted := state.adopt(stored):
                return adopted
            expected = stored.revision
    state.keep_unsaved(token, expected, error or TokenConflictError("it changed each time"))
    return Outcome(token, origin, state.held)


def _save_now(
    state: State, token: Token, expected: str | None
) -> Generator[Step, Reply, Exception | None]:
    """One save under the lock, if the lock is still held or is not needed; returns its error."""
    if not state.may_write():
        return TokenLockTimeoutError("the lock's lease expired before the token was saved")
    reply = yield from _do(state, Save(token, expected))
    return reply.error


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


def _carry_on(state: State, error: Exception, early: bool) -> Outcome:
    """Goes on with a token that still works, in spite of ``error``; else raises that."""
    busy = isinstance(error, TokenLockTimeoutError)
    fresh = state.failure is not error
    window = max(state.policy.failure_window, _asked_to_wait(error))
    # A wait that the server asked for outlasts other failures meanwhile.
    if fresh and not (early and busy) and not _is_waiting(state):
        state.failure = error
        state.failure_until = state.monotonic + window
    held = state.held
    if not early or held is None or not _still_held(state):
        state.reinstate()
        if fresh:
            state.note("renewal_failed", error=error)
        raise error
    pause = BUSY_PAUSE if busy else window
    if fresh and not busy:
        state.note("renewal_postponed", held.token, error=error)
    state.postpone(state.monotonic + pause)
    return Outcome(held.token, "adopted", state.held)


def _asked_to_wait(error: Exception) -> float:
    """Seconds that the server wants no further token request for."""
    asked = error.retry_after if isinstance(error, GrantError) else None
    return min(asked, MOST_RETRY_AFTER) if asked is not None and asked > 0 else 0.0


def _is_waiting(state: State) -> bool:
    """The server has asked for no further request yet."""
    failure = state.failure
    return failure is not None and _asked_to_wait(failure) > 0 and _in_window(state)


def _in_window(state: State) -> bool:
    return state.failure is not None and state.monotonic < state.failure_until


def _still_held(state: State) -> bool:
    return state.held is not None and state.held.alive(state.monotonic, state.wall)


def _check_failure(state: State) -> None:
    """For a while after a failed token request none is sent."""
    if state.failure is not None and _in_window(state):
        raise state.failure.with_traceback(None)


def _due(state: State) -> bool:
    held = state.held
    if held is None or held.expires_at is None:
        return held is None
    return held.due(state.monotonic, state.wall)


def _issued(
    state: State, answer: Mapping[str, Any], refresh: Any, sent_at: float, sign_ins: list[float]
) -> Token:
    answer = _with_refresh_token(answer, refresh)
    try:
        return Token.issued(
            answer, identity_key=state.identity_key, obtained_at=sent_at, sign_ins=sign_ins
        )
    except ValueError as error:
        problem = str(error)
    except RecursionError:
        problem = "it is nested too deeply"
    raise GrantError(f"the token response is not valid: {problem}")


def _with_refresh_token(answer: Mapping[str, Any], refresh: Any) -> Mapping[str, Any]:
    """RFC 6749 section 6: if a refresh brings no new refresh token, the old one stays valid."""
    if refresh is None or answer.get("refresh_token"):
        return answer
    return TokenObject({**answer, "refresh_token": refresh.reveal()})


def _rejected(error: Exception) -> bool:
    return isinstance(error, GrantError) and error.reason == "rejected"
