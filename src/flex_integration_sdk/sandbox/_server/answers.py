"""How a response is written: in the API's form, or in that of OAuth (RFC 6749 section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flex_integration_sdk.sandbox._endpoints.encoding import as_json, as_transit
from flex_integration_sdk.sandbox._refusal import ApiFault
from flex_integration_sdk.sandbox._settings import AuthErrors

from .bodies import TRANSIT

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 section 5.1
_REALM = 'realm="Integration API"'
# A 401 must name a way to authenticate (RFC 9110 section 15.5.2). Of those that are registered,
# Basic is the one that RFC 6749 section 5.2 names for clients.
BASIC = {"WWW-Authenticate": f"Basic {_REALM}"}
_PAGE = """<html>
<head><title>401 Authorization Required</title></head>
<body><h1>401 Authorization Required</h1></body>
</html>
"""


class OAuthFault(Exception):
    """An error response of an authentication endpoint (RFC 6749 section 5.2).

    Args:
        status: HTTP status.
        error: The error code.
        description: What to do, for a developer: ASCII without quotes and backslashes, as
            the standard demands. It must not contain what was sent.
        headers: Headers of the response.
    """

    def __init__(
        self, status: int, error: str, description: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description
        self.headers = dict(headers or {})


def encoded(
    request: Request, status: int, body: Any, headers: Mapping[str, str] | None = None
) -> Response:
    """A response of the API: Transit if the request accepts it, else JSON."""
    if request.headers.get("accept", "").strip().lower().startswith(TRANSIT):
        verbose = request.headers.get("x-transit-verbose", "").lower() == "true"
        return Response(
            as_transit(body, verbose=verbose),
            status,
            headers={"Content-Type": f"{TRANSIT};charset=UTF-8", **(headers or {})},
        )
    return Response(as_json(body), status, headers=headers, media_type="application/json")


def refused(request: Request, fault: ApiFault) -> Response:
    """An error of the API."""
    headers = challenge(fault.code) if fault.status == 401 else {}
    return encoded(request, fault.status, fault.body(), {**headers, **fault.headers})


def oauth_refused(fault: OAuthFault, form: AuthErrors) -> Response:
    """An error of an authentication endpoint; a 401 in the form that the settings say."""
    headers = {**NO_STORE, **fault.headers}
    if fault.status == 401:
        headers = {**BASIC, **headers}
        if form == "text":
            return Response("Unauthorized", 401, headers, media_type="text/plain")
        if form == "html":
            return Response(_PAGE, 401, headers, media_type="text/html")
    body = {"error": fault.error, "error_description": fault.description}
    return JSONResponse(body, fault.status, headers=headers)


def challenge(code: str, description: str = "") -> dict[str, str]:
    """The header by which a Bearer token is asked for (RFC 6750 section 3).

    Args:
        code: The API's error code. A request without a token is told no error.
        description: What to do, for a developer.
    """
    parts = [f"Bearer {_REALM}"]
    if code != "auth-missing-access-token":
        kind = "invalid_token" if code == "auth-invalid-access-token" else "invalid_request"
        parts.append(f'error="{kind}"')
        parts += [f'error_description="{description}"'] if description else []
    return {"WWW-Authenticate": ", ".join(parts)}
