"""Token requests: what is sent, and what the answer means (RFC 6749; facts of the wire)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from flex_tokenstore import Secret, Token

from ._query import form
from .config import PREFIX, SCOPE, Settings
from .errors import AuthenticationError, TransportError

if TYPE_CHECKING:
    from ._http import AsyncHttp, Http

TOKEN_PATH = "/v1/auth/token"  # noqa: S105 - a path
REVOKE_PATH = "/v1/auth/revoke"


class AuthRequest(NamedTuple):
    """A form to be posted; the body is secret."""

    url: str
    body: Secret[str]
    token: Token | None = None


class AuthAnswer(NamedTuple):
    """The answer to it."""

    status: int
    body: Secret[bytes]


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
        raise AuthenticationError(
            "there is no usable token and no client secret to sign in with: pass client_secret=…, "
            f"or set {PREFIX}CLIENT_SECRET or {PREFIX}CLIENT_SECRET_FILE"
        )
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
        TransportError: The answer is not the token endpoint's.
    """
    host = urlsplit(request.url).netloc
    if not 200 <= answer.status < 300:
        raise _refusal(host, answer, refreshing=refreshing)
    token = Secret(_object(answer.body) or {})
    kind = token.reveal().get("token_type")
    if "access_token" not in token.reveal():
        raise TransportError(
            f"{host} answered the token request with something else than a token: base_url may be "
            "wrong, or a proxy may have answered"
        )
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise AuthenticationError(
            f"Unknown token type: {str(kind)[:20]} (from {host}); only bearer tokens can be used. "
            "Nothing was saved",
            status=answer.status,
        )
    return token.reveal()


def read_revocation(request: AuthRequest, answer: AuthAnswer) -> None:
    """Raises unless the token was revoked; 401 is ``reason="rejected"``."""
    if not 200 <= answer.status < 300:
        host = urlsplit(request.url).netloc
        reason = "rejected" if answer.status == 401 else "failed"
        raise AuthenticationError(
            f"{host} did not revoke the token: HTTP {answer.status}; it is kept",
            reason="rejected" if reason == "rejected" else "failed",
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


def _refusal(host: str, answer: AuthAnswer, *, refreshing: bool) -> Exception:
    status = answer.status
    found = (_object(answer.body) or {}).get("error")
    code = found if isinstance(found, str) and len(found) < 60 else None
    said = f"HTTP {status}" + (f", {code}" if code else "")
    if status >= 500:
        return AuthenticationError(
            f"{host} could not answer the token request: {said}; try again later",
            reason="transient",
            status=status,
            code=code,
        )
    invalid_grant = status == 400 and code == "invalid_grant"
    if refreshing and (invalid_grant or (status == 401 and code != "invalid_client")):
        return AuthenticationError(
            f"{host} rejected the refresh token: {said}",
            reason="rejected",
            status=status,
            code=code,
        )
    advice = "wait before the next try" if status == 429 else "check client_id and client_secret"
    return AuthenticationError(
        f"{host} refused the token request: {said}; {advice}", status=status, code=code
    )


def _object(body: Secret[bytes]) -> dict[str, Any] | None:
    try:
        found = json.loads(body.reveal())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
