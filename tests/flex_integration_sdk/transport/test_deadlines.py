"""Each request ends in time, whatever the server, the name server or the proxy does."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.config import resolve
from flex_integration_sdk.errors import TransportError
from flex_tokenstore import Token
from tests.servers.tls import Certificates
from tests.support import slow_servers
from tests.support.slow_servers import ANSWERS, SlowServer, Way, listening

LIMIT = 0.5  # seconds
# For what is slower than it should be on a busy machine; a request that never ends is far beyond.
IN_TIME = LIMIT + 1.5
# A token request is sent once more.
TWICE = 3.5

Kind = Literal["sync", "async"]
What = Literal["token", "api"]
both = pytest.mark.parametrize("kind", ["sync", "async"])
each = pytest.mark.parametrize("what", ["token", "api"])


class Own:
    """A store of the user's own, with a token that another run had, or none."""

    def __init__(self, token: Any = None) -> None:
        self.token = token

    def get_token(self) -> Any:
        return self.token

    def set_token(self, token: Any) -> None:
        self.token = token

    def remove_token(self) -> None:
        self.token = None


def store(what: What, base_url: str) -> Own:
    if what == "token":
        return Own()
    key = resolve(client_id="cid", base_url=base_url, environ={}).identity.key
    token = Token.issued(slow_servers.TOKEN, identity_key=key, obtained_at=time.time())
    return Own(token.to_dict())


def request(kind: Kind, what: What, base_url: str, **options: Any) -> Any:
    """Makes a token request, or an API call with a stored token."""
    options = {"timeout": LIMIT, "request_timeout": LIMIT, "host_lock": "off", **options}
    made = {"base_url": base_url, "token_store": store(what, base_url), "max_retries": 0, **options}
    if kind == "sync":
        with create_instance("cid", "s3cret", **made) as sdk:
            return sdk.session.token() if what == "token" else sdk.marketplace.show()

    async def main() -> Any:
        async with create_async_instance("cid", "s3cret", **made) as sdk:
            return await (sdk.session.token() if what == "token" else sdk.marketplace.show())

    return asyncio.run(main())


def ends_in_time(kind: Kind, what: What, base_url: str, **options: Any) -> TransportError:
    began = time.monotonic()
    with pytest.raises(TransportError) as caught:
        request(kind, what, base_url, **options)
    assert time.monotonic() - began < (TWICE if what == "token" else IN_TIME)
    assert caught.value.reason == "transient"
    name = "request_timeout" if what == "token" else " timeout"
    assert "in time" in str(caught.value)
    assert name in str(caught.value)
    return caught.value


@pytest.mark.each_value
@both
@each
@pytest.mark.parametrize("way", ANSWERS, ids=lambda way: way.__name__)
def test_a_server_that_never_ends(kind: Kind, what: What, way: Way) -> None:
    with listening() as server:
        setattr(server, what, way)
        assert ends_in_time(kind, what, server.base_url).sent
        assert len(server.paths) == (2 if what == "token" else 1)


@pytest.mark.each_value
@both
@each
@pytest.mark.parametrize("serve", [slow_servers.stalled, slow_servers.dripping_handshake])
def test_a_tls_handshake_that_never_ends(
    kind: Kind, what: What, serve: Callable[[SlowServer, Any], None]
) -> None:
    with listening(serve) as server:
        error = ends_in_time(kind, what, f"https://127.0.0.1:{server.port}")
        assert not error.sent
        assert server.connections == (2 if what == "token" else 1)


