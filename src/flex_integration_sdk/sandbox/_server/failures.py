"""Errors of HTTP, and of the sandbox itself: in the form of the part that was asked."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from flex_integration_sdk._values.shown import shown
from flex_integration_sdk.sandbox._notices import tell
from flex_integration_sdk.sandbox._refusal import ApiFault

from .answers import OAuthFault, oauth_refused, refused

_PACKAGE = Path(__file__).parents[2]
_PATHS = {
    "/v1/auth/": "the sandbox has POST /v1/auth/token and POST /v1/auth/revoke",
    "/_sandbox/": "the sandbox has stats, expire, reset, faults, images and files there",
}
_API = "the API is at /v1/integration_api/, and tokens are at /v1/auth/token"


async def of_http(request: Request, error: Exception) -> Response:
    """Answers for a path that the sandbox does not have, or a method that the path does not."""
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        return failed(request, 404, "not-found", _no_such_path(request.url.path))
    headers = {"Allow": ", ".join(sorted({"OPTIONS", *_allowed(error)}))}
    if request.method == "OPTIONS":  # RFC 9110 section 9.3.7
        return Response(status_code=204, headers=headers)
    title = f"This path takes another method: {headers['Allow']}"
    return failed(request, 405, "method-not-allowed", title, headers)


def failed(
    request: Request,
    status: int,
    code: str,
    title: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error in the form of the part that was asked: the API's, else that of OAuth.

    Args:
        request: What was asked.
        status: HTTP status.
        code: In the API's form. The other one has an underscore for each dash.
        title: What happened, and what to do next.
        headers: Headers of the response.
    """
    if not request.url.path.startswith(("/v1/auth", "/_sandbox")):
        return refused(request, ApiFault(status, code, title, headers=headers))
    # RFC 6749 section 5.2 demands ASCII without these two.
    plain = title.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "/")
    return oauth_refused(OAuthFault(status, code.replace("-", "_"), plain, headers), "json")


async def of_large_body(request: Request, error: Exception) -> Response:
    """Answers a body that is too large."""
    if request.url.path.startswith("/v1/auth"):
        return failed(request, 400, "invalid-request", str(error))
    return failed(request, 413, "request-upload-over-limit", str(error))


async def of_database(request: Request, error: Exception) -> Response:
    """Answers while the file of ``--db`` cannot be used, for example on a full disk."""
    title = f"The sandbox cannot use its database file: {error}. Free some space, or check --db"
    tell(title)
    return failed(request, 507, "sandbox-database-unusable", title)


class Unfailing:
    """An ASGI application around another one, which answers 500 for an exception.

    Without it the server would end the connection, whose next request may be under way.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Passes the request on."""
        begun = False

        async def sent(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except ClientDisconnect:
            return  # nobody is left to be answered
        except Exception as error:
            if begun:
                raise
            where = _where(error)
            asked = f"{scope['method']} {shown(scope['path'])}"
            tell(f"{asked} failed: {where}. This is a fault of the sandbox: please report it")
            title = f"The sandbox failed: {where}. Please report it, with what was sent"
            answer = failed(Request(scope), 500, "server-error", title)
            await answer(scope, receive, send)


def _no_such_path(path: str) -> str:
    known = next((text for start, text in _PATHS.items() if path.startswith(start)), _API)
    return f"There is no such path: {known}" + (
        ", without a slash at the end" if path.endswith("/") else ""
    )


def _allowed(error: HTTPException) -> list[str]:
    return (error.headers or {}).get("Allow", "").split(", ")


def _where(error: Exception) -> str:
    """Type and line of an exception, not its text: that may quote what was sent."""
    lines = [
        (Path(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    file, line = next((each for each in reversed(lines) if _PACKAGE in each[0].parents), lines[-1])
    return f"{type(error).__name__} at {file.name}, line {line}"
