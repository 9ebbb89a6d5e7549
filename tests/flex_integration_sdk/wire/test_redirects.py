"""A redirect never takes a token or a body elsewhere, and never turns a command into a query."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from flex_integration_sdk import (
    async_upload_file,
    create_async_instance,
    create_instance,
    upload_file,
)
from flex_integration_sdk._wire.redirects import MOST, redirected
from flex_integration_sdk._wire.requests import ApiRequest
from flex_integration_sdk.errors import ApiError, FlexError, TransportError

TOKEN = {"access_token": "t0ken", "refresh_token": "r", "token_type": "bearer", "expires_in": 600}
ALL = [301, 302, 303, 307, 308]


class Seen(NamedTuple):
    method: str
    path: str
    authorization: str | None
    body: bytes


class Server:
    def __init__(self) -> None:
        self.base_url = ""
        self.seen: list[Seen] = []
        self.status = 307
        self.location: str | None = None
        """For all but token requests and what is below ``/new``."""


@contextmanager
def listening() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/v1/auth/token":
                return self._answer(200, TOKEN)
            seen = Seen(self.command, self.path, self.headers.get("Authorization"), body)
            server.seen.append(seen)
            if server.location is None or self.path.startswith("/new"):
                return self._answer(200, {"data": {"id": "1", "type": "x"}})
            return self._answer(server.status, {}, server.location)

        do_GET = do_POST = do_PUT = _do

        def _answer(self, status: int, body: Any, location: str | None = None) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if location is not None:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server.base_url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with listening() as found:
        yield found


def call(kind: str, server: Server, command: bool) -> Any:
    if kind == "sync":
        with create_instance("c", "s", base_url=server.base_url) as sdk:
            return sdk.listings.update(id="x", title="t") if command else sdk.marketplace.show()

    async def main() -> Any:
        async with create_async_instance("c", "s", base_url=server.base_url) as sdk:
            if command:
                return await sdk.listings.update(id="x", title="t")
            return await sdk.marketplace.show()

    return asyncio.run(main())


both = pytest.mark.parametrize("kind", ["sync", "async"])


@both
@pytest.mark.parametrize("status", ALL)
@pytest.mark.parametrize("absolute", [False, True])
def test_a_query_follows_within_the_server(
    server: Server, kind: str, status: int, absolute: bool
) -> None:
    server.status, server.location = status, (server.base_url if absolute else "") + "/new?a=1"
    assert call(kind, server, command=False).status == 200
    assert [each.path for each in server.seen[1:]] == ["/new?a=1"]
    assert server.seen[1].authorization == "Bearer t0ken"


@both
@pytest.mark.parametrize("status", [307, 308])
def test_a_command_is_sent_again_as_it_was(server: Server, kind: str, status: int) -> None:
    server.status, server.location = status, "/new"
    assert call(kind, server, command=True).status == 200
    first, second = server.seen
    assert second == first._replace(path="/new")
    assert first.body


@both
@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_command_does_not_become_a_query(server: Server, kind: str, status: int) -> None:
    server.status, server.location = status, "/new"
    with pytest.raises(TransportError, match=f"POST .*HTTP {status}.*Check base_url") as caught:
        call(kind, server, command=True)
    assert (caught.value.status, caught.value.sent) == (status, True)
    assert len(server.seen) == 1


@both
@pytest.mark.parametrize("command", [False, True])
@pytest.mark.parametrize("status", ALL)
def test_nothing_goes_to_another_server(
    server: Server, kind: str, command: bool, status: int
) -> None:
    with listening() as elsewhere:
        server.status = status
        server.location = f"{elsewhere.base_url}/new?secret=1"
        with pytest.raises(TransportError, match=f"HTTP {status}.*Check base_url") as caught:
            call(kind, server, command)
        assert elsewhere.base_url in str(caught.value)
        assert "secret" not in str(caught.value)
        assert len(server.seen) == 1
        assert elsewhere.seen == []


@both
def test_a_circle_ends(server: Server, kind: str) -> None:
    server.location = "/again"
    with pytest.raises(TransportError, match=f"more than {MOST} times"):
        call(kind, server, command=False)
    assert len(server.seen) == MOST + 1


@both
def test_a_redirect_to_nowhere_is_an_answer_that_is_not_the_apis(server: Server, kind: str) -> None:
    server.location = ""
    with pytest.raises(ApiError, match="HTTP 307"):
        call(kind, server, command=False)


HERE = "https://api.example.com/v1/x"


@pytest.mark.parametrize(
    "location",
    [
        "http://api.example.com/v1/x",
        "http://127.0.0.1/v1/x",
        "https://other.example.com/v1/x",
        "https://api.example.com:444/v1/x",
        "//other.example.com/x",
        "https://user:pass@api.example.com/",
        "https://api.example.com@other.example.com/",
        "https://api.example.com\\@other.example.com/",
        "https://api.example.com.other.example.com/",
        "https://api.example.com:x/",
        "https://[::1/",
        "ftp://api.example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/plain,x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_followed(method: str, location: str) -> None:
    with pytest.raises(TransportError) as caught:
        redirected(ApiRequest(method, HERE, {}, b"body"), 307, location, 0)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/y", "https://api.example.com/y"),
        ("y?a=1#b", "https://api.example.com/v1/y?a=1"),
        ("https://API.example.com:443/y", "https://API.example.com:443/y"),
    ],
)
def test_what_is_followed(location: str, url: str) -> None:
    request = ApiRequest("POST", HERE, {"A": "b"}, b"body")
    assert redirected(request, 308, location, 0) == request._replace(url=url)


@pytest.mark.parametrize("status", [200, 204, 300, 304, 400])
def test_what_is_no_redirect(status: int) -> None:
    assert redirected(ApiRequest("GET", HERE, {}), status, "/y", 0) is None


def send(kind: str, upload: Any) -> None:
    if kind == "sync":
        upload_file(upload, b"content")
    else:
        asyncio.run(async_upload_file(upload, b"content"))


@both
@pytest.mark.parametrize("status", ALL)
def test_a_file_goes_nowhere_else(server: Server, kind: str, status: int) -> None:
    with listening() as elsewhere:
        server.status, server.location = status, f"{elsewhere.base_url}/new?signature=s"
        upload: Any = {"attributes": {"method": "PUT", "url": f"{server.base_url}/f?signature=s"}}
        with pytest.raises(FlexError, match=f"HTTP {status}, a redirect to 127") as caught:
            send(kind, upload)
        assert "signature" not in str(caught.value)
        assert [each.body for each in server.seen] == [b"content"]
        assert elsewhere.seen == []
