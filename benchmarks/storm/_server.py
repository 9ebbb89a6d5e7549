"""A small authorization and API server that rotates refresh tokens; a program of its own.

Lighter than the sandbox, so that it is not what is measured. Beside the token endpoint and the
API it has ``POST /_reset?family=0|1&life=S`` (forgets all, gives one token), ``POST /_expire``,
``GET /_stats`` and ``GET /_alive?refresh=…``. It prints its port, and ends with its input.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import sys
from typing import Any
from urllib.parse import parse_qsl, unquote

CLIENT_ID = "6f1b0a2e-0000-4000-8000-000000000001"
CLIENT_SECRET = "s3cr3t-on-the-wire"
TOKEN_PATHS = ("/v1/auth/token", "/v2/oauth2/token", "/api/token")  # ours, globus-sdk's, spotipy's
API_PATH = "/v1/integration_api/"
LATENCY = 0.1  # seconds that a token answer travels
API_LATENCY = 0.005
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}

Answer = tuple[int, Any, str]


class Issuer:
    """Tokens and counts since the last reset."""

    serial = itertools.count(1)

    def __init__(self, *, revoke_family: bool = False, life: int = 3600) -> None:
        self.revoke_family = revoke_family
        self.life = life
        self.access: set[str] = set()
        self.live: dict[str, int] = {}  # refresh token: its family
        self.dead: dict[str, int] = {}
        self.counts = dict.fromkeys(
            ("token_requests", "refreshed", "rejected", "signed_in", "secret_sent", "unauthorized"),
            0,
        )

    def issue(self, family: int) -> dict[str, Any]:
        number = next(self.serial)
        access = f"at{number}.{'A' * 900}.{'B' * 340}"
        refresh = f"rt{number}--{'r' * 460}"
        self.access.add(access)
        self.live[refresh] = family
        user = base64.urlsafe_b64encode(b'{"uid":"u1","utid":"t1"}').decode().rstrip("=")
        return {
            "access_token": access, "refresh_token": refresh, "token_type": "bearer",
            "expires_in": self.life, "scope": "integ",
            "resource_server": "rs", "other_tokens": [],  # for globus-sdk
            "client_info": user,  # for msal
        }  # fmt: skip

    def grant(self, form: dict[str, str], authorization: str) -> Answer:
        self.counts["token_requests"] += 1
        secret = form.get("client_secret")
        if authorization.lower().startswith("basic "):
            secret = unquote(base64.b64decode(authorization[6:]).decode().partition(":")[2])
        self.counts["secret_sent"] += secret is not None
        if form.get("grant_type") == "client_credentials":
            if secret != CLIENT_SECRET:
                return _json(401, {"error": "invalid_client"})
            self.counts["signed_in"] += 1
            return _json(200, self.issue(next(self.serial)))
        refresh = form.get("refresh_token", "")
        family = self.live.pop(refresh, None)
        if family is None:
            self.counts["rejected"] += 1
            self._reused(refresh)
            return _json(400, {"error": "invalid_grant", "error_description": "not valid"})
        self.dead[refresh] = family
        self.counts["refreshed"] += 1
        return _json(200, self.issue(family))

    def _reused(self, refresh: str) -> None:
        """RFC 9700 section 4.14.2: a dead token's use ends all that came of it."""
        family = self.dead.get(refresh)
        if self.revoke_family and family is not None:
            for each in [token for token, of in self.live.items() if of == family]:
                self.dead[each] = self.live.pop(each)

    def call(self, authorization: str) -> Answer:
        kind, _, access = authorization.partition(" ")
        if kind.lower() == "bearer" and access in self.access:
            return 200, ["^ ", "~:data", ["^ ", "~:id", "x"]], "application/transit+json"
        self.counts["unauthorized"] += 1
        return _json(401, {"errors": [{"status": 401, "code": "auth-invalid-access-token"}]})


class Server:
    """Answers HTTP/1.1 with keep-alive."""

    def __init__(self) -> None:
        self.issuer = Issuer()

    async def answer(self, target: str, headers: dict[str, str], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        authorization = headers.get("authorization", "")
        if path in TOKEN_PATHS:
            # Decided on arrival: with the answer still under way the old token is dead already.
            answer = self.issuer.grant(dict(parse_qsl(body.decode())), authorization)
            await asyncio.sleep(LATENCY)
            return answer
        if path.startswith(API_PATH):
            await asyncio.sleep(API_LATENCY)
            return self.issuer.call(authorization)
        return self._control(path, dict(parse_qsl(query)))

    def _control(self, path: str, query: dict[str, str]) -> Answer:
        if path == "/_reset":
            self.issuer = Issuer(revoke_family=query["family"] == "1", life=int(query["life"]))
            return _json(200, self.issuer.issue(0))
        if path == "/_expire":
            self.issuer.access.clear()
            return _json(200, {})
        if path == "/_stats":
            return _json(200, self.issuer.counts)
        if path == "/_alive":
            return _json(200, query.get("refresh") in self.issuer.live)
        return _json(404, {})

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                target, headers = _head(await reader.readuntil(b"\r\n\r\n"))
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                status, answer, kind = await self.answer(target, headers, body)
                data = json.dumps(answer).encode()
                head = (
                    f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(data)}\r\n\r\n"
                )
                writer.write(head.encode() + data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def _json(status: int, answer: object) -> Answer:
    return status, answer, "application/json"


def _head(raw: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = raw.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return first.split(" ")[1], {name.strip().lower(): value.strip() for name, _, value in pairs}


async def main() -> None:
    server = await asyncio.start_server(Server().serve, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # ends with the program that started it


if __name__ == "__main__":
    asyncio.run(main())
