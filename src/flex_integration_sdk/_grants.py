"""Token requests: what is sent, and what the answer means (RFC 6749; facts of the wire)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from flex_tokenstore import Secret, Token
from flex_tokenstore._token import TokenObject

from ._endpoints import REVOKE_PATH, TOKEN_PATH
from ._query import form
from ._response import seconds
from .config import PREFIX, SCOPE, Settings
from .errors import AuthenticationError, RateLimitedError, ServerError, TransportError

if TYPE_CHECKING:
    from ._async_http import AsyncHttp
    from ._http import Http


class AuthRequest(NamedTuple):
    """A form to be posted; the body is secret."""

    url: str
    body: Secret[str]
    token: Token | None = None


class AuthAnswer(NamedTuple):
    """The answer to it."""

    status: int
    body: Secret[bytes]
    retry_after: str | None = None


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


def sign_in_request(settings: Settings) -> AuthRequest:
    if settings.client_secret is None:
        error = AuthenticationError(
            "there is no usable token and no client secret to sign in with: pass client_secret=…, "
            f"or set {PREFIX}CLIENT_SECRET or {PREFIX}CLIENT_SECRET_FILE"
        )
        error.sent = False
        raise error
    return AuthRequest(
        settings.base_url + TOKEN_PATH,
        Secret(
            form(
                {
                    "client_id": settings.client_id,
                    "client_secret": settings.client_secret.reveal(),
                    "grant_type": "client_credentials",
                    "scope": SCOPE,
                }
            )
        ),
    )


def revoke_request(settings: Settings, token: Token) -> AuthRequest:
    refresh = token.refresh_token or Secret("")
    return AuthRequest(
        settings.base_url + REVOKE_PATH, Secret(form({"token": refresh.reveal()})), token
    )


def read_token(request: AuthRequest, answer: AuthAnswer, *, refreshing: bool) -> Mapping[str, Any]:
    """The token object of an answer.

    Raises:
        AuthenticationError: The server refuses, or issued something else than a bearer token.
        ServerError: It failed (5xx).
        RateLimitedError: It answered 429.
        TransportError: The answer is not the token endpoint's.
    """
    host = urlsplit(request.url).netloc
    if not 200 <= answer.status < 300:
        raise _refusal(host, answer, refreshing=refreshing)
    token = _object(answer.body)
    if token is None or not isinstance(token.get("access_token"), str):
        raise TransportError(
            f"{host} answered the token request with something else than a token: base_url may be "
            "wrong, or a proxy may have answered"
        )
    kind = token.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise AuthenticationError(
            f"Unknown token type: {str(kind)[:20]} (from {host}); only bearer tokens can be used. "
            "Nothing was saved; check that base_url is the Integration API's",
            status=answer.status,
        )
    return token


def read_revocation(request: AuthRequest, answer: AuthAnswer) -> None:
    """Raises unless the token was revoked; 401 is ``reason="rejected"``."""
    if 200 <= answer.status < 300:
        return
    host = urlsplit(request.url).netloc
    if answer.status == 429:
        raise _rate_limited(host, REVOKE_PATH, answer)
    if answer.status >= 500:
        text = f"{host} did not revoke the token: HTTP {answer.status}; it is kept, try again later"
        raise _server_failed(text, REVOKE_PATH, answer.status)
    raise AuthenticationError(
        f"{host} did not revoke the token: HTTP {answer.status}; it is kept, try again later",
        reason="rejected" if answer.status == 401 else "failed",
        status=answer.status,
    )


class SyncGrants:
    """The grants over HTTP, for a sync session."""

    def __init__(self, settings: Settings, http: Http) -> None:
        self._settings, self._http = settings, http

    def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        request = refresh_request(self._settings, refresh_token)
        return read_token(request, self._http.authenticate(request), refreshing=True)

    def sign_in(self) -> Mapping[str, Any]:
        request = sign_in_request(self._settings)
        return read_token(request, self._http.authenticate(request), refreshing=False)

    def revoke(self, token: Token) -> None:
        request = revoke_request(self._settings, token)
        read_revocation(request, self._http.authenticate(request))

    def abandon(self) -> None:
        """Ends the token requests that are under way; from any thread."""
        self._http.abandon()


class AsyncGrants:
    """The grants over HTTP, for an async session."""

    def __init__(self, settings: Settings, http: AsyncHttp) -> None:
        self._settings, self._http = settings, http

    async def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        request = refresh_request(self._settings, refresh_token)
        return read_token(request, await self._http.authenticate(request), refreshing=True)

    async def sign_in(self) -> Mapping[str, Any]:
        request = sign_in_request(self._settings)
        return read_token(request, await self._http.authenticate(request), refreshing=False)

    async def revoke(self, token: Token) -> None:
        request = revoke_request(self._settings, token)
        read_revocation(request, await self._http.authenticate(request))

    def abandon(self) -> None:
        """Ends the token requests that are under way; from any thread."""
        self._http.abandon()


def _refusal(host: str, answer: AuthAnswer, *, refreshing: bool) -> Exception:
    status, body = answer.status, _object(answer.body)
    found = None if body is None else body.get("error")
    code = found if isinstance(found, str) and len(found) < 60 else None
    said = f"HTTP {status}" + (f", {code}" if code else "")
    if status == 429:
        return _rate_limited(host, TOKEN_PATH, answer)
    if status >= 500:
        return _server_failed(
            f"{host} could not answer the token request: {said}; try again later",
            TOKEN_PATH,
            status,
        )
    invalid_grant = status == 400 and code == "invalid_grant"
    if refreshing and (invalid_grant or (status == 401 and code != "invalid_client")):
        return AuthenticationError(
            f"{host} rejected the refresh token: {said}",
            reason="rejected",
            status=status,
            code=code,
        )
    advice = "check client_id and client_secret"
    if status != 401 and code is None:
        # No OAuth error: a redirect, an unknown path or a proxy's page.
        advice = "base_url may be wrong, or a proxy may have answered"
    return AuthenticationError(
        f"{host} refused the token request: {said}; {advice}", status=status, code=code
    )


def _server_failed(text: str, path: str, status: int) -> ServerError:
    error = ServerError(text, status=status, method="POST", path=path)
    error.reason = "transient"
    return error


def _rate_limited(host: str, path: str, answer: AuthAnswer) -> RateLimitedError:
    wait = seconds(answer.retry_after)
    advice = "later" if wait is None else f"in {wait:g} s"
    error = RateLimitedError(
        f"{host} refused the token request: HTTP 429, too many requests; try again {advice}",
        status=answer.status,
        method="POST",
        path=path,
    )
    error.retry_after = wait
    return error


def _object(body: Secret[bytes]) -> TokenObject | None:
    """The JSON object, which does not print itself; None if it is none."""
    try:
        return TokenObject(json.loads(body.reveal(), object_pairs_hook=TokenObject))
    except (ValueError, TypeError, RecursionError):
        return None
