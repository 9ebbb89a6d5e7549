"""The address of the server: its forms, and when plain http is accepted."""

from __future__ import annotations

import logging
import socket
import threading
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk._transport.clients import ClientMaker
from flex_integration_sdk.config import is_loopback, resolve
from flex_integration_sdk.errors import ConfigurationError, TransportError
from flex_tokenstore import TokenIdentity

VARIABLE = "FLEX_INTEGRATION_BASE_URL"
ALLOW = "FLEX_INTEGRATION_ALLOW_HTTP"


@pytest.fixture(autouse=True)
def _nothing_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flex_tokenstore._config.env_text._warned", set())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("127.0.0.1:8080", "did you mean http://127.0.0.1:8080?"),
        ("localhost:8080", "did you mean http://localhost:8080?"),
        ("[::1]:8080", "did you mean http://[::1]:8080?"),
        ("api.example.com", "did you mean https://api.example.com?"),
        ("//api.example.com", "did you mean https://api.example.com?"),
        ("https:/api.example.com", "did you mean https://api.example.com?"),
        ("ftp://h", "must start with https:// or http://; got 'ftp://h'"),
        ("https://h/v1/integration_api", "omit the path: https://h; got"),
        ("https://h/v1/integration_api/listings/query", "omit the path: https://h; got"),
        ("https://h/v1/auth/token", "omit the path: https://h; got"),
        ("https://h/v1/", "omit the path: https://h; got"),
        ("https://h:44/proxy/v1/api", "omit the path: https://h:44/proxy; got"),
        ("https://h\r\nX: y", "a line end"),
        ("https://a\tb", "a line end"),
        ("https://a\nb.example", "a line end"),
        ("https://a b", "contains a blank"),
        ("https:\\\\h", "a backslash"),
        ("https://h:port", "port"),
        ("https://h:70000", "port"),
        ("https://[::1", "brackets"),
        ("https://user:SENTINEL@h", "user name or password"),
        ("user:SENTINEL@h", "must start with"),
        ("https://SENTINEL@h/v1/api", "user name or password"),
        ("https://h?x=1", "query"),
    ],
)
def test_a_wrong_address_says_what_to_write(url: str, words: str) -> None:
    for source, arguments in {
        "base_url": {"base_url": url, "environ": {}},
        VARIABLE: {"environ": {VARIABLE: url}},
    }.items():
        with pytest.raises(ConfigurationError) as caught:
            resolve(client_id="c", **arguments)  # type: ignore[arg-type]  # values of two types
        assert words in str(caught.value)
        assert str(caught.value).startswith(source)
        assert "SENTINEL" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://a\nb", "https://a\rb", "https://a\tb", "https://a b"])
def test_an_identity_takes_no_line_end_either(url: str) -> None:
    with pytest.raises(ValueError, match="line end"):
        TokenIdentity(url, "c")


@pytest.mark.parametrize("url", ["https://h/proxy", "https://h/v10x", "https://h/authors"])
def test_a_path_of_a_proxy_is_kept(url: str) -> None:
    assert resolve(client_id="c", base_url=url, environ={}).base_url == url


HOSTS = ["localhost", "a.localhost", "a.b.LOCALHOST", "localhost.", "127.0.0.1", "[::1]"]


@pytest.mark.parametrize("host", HOSTS)
def test_this_machine(host: str) -> None:
    settings = resolve(client_id="c", base_url=f"http://{host}:8000", environ={})
    assert is_loopback(settings.base_url)
    assert not ClientMaker(settings.base_url, 1, 1)._trust_env, "no proxy for it"


@pytest.mark.parametrize(
    "host", ["sandbox", "notlocalhost", "localhost.example", "127.0.0.1.example", "10.0.0.1"]
)
@pytest.mark.parametrize("how", ["argument", "variable"])
def test_plain_http_to_another_host_is_opted_into(
    host: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"http://{host}:8080"
    with pytest.raises(ConfigurationError, match=f"allow_http=True or set {ALLOW}=1"):
        resolve(client_id="c", base_url=url, environ={})
    with pytest.raises(ConfigurationError, match="allow_http"):
        resolve(client_id="c", base_url=url, allow_http=False, environ={ALLOW: "1"})
    assert not caplog.records
    given: dict[str, Any] = {"allow_http": True, "environ": {}}
    if how == "variable":
        given = {"environ": {ALLOW: "yes"}}
    for _ in range(2):
        settings = resolve(client_id="c", client_secret="SENTINEL", base_url=url, **given)
        assert settings.base_url == url
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "unencrypted" in record.getMessage()
    assert "SENTINEL" not in caplog.text
    assert ClientMaker(url, 1, 1)._trust_env


@pytest.mark.parametrize("make", [create_instance, create_async_instance])
def test_both_kinds_of_instance_take_it(make: Any) -> None:
    sdk = make("c", base_url="http://sandbox:8080", allow_http=True)
    assert sdk.settings.base_url == "http://sandbox:8080"
    sdk._closed = True  # nothing was opened
    with pytest.raises(ConfigurationError, match="allow_http must be True or False, got '1'"):
        make("c", base_url="http://sandbox:8080", allow_http="1")


def test_https_to_a_port_of_plain_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for _ in range(2):  # a token request is tried once more
                peer, _ = server.accept()
                with peer:
                    peer.recv(4096)
                    peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        port = server.getsockname()[1]
        with (
            create_instance("c", "s", base_url=f"https://127.0.0.1:{port}") as sdk,
            pytest.raises(TransportError, match="speaks plain http on that port") as caught,
        ):
            sdk.marketplace.show()
        thread.join()
    assert not caught.value.sent
