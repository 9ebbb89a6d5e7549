"""How a response is written: in the API's form, or in that of OAuth (RFC 6749 section 5)."""

from __future__ import annotations

import sys
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flex_integration_sdk.sandbox._endpoints.encoding import as_json, as_transit
from flex_integration_sdk.sandbox._refusal import ApiFault

from .bodies import TRANSIT

NO_STORE = {"Cache-Control": "no-store"}  # RFC 6749 section 5.1


def encoded(request: Request, status: int, body: Any) -> Response:
    """A response of the API: Transit if the request accepts it, else JSON."""
    if request.headers.get("accept", "").strip().lower().startswith(TRANSIT):
        verbose = request.headers.get("x-transit-verbose", "").lower() == "true"
        return Response(
            as_transit(body, verbose=verbose),
            status,
            headers={"Content-Type": f"{TRANSIT};charset=UTF-8"},
        )
    return Response(as_json(body), status, media_type="application/json")


def refused(request: Request, fault: ApiFault) -> Response:
    """An error of the API."""
    return encoded(request, fault.status, fault.body())


async def no_such_path(request: Request, error: Exception) -> Response:
    """Answers for a path that the sandbox does not have."""
    return refused(request, ApiFault(404, "not-found", "Not found"))


async def no_room(request: Request, error: Exception) -> Response:
    """Answers while the file of ``--db`` cannot be used, for example on a full disk."""
    title = f"The sandbox cannot use its database file: {error}. Free some space, or check --db"
    print(f"flex-sdk sandbox: {title}", file=sys.stderr, flush=True)  # noqa: T201 - it has no log
    if request.url.path.startswith("/v1/integration_api/"):
        return refused(request, ApiFault(507, "sandbox-database-unusable", title))
    return JSONResponse({"error": "sandbox_database_unusable", "error_description": title}, 507)
