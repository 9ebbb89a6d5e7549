"""What follows from a 401 of the API: which token is refused, and which 401 is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import held_token
from .state import MINUTE, Outcome

if TYPE_CHECKING:
    from flex_tokenstore._values.secret import Secret
    from flex_tokenstore._values.token import Token

    from .state import Origin, State

# A 401 that a fresh sign-in did not help against is believed so many seconds, for its endpoint.
BELIEVED = 60.0
# In a minute: refreshes of one session that only 401s of the API caused.
MOST_FRUITLESS = 6


def refuse(state: State, token: Token, origin: Origin, monotonic: float, wall: float) -> None:
    """The API answered 401 to ``token``, which the call got by ``origin``."""
    state.refused.add(token.access_token)
    held = state.held
    if held is not None and held.token.access_token == token.access_token:
        state.held, state.benched = None, held
        # A 401 for an expired token says nothing about its refresh token.
        if origin == "refreshed" and held.alive(monotonic, wall):
            state.fruitless[:] = [*state.fruitless[1 - MOST_FRUITLESS :], monotonic]
            if token.refresh_token is not None:
                state.spent.add(token.refresh_token)


def believes(state: State, endpoint: str, monotonic: float) -> bool:
    """This endpoint's 401 is not the token's fault."""
    return monotonic < state.believed.get(endpoint, 0.0)


def believe(state: State, endpoint: str, monotonic: float) -> None:
    """No better token can be obtained: for a while this endpoint's 401 is passed on."""
    # Copied first, since other threads change it. Without this it would grow with each endpoint:
    # their names may be addresses with ids in them.
    for each, until in list(state.believed.items()):
        if until <= monotonic:
            state.believed.pop(each, None)
    state.believed[endpoint] = monotonic + BELIEVED


def refreshes_in_vain(state: State, monotonic: float) -> bool:
    """So often in the last minute that another refresh would not help either."""
    recent = [at for at in state.fruitless if monotonic - at < MINUTE]
    return len(recent) >= MOST_FRUITLESS


def spend(state: State, refresh: Secret[str], token: Token) -> None:
    """The server repeats an access token that the API refused (a cache before it, perhaps):
    these refresh tokens are of no use."""
    state.spent.add(refresh)
    if token.refresh_token is not None:
        state.spent.add(token.refresh_token)


def reinstate(state: State) -> None:
    """No better token could be obtained: the one that the API refused serves those endpoints
    that take it."""
    held, state.benched = state.benched, None
    if state.held is None and held is not None and held.alive(state.monotonic, state.wall):
        state.refused.discard(held.token.access_token)
        if held.token.refresh_token is not None:
            state.spent.discard(held.token.refresh_token)
        state.held = held


def settle_for(state: State, token: Token) -> Outcome:
    """Goes on with a token that the API refused: no other token is better, and other endpoints
    may take it."""
    state.refused.discard(token.access_token)
    if token.refresh_token is not None:
        state.spent.discard(token.refresh_token)
    state.failure = None
    return Outcome(token, "adopted", held_token.hold(state, token), final=True)
