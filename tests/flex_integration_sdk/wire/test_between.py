"""A page of a gateway in place of an answer, and what is said where no client secret is at hand."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance, file_store
from flex_integration_sdk.cli import _app
from flex_integration_sdk.errors import AuthenticationError, MissingSecretError, UnauthorizedError
from flex_integration_sdk.sandbox import RunningSandbox

Call = Callable[..., Any]
JSON_401 = b'{"errors":[{"code":"auth-invalid-access-token","status":401}]}'


class Server(ThreadingHTTPServer):
    """Issues tokens, and answers API calls with what ``answers`` has, then with 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, str, bytes]] = []
        self.seen: list[str] = []
        self.base_url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.seen.append("sign-in" if "client_secret" in form else "refresh")
        token = {"access_token": f"a-{len(self.server.seen)}", "refresh_token": "r"}
        self._send(200, "application/json", json.dumps({**token, "token_type": "bearer"}).encode())

    def do_GET(self) -> None:
        self.server.seen.append("api")
        found = self.server.answers
        self._send(*(found.pop(0) if found else (200, "application/json", b'{"data":{}}')))

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Call:
    """Calls ``marketplace.show`` a few times with one instance; gives what each came to."""

    def sync_calls(times: int, **options: Any) -> list[Any]:
        with create_instance("client", **options) as sdk:
            return [_outcome(sdk.marketplace.show) for _ in range(times)]

    async def async_calls(times: int, **options: Any) -> list[Any]:
        async with create_async_instance("client", **options) as sdk:
            found: list[Any] = []
            for _ in range(times):
                try:
                    found.append((await sdk.marketplace.show()).status)
                except Exception as error:
                    found.append(error)
            return found

    if request.param == "sync":
        return sync_calls
    return lambda times, **options: asyncio.run(async_calls(times, **options))


def _outcome(function: Callable[[], Any]) -> Any:
    try:
        return function().status
    except Exception as error:
        return error


def test_a_page_with_401_from_the_api_costs_no_token(server: Server, call: Call) -> None:
    page = (401, "text/html", b"<html>401 Authorization Required</html>")
    server.answers = [(200, "application/json", b"{}"), page, page]
    found = call(4, client_secret="s", base_url=server.base_url)
    assert [found[0], found[3]] == [200, 200]
    for error in found[1:3]:
        assert isinstance(error, UnauthorizedError)
        assert "firewall" in str(error)
    assert server.seen == ["sign-in", "api", "api", "api", "api"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/json", JSON_401), ("text/plain", b"Unauthorized"), ("application/json", b"")],
)
def test_any_other_401_from_the_api_is_its_own(
    server: Server, call: Call, kind: str, body: bytes
) -> None:
    server.answers = [(401, kind, body)]
    assert call(1, client_secret="s", base_url=server.base_url) == [200]
    assert server.seen == ["sign-in", "api", "refresh", "api"]


def test_without_a_secret_the_error_names_the_store(
    server: Server, call: Call, tmp_path: Path
) -> None:
    path = tmp_path / "token.json"
    store = file_store(path=str(path))
    (error,) = call(1, token_store=store, base_url=server.base_url)
    assert isinstance(error, MissingSecretError)
    assert isinstance(error, AuthenticationError)
    assert (error.store, error.place, error.sent) == ("file", str(path), False)
    for part in ("`file`", str(path), "client_secret=…", "FLEX_INTEGRATION_CLIENT_SECRET_FILE"):
        assert part in str(error)
    assert "memory" not in str(error)
    assert server.seen == []


def test_memory_keeps_nothing_from_an_earlier_run(server: Server, call: Call) -> None:
    (error,) = call(1, base_url=server.base_url)
    assert isinstance(error, MissingSecretError)
    assert "`memory`" in str(error)
    assert "none is left from an earlier run" in str(error)


def test_the_command_line_names_its_own_options(
    flex_sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.delenv("FLEX_INTEGRATION_CLIENT_SECRET", raising=False)
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE", "file")
    monkeypatch.setenv("FLEX_INTEGRATION_TOKEN_STORE__PATH", str(tmp_path / "token.json"))
    options = ["--client-id", "client", "--base-url", flex_sandbox.base_url]
    assert _app.run(["call", "marketplace.show", *options]) == 1
    said = capsys.readouterr().err
    assert str(tmp_path / "token.json") in said
    assert "--client-secret-file FILE" in said
    assert "client_secret=" not in said
