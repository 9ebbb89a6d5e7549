"""The sandbox as an ASGI application."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flex_integration_sdk.sandbox._endpoints.media import is_signed, receive
from flex_integration_sdk.sandbox._endpoints.router import Api, allowed
from flex_integration_sdk.sandbox._limits import Limiter
from flex_integration_sdk.sandbox._refusal import ApiFault, not_found
from flex_integration_sdk.sandbox._settings import SandboxSettings

from .answers import encoded, refused
from .bearer import authorize
from .bodies import read_body, read_file, read_json, read_query
from .body_limit import BodyLimit, TooLarge
from .browser_guard import Guard
from .failures import Unfailing, of_database, of_http, of_large_body
from .fault_plans import read_fault
from .faulty_answers import faulty
from .front_page import front_page
from .issued_tokens import Tokens
from .oauth import PEAK, AuthServer, known_grant
from .planned_faults import Faults
from .request_ids import RequestIds, id_of

Answer = Callable[[Request], Awaitable[Response]]


def create_app(settings: SandboxSettings) -> Any:
    """Makes an ASGI application: a sandbox with its own tokens, data and counters."""
    sandbox = _Sandbox(settings)
    app = Starlette(
        routes=[
            Route("/", front_page),
            Route("/v1/auth/token", sandbox.token, methods=["POST"]),
            Route("/v1/auth/revoke", sandbox.revoke, methods=["POST"]),
            Route("/v1/integration_api/{path:path}", _AnyMethod(sandbox.api)),
            Route("/_sandbox/images/{id}", sandbox.image),
            Route("/_sandbox/files/{id}", sandbox.file, methods=["GET", "PUT"]),
            Route("/_sandbox/stats", sandbox.stats),
            Route("/_sandbox/expire", sandbox.expire, methods=["POST"]),
            Route("/_sandbox/reset", sandbox.reset, methods=["POST"]),
            Route("/_sandbox/faults", sandbox.plan_fault, methods=["POST", "DELETE"]),
        ],
        middleware=[Middleware(RequestIds), Middleware(Unfailing), Middleware(BodyLimit)],
        exception_handlers={
            404: of_http,
            405: of_http,
            TooLarge: of_large_body,
            sqlite3.Error: of_database,
        },
    )
    # A client that follows a redirect would hide that its address is wrong.
    app.router.redirect_slashes = False
    return Guard(app, settings.allow_hosts)


class _AnyMethod:
    """An ASGI application of a route that takes each method, even one of a client's own.

    So one that an endpoint does not take gets the API's error, with what the endpoint does take.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)


class _Sandbox:
    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.faults = Faults()
        # Signed URLs live for minutes, so the key need not outlive the process.
        self._key = secrets.token_bytes(32)
        self._api = Api(settings, self._sign)
        self.tokens = Tokens(settings, self._api.db)
        self._auth = AuthServer(self.tokens)
        self._limiter = Limiter(settings.limits)

    # Requests are counted before a fault is looked up: the counters say what came over the wire.

    async def token(self, request: Request) -> Response:
        tokens = self.tokens
        if (grant := await known_grant(request)) is not None:
            tokens.stats[grant] += 1
        tokens.in_flight += 1
        tokens.stats[PEAK] = max(tokens.stats[PEAK], tokens.in_flight)
        try:
            return await self._unless_fault("token", request, self._auth.token)
        finally:
            tokens.in_flight -= 1

    async def revoke(self, request: Request) -> Response:
        self.tokens.stats["revoke"] += 1
        return await self._unless_fault("revoke", request, self._auth.revoke)

    async def api(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return await _answered(request, self._options)
        self.tokens.stats["api_calls"] += 1
        return await self._unless_fault("api", request, self._query)

    async def stats(self, request: Request) -> Response:
        return JSONResponse(self.tokens.stats)

    async def expire(self, request: Request) -> Response:
        self.tokens.expire()
        return JSONResponse({"expired": True})

    async def reset(self, request: Request) -> Response:
        self.tokens.reset()  # but not what is in flight, which leaves later
        self.faults.clear()
        self._limiter.reset()
        self._api.db.reset()
        return JSONResponse({"reset": True})

    async def plan_fault(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
            return JSONResponse({"planned": 0})
        try:
            fault = read_fault(read_json(await request.body()))
        except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors too
            return JSONResponse({"error": str(error)}, 400)
        self.faults.plan(fault)
        return JSONResponse({"planned": fault.count})

    async def _unless_fault(self, target: str, request: Request, answer: Answer) -> Response:
        path = request.path_params["path"] if target == "api" else ""
        fault = self.faults.next(target, path)
        proper = partial(_answered, request, answer)
        if fault is None:
            return await proper()
        self.tokens.stats["faults"] += 1
        return await faulty(fault, target, request, proper, self.settings.auth_errors)

    async def _options(self, request: Request) -> Response:
        """Which methods there are (RFC 9110 section 9.3.7), without a token and uncounted."""
        endpoint = self._api.known(request.path_params["path"])
        return Response(status_code=204, headers={"Allow": allowed(endpoint)})

    async def _query(self, request: Request) -> Response:
        authorize(request, self.tokens)
        endpoint = self._api.find(request.method, request.path_params["path"])
        self._limiter.enter(endpoint)
        try:
            base_url = str(request.base_url).rstrip("/")
            encode = partial(encoded, request, 200)
            async with read_body(request, endpoint) as body:
                query = read_query(request)
                return self._api.answer(endpoint, query, body, base_url, encode, id_of(request))
        finally:
            self._limiter.leave()

    async def image(self, request: Request) -> Response:
        """An uploaded image; its URL needs no token."""
        return await _answered(request, self._content)

    async def file(self, request: Request) -> Response:
        """A file by its signed URL, which needs no token."""
        return await _answered(request, self._signed_content)

    async def _signed_content(self, request: Request) -> Response:
        id, upload = request.path_params["id"], request.method == "PUT"
        if not is_signed(self._sign, id, "upload" if upload else "download", request.query_params):
            raise ApiFault(403, "forbidden", "The URL is not signed, or has expired")
        if not upload:
            return await self._content(request)
        kind = request.headers.get("content-type", "")
        async with read_file(request) as sent:
            receive(self._api.db, uuid.UUID(id), kind, sent)
        return Response(status_code=200)

    async def _content(self, request: Request) -> Response:
        found = self._api.db.content(request.path_params["id"])
        if found is None:
            raise not_found()
        return Response(found[1], media_type=found[0])

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()


async def _answered(request: Request, answer: Answer) -> Response:
    try:
        return await answer(request)
    except ApiFault as fault:
        return refused(request, fault)
