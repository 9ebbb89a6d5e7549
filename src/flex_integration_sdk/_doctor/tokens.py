"""Checks of the stored token: whether there is one, how old it is, and when it expires."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flex_tokenstore import Token

from .checks import check
from .finding import Outcome, SkipCheck, error, ok, warning
from .ground import Ground
from .words import span

OLD = 30 * 86400.0  # seconds; refresh tokens live "days to months" by the API's documentation
AHEAD = 60.0  # seconds by which two clocks may differ


@check("token.present")
def present(ground: Ground) -> Iterator[Outcome]:
    """Whether a token of this client is stored."""
    if ground.token is None:
        yield ok(
            f"No token of {ground.settings.client_id} is stored in {ground.store.place}: the first "
            "call signs in"
        )
    else:
        yield ok(f"A token of {ground.settings.client_id} is stored in {ground.store.place}")


@check("token.age")
def age(ground: Ground) -> Iterator[Outcome]:
    """When it was obtained."""
    token = _stored(ground)
    if token.obtained_at is None:
        yield ok("When the token was obtained is not known: another program stored it")
        return
    seconds = time.time() - token.obtained_at
    if seconds < -AHEAD:
        yield warning(
            f"The token was obtained {span(-seconds)} in the future, by the clock of this host",
            "Set the clock of this host, or of the one that saved the token: `timedatectl` shows "
            "whether it is synchronised",
        )
    elif seconds > OLD:
        yield warning(
            f"The token was obtained {span(seconds)} ago and not refreshed since: the server may "
            "not accept its refresh token any more",
            "Run `flex-sdk doctor --online`, which tries it; if it is refused, a sign-in needs the "
            "client secret",
        )
    else:
        yield ok(f"The token was obtained {span(max(0.0, seconds))} ago")


@check("token.expiry")
def expiry(ground: Ground) -> Iterator[Outcome]:
    """When it expires, and what happens then."""
    token = _stored(ground)
    if token.expires_at is None:
        yield ok("When the access token expires is not known: it is used until it is refused")
        return
    left = token.expires_at - time.time()
    if left > 0:
        yield ok(f"The access token expires in {span(left)}")
    elif token.refresh_token is not None:
        yield ok(f"The access token expired {span(-left)} ago; the next call refreshes it")
    elif ground.settings.secret_source is not None:
        yield ok(
            f"The access token expired {span(-left)} ago and has no refresh token; the next call "
            "signs in with the client secret"
        )
    else:
        yield error(
            f"The access token expired {span(-left)} ago, it has no refresh token, and no client "
            "secret is configured: no call can be made",
            "Set FLEX_INTEGRATION_CLIENT_SECRET_FILE, or use --client-secret-file FILE",
        )


CHECKS = (present, age, expiry)


def _stored(ground: Ground) -> Token:
    if ground.token is None:
        raise SkipCheck("No token is stored yet.")
    return ground.token
