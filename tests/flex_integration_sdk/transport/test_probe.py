"""The request without credentials, and what is seen of it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk._transport.probe import READ_LIMIT, Probe
from flex_integration_sdk._transport.proxy_and_tls import options_for, tls_context
from flex_integration_sdk._transport.seen import Peer
from tests.servers import free_port
from tests.support.slow_servers import Line, SlowServer, black_hole, listening, proxy_to_a_stall
from tests.support.way import Asked, Authority, answering, server_context, tunnel

PATH = "/v1/integration_api/marketplace/show"
SECRET = "s3cr3t"
NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, *map(str.lower, NAMES)):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def probes() -> Iterator[list[Probe]]:
    """Those that are closed at the end."""
    made: list[Probe] = []
    yield made
    for each in made:
        each.close()


def probe(probes: list[Probe], base_url: str, seconds: float = 5) -> Probe:
    probes.append(Probe(base_url, seconds))
    return probes[-1]


def test_it_carries_nothing_and_follows_nothing(probes: list[Probe]) -> None:
    asked: list[Asked] = []
    with listening(answering(302, b"", headers={"Location": "/elsewhere"}, asked=asked)) as server:
        seen = probe(probes, server.base_url).get(server.base_url + PATH)
    assert (seen.stage, seen.status, seen.error) == ("", 302, None)
    assert [request.line for request in asked] == [f"GET {PATH} HTTP/1.1"]
    assert "authorization" not in asked[0].headers


def test_of_a_large_response_only_the_beginning_is_read(probes: list[Probe]) -> None:
    def endless(_: SlowServer, line: Line) -> None:
        line.connection.recv(65536)
        line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        line.flood(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    with listening(endless) as server:
        seen = probe(probes, server.base_url).get(server.base_url + PATH)
    assert seen.body == b"x" * READ_LIMIT


def test_a_second_request_uses_the_connection_of_the_first(probes: list[Probe]) -> None:
    with listening(answering()) as server:
        made = probe(probes, server.base_url)
        first, second = (made.get(server.base_url + PATH) for _ in range(2))
        assert server.connections == 1
    assert first.connecting > 0
    assert second.connecting == 0
    assert first.answering > 0


def test_where_it_fails(probes: list[Probe]) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    assert probe(probes, nobody).get(nobody).stage == "connect"

    def closes(_: SlowServer, line: Line) -> None:
        line.connection.recv(65536)

    with listening(closes) as server:
        seen = probe(probes, server.base_url).get(server.base_url)
    assert seen.stage == "request"
    assert seen.error is not None
    with black_hole() as port:
        address = f"http://127.0.0.1:{port}"
        assert probe(probes, address, 0.3).get(address).stage == "connect"


class TestTls:
    HOST = "api.example"
    URL = f"https://{HOST}"

    @pytest.fixture
    def asked(self) -> list[Asked]:
        return []

    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        return Authority(tmp_path, "An Authority")

    @pytest.fixture
    def way(
        self, authority: Authority, asked: list[Asked], monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[SlowServer]:
        """A server that is reached through a tunnel; gives the proxy."""
        context = server_context(authority.issue(self.HOST))
        with (
            listening(answering(asked=asked), context=context) as server,
            tunnel(server.port) as proxy,
        ):
            monkeypatch.setenv("HTTPS_PROXY", f"http://u:{SECRET}@127.0.0.1:{proxy.port}")
            yield proxy

    def test_the_proxy_is_named_and_its_password_is_not(
        self, probes: list[Probe], way: SlowServer
    ) -> None:
        peer = probe(probes, self.URL).peer(self.URL)
        assert peer == Peer("127.0.0.1", way.port, "HTTPS_PROXY")
        assert SECRET not in repr(peer) + peer.shown

    def test_a_certificate_that_is_accepted(
        self,
        probes: list[Probe],
        way: SlowServer,
        authority: Authority,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        seen = probe(probes, self.URL).get(self.URL + PATH)
        assert (seen.stage, seen.status) == ("", 401)
        assert seen.certificate is not None
        assert "An Authority" in repr(seen.certificate["issuer"])

    def test_of_one_that_is_not_accepted_it_gets_a_copy_and_sends_nothing(
        self, probes: list[Probe], way: SlowServer, asked: list[Asked]
    ) -> None:
        made = probe(probes, self.URL)
        seen = made.get(self.URL + PATH)
        assert (seen.stage, seen.verify_code, seen.proxy_status) == ("tls", 20, 0)
        der = made.certificate(self.URL + PATH)
        assert der is not None
        assert b"An Authority" in der
        # And it is not trusted from now on.
        assert made.get(self.URL + PATH).stage == "tls"
        assert asked == []

    def test_a_server_that_stalls_shows_no_certificate(
        self, probes: list[Probe], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with listening(proxy_to_a_stall) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
            assert probe(probes, self.URL, 0.3).certificate(self.URL) is None

    @pytest.mark.parametrize("status", [403, 407, 502])
    def test_a_proxy_that_refuses(
        self, probes: list[Probe], status: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with tunnel(1, refuses=status) as proxy:
            monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
            seen = probe(probes, self.URL).get(self.URL)
        assert (seen.stage, seen.proxy_status) == ("proxy", status)

    def test_an_https_proxy_with_a_certificate_of_its_own(
        self,
        probes: list[Probe],
        authority: Authority,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What is wrong with that is the proxy's fault, not the server's."""
        context = server_context(Authority(tmp_path, "Another").issue("localhost"))
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        with listening(proxy_to_a_stall, context=context) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{proxy.port}")
            seen = probe(probes, self.URL).get(self.URL)
        assert seen.stage == "proxy"


def test_a_socks_proxy_is_known(probes: list[Probe], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example")
    assert probe(probes, "https://api.example").peer("https://api.example") == Peer(
        "proxy.example", 1080, "ALL_PROXY"
    )


def test_names_are_looked_up_within_the_limit(
    probes: list[Probe], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert probe(probes, "http://localhost").look_up("127.0.0.1", 80) == ["127.0.0.1"]
    with pytest.raises(OSError, match=r".*"):
        probe(probes, "http://localhost").look_up("nobody.invalid", 80)
    answer = threading.Event()
    real = socket.getaddrinfo

    def silent(host: Any, *args: Any, **options: Any) -> Any:
        # With AI_NUMERICHOST nobody is asked.
        if host == "slow.example" and socket.AI_NUMERICHOST not in (*args, *options.values()):
            answer.wait(30)
        return real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    try:
        with pytest.raises(TimeoutError, match="no name server responded within"):
            probe(probes, "http://localhost", 0.2).look_up("slow.example", 80)
    finally:
        answer.set()


def test_what_trusts_anybody_is_used_for_one_handshake_only(
    probes: list[Probe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a connection that is kept nor a context that is shared gets it."""
    authority = Authority(tmp_path, "A")
    asked: list[Asked] = []
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    context = server_context(authority.issue("localhost"))
    with listening(answering(asked=asked), context=context) as server:
        address = f"https://localhost:{server.port}"
        made = probe(probes, address)
        assert made.get(address).status == 401
        assert made.certificate(address)
        assert len(asked) == 1
        used = tls_context(options_for(address, trust_env=False))
        assert used.verify_mode is ssl.CERT_REQUIRED
        assert used.check_hostname
        other = Authority(tmp_path, "B")
        monkeypatch.setenv("SSL_CERT_FILE", str(other.file))
        assert probe(probes, address).get(address).stage == "tls"
