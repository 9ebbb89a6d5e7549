"""verify, client_cert, proxy and user_agent: what they do, and what is said of wrong ones."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import ssl
import subprocess
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk._transport.proxy_and_tls import Options
from flex_integration_sdk.errors import ConfigurationError, TransportError
from tests.flex_integration_sdk.transport.test_environment import LIVE, socks_proxy
from tests.servers.tls import Certificates
from tests.support.slow_servers import Line, SlowServer, listening

SECRET = "s3cr3t-sentinel"
both = pytest.mark.parametrize("kind", ["sync", "async"])


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def call(kind: str, base_url: str, **options: Any) -> Any:
    options = {"request_timeout": 5, "timeout": 5, **options}
    if kind == "sync":
        with create_instance("c", "s", base_url=base_url, **options) as sdk:
            return sdk.marketplace.show()

    async def main() -> Any:
        async with create_async_instance("c", "s", base_url=base_url, **options) as sdk:
            return await sdk.marketplace.show()

    return asyncio.run(main())


def refused(kind: str = "sync", **options: Any) -> str:
    """The message of the error of making an instance, which shows no secret."""
    make: Any = create_instance if kind == "sync" else create_async_instance
    with pytest.raises(ConfigurationError) as caught:
        make("c", "s", base_url="https://flex.invalid", **options)
    shown = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert SECRET not in shown.replace(repr(options), "")
    return str(caught.value)


def server_context(certificates: Certificates, *, asks: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificates)
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.certificate)
    return context


def encrypted(certificates: Certificates, folder: Path) -> Path:
    """The same private key, encrypted with SECRET."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(certificates.key.read_bytes(), None)
    path = folder / "encrypted.pem"
    path.write_bytes(
        key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(SECRET.encode())
        )
    )
    return path


@both
@pytest.mark.parametrize("form", ["file", "context"])
def test_an_own_ca(kind: str, form: str, certificates: Certificates) -> None:
    with listening(context=server_context(certificates)) as server:
        base_url = f"https://127.0.0.1:{server.port}"
        verify: Any = certificates.certificate
        if form == "context":
            verify = ssl.create_default_context(cafile=str(verify))
        assert call(kind, base_url, verify=verify).status == 200
        with pytest.raises(TransportError, match=r"not trust|self-signed"):
            call(kind, base_url)


