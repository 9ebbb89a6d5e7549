"""Token requests: what is sent, and what the response means (RFC 6749; facts of the wire)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flex_integration_sdk._endpoints.endpoint import REVOKE_PATH, TOKEN_PATH
from flex_integration_sdk.config import SCOPE, Settings
from flex_integration_sdk.errors import (
    AuthenticationError,
    RateLimitedError,
    ServerError,
    TransportError,
)
from flex_tokenstore import Secret, Token
from flex_tokenstore.embedding import is_page, is_refusal, json_object, retry_after
from flex_tokenstore.errors import GrantError, GrantReason

from .origin import BETWEEN
from .query import form


class AuthRequest(NamedTuple):
    """A form to post; its body is secret."""

    url: str
    body: Secret[str]
    token: Token | None = None


class AuthAnswer(NamedTuple):
    """The response to an :class:`AuthRequest`."""

    status: int
    body: Secret[bytes]
    retry_after: str | None = None
    content_type: str = ""
    headers: Mapping[str, str] = {}


# No client_secret and no scope, as in the official SDK: a refresh must not send the secret.
def refresh_request(settings: Settings, refresh_token: Secret[str]) -> AuthRequest:
    return AuthRequest(
        settings.base_url + TOKEN_PATH,
        Secret(
            form(
                {
                    "client_id": settings.client_id,
                    "grant_type": "refresh_token",
                    "refresh_token": refresh_token.reveal(),
                }
            )
        ),
    )


def sign_in_request(settings: Settings, secret: Secret[str]) -> AuthRequest:
    return AuthRequest(
        settings.base_url + TOKEN_PATH,
        Secret(
            form(
                {
                    "client_id": settings.client_id,
                    "client_secret": secret.reveal(),
                    "grant_type": "client_credentials",
                    "scope": SCOPE,
                }
            )
        ),
    )


def revoke_request(settings: Settings, token: Token) -> AuthRequest:
    # The server revokes by the refresh token. The access token only authorizes the request.
    refresh = token.refresh_token or Secret("")
    return AuthRequest(
        settings.base_url + REVOKE_PATH, Secret(form({"token": refresh.reveal()})), token
    )


def read_token(request: AuthRequest, answer: AuthAnswer, *, refreshing: bool) -> Mapping[str, Any]:
    """The token object of a token response.

    Raises:
        AuthenticationError: The server refuses, or issued something else than a bearer token.
        ServerError: It failed (5xx).
        RateLimitedError: It answered 429.
        TransportError: The response is not the token endpoint's.
    """
    host = urlsplit(request.url).netloc
    if not 200 <= answer.status < 300:
        error = _refusal(host, answer, refreshing=refreshing)
        error.retry_after = retry_after(answer.retry_after)
        raise error
    token = json_object(answer.body)
    if token is None or not isinstance(token.get("access_token"), str):
        advice = BETWEEN if _is_page(answer) else "a proxy may have responded"
        raise TransportError(
            f"{host} responded to the token request with something that is not a token: base_url "
            f"may be wrong, or {advice}"
        )
    # RFC 6749 section 5.1 requires token_type, in any case. Without one it can only be a bearer
    # token: to refuse it would lose the refresh token that came with it.
    kind = token.get("token_type")
    if kind is not None and (not isinstance(kind, str) or kind.strip().lower() != "bearer"):
        raise AuthenticationError(
            f"Unknown token type: {_shown_kind(kind)} (from {host}); only bearer tokens can be "
            "used. Nothing was saved; check that base_url is the Integration API's",
            status=answer.status,
        )
    return token


def read_revocation(request: AuthRequest, answer: AuthAnswer) -> None:
    """Raises unless the token was revoked; ``reason="rejected"``: the access token was refused."""
    if 200 <= answer.status < 300:
        return
    error = _not_revoked(urlsplit(request.url).netloc, answer)
    error.retry_after = retry_after(answer.retry_after)
    raise error


def _not_revoked(host: str, answer: AuthAnswer) -> GrantError:
    status = answer.status
    if status == 429:
        return _rate_limited(host, REVOKE_PATH, answer)
    when = _when(answer)
    text = (
        f"{host} did not revoke the token: HTTP {status}; the stored token is kept, try again "
        f"{when}"
    )
    if status >= 500:
        return _server_failed(text, REVOKE_PATH, status)
    reason: GrantReason = "failed"
    if status == 401:
        reason = "rejected" if is_refusal(answer.content_type, answer.body) else "doubtful"
    if _is_page(answer) or reason == "doubtful":
        text += f". {BETWEEN[0].upper()}{BETWEEN[1:]}"
    return AuthenticationError(text, reason=reason, status=status)


def _refusal(host: str, answer: AuthAnswer, *, refreshing: bool) -> GrantError:
    status, code = answer.status, _error_code(answer)
    said = f"HTTP {status}" + (f", {code}" if code and _NAME.fullmatch(code) else "")
    # Before the reasons: a limit says nothing about the token.
    if status == 429:
        return _rate_limited(host, TOKEN_PATH, answer)
    if status >= 500:
        return _server_failed(
            f"{host} could not process the token request: {said}; {_remedy(answer)}",
            TOKEN_PATH,
            status,
        )
    reason = _reason(answer, code) if refreshing else "failed"
    if reason == "rejected":
        text = f"{host} rejected the refresh token: {said}"
    elif reason == "doubtful":
        text = (
            f"the token request to {host} was refused with {said}, but not in the form that the "
            f"token endpoint uses: {BETWEEN}. The refresh token is kept; check the network"
        )
    else:
        text = f"{host} refused the token request: {said}; {_remedy(answer)}"
    # Only what looks like an error code: an attribute is printed as easily as a message.
    shown = code if code and _NAME.fullmatch(code) else None
    return AuthenticationError(text, reason=reason, status=status, code=shown)


def _reason(answer: AuthAnswer, code: str | None) -> GrantReason:
    """What a refusal means for the refresh token that was sent."""
    if answer.status == 400 and code == "invalid_grant":
        return "rejected"
    if answer.status != 401 or code == "invalid_client":
        return "failed"
    return "rejected" if is_refusal(answer.content_type, answer.body) else "doubtful"


def _remedy(answer: AuthAnswer) -> str:
    if answer.status == 511:  # RFC 6585 section 6: a captive portal
        return "this network requires that you first sign in to it, in a browser"
    if answer.status >= 500:
        return f"try again {_when(answer)}"
    if answer.status == 403 and _error_code(answer) == "refused_by_sandbox":
        return (
            "the sandbox prints the reason on its own stderr (to allow another host name, start it "
            "with --allow-host NAME)"
        )
    if answer.status == 407:
        return "the proxy requires a user name and a password: check the proxy's address"
    if _is_page(answer):
        return f"{BETWEEN}, or base_url may be wrong"
    code = _error_code(answer)
    if answer.status in (404, 405) or (answer.status != 401 and code is None):
        # Not of the token endpoint: a redirect, an unknown path or a proxy's page.
        return "base_url may be wrong, or a proxy may have responded"
    if answer.status == 401 and not is_refusal(answer.content_type, answer.body):
        return f"this is not the form that the token endpoint uses: {BETWEEN}"
    return _BY_CODE.get(code or "", "check client_id and client_secret")


_WRONG_TYPE = "check in Console that the application is of type Integration API"
# What the server says besides, in error_description, is not shown: it may quote what was sent.
_BY_CODE = {
    "invalid_request": "a proxy may have changed the request, or this version of the SDK is too "
    "old for the server",
    "invalid_scope": _WRONG_TYPE,
    "unauthorized_client": _WRONG_TYPE,
    "unsupported_grant_type": _WRONG_TYPE,
}
_NAME = re.compile(r"[a-z][a-z_.-]{1,39}")
"""An error code of RFC 6749 or of a server's own. What does not look like one is not shown: it may
be anything, a token too."""
# Names from specifications. Anything else in that place may be a piece of a token.
_TOKEN_TYPES = frozenset({"mac", "dpop", "pop", "n_a"})


def _error_code(answer: AuthAnswer) -> str | None:
    body = json_object(answer.body)
    found = None if body is None else body.get("error")
    return found if isinstance(found, str) and len(found) < 60 else None


def _shown_kind(kind: object) -> str:
    if isinstance(kind, str):
        return kind if kind.lower() in _TOKEN_TYPES else "one that is not shown here"
    return f"a JSON value of type {type(kind).__name__}"


def _is_page(answer: AuthAnswer) -> bool:
    return is_page(answer.content_type, answer.body.reveal())


def _when(answer: AuthAnswer) -> str:
    wait = retry_after(answer.retry_after)
    return "later" if wait is None else f"in {wait:g} s"


def _server_failed(text: str, path: str, status: int) -> ServerError:
    error = ServerError(text, status=status, method="POST", path=path)
    error.reason = "transient"
    return error


def _rate_limited(host: str, path: str, answer: AuthAnswer) -> RateLimitedError:
    return RateLimitedError(
        f"{host} refused the token request: HTTP 429, too many requests; try again {_when(answer)}",
        status=answer.status,
        method="POST",
        path=path,
    )