@pytest.mark.each_value
@both
@each
@pytest.mark.parametrize(
    "serve",
    [
        slow_servers.stalled,
        slow_servers.proxy_that_drips,
        slow_servers.proxy_that_floods,
        slow_servers.proxy_to_a_stall,
    ],
)
def test_a_proxy_that_never_ends(
    kind: Kind,
    what: What,
    serve: Callable[[SlowServer, Any], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with listening(serve) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.base_url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        error = ends_in_time(kind, what, "https://api.example.com")
        assert not error.sent
        assert server.connections == (2 if what == "token" else 1)


@pytest.mark.each_value
@both
@each
def test_a_proxy_behind_tls(
    kind: Kind, what: What, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its handshake is done; then it, or what is behind it, stalls."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificates)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.certificate))
    monkeypatch.delenv("NO_PROXY", raising=False)
    for serve in (slow_servers.proxy_that_drips, slow_servers.proxy_to_a_stall):
        with listening(serve, context=context) as server:
            monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{server.port}")
            ends_in_time(kind, what, "https://api.example.com")
            assert server.connections == (2 if what == "token" else 1)


class NameServer:
    """In place of the system's look-up: hangs until it is released."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
        self.released = threading.Event()
        self.asked: list[threading.Thread] = []
        self._real, self._addresses = socket.getaddrinfo, addresses
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(self, host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host != "localhost" or options.get("flags", 0) & socket.AI_NUMERICHOST:
            return self._real(host, port, *args, **options)
        self.asked.append(threading.current_thread())
        self.released.wait(30)
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (address, port)) for address in self._addresses]


@pytest.mark.each_value
@both
@each
def test_a_look_up_that_hangs_sends_nothing_when_it_is_done(
    kind: Kind, what: What, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = NameServer(monkeypatch, "127.0.0.1")
    with listening() as server:
        error = ends_in_time(kind, what, f"http://localhost:{server.port}")
        assert "localhost could not be looked up" in str(error)
        assert not error.sent
        names.released.set()
        for thread in names.asked:
            assert thread is not threading.current_thread()
            thread.join(10)
        assert names.asked
        assert not any(thread.is_alive() for thread in names.asked)
        assert server.connections == 0


@both
@each
def test_a_look_up_that_is_done_in_time(
    kind: Kind, what: What, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = NameServer(monkeypatch, "127.0.0.1")
    names.released.set()
    with listening() as server:
        assert request(
            kind, what, f"http://localhost:{server.port}", timeout=10, request_timeout=10
        )
        assert server.connections >= 1


@pytest.fixture
def hole() -> Iterator[int]:
    with slow_servers.black_hole("127.0.0.2") as port:
        yield port


def unreachable(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        try:
            probe.connect((address, port))
        except TimeoutError:
            return True
        except OSError:
            return False
    return False


@pytest.mark.each_value
@both
@each
def test_no_address_answers(
    kind: Kind, what: What, hole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not unreachable("127.0.0.2", hole):
        pytest.skip("this system accepts connections beyond the backlog")
    NameServer(monkeypatch, "127.0.0.2", "127.0.0.2", "127.0.0.2").released.set()
    began = time.monotonic()
    with pytest.raises(TransportError, match="in time") as caught:
        request(kind, what, f"http://localhost:{hole}")
    assert time.monotonic() - began < TWICE
    assert not caught.value.sent


@pytest.mark.each_value
@both
@each
def test_the_second_address_answers(
    kind: Kind, what: What, hole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not unreachable("127.0.0.2", hole):
        pytest.skip("this system accepts connections beyond the backlog")
    NameServer(monkeypatch, "127.0.0.2", "127.0.0.1").released.set()
    with listening(port=hole) as server:
        began = time.monotonic()
        url = f"http://localhost:{server.port}"
        assert request(kind, what, url, timeout=20, request_timeout=20)
        # Within 5 s, which a connection may take in all.
        assert time.monotonic() - began < 4


@pytest.mark.slow
@both
def test_a_long_response_that_moves_is_read(kind: Kind) -> None:
    """It takes several times the limit in all."""
    pieces, piece = 12, b" " * (80 << 10)

    def slowly(line: slow_servers.Line) -> None:
        body = b'{"data":{"id":"1","type":"x"}}'
        length = len(body) + pieces * len(piece)
        line.send(slow_servers.JSON + b"Content-Length: %d\r\n\r\n" % length)
        for _ in range(pieces):
            line.send(piece)
            line.stop.wait(LIMIT / 4)
        line.send(body)

    with listening() as server:
        server.api = slowly
        assert request(kind, "api", server.base_url).data.id == "1"


@both
def test_calls_that_wait_for_a_connection_are_not_late(kind: Kind) -> None:
    """Their time begins with the connection: there are nine."""

    def slowly(line: slow_servers.Line) -> None:
        line.stop.wait(LIMIT * 0.6)
        body = b'{"data":{"id":"1","type":"x"}}'
        line.send(slow_servers.JSON + b"Connection: close\r\nContent-Length: 30\r\n\r\n" + body)

    with listening() as server:
        server.api = slowly
        made: Any = {
            "base_url": server.base_url,
            "token_store": store("api", server.base_url),
            "timeout": LIMIT * 2,
            "host_lock": "off",
        }
        statuses: list[int] = []
        if kind == "sync":
            with create_instance("cid", **made) as sdk:
                threads = [
                    threading.Thread(target=lambda: statuses.append(sdk.marketplace.show().status))
                    for _ in range(36)
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
        else:

            async def main() -> None:
                async with create_async_instance("cid", **made) as sdk:
                    calls = [sdk.marketplace.show() for _ in range(36)]
                    statuses.extend(answer.status for answer in await asyncio.gather(*calls))

            asyncio.run(main())
        assert statuses == [200] * 36


def test_cancelling_works_and_the_next_call_too() -> None:
    async def main(server: SlowServer) -> None:
        base = server.base_url
        async with create_async_instance(
            "cid", base_url=base, token_store=store("api", base), timeout=30, host_lock="off"
        ) as sdk:
            call = asyncio.ensure_future(sdk.marketplace.show())
            while not server.paths:
                await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            server.api = None
            assert (await sdk.marketplace.show()).status == 200

    with listening() as server:
        server.api = slow_servers.dripping_body
        asyncio.run(main(server))


@contextmanager
def abandoned(way: Way) -> Iterator[tuple[SlowServer, Callable[[], bool]]]:
    """A server, and a way to see that a token request has arrived."""
    with listening() as server:
        server.token = way
        yield server, lambda: bool(server.paths)


@pytest.mark.parametrize("way", ANSWERS, ids=lambda way: way.__name__)
def test_abandoning_a_token_request(way: Way) -> None:
    from flex_integration_sdk._client.oauth import SyncGrants
    from flex_integration_sdk._transport.sync import Http

    with abandoned(way) as (server, arrived):
        settings = resolve(client_id="c", client_secret="s", base_url=server.base_url, environ={})
        http = Http(settings.base_url, 60, 60)
        grants = SyncGrants(settings, http)

        def abandon() -> None:
            while not arrived():
                time.sleep(0.01)
            grants.abandon()

        thread = threading.Thread(target=abandon)
        thread.start()
        began = time.monotonic()
        with pytest.raises(
            TransportError, match="was stopped because the program received a signal"
        ) as caught:
            grants.sign_in()
        assert time.monotonic() - began < 5
        assert (caught.value.reason, caught.value.sent) == ("transient", True)
        thread.join()
        http.close()


@pytest.mark.parametrize("way", ANSWERS, ids=lambda way: way.__name__)
def test_abandoning_a_token_request_of_a_loop(way: Way) -> None:
    from flex_integration_sdk._client.oauth import AsyncGrants
    from flex_integration_sdk._transport.aio import AsyncHttp

    async def main(server: SlowServer, arrived: Callable[[], bool]) -> None:
        settings = resolve(client_id="c", client_secret="s", base_url=server.base_url, environ={})
        http = AsyncHttp(settings.base_url, 60, 60)
        grants = AsyncGrants(settings, http)
        call = asyncio.ensure_future(grants.sign_in())
        while not arrived():
            await asyncio.sleep(0.01)
        await asyncio.to_thread(grants.abandon)
        began = time.monotonic()
        with pytest.raises(
            TransportError, match="was stopped because the program received a signal"
        ) as caught:
            await call
        assert time.monotonic() - began < 5
        assert (caught.value.reason, caught.value.sent) == ("transient", True)
        await http.aclose()

    with abandoned(way) as (server, arrived):
        asyncio.run(main(server, arrived))


@both
def test_abandoning_during_a_look_up(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    from flex_integration_sdk._client.oauth import AsyncGrants, SyncGrants
    from flex_integration_sdk._transport.aio import AsyncHttp
    from flex_integration_sdk._transport.sync import Http

    names = NameServer(monkeypatch, "127.0.0.1")
    with listening() as server:
        url = f"http://localhost:{server.port}"
        settings = resolve(client_id="c", client_secret="s", base_url=url, environ={})
        began = time.monotonic()

        def abandon(grants: SyncGrants | AsyncGrants) -> None:
            while not names.asked:
                time.sleep(0.01)
            grants.abandon()

        if kind == "sync":
            http = Http(url, 60, 60)
            sync_grants = SyncGrants(settings, http)
            thread = threading.Thread(target=abandon, args=(sync_grants,))
            thread.start()
            with pytest.raises(
                TransportError, match="was stopped because the program received a signal"
            ) as caught:
                sync_grants.sign_in()
            thread.join()
            http.close()
        else:

            async def main() -> Any:
                http = AsyncHttp(url, 60, 60)
                grants = AsyncGrants(settings, http)
                call = asyncio.ensure_future(grants.sign_in())
                await asyncio.to_thread(abandon, grants)
                with pytest.raises(
                    TransportError, match="was stopped because the program received a signal"
                ) as caught:
                    await call
                await http.aclose()
                return caught

            caught = asyncio.run(main())
        assert time.monotonic() - began < 5
        assert not caught.value.sent
        names.released.set()
        names.asked[0].join(10)
        assert server.connections == 0