@both
def test_the_variable_does_not_count_beside_verify(
    kind: str,
    certificates: Certificates,
    other_certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    with listening(context=server_context(certificates)) as server:
        base_url = f"https://127.0.0.1:{server.port}"
        assert call(kind, base_url, verify=str(certificates.certificate)).status == 200
        with pytest.raises(TransportError, match="only the authorities in verify are trusted"):
            call(kind, base_url, verify=other_certificates.certificate)


@both
def test_verify_false_works_and_is_loud(kind: str, certificates: Certificates) -> None:
    with listening(context=server_context(certificates)) as server:
        with pytest.warns(RuntimeWarning, match="can read and change all") as caught:
            found = call(kind, f"https://127.0.0.1:{server.port}", verify=False)
        assert found.status == 200
        assert caught[0].filename == __file__


def test_a_context_that_checks_nothing_is_as_loud() -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(RuntimeWarning, match="any server is trusted"):
        create_instance("c", "s", base_url="https://flex.invalid", verify=context).close()


@both
@pytest.mark.parametrize("form", ["pair", "one file", "encrypted"])
def test_a_client_certificate(
    kind: str, form: str, certificates: Certificates, tmp_path: Path
) -> None:
    given: Any = tuple(certificates)
    if form == "one file":
        given = tmp_path / "both.pem"
        given.write_bytes(certificates.certificate.read_bytes() + certificates.key.read_bytes())
    elif form == "encrypted":
        given = (str(certificates.certificate), str(encrypted(certificates, tmp_path)), SECRET)
    with listening(context=server_context(certificates, asks=True)) as server:
        base_url = f"https://127.0.0.1:{server.port}"
        options = {"verify": certificates.certificate, "client_cert": given}
        assert call(kind, base_url, **options).status == 200


@both
def test_a_server_asks_for_a_client_certificate(kind: str, certificates: Certificates) -> None:
    context = server_context(certificates, asks=True)
    with listening(context=context) as server, pytest.raises(TransportError) as caught:
        call(kind, f"https://127.0.0.1:{server.port}", verify=certificates.certificate)
    # TLS 1.3 tells it after the handshake; the connection may be gone by then.
    said = str(caught.value)
    assert "pass client_cert" in said or "lost" in said or "reset" in said or "early" in said


@pytest.mark.parametrize(
    ("verify", "said"),
    [
        ("missing.pem", "No such file"),
        (Path("missing.pem"), "the argument verify is wrong"),
        ("False", "pass True or False itself"),
        ("", "would be the name of a file"),
        (None, "got NoneType"),
        (b"ca.pem", "got bytes"),
        (1, "got int"),
        (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "for servers"),
    ],
)
def test_a_wrong_verify(verify: Any, said: str) -> None:
    message = refused(verify=verify)
    assert "verify" in message
    assert said in message


def test_a_wrong_file_for_verify(tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("no certificate")
    assert "no CA certificates in PEM form" in refused(verify=tmp_path / "text.pem")
    assert "openssl rehash" in refused(verify=tmp_path)


def test_a_wrong_client_certificate(
    certificates: Certificates, other_certificates: Certificates, tmp_path: Path
) -> None:
    certificate, locked = str(certificates.certificate), encrypted(certificates, tmp_path)
    for given, said in (
        ("missing.pem", "No such file"),
        (certificate, "a certificate and its private key"),
        ((certificate, other_certificates.key), "does not belong"),
        ((certificate, locked), "is encrypted: pass (certificate, key, password)"),
        ((certificate, locked, f"not {SECRET}"), "the password does not open"),
        ((certificate, SECRET), "pass (certificate, None, password)"),
        ((certificate, SECRET, "x"), "pass (certificate, None, password)"),
        (f"-----BEGIN PRIVATE KEY-----\n{SECRET}", "it is the content of a PEM file"),
        ((certificate, f"-----BEGIN KEY-----{SECRET}", "x"), "it is the content of a PEM file"),
        ((certificate, locked, 5), "must be a string, got int"),
        ((), "client_cert must be the path"),
        ((certificate, locked, SECRET, "x"), "client_cert must be the path"),
        (5, "client_cert must be the path"),
    ):
        message = refused(client_cert=given)
        assert said in message, given
        assert SECRET not in message
    context = ssl.create_default_context()
    assert "load_cert_chain" in refused(verify=context, client_cert=tuple(certificates))


@both
@pytest.mark.parametrize("host", ["http://flex.invalid", "http://127.0.0.1:9"])
def test_a_proxy(kind: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is used for a loopback address too; the variables do not count."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "*")
    with listening() as server:
        given = f"u:{SECRET}@127.0.0.1:{server.port}"  # without a scheme it is http
        assert call(kind, host, allow_http=True, proxy=given).status == 200
        assert server.paths == [
            f"{host}/v1/auth/token",
            f"{host}/v1/integration_api/marketplace/show",
        ]


@both
def test_a_proxy_that_is_down(kind: str) -> None:
    with listening() as server:
        address = f"127.0.0.1:{server.port}"
    with pytest.raises(TransportError) as caught:
        call(kind, "https://flex.invalid", proxy=f"http://u:{SECRET}@{address}")
    assert f"the proxy {address} (the argument proxy): it refused" in str(caught.value)
    assert not caught.value.sent
    assert SECRET not in str(caught.value)


@both
def test_a_proxy_behind_tls(kind: str, certificates: Certificates) -> None:
    """Whom to trust is said for the proxy too."""
    with listening(context=server_context(certificates)) as server:
        options = {"allow_http": True, "proxy": f"https://127.0.0.1:{server.port}"}
        found = call(kind, "http://flex.invalid", verify=certificates.certificate, **options)
        assert found.status == 200
        with pytest.raises(TransportError, match=r"self-signed|not trust"):
            call(kind, "http://flex.invalid", **options)


@both
def test_a_socks_proxy(kind: str) -> None:
    asked: list[bytes] = []
    with listening(socks_proxy(asked)) as server, pytest.raises(TransportError) as caught:
        call(kind, LIVE, proxy=f"socks5h://u:{SECRET}@127.0.0.1:{server.port}")
    assert "proxy refused the connection to flex.invalid. Check the argument proxy" in str(
        caught.value
    )
    assert SECRET.encode() in asked[0]


def proxy_that_refuses(_: SlowServer, line: Line) -> None:
    line.connection.recv(65536)
    line.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")


@both
def test_a_proxy_that_wants_a_password(kind: str) -> None:
    with listening(proxy_that_refuses) as server, pytest.raises(TransportError) as caught:
        call(kind, "https://flex.invalid", proxy=server.base_url)
    assert "with HTTP 407. Check the argument proxy and its password" in str(caught.value)


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("", "does not name a host"),
        (f"socks://u:{SECRET}@h", "Write socks5:// or socks5h://"),
        (f"http://u:{SECRET}/x@h:1", "must be percent-encoded"),
        (f"http://u:{SECRET}@h:99999", "its port 99999"),
        (f"'http://u:{SECRET}@h'", "quotation marks"),
        (f"http://u:{SECRET}@h\r\n", "line end"),
        (SECRET.encode(), "got bytes"),
    ],
)
def test_a_wrong_proxy(proxy: Any, said: str) -> None:
    message = refused(proxy=proxy)
    assert "proxy" in message
    assert said in message


def test_socks_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "socksio" else real(name, *a)
    )
    assert "pip install '.[socks]'" in refused(proxy="socks5://h:1080")


