"""What the HTTP library raises is told in our own words: no text of its own, and none of a peer."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import traceback
from typing import Any

import httpx2
import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk._transport.aio import AsyncHttp
from flex_integration_sdk._transport.aio_network import AsyncBackend
from flex_integration_sdk._transport.deadline import Watch
from flex_integration_sdk._transport.http_errors import failed, unmade
from flex_integration_sdk._transport.network import Backend
from flex_integration_sdk._transport.sync import Http
from flex_integration_sdk._values.shown import host_of
from flex_integration_sdk.errors import FlexError, TransportError
from flex_tokenstore import SessionClosedError
from flex_tokenstore.errors import TokenStoreError
from tests.support.slow_servers import JSON, Line, SlowServer, listening

SECRET = "s3cr3t-sentinel"
URL = f"https://user:{SECRET}@api.example.com/v1/x?signature={SECRET}"
both = pytest.mark.parametrize("kind", ["sync", "async"])


def call(kind: str, base_url: str, **options: Any) -> Any:
    if kind == "sync":
        with create_instance("c", SECRET, base_url=base_url, **options) as sdk:
            return sdk.marketplace.show()

    async def main() -> Any:
        async with create_async_instance("c", SECRET, base_url=base_url, **options) as sdk:
            return await sdk.marketplace.show()

    return asyncio.run(main())


def whole(error: BaseException) -> str:
    """All that a log or an error tracker could show of it, locals of this file excepted."""
    told = "".join(traceback.TracebackException.from_exception(error).format())
    seen, current = [told], error.__cause__ or error.__context__
    while current is not None:
        seen += [str(current), repr(current), repr(vars(current))]
        assert current.__traceback__ is None
        current = current.__cause__ or current.__context__
    return "".join(seen)


@pytest.mark.parametrize(
    ("error", "said", "sent"),
    [
        (httpx2.LocalProtocolError(f"Illegal header value b'Bearer {SECRET}\\n'"), "header", False),
        (httpx2.LocalProtocolError("Too little data for declared Content-Length"), "length", False),
        (httpx2.RemoteProtocolError(f"illegal status line: {SECRET}"), "not HTTP", True),
        (httpx2.RemoteProtocolError("Server disconnected without sending"), "too early", True),
        (httpx2.ProxyError(f"407 {SECRET}"), "HTTP 407", False),
        (httpx2.ProxyError(SECRET), "proxy refused", False),
        (httpx2.DecodingError(SECRET), "not compressed", True),
        (httpx2.ReadTimeout(SECRET), "in time", True),
        (httpx2.ConnectTimeout(SECRET), "in time", False),
        (httpx2.ReadError(SECRET), "was lost", True),
        (httpx2.UnsupportedProtocol(SECRET), "not valid", False),
        (httpx2.InvalidURL(SECRET), "not valid", False),
        (UnicodeEncodeError("idna", SECRET, 0, 1, SECRET), "not valid", False),
        (ValueError(SECRET), "not valid", True),
        (socket.gaierror(-2, SECRET), "could not be resolved", False),
        (ConnectionRefusedError(111, SECRET), "refused the connection", True),
        (ssl.SSLError(1, f"[SSL: X] {SECRET}"), "TLS failed", False),
        (RuntimeError(SECRET), "could not be sent: RuntimeError", True),
    ],
)
def test_no_text_of_the_library_is_repeated(error: Exception, said: str, sent: bool) -> None:
    error.__cause__ = ValueError(SECRET)
    failure = failed(URL, error)
    assert said in str(failure)
    assert failure.sent is sent
    assert SECRET not in whole(failure)
    assert "api.example.com" in str(failure)


@pytest.mark.parametrize(
    ("code", "said"),
    [(10, "has expired"), (18, "self-signed"), (20, "authority"), (62, "another host"), (99, "99")],
)
def test_why_a_certificate_is_refused(code: int, said: str) -> None:
    found = ssl.SSLCertVerificationError(1, SECRET)
    found.verify_code = code
    error = httpx2.ConnectError(SECRET)
    error.__cause__ = found
    assert said in str(failed(URL, error))
    assert SECRET not in whole(failed(URL, error))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (URL, "api.example.com"),
        ("http://[::1]:80/x", "[::1]:80"),
        ("http://a\x1b[31m/x", "an address that cannot be read"),
        ("http://[/x", "an address that cannot be read"),
        ("", "an address that cannot be read"),
    ],
)
def test_a_host_for_a_message(url: str, host: str) -> None:
    assert host_of(url) == host


@both
def test_an_untrusted_certificate(kind: str, certificates: Any) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificates)
    with listening(context=context) as server:
        with pytest.raises(TransportError, match=r"certificate .*self-signed") as caught:
            call(kind, f"https://127.0.0.1:{server.port}")
        assert not caught.value.sent
        assert server.paths == []


@both
def test_tls_to_a_plain_port(kind: str) -> None:
    def plain(_: SlowServer, line: Line) -> None:
        line.connection.recv(65536)
        line.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(plain) as server:
        with pytest.raises(TransportError, match="plain http") as caught:
            call(kind, f"https://127.0.0.1:{server.port}")
        assert not caught.value.sent


@both
def test_nobody_listens(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(TransportError, match="refused the connection") as caught:
        call(kind, f"http://127.0.0.1:{port}")
    assert not caught.value.sent
    assert isinstance(caught.value.__cause__, httpx2.ConnectError)


@both
@pytest.mark.parametrize(
    "answer",
    [
        f"{SECRET} what?\r\n\r\n".encode(),
        b"HTTP/1.1 200 OK\r\n" + SECRET.encode() + b"\r\n\r\n",
        JSON + b"Content-Encoding: gzip\r\nContent-Length: 15\r\n\r\n" + SECRET.encode(),
        JSON + b"Content-Length: 99\r\n\r\n" + SECRET.encode(),
        b"",
    ],
)
def test_what_is_not_http_is_not_quoted(kind: str, answer: bytes) -> None:
    def odd(line: Line) -> None:
        line.send(answer)

    with listening() as server:
        server.token = odd
        with pytest.raises(TransportError) as caught:
            call(kind, server.base_url)
        assert SECRET not in whole(caught.value)
        assert caught.value.sent


def test_an_import_that_fails_at_the_interpreters_end() -> None:
    assert "interpreter" in str(unmade(ImportError("sys.meta_path is None")))


@both
def test_a_proxy_that_refuses(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: SlowServer, line: Line) -> None:
        line.connection.recv(65536)
        line.send(f"HTTP/1.1 407 {SECRET}\r\nContent-Length: 0\r\n\r\n".encode())

    with listening(refuse) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@127.0.0.1:{server.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        with pytest.raises(TransportError, match=r"proxy refused .* HTTP 407") as caught:
            call(kind, "https://api.example.com")
        assert not caught.value.sent
        assert SECRET not in whole(caught.value)


def check_backends(shared: Any, backend: type) -> None:
    watch = Watch(1.0, None)
    slot = shared.slots.take(watch)
    client = shared.client(slot)
    transports = [client._transport, *filter(None, client._mounts.values())]
    assert len(transports) == 2
    assert all(isinstance(each._pool._network_backend, backend) for each in transports)
    shared.slots.give_back(watch)


@both
def test_every_connection_is_one_that_a_watch_can_end(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those to a proxy too; fails if httpx2 keeps its connections elsewhere."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "example.org")
    if kind == "sync":
        http = Http("https://api.example.com", 1.0, 1.0)
        check_backends(http._shared(), Backend)
        http.close()
        return

    async def main() -> None:
        http = AsyncHttp("https://api.example.com", 1.0, 1.0)
        check_backends(await http._shared(), AsyncBackend)
        await http.aclose()

    asyncio.run(main())


@both
def test_after_closing_nothing_is_made_or_sent(kind: str) -> None:
    from flex_integration_sdk._client.oauth import AsyncGrants, SyncGrants
    from flex_integration_sdk.config import resolve

    with listening() as server:
        url = server.base_url
        settings = resolve(client_id="c", client_secret=SECRET, base_url=url, environ={})
        if kind == "sync":
            http = Http(url, 5.0, 5.0)
            grants = SyncGrants(settings, http)
            assert grants.sign_in()
            http.close()
            with pytest.raises(SessionClosedError):
                grants.sign_in()
            assert not http._used.get()
        else:

            async def main() -> None:
                http = AsyncHttp(url, 5.0, 5.0)
                grants = AsyncGrants(settings, http)
                assert await grants.sign_in()
                await http.aclose()
                with pytest.raises(SessionClosedError):
                    await grants.sign_in()
                assert not http._used.get()

            asyncio.run(main())
        assert len(server.paths) == 1


@both
def test_all_errors_are_of_our_trees(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Addresses that the HTTP library, the IDNA codec or the system refuse."""
    caplog.set_level(logging.DEBUG)
    for host in ("a" * 70 + ".example", "xn--" + "a" * 59 + ".example", "ex_ample.invalid"):
        with pytest.raises((FlexError, TokenStoreError)):
            call(kind, f"https://{host}", timeout=5, request_timeout=5)
    assert SECRET not in caplog.text
