"""Options: what is refused, what the environment may say, and that no secret is shown."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from encrypted_support import encrypted, id_of, line_of, lines_of, write_private
from flex_tokenstore import (
    Secret,
    StoreOptionsError,
    TokenStoreError,
    describe_store,
    open_store,
    store_config_from_env,
)
from flex_tokenstore_encrypted import EncryptedStore, Options
from tests.support.handles import IDENTITY, token


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({}, "key_file"),
        ({"key": ""}, "key"),
        ({"key_file": ""}, "key_file"),
        ({"key_keychain": ""}, "key_keychain"),
        ({"key": "SENTINEL"}, "key"),
        ({"key": line_of("a")[:20]}, "key"),
        ({"key": lines_of("a", "a")}, "key"),
        ({"key": line_of("a"), "key_file": __file__}, "key"),
        ({"key": line_of("a"), "key_command": ["cat", "x"]}, "key_command"),
        ({"key_command": ["a"], "key_keychain": "a/b"}, "key_keychain"),
        ({"key_file": "/no/such/file"}, "key_file"),
        ({"key_file": str(Path(__file__).parent)}, "key_file"),
        ({"key_command": "gpg -d SENTINEL.gpg"}, "key_command"),
        ({"key_keychain": "service"}, "key_keychain"),
        ({"key_keychain": "/user"}, "key_keychain"),
        ({"key_keychain": "service/"}, "key_keychain"),
        ({"key": line_of("a"), "cipher": "aes-128-gcm"}, "cipher"),
        ({"key": line_of("a"), "permissions": "none"}, "permissions"),
        ({"key": line_of("a"), "migrate": "perhaps"}, "migrate"),
        ({"key": line_of("a"), "keys": "x"}, "keys"),
    ],
)
def test_a_wrong_option_is_told_at_once(options: dict[str, Any], option: str) -> None:
    with pytest.raises(StoreOptionsError) as caught:
        open_store({"name": "encrypted", "inner": "memory", **options}, IDENTITY)
    assert caught.value.option == option
    shown = "".join(traceback.format_exception(caught.value))
    assert "SENTINEL" not in shown
    assert line_of("a")[:10] not in shown


def test_a_command_with_blanks_is_told_how_to_write_it() -> None:
    config = {"name": "encrypted", "inner": "memory", "key_command": "gpg -d key.gpg"}
    with pytest.raises(
        StoreOptionsError, match=r"separate them by commas, as in 'gpg,-d,key\.gpg'"
    ):
        open_store(config, IDENTITY)


@pytest.mark.parametrize("shared", [True, "true", "YES ", 1, "1"])
def test_the_file_of_the_javascript_sdk_is_not_encrypted(shared: object) -> None:
    inner: Any = {"name": "file", "share_with_js": shared}
    for each in (
        inner,
        {"name": "read-only", "inner": inner},
        {"name": "fallback", "stores": ["memory", inner]},
        {"name": "fallback", "stores": {"1": "memory", "2": inner}},
    ):
        with pytest.raises(StoreOptionsError, match="share_with_js"):
            Options(inner=each, key=Secret(line_of("a")))
    unshared = {"name": "file", "share_with_js": "false"}
    Options(inner=unshared, key=Secret(line_of("a")))


def test_it_is_used_once() -> None:
    for inner in (encrypted("memory"), {"name": "fallback", "stores": "memory, encrypted"}):
        with pytest.raises(StoreOptionsError, match="encrypted already"):
            open_store(encrypted(inner), IDENTITY)


def test_it_passes_where_only_encrypted_stores_are_allowed() -> None:
    inner = {"name": "file"}
    for config in (
        encrypted(inner),
        {"name": "read-only", "inner": encrypted(inner)},
        encrypted({"name": "fallback", "stores": ["file", "memory"]}),
        {"name": "fallback", "stores": [encrypted(inner), "memory"]},
    ):
        open_store(config, IDENTITY, require_encrypted=True).close()
    with pytest.raises(TokenStoreError, match="encrypt"):
        open_store(encrypted(inner, migrate=True), IDENTITY, require_encrypted=True)


def test_all_options_come_from_the_environment(tmp_path: Path) -> None:
    path = write_private(tmp_path / "a,b.key", lines_of("a"))
    prefix = "FLEX_INTEGRATION_TOKEN_STORE"
    environ = {
        prefix: "encrypted",
        f"{prefix}__KEY_FILE": str(path),
        f"{prefix}__CIPHER": "chacha20-poly1305",
        f"{prefix}__MIGRATE": "no",
        f"{prefix}__PERMISSIONS": "warn",
        f"{prefix}__INNER__NAME": "file",
        f"{prefix}__INNER__PATH": str(tmp_path / "token.json"),
    }
    config = store_config_from_env(prefix, environ)
    assert config is not None
    with open_store(config, IDENTITY) as store:
        store.set_token(token("a"), None)
        assert store.place == str(tmp_path / "token.json")
    assert ".chacha20-poly1305." in (tmp_path / "token.json").read_text()


def test_a_key_and_a_command_come_from_the_environment(tmp_path: Path) -> None:
    path = write_private(tmp_path / "keys", lines_of("a"))
    for name, value in (("KEY", line_of("a")), ("KEY_COMMAND", f"cat, {path}")):
        config = store_config_from_env(
            "STORE", {"STORE": "encrypted", "STORE__INNER": "memory", f"STORE__{name}": value}
        )
        assert config is not None
        with open_store(config, IDENTITY) as store:
            store.set_token(token("a"), None)
            assert store.get_token() is not None


def test_no_secret_is_shown_by_options_and_stores() -> None:
    inner = {"name": "redis", "url": "redis://:SENTINEL@h"}
    options = Options(inner=inner, key=Secret(line_of("a")))
    store = EncryptedStore(options, IDENTITY)
    store.load()
    shown = f"{options!r} {store!r} {vars(store)} {vars(store._keys)} {store._keys.first()!r}"
    assert "SENTINEL" not in shown
    assert line_of("a") not in shown


def test_it_is_listed_with_documented_options() -> None:
    info = describe_store("encrypted")
    assert (info.status, info.reason, info.origin) == ("ok", "", "plugin")
    assert info.distribution == "flex-tokenstore-encrypted"
    assert info.doc
    assert info.options is not None
    assert all(option.doc for option in info.options)
    assert {option.name for option in info.options if option.secret} == {"key"}
    assert [option.name for option in info.options if option.required] == ["inner"]


def test_ids_of_keys_are_no_secret_and_say_nothing() -> None:
    store = EncryptedStore(Options(inner="memory", key=Secret(lines_of("a", "b"))), IDENTITY)
    assert store.rekey_state() == (None, None)
    store.load()
    assert store.rekey_state() == (None, id_of("a"))
