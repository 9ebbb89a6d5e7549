"""Settings: arguments before environment, and what a wrong one says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk.config import DEFAULT_BASE_URL, is_loopback, resolve
from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore import Secret, StoreOptionsError, UnknownStoreError

P = "FLEX_INTEGRATION_"
ID = {f"{P}CLIENT_ID": "env-id"}


def test_the_defaults() -> None:
    settings = resolve(client_id="cid", environ={})
    assert settings.base_url == DEFAULT_BASE_URL
    assert settings.client_secret is None
    assert settings.token_store == "memory"
    assert (settings.identity.profile, settings.identity.scope) == ("default", "integ")


def test_arguments_win_over_the_environment() -> None:
    environ = {
        **ID,
        f"{P}CLIENT_SECRET": "env-secret",
        f"{P}BASE_URL": "https://env.example",
        f"{P}PROFILE": "env",
        f"{P}TOKEN_STORE": "file",
        f"{P}TOKEN_STORE__PATH": "/somewhere",
    }
    settings = resolve(environ=environ)
    assert settings.client_id == "env-id"
    assert settings.client_secret == Secret("env-secret")
    assert settings.base_url == "https://env.example"
    assert settings.identity.profile == "env"
    assert settings.token_store == {"name": "file", "path": "/somewhere"}
    settings = resolve(
        client_id="cid",
        client_secret=Secret("s"),
        base_url="https://a.example/",
        profile="p",
        token_store="memory",
        environ=environ,
    )
    assert (settings.client_id, settings.base_url) == ("cid", "https://a.example")
    assert settings.client_secret == Secret("s")
    assert settings.identity.profile == "p"
    assert settings.token_store == "memory"  # and none of the options of the other store


def test_store_options_without_a_name_are_an_error() -> None:
    with pytest.raises(StoreOptionsError, match="TOKEN_STORE"):
        resolve(environ={**ID, f"{P}TOKEN_STORE__PATH": "/somewhere"})


def test_a_missing_client_id_names_argument_and_variable() -> None:
    with pytest.raises(ConfigurationError, match=f"client_id.*{P}CLIENT_ID"):
        resolve(environ={})


def test_the_secret_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b" s3 cret \r\n")
    settings = resolve(environ={**ID, f"{P}CLIENT_SECRET_FILE": str(file)})
    assert settings.client_secret == Secret("s3 cret")
    assert resolve(client_id="c", client_secret_file=file, environ={}).client_secret == Secret(
        "s3 cret"
    )
    # An argument wins over both variables.
    given = resolve(client_secret="x", environ={**ID, f"{P}CLIENT_SECRET_FILE": str(file)})
    assert given.client_secret == Secret("x")


@pytest.mark.parametrize("content", [None, b"", b"\n", b"s3cret\xff"])
def test_an_unusable_secret_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="_CLIENT_SECRET_FILE") as caught:
        resolve(environ={**ID, f"{P}CLIENT_SECRET_FILE": str(file)})
    assert str(file) in str(caught.value)
    # A decoding error holds what it could not decode.
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert "s3cret" not in str(caught.value)


def test_two_secrets_are_an_error(tmp_path: Path) -> None:
    environ = {**ID, f"{P}CLIENT_SECRET": "a", f"{P}CLIENT_SECRET_FILE": "/b"}
    with pytest.raises(ConfigurationError, match="both set"):
        resolve(environ=environ)
    with pytest.raises(ConfigurationError, match="both given"):
        resolve(client_id="c", client_secret="a", client_secret_file=tmp_path, environ={})


@pytest.mark.parametrize(
    "base_url",
    [
        "flex-integ-api.sharetribe.com",
        "ftp://host",
        "https://",
        "https://user:pw@host",
        "https://host?x=1",
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://192.168.1.2",
        "http://0.0.0.0",
    ],
)
def test_a_wrong_base_url(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        resolve(client_id="c", base_url=base_url, environ={})


@pytest.mark.parametrize("name", ["client_id", "client_secret", "base_url", "profile"])
def test_bytes_that_cannot_be_decoded_are_named_and_not_shown(name: str) -> None:
    values: dict[str, Any] = {
        "client_id": "c",
        "base_url": "https://host",
        name: "https://SENTINEL\udce9",
    }
    environ = {f"{P}{each.upper()}": value for each, value in values.items()}
    with pytest.raises(
        ConfigurationError, match=f"{P}{name.upper()} .*cannot be decoded"
    ) as caught:
        resolve(environ=environ)
    with pytest.raises(ConfigurationError, match=f"^{name} .*cannot be decoded"):
        resolve(**values, environ={})
    assert "SENTINEL" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or "SENTINEL" not in repr(caught.value.__context__.args)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "127.8.9.1"])
def test_plain_http_to_this_machine(host: str) -> None:
    settings = resolve(client_id="c", base_url=f"http://{host}:8000", environ={})
    assert settings.base_url == f"http://{host}:8000"
    assert is_loopback(settings.base_url)


def test_settings_show_no_secret() -> None:
    store = {"name": "redis", "url": "redis://:hunter2@host"}
    settings = resolve(client_id="c", client_secret="s3cret", token_store=store, environ={})
    assert "s3cret" not in repr(settings)
    assert "hunter2" not in repr(settings)
    with pytest.raises(AttributeError):
        settings.client_secret = None  # type: ignore[misc]  # that is the test


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"token_store": "no-such-store"}, UnknownStoreError),
        ({"token_store": {"name": "memory", "pth": 1}}, StoreOptionsError),
        ({"token_store": 5}, StoreOptionsError),
        ({"timeout": 0}, ConfigurationError),
        ({"request_timeout": -1}, ConfigurationError),
        ({"lock_timeout": 0}, ConfigurationError),
        ({"lock_timeout": "5"}, ConfigurationError),
        ({"on_store_error": "ignore"}, ConfigurationError),
        ({"clientId": "c"}, TypeError),
    ],
)
@pytest.mark.parametrize("kind", ["create_instance", "create_async_instance"])
def test_what_is_wrong_raises_at_once(
    kind: str, options: dict[str, Any], expected: type[Exception]
) -> None:
    import flex_integration_sdk

    with pytest.raises(expected):
        getattr(flex_integration_sdk, kind)("cid", **options)
