"""The JSON schema of ``config.toml``: it accepts what the SDK reads, and finds what is wrong."""

from __future__ import annotations

import logging
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from flex_integration_sdk._settings.json_schema import schema_of
from flex_integration_sdk._settings.table import SETTINGS
from flex_integration_sdk.config import resolve
from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore import TokenStoreError, list_stores
from flex_tokenstore._config.coercion import convert
from flex_tokenstore._config.options import check_options
from flex_tokenstore._registry.catalogue import load_store_class

STORES = [store for store in list_stores(check=True) if store.status == "ok"]
SCHEMA = schema_of(STORES)
CHECKER = jsonschema.Draft202012Validator(SCHEMA)
VALUES: list[Any] = ["x", "", "5", "a,b", 5, -1, 0.5, True, [], ["a"], {"a": "b"}]
CHOICES = ["strict", "aes-256-gcm", "approle"]

RIGHT = [
    "",
    'client_id = "c"',
    """
    base_url = "http://127.0.0.1:8080"
    [profiles.default]
    client_id = "c"
    client_secret = ""
    client_secret_cmd = ["op", "read", "x"]
    token_store = "file"
    [profiles.live]
    client_id = "d"
    allow_http = true
    require_encrypted = false
    [profiles.live.token_store]
    name = "redis"
    url = "redis://127.0.0.1:6379"
    timeout = 3
    """,
    """
    client_id = "c"
    [token_store]
    name = "encrypted"
    key_command = ["age", "-d"]
    inner = { name = "file", path = "/t" }
    """,
    'client_id = "c"\ntoken_store = { name = "read-only", inner = "file" }',
    """
    client_id = "c"
    [token_store]
    name = "fallback"
    stores = ["file", { name = "redis", url = "redis://h" }]
    """,
    """
    client_id = "c"
    [token_store.stores]
    1 = "file"
    2 = { name = "memory" }
    [profiles.default.token_store]
    name = "fallback"
    """,
    """
    client_id = "c"
    token_store = { name = "redis", prefix = "top:" }
    [profiles.default.token_store]
    url = "redis://own"
    """,
    'client_id = "c"\ntoken_store = { name = "redis", sentinels = ["a:1"], service_name = "s" }',
]
WRONG = {
    'client_sercet = "x"': "client_sercet",
    "client_id = 5": "string",
    'allow_http = "yes"': "boolean",
    'client_secret_cmd = "op read x"': "array",
    'client_secret_cmd = ["op", 5]': "string",
    'client_secret = "s"\nclient_secret_file = "/f"': "should not be valid",
    '[profiles.x]\nclient_secret = "s"\nclient_secret_cmd = ["op"]': "should not be valid",
    "profiles = 5": "object",
    "[profiles]\ndefault = 5": "object",
    '[profile.default]\nclient_id = "c"': "profile",
    '[profiles.default]\nclient-id = "c"': "client-id",
    'profile = "live"': "profile",
    "token_store = 5": "token_store",
    'token_store = "rediss"': "rediss",
    'token_store = { name = "rediss" }': "rediss",
    'token_store = { name = "file", url = "redis://h" }': "url",
    'token_store = { name = "file", permissions = "lax" }': "permissions",
    'token_store = { name = "redis", timeout = true }': "timeout",
    'token_store = { name = "redis", cluster = 1 }': "cluster",
    'token_store = { name = "read-only", inner = { name = "file", pth = "/t" } }': "pth",
    'token_store = { name = "fallback", stores = [{ name = "file", pth = "/t" }] }': "pth",
    'token_store = { nam = "file" }': "nam",
}


def reads(text: str, folder: Path, caplog: pytest.LogCaptureFixture) -> bool:
    """Whether the SDK takes the file with each of its profiles, without a warning."""
    path = folder / "config.toml"
    path.write_text(text)
    path.chmod(0o600)
    caplog.clear()
    try:
        profiles = tomllib.loads(text).get("profiles")
        for profile in profiles if isinstance(profiles, dict) else ["default"]:
            client_id = None if "client_id" in text else "c"
            settings = resolve(
                config=path, profile=profile, client_id=client_id, environ={}, strict=True
            )
            check_store(settings.token_store)
    except (ConfigurationError, TokenStoreError):
        return False
    return not caplog.records


def check_store(config: Any) -> None:
    """Raises what opening the store would, before it reaches for a server."""
    options = dict(config) if isinstance(config, Mapping) else {"name": config}
    name = options.pop("name")
    check_options(load_store_class(name), options, store=name)
    inner = options.get("stores", [options["inner"]] if "inner" in options else [])
    for each in inner.values() if isinstance(inner, Mapping) else inner:
        check_store(each)


def errors(text: str) -> str:
    found = CHECKER.iter_errors(tomllib.loads(text))
    return "\n".join(f"{each.json_path} {each.message} {each.context}" for each in found)


def test_it_is_a_schema_with_all_settings_and_stores() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("2020-12/schema")
    assert {each.name for each in SETTINGS if each.in_file} | {"profiles"} == {
        *SCHEMA["properties"]
    }
    for store in STORES:
        options = SCHEMA["$defs"][f"store_{store.name}"]["properties"]
        assert {*options} == {"name", *(option.name for option in store.options or ())}


@pytest.mark.parametrize("text", RIGHT)
def test_right_files(text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert reads(text, tmp_path, caplog)
    assert errors(text) == ""


@pytest.mark.parametrize(("text", "said"), WRONG.items())
def test_wrong_files(
    text: str, said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert said in errors(text)
    with caplog.at_level(logging.WARNING):
        assert not reads(text, tmp_path, caplog), "the schema refuses what the SDK reads"


@pytest.mark.parametrize(
    "store", [each for each in STORES if each.options], ids=lambda store: store.name
)
def test_each_value_that_an_option_takes_is_right(store: Any) -> None:
    cls: Any = load_store_class(store.name)
    hints = typing.get_type_hints(cls.Options)
    for option in store.options:
        taken = 0
        for value in VALUES:
            given = {option.name: value}
            if convert(hints[option.name], dict(given), option.name) is NotImplemented:
                continue
            taken += 1
            if option.name not in ("inner", "stores"):  # whose own names and options count, too
                CHECKER.validate({"token_store": {"name": store.name, **given}})
        literals = [value for value in CHOICES if repr(value) in option.type]
        for value in literals:
            CHECKER.validate({"token_store": {"name": store.name, option.name: value}})
        assert taken + len(literals) > 0


def test_a_type_of_a_stranger_is_not_judged() -> None:
    from flex_tokenstore import OptionInfo, StoreInfo

    options = (
        OptionInfo("when", "timedelta", "PT5S", required=False, secret=False, doc=""),
        OptionInfo("mode", "'a' | 'b' | int | None", "'a'", required=False, secret=False, doc=""),
    )
    store = StoreInfo("odd", "odd", "1", "", "plugin", "ok", options=options)
    checker = jsonschema.Draft202012Validator(schema_of([store]))
    assert checker.is_valid({"token_store": {"name": "odd", "when": 5, "mode": "b"}})
    assert checker.is_valid({"token_store": {"name": "odd", "when": "PT5S", "mode": 3}})
    assert not checker.is_valid({"token_store": {"name": "odd", "mode": True}})
