"""on_request and FLEX_INTEGRATION_LOG: each request is told, and nothing that is secret."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flex_integration_sdk import (
    RequestEvent,
    create_async_instance,
    create_instance,
)
from flex_integration_sdk.errors import (
    ConfigurationError,
    ConflictError,
    NestedCallError,
    NotFoundError,
    TransportError,
)
from flex_integration_sdk.sandbox import RunningSandbox
from tests.support.slow_servers import JSON, TOKEN, listening

PERSONAL = "user1@example.com"
both = pytest.mark.parametrize("kind", ["sync", "async"])


def run(
    kind: str, base_url: str, calls: list[tuple[str, str, dict[str, Any]]], **options: Any
) -> None:
    """Makes each call, whatever comes of it."""
    if kind == "sync":
        with create_instance(base_url=base_url, **options) as sdk:
            for resource, action, arguments in calls:
                with suppress(ConflictError, NotFoundError, TransportError):
                    getattr(getattr(sdk, resource), action)(**arguments)
        return

    async def main() -> None:
        async with create_async_instance(base_url=base_url, **options) as sdk:
            for resource, action, arguments in calls:
                with suppress(ConflictError, NotFoundError, TransportError):
                    await getattr(getattr(sdk, resource), action)(**arguments)

    asyncio.run(main())


@both
def test_each_request_is_told(kind: str, flex_sandbox: RunningSandbox) -> None:
    events: list[RequestEvent] = []
    run(
        kind,
        flex_sandbox.base_url,
        [
            ("marketplace", "show", {}),
            ("users", "show", {"email": PERSONAL}),
            ("users", "show", {"email": f"no-such-{PERSONAL}"}),
            ("listings", "open", {"id": UUID(int=7)}),
        ],
        client_id=flex_sandbox.client_id,
        client_secret=flex_sandbox.client_secret,
        on_request=events.append,
    )
    told = [(each.method, each.path, each.parameters, each.status) for each in events]
    api = "/v1/integration_api"
    grant = ("client_id", "client_secret", "grant_type", "scope")
    assert told == [
        ("POST", "/v1/auth/token", grant, 200),
        ("GET", f"{api}/marketplace/show", (), 200),
        ("GET", f"{api}/users/show", ("email",), 200),
        ("GET", f"{api}/users/show", ("email",), 404),
        ("POST", f"{api}/listings/open", ("id",), 409),
    ]
    assert all(each.attempt == 1 and each.error is None for each in events)
    assert all(0 < each.seconds < 30 for each in events)
    assert {each.host for each in events} == {flex_sandbox.base_url.removeprefix("http://")}
    assert flex_sandbox.client_secret not in repr(events)
    assert PERSONAL not in repr(events)


@both
def test_a_request_without_a_response(kind: str) -> None:
    events: list[RequestEvent] = []
    with listening() as server:

        def closes(line: Any) -> None:
            line.connection.close()

        server.api = closes
        calls: list[tuple[str, str, dict[str, Any]]] = [("images", "upload", {"image": b"x"})]
        run(
            kind, server.base_url, calls, client_id="c", client_secret="s", on_request=events.append
        )
    last = events[-1]
    assert (last.status, last.error, last.parameters) == (None, "TransportError", ("image",))


@both
def test_a_401_is_an_attempt(kind: str) -> None:
    events: list[RequestEvent] = []
    with listening() as server:
        refused: list[bool] = []

        def once(line: Any) -> None:
            first = not refused
            refused.append(True)
            status = b"401 Unauthorized" if first else b"200 OK"
            body = b"{}" if first else b'{"data":{"id":"1","type":"x"}}'
            line.send(
                b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nX-Request-Id: r-7\r\n" % status
            )
            line.send(b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

        def another(line: Any) -> None:
            tokens.append(1)
            body = json.dumps({**TOKEN, "access_token": f"a-{len(tokens)}"}).encode()
            head = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
            line.send(JSON + head + body)

        tokens: list[int] = []
        server.token, server.api = another, once
        calls: list[tuple[str, str, dict[str, Any]]] = [("marketplace", "show", {})]
        run(
            kind, server.base_url, calls, client_id="c", client_secret="s", on_request=events.append
        )
    api = [(each.status, each.attempt, each.request_id) for each in events if "api" in each.path]
    assert api == [(401, 1, "r-7"), (200, 2, "r-7")]


@both
def test_what_a_callback_raises_changes_nothing(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: RequestEvent) -> None:
        raise ValueError("a secret text")

    events: list[RequestEvent] = []
    with listening() as server:
        calls: list[tuple[str, str, dict[str, Any]]] = [("marketplace", "show", {})]
        run(kind, server.base_url, calls, client_id="c", client_secret="s", on_request=broken)
        run(
            kind, server.base_url, calls, client_id="c", client_secret="s", on_request=events.append
        )
    assert [each.status for each in events] == [200, 200]
    assert caplog.text.count("on_request failed: ValueError") == 2
    assert "a secret text" not in caplog.text


def test_a_callback_must_not_use_the_instance() -> None:
    failures: list[BaseException] = []
    with listening() as server:
        made: list[Any] = []

        def nested(event: RequestEvent) -> None:
            try:
                made[0].marketplace.show()
            except BaseException as error:
                failures.append(error)

        with create_instance("c", "s", base_url=server.base_url, on_request=nested) as sdk:
            made.append(sdk)
            assert sdk.marketplace.show().status == 200
        made.clear()
    assert len(failures) == 2
    for each in failures:
        assert isinstance(each, NestedCallError)
        assert "on_request must not use the SDK instance" in str(each)


def test_a_wrong_callback() -> None:
    async def coroutine(event: RequestEvent) -> None: ...

    for given, said in ((coroutine, "not a coroutine function"), (5, "must be callable, got int")):
        with pytest.raises(ConfigurationError, match=said):
            create_instance("c", "s", on_request=given)  # type: ignore[arg-type]


PROGRAM = """
import logging, sys
mode, base_url = sys.argv[1:]
if mode == "before":
    logging.basicConfig(level=logging.INFO, format="ROOT %(message)s")
