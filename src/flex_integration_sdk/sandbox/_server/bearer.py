"""Whether a request may use the API: its access token (RFC 6750)."""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request

from flex_integration_sdk.sandbox._refusal import ApiFault
from flex_tokenstore import Secret

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
    # Secret: what is no Bearer token may be a token or a password all the same.
    headers = Secret(request.headers.getlist("authorization"))
    if len(headers.reveal()) > 1:
        tokens.stats["unauthorized"] += 1
        title = "The request has two Authorization headers: send one"
        raise ApiFault(400, "bad-request", title, headers=challenge("bad-request", title))
    scheme = _scheme(headers)
    if scheme == "bearer" and tokens.accepts(headers.reveal()[0].partition(" ")[2]):
        return
    tokens.stats["unauthorized"] += 1
    if scheme == "bearer":
        code = "auth-invalid-access-token"
        raise ApiFault(401, code, _INVALID, headers=challenge(code, _INVALID))
    in_query = "access_token" in request.query_params
    raise ApiFault(401, "auth-missing-access-token", _missing(scheme, in_query=in_query))


def _scheme(headers: Secret[list[str]]) -> Literal["bearer", "basic", "other", "none"]:
    if not headers.reveal():
        return "none"
    # The API's reference writes `bearer` in its examples, SDKs write `Bearer`.
    start = headers.reveal()[0].lower()
    if start.startswith("bearer ") and start != "bearer ":
        return "bearer"
    return "basic" if start.startswith("basic ") else "other"


def _missing(scheme: str, *, in_query: bool) -> str:
    if scheme == "basic":
        return f"The API takes no client id and secret, but an access token: {_HOW}"
    if scheme == "other":
        return f"The Authorization header is not a Bearer token: {_HOW}"
    if in_query:
        return f"The API takes no access token from the query: {_HOW}"
    return f"There is no access token, and the API takes none from query or body: {_HOW}"
