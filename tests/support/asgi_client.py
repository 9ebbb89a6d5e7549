"""Sends requests to a sandbox as raw bytes: within this process, which is fast, or by a socket."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from contextlib import closing, suppress
from http.client import HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flex_integration_sdk._transit import dumps, loads
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, create_app

TRANSIT = "application/transit+json"
FORMATS: Mapping[str, dict[str, str]] = {
    "json": {"accept": "application/json"},
    "transit": {"accept": TRANSIT},
    "verbose": {"accept": TRANSIT, "x-transit-verbose": "true"},
}


class Got(NamedTuple):
    """A response."""

    status: int
    kind: str
    body: bytes

    def read(self) -> Any:
        """What the body says; an error if it is not exactly of the format that it claims."""
        if self.kind.startswith(TRANSIT):
            json.loads(self.body, parse_constant=_refuse)
            return loads(self.body)
        assert self.kind.startswith("application/json"), (self.kind, self.body[:200])
        return json.loads(self.body.decode(), parse_constant=_refuse)


def _refuse(name: str) -> Any:
    raise AssertionError(f"{name} is not JSON")


class Client:
    """Requests to a sandbox, as raw bytes. A subclass sends them."""

    failure: BaseException | None = None
    """What the last request raised beyond the application, if that can be seen."""
    _token = ""

    def sign_in(self, id: str, secret: str) -> None:
        """Obtains an access token, for all further requests."""
        form = {
            "grant_type": "client_credentials",
            "client_id": id,
            "client_secret": secret,
            "scope": "integ",
        }
        kind = "application/x-www-form-urlencoded"
        got = self.send("POST", "/v1/auth/token", urlencode(form).encode(), {"content-type": kind})
        self._token = got.read()["access_token"]

    def close(self) -> None:
        """Ends what it needs to send requests."""

    def query(self, path: str, query: str | bytes = "", form: str = "json") -> Got:
        """A GET of the API; ``path`` such as ``listings/query``."""
        raw = query.encode("ascii") if isinstance(query, str) else query
        return self.send("GET", f"/v1/integration_api/{path}", b"", FORMATS[form], raw)

    def command(
        self,
        path: str,
        body: Any,
        *,
        form: str = "json",
        send: str = "transit",
        query: str = "expand=true",
    ) -> Got:
        """A POST of the API.

        Args:
            path: Such as ``listings/update``.
            body: The bytes; or what to write as ``send`` says.
            form: The format of the response.
            send: The format of the body: ``transit``, ``verbose`` or ``json``.
            query: The query string.
        """
        if not isinstance(body, bytes):
            text = json.dumps(body) if send == "json" else dumps(body, verbose=send == "verbose")
            body = text.encode()
        kind = "application/json" if send == "json" else TRANSIT
        headers = {**FORMATS[form], "content-type": kind}
        return self.send("POST", f"/v1/integration_api/{path}", body, headers, query.encode())

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: bytes = b"",
    ) -> Got:
        """Any request."""
        given = {"host": "127.0.0.1:8000", **(headers or {})}
        if self._token:
            given.setdefault("authorization", f"Bearer {self._token}")
        return self._sent(method, path, body, given, query)

    def _sent(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], query: bytes
    ) -> Got:
        raise NotImplementedError


class InProcess(Client):
    """A sandbox of its own in this process, signed in.

    Args:
        settings: Of the sandbox.
    """

    def __init__(self, settings: SandboxSettings | None = None) -> None:
        settings = settings or SandboxSettings()
        self._app = create_app(settings)
        self._loop = asyncio.new_event_loop()
        self.sign_in(settings.client_id, settings.client_secret)

    def close(self) -> None:
        self._loop.close()

    def _sent(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], query: bytes
    ) -> Got:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "root_path": "",
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
        }
        return self._loop.run_until_complete(self._exchange(scope, body))

    async def _exchange(self, scope: dict[str, Any], body: bytes) -> Got:
        sent: list[dict[str, Any]] = []
        arriving = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return arriving.pop() if arriving else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        self.failure = None
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # starlette answers 500, then raises it again
            self.failure = error
        kind = dict(sent[0]["headers"]).get(b"content-type", b"").decode()
        return Got(sent[0]["status"], kind, b"".join(each.get("body", b"") for each in sent[1:]))


class OverSocket(Client):
    """Requests to a running sandbox, each by a connection of its own.

    Args:
        running: The sandbox.
    """

    def __init__(self, running: RunningSandbox) -> None:
        self._address = ("127.0.0.1", int(running.base_url.rpartition(":")[2]))
        self.sign_in(running.client_id, running.client_secret)

    def _sent(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], query: bytes
    ) -> Got:
        target = path.encode() + (b"?" + query if query else b"")
        given = {**headers, "connection": "close", "content-length": str(len(body))}
        head = b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in given.items())
        return self.raw(method.encode() + b" " + target + b" HTTP/1.1\r\n" + head + b"\r\n" + body)

    def raw(self, sent: bytes, *, ends: bool = False) -> Got:
        """Whatever these bytes are.

        Args:
            sent: The bytes.
            ends: Say that no more will come. The server then takes the client for gone.
        """
        with socket.create_connection(self._address, timeout=60) as connection:
            with suppress(ConnectionError):  # it answers before it has read all of it
                connection.sendall(sent)
                if ends:
                    connection.shutdown(socket.SHUT_WR)
            with closing(HTTPResponse(connection)) as response:
                response.begin()
                kind = response.headers.get("content-type", "")
                return Got(response.status, kind, response.read())
