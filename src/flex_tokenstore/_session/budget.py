"""One API call's tokens: which it has tried, and when a 401 is to be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .flow import refusals

if TYPE_CHECKING:
    from .._values.secret import Secret
    from .._values.token import Token
    from .flow.state import Origin, Outcome, State

MOST_TOKENS = 3  # that one API call tries after its first


class Budget:
    """What one API call may still try.

    After 401 responses it tries at most three more tokens, one of them refreshed and one signed in
    for; more than one may be adopted: where two programs have different tokens and both expire, one
    of them adopts the other's, and then the one that the other obtained for it. Once the API has
    refused a token just signed in for, the endpoint's 401 is believed for a minute: no token
    request can help, and the secret must not go out for each call. Other endpoints go on with
    that token. Another token in the store ends the belief, as does any other answer.
    """

    def __init__(self, state: State, endpoint: str) -> None:
        self._state = state
        self._endpoint = endpoint
        self._origin: Origin = "adopted"
        self._tried: list[Origin] = []
        self.refused: list[Secret[str]] = []
        self._looked = False
        self._final = False

    def first(self, outcome: Outcome) -> Token:
        self._origin = outcome.origin
        self._final = outcome.final
        return outcome.token

    def accepted(self) -> None:
        """The API answered with something else than 401."""
        if self._state.believed:
            self._state.believed.pop(self._endpoint, None)

    def refuse(self, token: Token, monotonic: float, wall: float) -> Literal["renew", "look", ""]:
        """The API answered 401: obtain another token, only look in the store, or ("") give up."""
        state = self._state
        self.refused.append(token.access_token)
        if refusals.believes(state, self._endpoint, monotonic):
            # Once for a call: while the 401 is believed, only the store may have another token.
            looked, self._looked = self._looked, True
            return "" if looked or len(self._tried) == MOST_TOKENS else "look"
        if self._is_hopeless(monotonic):
            refusals.believe(state, self._endpoint, monotonic)
            return ""
        refusals.refuse(state, token, self._origin, monotonic, wall)
        return "renew"

    def next(self, outcome: Outcome | None, monotonic: float) -> Token | None:
        """The token to try, from what was obtained; None: give up."""
        if outcome is None:
            return None
        if self._is_of_no_use(outcome):
            refusals.believe(self._state, self._endpoint, monotonic)
            return None
        self._tried.append(outcome.origin)
        self._origin = outcome.origin
        return outcome.token

    def _is_of_no_use(self, outcome: Outcome) -> bool:
        """There is no better token than what the API refused, or the call would refresh or sign in
        a second time, or send one token twice."""
        again = outcome.origin != "adopted" and outcome.origin in self._tried
        # The last: the session went back to it meanwhile, since another call's refresh failed.
        return outcome.final or again or outcome.token.access_token in self.refused

    def _is_hopeless(self, monotonic: float) -> bool:
        """No further token is obtained after this 401: it would not help either."""
        return (
            self._final
            or "signed_in" in self._tried
            or len(self._tried) == MOST_TOKENS
            or refusals.refreshes_in_vain(self._state, monotonic)
        )