from flex_integration_sdk import create_instance
with create_instance("c", "s", base_url=base_url) as sdk:
    if mode == "after":
        logging.basicConfig(level=logging.INFO, format="ROOT %(message)s")
    if mode == "refused":
        sdk = sdk.with_options(max_retries=0)
    sdk.users.query(created_at_start="2026-01-01T00:00:00Z", meta_secret="personal")
if mode == "unset":
    modules = [m for m in sys.modules if m.endswith(("_transport.reporting", "request_log"))]
    assert not modules, modules
"""


def logged(mode: str, level: str | None, base_url: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FLEX_")}
    if level is not None:
        environment["FLEX_INTEGRATION_LOG"] = level
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, mode, base_url],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stdout
    for secret in (
        *[str(v) for v in TOKEN.values() if str(v).startswith(("a-", "r-"))],
        "personal",
    ):
        assert secret not in done.stderr
    return done.stderr


def test_without_a_connection_the_log_says_so() -> None:
    with listening() as server:
        pass
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FLEX_")}
    environment["FLEX_INTEGRATION_LOG"] = "DEBUG"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "refused", server.base_url],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "; no connection" in done.stderr
    assert "kept connection" not in done.stderr


@pytest.mark.parametrize("mode", ["plain", "before", "after"])
def test_the_log_has_one_line_for_each_request(mode: str) -> None:
    with listening() as server:
        text = logged(mode, "info", server.base_url)
    lines = text.splitlines()
    lines = [each for each in lines if "/v1/" in each]
    assert len(lines) == 2, text
    assert "POST /v1/auth/token (client_id, client_secret, grant_type, scope): 200 in " in lines[0]
    assert "GET /v1/integration_api/users/query (createdAtStart, meta_secret): 200 in " in lines[1]
    assert lines[0].startswith("ROOT ") == (mode != "plain")


def test_the_log_at_debug_and_none() -> None:
    with listening() as server:
        text = logged("plain", " DEBUG ", server.base_url)
        assert not logged("unset", None, server.base_url)
    assert len(text.splitlines()) == 2
    assert f"[host 127.0.0.1:{server.port}; new connection; sent " in text
    assert "with headers accept" in text.lower()


def test_a_wrong_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEX_INTEGRATION_LOG", "verbose")
    with pytest.raises(ConfigurationError, match="must be info or debug, got 'verbose'"):
        create_instance("c", "s")


def test_a_signed_url_is_not_told(tmp_path: Path) -> None:
    from flex_integration_sdk._client.reporting import reporting_to
    from flex_integration_sdk._transport.bodies import opened
    from flex_integration_sdk._transport.connection_settings import ConnectionSettings
    from flex_integration_sdk._transport.sync import Http
    from flex_integration_sdk._uploads.put import body_of
    from flex_integration_sdk._wire.requests import ApiRequest

    events: list[RequestEvent] = []
    with listening() as server:
        url = f"{server.base_url}/user-1/secret-name?signature=abc"
        http = Http(url, 5, 5, connection=ConnectionSettings(reporting=reporting_to(events.append)))
        body = body_of("file", b"x")
        with opened(body):
            http.upload(ApiRequest("PUT", url, {}, body=body))
        http.close()
    assert [(each.method, each.path, each.status) for each in events] == [("PUT", "/…", 200)]
