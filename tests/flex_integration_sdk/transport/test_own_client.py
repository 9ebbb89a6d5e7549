"""A client of httpx2 that the program made: it makes all requests, and stays open."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import time
from typing import Any

import httpx2
import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk._transport import clients
from flex_integration_sdk._transport.aio import AsyncHttp
from flex_integration_sdk._transport.connection_settings import ConnectionSettings
from flex_integration_sdk._transport.sync import Http
from flex_integration_sdk._wire.requests import ApiRequest
from flex_integration_sdk.errors import ConfigurationError, TransportError
from tests.support import slow_servers
from tests.support.slow_servers import TOKEN, SlowServer, listening

LIVE = "https://flex.invalid"
both = pytest.mark.parametrize("kind", ["sync", "async"])


class Server:
    """Answers in this process, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        is_token = "/auth/" in request.url.path
        body: Any = TOKEN if is_token else {"data": {"id": "1", "type": "x"}}
        return httpx2.Response(200, json=body)


def show(kind: str, client: Any, base_url: str = LIVE, **options: Any) -> Any:
    options.setdefault("max_retries", 0)
    if kind == "sync":
        with create_instance("c", "s", base_url=base_url, http_client=client, **options) as sdk:
            found = sdk.marketplace.show()
        assert not client.is_closed
        client.close()
        return found

    async def main() -> Any:
        make: Any = create_async_instance
        async with make("c", "s", base_url=base_url, http_client=client, **options) as sdk:
            found = await sdk.marketplace.show()
        assert not client.is_closed
        await client.aclose()
        return found

    return asyncio.run(main())


def client(kind: str, **options: Any) -> Any:
    return (httpx2.Client if kind == "sync" else httpx2.AsyncClient)(**options)


@both
def test_all_requests_go_through_it(kind: str) -> None:
    server = Server()
    own = client(
        kind,
        transport=httpx2.MockTransport(server),
        headers={"X-Gateway": "g", "User-Agent": "theirs", "Authorization": "Basic theirs"},
        auth=("user", "pass"),
        params={"key": "k"},
        base_url="https://other.invalid/base",
        follow_redirects=True,
    )
    assert show(kind, own, user_agent="my-shop/1.0").status == 200
    token, call = server.requests
    assert token.url.path == "/v1/auth/token"
    assert "authorization" not in token.headers, "that of the client is for its own requests"
    assert call.headers["authorization"].split()[0] == "Bearer"
    for each in server.requests:
        assert str(each.url) == LIVE + each.url.path
        assert each.headers["user-agent"].startswith("my-shop/1.0 flex-integration-sdk-python/")
        assert each.headers["x-gateway"] == "g"


@both
def test_its_sockets_and_time_outs(kind: str) -> None:
    with listening() as server:
        assert show(kind, client(kind), server.base_url).status == 200
        server.api = slow_servers.silent
        began = time.monotonic()
        with pytest.raises(TransportError, match="in time"):
            show(kind, client(kind), server.base_url, timeout=0.3)
        assert time.monotonic() - began < 3


@both
@pytest.mark.parametrize("way", [slow_servers.dripping_body, slow_servers.endless_body])
def test_a_body_that_drips(kind: str, way: slow_servers.Way) -> None:
    with listening() as server:
        server.api = way
        began = time.monotonic()
        with pytest.raises(TransportError, match="in time"):
            show(kind, client(kind), server.base_url, timeout=0.3)
        assert time.monotonic() - began < 3


def test_a_wrong_one() -> None:
    import httpx

    made: list[Any] = [httpx2.AsyncClient(), httpx2.Client(), httpx.Client()]
    cases: list[tuple[Any, Any, str]] = [
        (
            create_instance,
            made[0],
            "needs an httpx2.Client: pass one, or use create_async_instance",
        ),
        (create_async_instance, made[1], "needs an httpx2.AsyncClient"),
        (create_instance, made[2], "must be an httpx2.Client, got httpx.Client"),
        (create_instance, "client", "got builtins.str"),
    ]
    for make, given, said in cases:
        with pytest.raises(ConfigurationError, match=said):
            make("c", "s", base_url=LIVE, http_client=given)
    for options in ({"proxy": "http://h:1"}, {"verify": False}, {"client_cert": ("a", "b")}):
        with pytest.raises(ConfigurationError, match=r"cannot be combined|client_cert is wrong"):
            create_instance("c", "s", base_url=LIVE, http_client=made[1], **options)
    made[1].close()
    made[2].close()
    asyncio.run(made[0].aclose())


def test_one_that_the_program_has_closed() -> None:
    own = httpx2.Client(transport=httpx2.MockTransport(Server()))
    with create_instance("c", "s", base_url=LIVE, http_client=own) as sdk:
        own.close()
        with pytest.raises(TransportError, match="the program has closed its http_client"):
            sdk.marketplace.show()


def test_nothing_of_it_is_kept() -> None:
    own = httpx2.Client(transport=httpx2.MockTransport(Server()))
    show("sync", own)
    gc.collect()
    assert not [each for each in clients._registry.get() if each.options.client is own]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_does_not_share_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    own = httpx2.Client(transport=httpx2.MockTransport(Server()))
    with create_instance("c", "s", base_url=LIVE, http_client=own) as sdk:
        sdk.marketplace.show()
        here = os.getpid()
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: here + 1)
            from flex_integration_sdk._transport.own_client import OwnClient

            with pytest.raises(TransportError, match="this process was forked"):
                OwnClient(own, "u").send(own.build_request("GET", LIVE))
        assert sdk.marketplace.show().status == 200
    own.close()


@both
def test_its_log_shows_no_secret(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    show(kind, client(kind, transport=httpx2.MockTransport(Server())))
    assert str(TOKEN["access_token"]) not in caplog.text
    assert f"{LIVE}/v1/auth/token" in caplog.text


@both
def test_a_connection_that_fails_says_whether_it_was_sent(kind: str) -> None:
    with listening() as server:
        pass
    with pytest.raises(TransportError) as caught:
        show(kind, client(kind, trust_env=False), server.base_url)
    assert not caught.value.sent

    def early(_: SlowServer, line: Any) -> None:
        line.connection.recv(65536)

    with listening(early) as server, pytest.raises(TransportError) as caught:
        show(kind, client(kind, trust_env=False), server.base_url)
    assert caught.value.sent
    assert json.dumps(str(caught.value))


@both
def test_an_upload_has_nothing_that_the_client_adds(kind: str) -> None:
    server = Server()
    own = client(
        kind,
        transport=httpx2.MockTransport(server),
        headers={"X-Gateway": "g"},
        params={"key": "k"},
        cookies={"c": "d"},
    )
    settings = ConnectionSettings(http_client=own, user_agent="u")
    request = ApiRequest("PUT", "https://storage.invalid/f?signature=s", {"X-Own": "o"})
    if kind == "sync":
        http = Http(LIVE, 5, 5, connection=settings)
        assert http.upload(request).status_code == 200
        http.close()
        own.close()
    else:

        async def main() -> None:
            ahttp = AsyncHttp(LIVE, 5, 5, connection=settings)
            assert (await ahttp.upload(request)).status_code == 200
            await ahttp.aclose()
            await own.aclose()

        asyncio.run(main())
    (sent,) = server.requests
    assert str(sent.url) == request.url
    assert sent.headers["x-own"] == "o"
    assert sent.headers["user-agent"] == "u"
    assert not {"x-gateway", "cookie", "authorization"} & {*sent.headers}
