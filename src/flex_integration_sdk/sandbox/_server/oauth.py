"""The authentication endpoints: token requests (RFC 6749) and revocation (RFC 7009)."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flex_integration_sdk.sandbox._refusal import ApiFault
from flex_integration_sdk.sandbox._settings import AuthErrors
from flex_tokenstore import Secret

from .answers import NO_STORE
from .bodies import read_form
from .issued_tokens import Tokens

PEAK = "peak_token_requests_in_flight"
_PAGE = """<html>
<head><title>401 Authorization Required</title></head>
<body><h1>401 Authorization Required</h1></body>
</html>
"""


class AuthServer:
    """Answers token and revocation requests, and says whether an access token works.

    Args:
        tokens: What was issued, and the settings.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._settings = tokens.settings

    async def token(self, request: Request) -> Response:
        """A token response, or why there is none."""
        status, answer = self._grant(await read_form(request))
        # After the grant: two requests with one refresh token overlap as on a real server.
        await asyncio.sleep(self._settings.latency_ms / 1000)
        if status == 401 and (response := unauthorized(self._settings.auth_errors)):
            return response
        return JSONResponse(answer, status, headers=NO_STORE)

    async def revoke(self, request: Request) -> Response:
        """Revokes a refresh token and all that came of it."""
        try:
            self.authorize(request)
        except ApiFault:
            if response := unauthorized(self._settings.auth_errors):
                return response
            raise
        form = await read_form(request)
        if "token" not in form.reveal():
            return JSONResponse({"error": "invalid_request"}, 400)
        done = self.tokens.revoke(form.reveal()["token"])
        return JSONResponse({"action": "revoked" if done else "nothing"})

    def authorize(self, request: Request) -> None:
        """Returns if the request has an access token that works.

        Raises:
            ApiFault: 401; it has not.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        # The API's reference writes `bearer` in its examples, SDKs write `Bearer`.
        if scheme.lower() == "bearer" and self.tokens.accepts(token):
            return
        self.tokens.stats["unauthorized"] += 1
        bearer = scheme.lower() == "bearer" and token
        code = "auth-invalid-access-token" if bearer else "auth-missing-access-token"
        raise ApiFault(401, code, "Unauthorized")

    def _grant(self, form: Secret[dict[str, str]]) -> tuple[int, dict[str, Any]]:
        grant = form.reveal().get("grant_type")
        known = form.reveal().get("client_id") == self._settings.client_id
        if grant == "client_credentials":
            if not known or form.reveal().get("client_secret") != self._settings.client_secret:
                return 401, {"error": "invalid_client"}
            return 200, _whole_seconds(self.tokens.sign_in())
        if grant == "refresh_token":
            answer = self.tokens.refresh(form.reveal().get("refresh_token", "")) if known else None
            if answer is None:
                self.tokens.stats["refresh_rejected"] += 1
                return 401, {"error": "invalid_grant" if known else "invalid_client"}
            return 200, _whole_seconds(answer)
        return 400, {"error": "unsupported_grant_type"}


def unauthorized(form: AuthErrors) -> Response | None:
    """The 401 of the authentication endpoints; None: as JSON, which the endpoint itself makes."""
    if form == "text":
        return Response("Unauthorized", 401, media_type="text/plain", headers=NO_STORE)
    return Response(_PAGE, 401, media_type="text/html") if form == "html" else None


def _whole_seconds(answer: dict[str, Any]) -> dict[str, Any]:
    """``expires_in`` is a whole number on the wire (RFC 6749 section 5.1)."""
    return {**answer, "expires_in": math.ceil(answer["expires_in"])}
