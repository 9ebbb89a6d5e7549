"""A token request: with the refresh token, or with the client secret."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

from flex_tokenstore._values.token import Token, TokenObject
from flex_tokenstore.errors import GrantError

from . import refresh_tokens, sign_ins
from .steps import Reply, Request, Step, do

if TYPE_CHECKING:
    from flex_tokenstore._values.secret import Secret

    from .state import State


def request(
    state: State, refresh: Any, stored: Token | None, why: str
) -> Generator[Step, Reply, Token | None]:
    """A fresh token in place of ``stored``; None if the server rejected the refresh token.

    ``why`` the secret is sent, if there is no refresh token: for events and errors.
    """
    by_api = refresh is None and sign_ins.caused_by_api(state, stored)
    # Policy.lease has room for two tries.
    for attempt in (1, 2):
        sent_at, started = state.wall, state.monotonic
        counted = sign_ins.recent(state, stored)
        if by_api:
            counted = sign_ins.count(state, counted)
        reply = yield from do(state, Request(refresh))
        error = reply.error
        if error is None:
            try:
                token = _issued(state, reply.value, refresh, sent_at, counted)
            except GrantError as invalid:
                error = invalid
            else:
                state.doubt = None
                _note_issued(state, token, refresh, state.monotonic - started, why)
                if refresh is None:
                    refresh_tokens.renew_trust(state, token)
                return token
        if by_api and isinstance(error, GrantError) and not error.sent:
            state.sign_ins[:] = counted[:-1]  # no secret was sent
        # Not a failure: the caller waits for a connection without the lock.
        if isinstance(error, GrantError) and error.busy:
            raise error
        _note_not_issued(state, error, refresh, state.monotonic - started)
        if refresh is not None and _refused_for_good(state, error, refresh):
            state.dead.add(refresh)
            state.rejection = str(error)
            return None
        if not _is_worth_a_second_try(error) or attempt == 2 or state.lease_is_short():
            raise _with_reason(state, error, refresh, why)
    raise AssertionError("not reached")


def _refused_for_good(state: State, error: Exception, refresh: Any) -> bool:
    return isinstance(error, GrantError) and refresh_tokens.believes_refusal(state, error, refresh)


def _is_worth_a_second_try(error: Exception) -> bool:
    """Not where the server asks to wait."""
    return isinstance(error, GrantError) and error.reason == "transient" and not error.retry_after


def _with_reason(state: State, error: Exception, refresh: Any, why: str) -> Exception:
    """Says of a sign-in that failed why it was needed."""
    if refresh is None and isinstance(error, GrantError):
        error.why = why
        error.rejected_by = state.rejection if why == "rejected" else None
    return error


def _issued(
    state: State, answer: Mapping[str, Any], refresh: Any, sent_at: float, counted: list[float]
) -> Token:
    answer = _with_refresh_token(answer, refresh)
    try:
        return Token.issued(
            answer, identity_key=state.identity_key, obtained_at=sent_at, sign_ins=counted
        )
    except ValueError as error:
        problem = str(error)
    except RecursionError:
        problem = "it is nested too deeply"
    # Not in the handlers above: their exceptions would be its context, with frames that hold
    # the response (docs/decisions/018).
    raise GrantError(f"the token response is not valid: {problem}")


def _with_refresh_token(answer: Mapping[str, Any], refresh: Any) -> Mapping[str, Any]:
    """RFC 6749 section 6: if a refresh brings no new refresh token, the old one stays valid."""
    if refresh is None or answer.get("refresh_token"):
        return answer
    return TokenObject({**answer, "refresh_token": refresh.reveal()})


def _note_issued(
    state: State, token: Token, refresh: Secret[str] | None, seconds: float, why: str
) -> None:
    """Notes that the server issued ``token`` for ``refresh`` or, without one, the secret."""
    if refresh is not None:
        state.note("refreshed", token, seconds=seconds, grant_type="refresh_token")
        return
    grant: Any = {"grant_type": "client_credentials", "secret_sent": True}
    state.note("signed_in", token, reason=why, seconds=seconds, **grant)


def _note_not_issued(
    state: State, error: Exception, refresh: Secret[str] | None, seconds: float
) -> None:
    """Notes that a token request failed."""
    reason = error.reason if isinstance(error, GrantError) else "failed"
    sent = error.sent if isinstance(error, GrantError) else True
    state.note(
        "refresh_rejected" if reason == "rejected" and refresh is not None else "request_failed",
        reason=reason if sent else "not_sent",
        seconds=seconds,
        grant_type="client_credentials" if refresh is None else "refresh_token",
        secret_sent=sent and refresh is None,
        error=error,
    )
