"""The sandbox as an ASGI application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flex_integration_sdk._transit import dumps

from ._api import Api, ApiFault, to_json
from ._settings import SandboxSettings
from ._tokens import Tokens

KINDS = ("status", "delay", "drop", "lose_answer", "html", "token_type")
TARGETS = ("token", "api", "revoke", "any")

Answer = Callable[[Request], Awaitable[Response]]


class Dropped(BaseException):
    """Ends the connection without an answer. No ``Exception``: Starlette answers those by 500."""


@dataclass
class Fault:
    """What the next ``count`` requests to ``target`` meet."""

    kind: str = "status"
    target: str = "any"
    count: int = 1
    status: int = 500
    seconds: float = 0.1


def create_app(settings: SandboxSettings) -> Starlette:
    """A sandbox of its own, with its own tokens, data and counters."""
    sandbox = _Sandbox(settings)
    return Starlette(
        routes=[
            Route("/v1/auth/token", sandbox.at("token", sandbox.token), methods=["POST"]),
            Route("/v1/auth/revoke", sandbox.at("revoke", sandbox.revoke), methods=["POST"]),
            Route("/v1/integration_api/{path:path}", sandbox.at("api", sandbox.api)),
            Route("/_sandbox/stats", sandbox.stats),
            Route("/_sandbox/expire", sandbox.expire, methods=["POST"]),
            Route("/_sandbox/reset", sandbox.reset, methods=["POST"]),
            Route("/_sandbox/faults", sandbox.set_fault, methods=["POST"]),
        ],
        exception_handlers={404: _not_found},
    )


class _Sandbox:
    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.tokens = Tokens(settings)
        self.faults: list[Fault] = []
        self._api = Api()

    def at(self, target: str, answer: Answer) -> Answer:
        """``answer``, unless a fault is planned for its target."""

        async def handle(request: Request) -> Response:
            fault = self._next_fault(target)
            if fault is None:
                return await self._answered(answer, request)
            if fault.kind == "drop":
                raise Dropped
            if fault.kind == "html":
                return Response("<html><body>Hello</body></html>", media_type="text/html")
            if fault.kind == "status":
                return JSONResponse({"errors": [{"status": fault.status}]}, fault.status)
            if fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            response = await self._answered(answer, request)
            if fault.kind == "lose_answer":
                raise Dropped
            if fault.kind == "token_type":
                changed = {**json.loads(bytes(response.body)), "token_type": "mac"}
                return JSONResponse(changed)
            return response

        return handle

    async def _answered(self, answer: Answer, request: Request) -> Response:
        try:
            return await answer(request)
        except ApiFault as fault:
            return _encoded(request, fault.status, fault.body())

    async def token(self, request: Request) -> Response:
        form = await _form(request)
        tokens = self.tokens
        tokens.in_flight += 1
        peak = "peak_token_requests_in_flight"
        tokens.stats[peak] = max(tokens.stats[peak], tokens.in_flight)
        try:
            status, answer = self._grant(form)
            await asyncio.sleep(self.settings.latency_ms / 1000)
        finally:
            tokens.in_flight -= 1
        return JSONResponse(answer, status, headers={"Cache-Control": "no-store"})

    async def revoke(self, request: Request) -> Response:
        self.tokens.stats["revoke"] += 1
        self._authorize(request)
        form = await _form(request)
        if "token" not in form:
            return JSONResponse({"error": "invalid_request"}, 400)
        done = self.tokens.revoke(form["token"])
        return JSONResponse({"action": "revoked" if done else "nothing"})

    async def api(self, request: Request) -> Response:
        self.tokens.stats["api_calls"] += 1
        self._authorize(request)
        query = self._api.routes.get(request.path_params["path"])
        if query is None:
            raise ApiFault(404, "not-found", "Not found")
        return _encoded(request, 200, query(dict(request.query_params)))

    async def stats(self, request: Request) -> Response:
        return JSONResponse(self.tokens.stats)

    async def expire(self, request: Request) -> Response:
        self.tokens.expire()
        return JSONResponse({"expired": True})

    async def reset(self, request: Request) -> Response:
        self.tokens.reset()
        self.faults.clear()
        return JSONResponse({"reset": True})

    async def set_fault(self, request: Request) -> Response:
        try:
            fault = Fault(**await request.json())
        except (TypeError, ValueError):
            return JSONResponse({"error": "not a fault: see flex_integration_sdk.sandbox"}, 400)
        if fault.kind not in KINDS or fault.target not in TARGETS:
            return JSONResponse({"error": f"kinds: {KINDS}, targets: {TARGETS}"}, 400)
        self.faults.append(fault)
        return JSONResponse({"planned": fault.count})

    def _grant(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        tokens, grant = self.tokens, form.get("grant_type")
        if grant == "client_credentials":
            tokens.stats["client_credentials"] += 1
            known = form.get("client_id") == self.settings.client_id
            if not known or form.get("client_secret") != self.settings.client_secret:
                return 401, {"error": "invalid_client"}
            return 200, tokens.sign_in()
        if grant == "refresh_token":
            tokens.stats["refresh_token"] += 1
            answer = None
            if form.get("client_id") == self.settings.client_id:
                answer = tokens.refresh(form.get("refresh_token", ""))
            if answer is None:
                tokens.stats["refresh_rejected"] += 1
                return 401, {"error": "invalid_grant"}
            return 200, answer
        return 400, {"error": "unsupported_grant_type"}

    def _authorize(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.tokens.accepts(token):
            return
        self.tokens.stats["unauthorized"] += 1
        code = "auth-invalid-access-token" if token else "auth-missing-access-token"
        raise ApiFault(401, code, "Unauthorized")

    def _next_fault(self, target: str) -> Fault | None:
        for fault in self.faults:
            if fault.target in (target, "any"):
                fault.count -= 1
                if fault.count <= 0:
                    self.faults.remove(fault)
                return fault
        return None


async def _form(request: Request) -> dict[str, str]:
    text = (await request.body()).decode(errors="replace")
    return {key: values[0] for key, values in parse_qs(text, keep_blank_values=True).items()}


def _encoded(request: Request, status: int, body: Any) -> Response:
    if request.headers.get("accept", "").startswith("application/transit+json"):
        verbose = request.headers.get("x-transit-verbose") == "true"
        return Response(
            dumps(body, verbose=verbose),
            status,
            headers={"Content-Type": "application/transit+json;charset=UTF-8"},
        )
    return JSONResponse(to_json(body), status)


async def _not_found(request: Request, error: Exception) -> Response:
    return _encoded(request, 404, ApiFault(404, "not-found", "Not found").body())
