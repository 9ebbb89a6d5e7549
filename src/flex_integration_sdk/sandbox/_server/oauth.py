"""The authentication endpoints: token requests (RFC 6749) and revocation (RFC 7009)."""

from __future__ import annotations

import asyncio
import math
from typing import Any, Final, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flex_integration_sdk.sandbox._refusal import ApiFault
from flex_tokenstore import Secret

from .answers import NO_STORE, OAuthFault, challenge, oauth_refused
from .bearer import authorize
from .issued_tokens import Tokens
from .oauth_form import invalid, read_form

Grant = Literal["client_credentials", "refresh_token"]
PEAK: Final = "peak_token_requests_in_flight"
GRANTS: tuple[Grant, ...] = ("client_credentials", "refresh_token")
SCOPE = "integ"
_GRANT_TYPES = "send grant_type=client_credentials or grant_type=refresh_token"
_IN_FORM = "send client_id and client_secret in the form"
# It is not known whether the live API takes client id and secret as HTTP Basic.
_BASIC = f"HTTP Basic is not accepted here: {_IN_FORM} (often called client_secret_post)"

Form = Secret[dict[str, str]]


class AuthServer:
    """Answers token and revocation requests.

    Args:
        tokens: What was issued, and the settings.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._settings = tokens.settings

    async def token(self, request: Request) -> Response:
        """A token response, or why there is none."""
        try:
            answer = self._grant(request, await read_form(request))
        except OAuthFault as fault:
            response = oauth_refused(fault, self._settings.auth_errors)
        else:
            response = JSONResponse(_whole_seconds(answer), headers=NO_STORE)
        # After the grant: two requests with one refresh token overlap as on a real server.
        await asyncio.sleep(self._settings.latency_ms / 1000)
        return response

    async def revoke(self, request: Request) -> Response:
        """Revokes a refresh token and all that came of it."""
        try:
            self._authorize(request)
            form = await read_form(request)
            if "token" not in form.reveal():
                raise invalid("token is missing: send token=<refresh token> in the form")
        except OAuthFault as fault:
            return oauth_refused(fault, self._settings.auth_errors)
        done = self.tokens.revoke(form.reveal()["token"])
        return JSONResponse({"action": "revoked" if done else "nothing"})

    def _authorize(self, request: Request) -> None:
        try:
            authorize(request, self.tokens)
        except ApiFault as fault:
            errors = {
                "auth-missing-access-token": "invalid_client",
                "auth-invalid-access-token": "invalid_token",
            }
            error = errors.get(fault.code, "invalid_request")
            headers = {**challenge(fault.code), **fault.headers}
            raise OAuthFault(fault.status, error, str(fault), headers) from None

    def _grant(self, request: Request, form: Form) -> dict[str, Any]:
        grant = form.reveal().get("grant_type")
        if grant is None:
            raise invalid(f"grant_type is missing: {_GRANT_TYPES} in the form")
        if grant not in GRANTS:
            raise OAuthFault(400, "unsupported_grant_type", f"Unknown grant_type: {_GRANT_TYPES}")
        self._refuse_basic(request, form)
        if grant == "client_credentials":
            self._check_client(form, with_secret=True)
            self._check_scope(form, needed=self._settings.strict)
            return self.tokens.sign_in()
        return self._refresh(form)

    def _refresh(self, form: Form) -> dict[str, Any]:
        if "refresh_token" not in form.reveal():
            raise invalid("refresh_token is missing: send it in the form")
        try:
            # RFC 6749 section 6: a client that sends its secret is authenticated.
            self._check_client(form, with_secret="client_secret" in form.reveal())
        except OAuthFault:
            self.tokens.stats["refresh_rejected"] += 1
            raise
        self._check_scope(form, needed=False)
        answer = self.tokens.refresh(form.reveal()["refresh_token"])
        if answer is None:
            self.tokens.stats["refresh_rejected"] += 1
            description = (
                "The refresh token is unknown, used up or revoked: sign in with "
                "grant_type=client_credentials"
            )
            # Not 400, as the standard has it: the official SDK takes only 401 for a refusal.
            raise OAuthFault(401, "invalid_grant", description)
        return answer

    def _refuse_basic(self, request: Request, form: Form) -> None:
        sent = request.headers.getlist
        if not any(each.lower().startswith("basic ") for each in sent("authorization")):
            return
        if "client_secret" in form.reveal():  # RFC 6749 section 2.3: one method in a request
            raise invalid("The client secret is sent twice: omit the header Authorization")
        raise OAuthFault(401, "invalid_client", _BASIC)

    def _check_client(self, form: Form, *, with_secret: bool) -> None:
        names = ("client_id", "client_secret") if with_secret else ("client_id",)
        for name in names:
            if name not in form.reveal():
                raise OAuthFault(401, "invalid_client", f"{name} is missing: {_IN_FORM}")
        if any(form.reveal()[name] != getattr(self._settings, name) for name in names):
            description = (
                "The client is unknown, or the secret is not its own: use client_id and "
                "client_secret that the sandbox was started with"
            )
            raise OAuthFault(401, "invalid_client", description)

    def _check_scope(self, form: Form, *, needed: bool) -> None:
        """RFC 6749 section 3.3: scopes are separated by spaces; without, a server has a default."""
        scopes = set(form.reveal().get("scope", "" if needed else SCOPE).split(" "))
        if scopes != {SCOPE}:
            raise OAuthFault(400, "invalid_scope", f"The only scope is {SCOPE}: send scope={SCOPE}")


async def known_grant(request: Request) -> Grant | None:
    """The grant that a token request is for; None: it has none, or one that there is not."""
    try:
        form = await read_form(request)
    except OAuthFault:
        return None
    return next((each for each in GRANTS if form.reveal().get("grant_type") == each), None)


def _whole_seconds(answer: dict[str, Any]) -> dict[str, Any]:
    """``expires_in`` is a whole number on the wire (RFC 6749 section 5.1)."""
    return {**answer, "expires_in": math.ceil(answer["expires_in"])}
