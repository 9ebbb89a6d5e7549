"""TLS and proxy variables: what is wrong with one is said with its name, and nothing is sent."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.errors import TransportError
from flex_tokenstore import Event
from tests.servers.tls import Certificates
from tests.support.slow_servers import Line, SlowServer, listening

SECRET = "s3cr3t-sentinel"
LIVE = "https://flex.invalid"
VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "REQUESTS_CA_BUNDLE")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
both = pytest.mark.parametrize("kind", ["sync", "async"])


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *PROXIES, *map(str.lower, PROXIES)):
        monkeypatch.delenv(name, raising=False)


def call(kind: str, base_url: str, **options: Any) -> Any:
    options = {"request_timeout": 5, "timeout": 5, **options}
    if kind == "sync":
        with create_instance("c", SECRET, base_url=base_url, **options) as sdk:
            return sdk.marketplace.show()

    async def main() -> Any:
        async with create_async_instance("c", SECRET, base_url=base_url, **options) as sdk:
            return await sdk.marketplace.show()

    return asyncio.run(main())


def refused(kind: str, base_url: str = LIVE) -> str:
    """The message of the error; nothing was sent, and the events say so."""
    events: list[Event] = []
    with pytest.raises(TransportError) as caught:
        call(kind, base_url, on_event=events.append)
    assert not caught.value.sent
    assert not any(event.secret_sent for event in events)
    assert [event.name for event in events if event.name == "request_failed"]
    assert caught.value.__cause__ is None or caught.value.__cause__.__traceback__ is None
    said = str(caught.value)
    assert SECRET not in said + repr(caught.value.__cause__)
    return said


@pytest.fixture
def files(tmp_path: Path, certificates: Certificates) -> dict[str, str]:
    (tmp_path / "text").write_text("no certificate")
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "unreadable").touch(mode=0)
    made = {path.name: str(path) for path in tmp_path.iterdir()}
    pem = str(certificates.certificate)
    odd = {
        "quoted": f'"{pem}"',
        "blank": f" {pem}",
        "line end": f"{pem}\n",
        "home": "~/no-such-ca.pem",
        "missing": str(tmp_path / "missing"),
        "blanks": "  ",
    }
    return {**made, **odd, "pem": pem}


@pytest.mark.each_value
@both
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("text", "no CA certificates in PEM form"),
        ("empty", "no CA certificates in PEM form"),
        ("folder", "directory"),
        ("missing", "No such file"),
        ("quoted", "quotation marks"),
        ("blank", "begins or ends with a blank"),
        ("blanks", "begins or ends with a blank"),
        ("line end", "begins or ends with a blank or a line end"),
        ("home", "Only a shell expands"),
    ],
)
def test_a_wrong_file_of_authorities(
    kind: str, what: str, said: str, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", files[what])
    message = refused(kind)
    assert "SSL_CERT_FILE" in message
    assert said.lower() in message.lower()


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="everything is readable here"
)
def test_a_file_of_authorities_that_cannot_be_read(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", files["unreadable"])
    assert "Permission denied" in refused("sync")


@both
@pytest.mark.parametrize("what", ["missing", "folder", "text", "quoted"])
def test_a_wrong_folder_of_authorities(
    kind: str, what: str, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL says nothing of one that it cannot use, and trusts nobody."""
    monkeypatch.setenv("SSL_CERT_DIR", files[what])
    assert "SSL_CERT_DIR" in refused(kind)