def test_no_password_is_shown(tmp_path: Path) -> None:
    sdk = create_instance("c", "s", base_url="https://h.invalid", proxy=f"http://u:{SECRET}@h:1")
    shown = repr((sdk, vars(sdk), sdk._http, vars(sdk._http), sdk._http.connection.proxy))
    assert SECRET not in shown
    options = sdk._http._options()
    assert SECRET not in repr(options)
    assert isinstance(options, Options)
    assert options.proxy is not None
    assert options.proxy.reveal() == f"http://u:{SECRET}@h:1"
    sdk.close()


@both
def test_the_user_agent(kind: str) -> None:
    seen: list[bytes] = []

    def serve(server: SlowServer, line: Line) -> None:
        head = line.connection.recv(65536, 2)  # MSG_PEEK
        seen.extend(each for each in head.split(b"\r\n") if each.lower().startswith(b"user-agent"))
        server.serve(line)

    with listening(serve) as server:
        call(kind, server.base_url, user_agent=" my-shop/1.0 ")
    assert len(seen) == 2
    assert all(each.startswith(b"User-Agent: my-shop/1.0 flex-integration-sdk") for each in seen)


@pytest.mark.parametrize("given", ["a\r\nX: y", "", "  ", "shöp", 5])
def test_a_wrong_user_agent(given: Any) -> None:
    assert "printable ASCII" in refused(user_agent=given)


def test_instances_with_other_settings_share_no_connections(certificates: Certificates) -> None:
    other = ssl.create_default_context()
    made = [
        create_instance("c", "s", base_url="https://h.invalid", **options)
        for options in (
            {},
            {"verify": certificates.certificate},
            {"verify": other},
            {"client_cert": tuple(certificates)},
            {"proxy": "http://h:1"},
            {"proxy": "http://h:2"},
            {"user_agent": "a"},
        )
    ]
    twin = create_instance("c", "s", base_url="https://h.invalid", verify=certificates.certificate)
    options = [sdk._http._options() for sdk in made]
    assert len(set(options)) == len(made)
    assert twin._http._options() == options[1]
    for sdk in (*made, twin):
        sdk.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_it_works_after_a_fork(certificates: Certificates) -> None:
    program = (
        "import os, sys\n"
        "from flex_integration_sdk import create_instance\n"
        "sdk = create_instance('c', 's', base_url=sys.argv[1], verify=sys.argv[2],\n"
        "    client_cert=(sys.argv[2], sys.argv[3]))\n"
        "assert sdk.marketplace.show().status == 200\n"
        "child = os.fork()\n"
        "assert sdk.marketplace.show().status == 200\n"
        "sdk.close()\n"
        "if child: sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    with listening(context=server_context(certificates, asks=True)) as server:
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program,
             f"https://127.0.0.1:{server.port}", *map(str, certificates)],
            timeout=60, check=False, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_loud_warning_is_an_error_if_the_program_says_so() -> None:
    warnings.simplefilter("error")
    with pytest.raises(RuntimeWarning):
        create_instance("c", "s", base_url="https://flex.invalid", verify=False)
