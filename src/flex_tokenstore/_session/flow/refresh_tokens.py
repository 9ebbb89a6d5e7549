"""Refresh tokens: which one to use next, and which are of no use any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flex_tokenstore._values.secret import Secret
    from flex_tokenstore._values.token import Token
    from flex_tokenstore.errors import GrantError

    from .state import State

# Refusals of a refresh token that may be a gateway's: so many, over so many seconds, are believed.
DOUBTS = 3
DOUBTED = 60.0


def choose(state: State, stored: Token | None) -> Secret[str] | None:
    """The refresh token to use next; None: only the client credentials are left."""
    pending = state.unsaved.token if state.unsaved is not None else None
    # The pending one first: the stored one was used up for it.
    for token in (pending, stored):
        refresh = token.refresh_token if token is not None else None
        if refresh is not None and refresh not in state.dead and refresh not in state.spent:
            return refresh
    return None


def believes_refusal(state: State, error: GrantError, refresh: Secret[str]) -> bool:
    """Whether this token request's failure is the server's refusal of the refresh token.

    One that somebody else may have given ("doubtful") counts once nothing else has come for a
    minute and three tries, so that nobody is locked out for good.
    """
    if error.reason == "rejected":
        return True
    if error.reason != "doubtful":
        state.doubt = None
        return False
    since, times = state.monotonic, 0
    if state.doubt is not None and state.doubt[0] == refresh:
        _, since, times = state.doubt
    state.doubt = (refresh, since, times + 1)
    return times + 1 >= DOUBTS and state.monotonic - since >= DOUBTED


def renew_trust(state: State, token: Token) -> None:
    """A sign-in brought ``token``: its refresh token is as good as new, even if it is one that
    was of no use before. There are servers that have one for each client."""
    if token.refresh_token is not None:
        state.dead.discard(token.refresh_token)
        state.spent.discard(token.refresh_token)


def why_sign_in(state: State, stored: Token | None) -> str:
    """Why :func:`choose` found no refresh token."""
    pending = state.unsaved.token if state.unsaved is not None else None
    tokens = [token for token in (pending, stored) if token is not None]
    if any(token.refresh_token is not None for token in tokens):
        return "rejected"
    return "no_refresh_token" if tokens else "empty"
