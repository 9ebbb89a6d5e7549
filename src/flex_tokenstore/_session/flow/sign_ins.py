"""Sign-ins that 401s of the API cause, and how many there may be.

A server in need answers 401 to everyone, and the client secret must not go out for each call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flex_tokenstore.errors import GrantError

from .state import CLOCK_SKEW, MINUTE

if TYPE_CHECKING:
    from flex_tokenstore._values.token import Token

    from .state import State

MOST_SIGN_INS = 6  # in a minute, of one identity


def caused_by_api(state: State, stored: Token | None) -> bool:
    """A sign-in now is due to a 401 of the API, and not to an empty store or to time."""
    pending = state.unsaved.token if state.unsaved is not None else None
    # The last one is all that is known of a store that is down by now.
    benched = state.benched.token if state.benched is not None else None
    tokens = (pending, stored, benched)
    return any(token is not None and token.access_token in state.refused for token in tokens)


def recent(state: State, stored: Token | None) -> list[float]:
    """Wall times of what ``State.sign_ins`` means, of other processes too, in the last minute."""
    # If the store is down by now: what the last token from it says.
    tokens = [stored, *(held.token for held in (state.held, state.benched) if held is not None)]
    known = _known(state, [token for token in tokens if token is not None])
    # Clocks of hosts differ: what seems to be of the near future counts too.
    return sorted(at for at in known if -CLOCK_SKEW <= state.wall - at < MINUTE)[-MOST_SIGN_INS:]


def _known(state: State, tokens: list[Token]) -> set[float]:
    """Those of this process, and those of other programs, which wrote them into the tokens
    that they stored."""
    return {*state.sign_ins, *(at for token in tokens for at in token.sign_ins)}


def count(state: State, sign_ins: list[float]) -> list[float]:
    """Counts a sign-in that 401s of the API cause, before it is sent.

    Raises:
        GrantError: There were too many.
    """
    if _are_used_up(sign_ins):
        raise _too_many()
    counted = [*sign_ins, state.wall][-MOST_SIGN_INS:]
    state.sign_ins[:] = counted
    return counted


def _are_used_up(sign_ins: list[float]) -> bool:
    """401s of the API have caused as many sign-ins as they may in a minute."""
    return len(sign_ins) >= MOST_SIGN_INS


class TooManySignIns(GrantError):
    """See MOST_SIGN_INS."""


def _too_many() -> GrantError:
    error = TooManySignIns(
        f"401 responses of the API made this client sign in {MOST_SIGN_INS} times within a minute, "
        "so the client secret is not sent again for now; check that this client may use the API, "
        "and the API's status"
    )
    error.sent = False
    return error