def test_a_key_log_that_cannot_be_written(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", files["pem"])
    monkeypatch.setenv("SSLKEYLOGFILE", "/nowhere/keys.log")
    assert "SSLKEYLOGFILE" in refused("sync")


@both
def test_plain_http_needs_no_authorities(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with listening() as server:
        assert call(kind, server.base_url).status == 200


DIGITS = "123456789"  # a password whose host is missing
WRONG_PROXIES = {
    f"http://u:{SECRET}@proxy.invalid:port": "its port is not a number",
    "http://proxy.invalid:99999": "its port 99999 is not a number",
    f"http://u:{DIGITS}": "its port is not a number",
    "http://u:p@proxy.invalid:99999": "its port 99999 is not a number",
    "http://proxy.invalid:0": "its port 0 is not a number",
    f"http://proxy.invalid:3128:u:{SECRET}": "its port is not a number",
    f"socks://u:{SECRET}@proxy.invalid:9": "the scheme socks:// is not http",
    "ftp://proxy.invalid": "the scheme ftp:// is not http",
    f"http://u:1/{SECRET}@proxy.invalid:9": "percent-encoded",
    f"http://u:#{SECRET}@proxy.invalid:9": "percent-encoded",
    f"http://u:1?{SECRET}@proxy.invalid": "percent-encoded",
    "http://": "does not name a host",
    "http://:3128": "does not name a host",
    " http://proxy.invalid:9": "begins or ends with a blank",
    f"http://u:{SECRET}@proxy.invalid:9\n": "begins or ends with a blank or a line end",
    f'"http://u:{SECRET}@proxy.invalid:9"': "quotation marks",
    f"http://u:{SECRET}\x07@proxy.invalid:9": "control characters",
    f"http://u {SECRET}@proxy.invalid:9": "contains a blank",
    "http://[::1": "",
    "   ": "begins or ends with a blank",
}


@pytest.mark.each_value
@both
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "http_proxy"])
@pytest.mark.parametrize("value", WRONG_PROXIES)
def test_a_wrong_proxy(
    kind: str, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    message = refused(kind)
    assert f"the environment variable {variable} is wrong" in message
    assert WRONG_PROXIES[value] in message


@both
@pytest.mark.parametrize(
    ("value", "said"), [('"flex.invalid"', "quotation marks"), ("a b", "commas"), ("a;b", "commas")]
)
def test_exceptions_that_would_be_skipped(
    kind: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", value)
    message = refused(kind)
    assert "NO_PROXY" in message
    assert said in message


@both
def test_a_proxy_that_is_not_used_is_not_looked_at(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "ftp://nobody")
    with listening() as server:
        assert call(kind, server.base_url).status == 200  # this machine's own address
    monkeypatch.setenv("NO_PROXY", "*")
    assert "could not be resolved" in refused(kind)


@both
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_without_the_extra(
    kind: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "socksio" else real(name, *a)
    )
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://u:{SECRET}@127.0.0.1:9")
    message = refused(kind)
    assert "ALL_PROXY" in message
    assert "pip install '.[socks]'" in message


def socks_proxy(asked: list[bytes]) -> Callable[[SlowServer, Line], None]:
    """Takes user and password (RFC 1929), then says that the host cannot be reached."""

    def serve(_: SlowServer, line: Line) -> None:
        line.connection.recv(100)
        line.send(b"\x05\x02")
        asked.append(line.connection.recv(100))
        line.send(b"\x01\x00")
        asked.append(line.connection.recv(100))
        line.send(b"\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00")

    return serve


@both
def test_a_socks_proxy_that_cannot_reach_the_server(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    with listening(socks_proxy(asked)) as server:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://u:{SECRET}@127.0.0.1:{server.port}")
        message = refused(kind)
        assert "proxy refused the connection to flex.invalid. Check ALL_PROXY" in message
    assert SECRET.encode() in asked[0]
    assert b"flex.invalid" in asked[1]


@both
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_a_proxy_that_is_down_is_named(
    kind: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv(variable, f"http://u:{SECRET}@{address}")
        message = refused(kind)
        assert f"the proxy {address} ({variable}): it refused the connection" in message


@both
def test_a_proxy_that_has_no_address(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    message = refused(kind)
    assert "the proxy proxy.invalid:3128 (HTTPS_PROXY): its name could not" in message


@contextmanager
def plain_http() -> Iterator[SlowServer]:
    def serve(_: SlowServer, line: Line) -> None:
        line.connection.recv(65536)
        line.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(serve) as server:
        yield server


@both
def test_https_to_a_port_that_speaks_plain_http(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with plain_http() as server:
        assert "speaks plain http" in refused(kind, f"https://127.0.0.1:{server.port}")
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{server.port}")
        message = refused(kind)
        assert "the proxy 127.0.0.1 (HTTPS_PROXY): it speaks plain http" in message


@both
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_server_that_is_not_trusted(
    kind: str,
    variable: str,
    certificates: Certificates,
    other_certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message says which variable decides, or that one is not read."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificates)
    bundle = tmp_path / "other.pem"
    bundle.write_bytes(other_certificates.certificate.read_bytes())
    monkeypatch.setenv(variable, str(bundle))
    with listening(context=context) as server:
        message = refused(kind, f"https://127.0.0.1:{server.port}")
    if variable == "SSL_CERT_FILE":
        assert "only the authorities in SSL_CERT_FILE are trusted" in message
    else:
        assert "REQUESTS_CA_BUNDLE is not read: set SSL_CERT_FILE" in message


@both
def test_a_file_that_is_replaced_counts_from_the_next_instance_on(
    kind: str,
    certificates: Certificates,
    other_certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificates)
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(other_certificates.certificate.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with listening(context=context) as server:
        base_url = f"https://127.0.0.1:{server.port}"
        refused(kind, base_url)
        bundle.write_bytes(certificates.certificate.read_bytes())
        assert call(kind, base_url).status == 200


def test_a_loop_does_not_stand_still_for_it() -> None:
    """Imports, certificates and files are read in a thread."""
    names: set[str] = set()

    async def main() -> None:
        async with create_async_instance("c", "s", base_url=LIVE) as sdk:
            load = ssl.SSLContext.load_verify_locations

            def noted(self: Any, *args: Any, **options: Any) -> None:
                names.add(threading.current_thread().name)
                load(self, *args, **options)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(ssl.SSLContext, "load_verify_locations", noted)
                with pytest.raises(TransportError):
                    await sdk.marketplace.show()

    from flex_integration_sdk._transport import proxy_and_tls

    proxy_and_tls._contexts.get().clear()
    asyncio.run(main())
    assert names
    assert all(name.startswith("flex-tokenstore-io") for name in names)
