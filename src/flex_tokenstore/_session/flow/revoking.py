"""Revoking the token at the server, and removing it from the store."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from flex_tokenstore._values.token import ANY_REVISION
from flex_tokenstore.errors import GrantError, TokenConflictError, TokenCorruptError

from . import backoff, held_token, locking, reading, replica, requesting, saving, unsaved_token
from .reading import Found
from .steps import Pause, Prepare, Remove, Reply, Revoke, Step, do, must

if TYPE_CHECKING:
    from flex_tokenstore._values.token import Token

    from .state import State


def revoke(state: State) -> Generator[Step, Reply, bool]:
    """Revokes and removes the token; True if the server revoked one. Never signs in."""
    replica.refuse(state, "revoke")
    yield from locking.acquire(state)
    found = yield from reading.load(state)
    if found.corrupt is not None:
        yield from do(state, Pause(reading.SECOND_LOOK))  # it may be being written
        found = yield from reading.load(state)
    if found.corrupt is not None:
        _refuse_what_others_can_read(found.corrupt)
        # What cannot be read cannot be sent to the server.
        yield from must(state, Remove(ANY_REVISION))
        state.note("removed", reason="revoke")
        held_token.forget(state)
        return False
    stored = found.token
    unsaved_token.settle(state, found.revision)
    token = state.unsaved.token if state.unsaved is not None else stored
    revoked = False
    if token is not None and token.refresh_token is not None:
        revoked, stored = yield from _revoke(state, token, stored)
    reply = yield from _remove_revoked(state, stored)
    if reply.error is not None and not isinstance(reply.error, TokenConflictError):
        raise reply.error
    # Another program has stored a token meanwhile, which was not revoked: it stays.
    if reply.error is not None:
        state.note("conflict", stored, error=reply.error)
    elif stored is not None:
        state.note("removed", stored, reason="revoke")
    held_token.forget(state)
    return revoked


def _refuse_what_others_can_read(corrupt: TokenCorruptError) -> None:
    """Raises for content whose ``reason`` the store tells, such as a key that is not known here.

    It may be a token that lives on at the server: removed, it could not be revoked by anybody.
    """
    if corrupt.reason is not None:
        raise corrupt


def _remove_revoked(state: State, stored: Token | None) -> Generator[Step, Reply, Reply]:
    """Removes the token that was read or, if another one is there, the one that was not saved:
    its save reported an error, but may have been done."""
    reply = yield from do(state, Remove(None if stored is None else stored.revision))
    unsaved = state.unsaved
    if isinstance(reply.error, TokenConflictError) and unsaved is not None:
        reply = yield from do(state, Remove(unsaved.token.revision))
    return reply


def remove(state: State) -> Generator[Step, Reply, None]:
    """Removes the token from the store, whatever it is, and from memory."""
    replica.refuse(state, "remove")
    # A refresh under way elsewhere would save its token after the removal.
    yield from locking.acquire(state)
    yield from must(state, Remove(ANY_REVISION))
    state.note("removed", reason="remove")
    held_token.forget(state)


def _revoke(
    state: State, token: Token, stored: Token | None
) -> Generator[Step, Reply, tuple[bool, Token | None]]:
    reply = yield from do(state, Revoke(token))
    if reply.error is None:
        state.note("revoked", token)
        return True, stored
    refresh = token.refresh_token
    if refresh is None or not _rejected(reply.error):
        raise reply.error
    refused = reply.error
    if backoff.is_waiting(state):
        backoff.check_failure(state)
    # A refresh uses up the stored refresh token: docs/decisions/011.
    yield from must(state, Prepare(Found(stored).revision))
    if state.lease_is_short():
        raise GrantError(
            "the access token was not accepted, and too little of the lock's lease is left to "
            "refresh it; revoke again"
        ) from refused
    try:
        fresh = yield from requesting.request(state, refresh, stored, "")
    except GrantError as error:
        raise refused from error
    if fresh is None:
        return False, stored  # both tokens are dead already: there is nothing left to revoke
    stored = yield from _save_before_revoking(state, fresh, stored)
    reply = yield from do(state, Revoke(fresh))
    if reply.error is not None:
        # The server has rotated: this is the only pair that works, and it was not revoked.
        held_token.hold(state, fresh)
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
    error = yield from saving.save_now(state, fresh, expected)
    if error is not None:
        unsaved_token.keep(state, fresh, expected, error)
        return stored
    state.note("saved", fresh)
    state.unsaved = None
    return fresh


def _rejected(error: Exception) -> bool:
    return isinstance(error, GrantError) and error.reason == "rejected"
