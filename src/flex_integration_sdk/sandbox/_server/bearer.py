"""Whether a request may use the API: its access token (RFC 6750)."""

from __future__ import annotations

from starlette.requests import Request

from flex_integration_sdk.sandbox._refusal import ApiFault

from .answers import challenge
from .issued_tokens import Tokens

_HOW = "send it in the header Authorization: Bearer <access token>"
_INVALID = (
    "The access token is unknown, expired or revoked: obtain another one at POST /v1/auth/token"
)


def authorize(request: Request, tokens: Tokens) -> None:
    """Returns if the request has an access token that works.

    Raises:
        ApiFault: 401; it has not. 400; it has two.
    """
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        tokens.stats["unauthorized"] += 1
        title = "The request has two Authorization headers: send one"
        raise ApiFault(400, "bad-request", title, headers=challenge("bad-request", title))
    # The API's reference writes `bearer` in its examples, SDKs write `Bearer`.
    scheme = headers[0].partition(" ")[0] if headers else ""
    is_bearer = scheme.lower() == "bearer" and bool(headers[0].partition(" ")[2])
    if is_bearer and tokens.accepts(headers[0].partition(" ")[2]):
        return
    tokens.stats["unauthorized"] += 1
    if is_bearer:
        code = "auth-invalid-access-token"
        raise ApiFault(401, code, _INVALID, headers=challenge(code, _INVALID))
    raise ApiFault(401, "auth-missing-access-token", _missing(request, scheme))


def _missing(request: Request, scheme: str) -> str:
    if scheme.lower() == "basic":
        return f"The API takes no client id and secret, but an access token: {_HOW}"
    if scheme:
        return f"The Authorization header is not a Bearer token: {_HOW}"
    if "access_token" in request.query_params:
        return f"The API takes no access token from the query: {_HOW}"
    return f"There is no access token, and the API takes none from query or body: {_HOW}"
