"""The responses that planned faults make."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flex_integration_sdk.sandbox._refusal import ApiFault
from flex_integration_sdk.sandbox._settings import AuthErrors

from .answers import NO_STORE, OAuthFault, challenge, oauth_refused, refused
from .planned_faults import Fault

_CODES = {
    400: "bad-request",
    401: "auth-invalid-access-token",
    403: "forbidden",
    404: "not-found",
    409: "conflict",
    429: "too-many-requests",
}


class Dropped(BaseException):
    """Ends the connection without a response. Starlette turns an ``Exception`` into 500."""


async def faulty(
    fault: Fault,
    target: str,
    request: Request,
    answer: Callable[[], Awaitable[Response]],
    form: AuthErrors,
) -> Response:
    """The response to a request that a fault meets.

    Args:
        fault: What it meets.
        target: What the request is for: ``token``, ``api`` or ``revoke``.
        request: The request.
        answer: Does what is asked for, and makes the proper response.
        form: How the authentication endpoints answer 401.

    Raises:
        Dropped: The connection must end.
    """
    if fault.kind == "drop":
        raise Dropped
    if fault.kind == "html":
        response = Response("<html><body>Hello</body></html>", media_type="text/html")
    elif fault.kind == "status":
        response = _refusal(fault, target, request, form)
    else:
        response = await answer()
    if fault.kind == "lose_answer":
        raise Dropped
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
    elif fault.kind == "token_type" and response.status_code == 200:  # an error has none to change
        changed = {**json.loads(bytes(response.body)), "token_type": "mac"}
        response = JSONResponse(changed, headers=NO_STORE)
    response.headers.update(fault.headers)
    return _Cut(response) if fault.kind == "cut" else response


def _refusal(fault: Fault, target: str, request: Request, form: AuthErrors) -> Response:
    if isinstance(fault.body, str):
        return Response(fault.body, fault.status, media_type="text/plain")
    if fault.body is not None:
        return JSONResponse(fault.body, fault.status)
    if target == "api":
        code = fault.code or _CODES.get(fault.status, "sandbox-fault")
        return refused(request, ApiFault(fault.status, code, "Planned fault"))
    is_revoke = target == "revoke" and fault.status == 401
    headers = challenge("auth-invalid-access-token") if is_revoke else {}
    code = fault.code or "sandbox_fault"
    return oauth_refused(OAuthFault(fault.status, code, "Planned fault", headers), form)


class _Cut(Response):
    """The first half of a response: its headers announce the whole."""

    def __init__(self, whole: Response) -> None:
        super().__init__(status_code=whole.status_code)
        self.raw_headers = whole.raw_headers
        self._half = bytes(whole.body)[: len(whole.body) // 2]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Sends it."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self._half, "more_body": True})
        # The server ends the connection of an application that leaves a response unfinished.
