"""Which backend of keyring is used: none that keeps plaintext, or nothing, in silence."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flex_tokenstore_keyring._store as module
from flex_tokenstore import (
    StoreOptionsError,
    TokenPermissionError,
    TokenUnavailableError,
    open_store,
)
from flex_tokenstore_keyring import KeyringStore, Options, _backends
from flex_tokenstore_keyring._known import KNOWN, SECRET_SERVICE
from keyring_fakes import FOLDER, folder_config, macos_config
from tests.servers.secret_service import BUS
from tests.support.handles import IDENTITY, token

FAKE = "keyring_fakes.FolderKeyring"
VARIABLE = "PYTHON_KEYRING_BACKEND"
NULL = "keyring.backends.null.Keyring"
FAIL = "keyring.backends.fail.Keyring"
CHAINER = "keyring.backends.chainer.ChainerBackend"
PLAIN = "keyrings.alt.file.PlaintextKeyring"


@pytest.fixture(autouse=True)
def _headless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(FOLDER, str(tmp_path / "items"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(module, "_warned", set())
    for name in (VARIABLE, BUS):
        monkeypatch.delenv(name, raising=False)
    before = [*sys.path]
    yield
    sys.path[:] = before


def unavailable(config: Any = "keyring") -> str:
    """What the store says of its first call."""
    with open_store(config, IDENTITY) as store, pytest.raises(TokenUnavailableError) as caught:
        store.get_token()
    assert type(caught.value) is TokenUnavailableError
    return str(caught.value)


def refused(config: Any = "keyring") -> str:
    """What the store says when it is opened."""
    with pytest.raises(StoreOptionsError) as caught:
        open_store(config, IDENTITY)
    return str(caught.value)


def configure(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "config" / "python_keyring"
    folder.mkdir(parents=True)
    file = folder / "keyringrc.cfg"
    file.write_text(text)
    return file


@pytest.mark.parametrize("name", [NULL, FAIL])
def test_a_backend_that_keeps_nothing_is_always_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"name": "keyring", "allow_plaintext": True}
    assert f"{name} keeps nothing" in refused({**config, "backend": name})
    file = configure(tmp_path, f"[backend]\ndefault-keyring={name}\n")
    assert f"keyring's file {file} names {name}" in refused()
    monkeypatch.setenv(VARIABLE, name)
    told = refused(config)
    assert f"the variable {VARIABLE} names {name}" in told
    assert "name another backend with the option backend" in told


@pytest.mark.parametrize("name", [NULL, PLAIN, "keyring.backends.SecretServce.Keyring"])
def test_a_list_of_stores_does_not_go_on_to_plaintext(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, name)
    told = refused({"name": "fallback", "stores": ["keyring", "file"]})
    assert f"the variable {VARIABLE} names {name}" in told
    assert "'stores.1'" in told


def test_a_plaintext_backend_is_refused_wherever_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refused({"name": "keyring", "backend": PLAIN})
    assert "not known to encrypt" in told
    assert "allow_plaintext" in told
    file = configure(tmp_path, f"[backend]\ndefault-keyring={PLAIN}\n")
    told = refused()
    assert f"{file} names {PLAIN}" in told
    assert "allow_plaintext" in told
    monkeypatch.setenv(VARIABLE, FAKE)
    assert f"the variable {VARIABLE} names {FAKE}" in refused()
    assert not [*tmp_path.rglob("keyring_pass.cfg")]


def test_a_known_name_that_leads_to_another_class_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An alias, or a program that puts its own class into keyring's module."""
    import keyring.backends.SecretService as backend

    monkeypatch.setattr(backend, "Keyring", type("Other", (), {"priority": 9}))
    monkeypatch.setenv(VARIABLE, "keyring.backends.SecretService.Keyring")
    assert "not known to encrypt" in refused()


def test_a_plaintext_backend_that_is_allowed_is_warned_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(2):
        with open_store(folder_config(), IDENTITY) as store:
            given = token("a")
            store.set_token(given)
            assert store.get_token() == given
            assert store.place == f"flex-tokenstore/{IDENTITY.key} in {FAKE}"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "the option backend names it" in record.getMessage()


def test_whether_tokens_are_encrypted_is_known_at_opening() -> None:
    assert KeyringStore.encrypted_at_rest is True
    assert KeyringStore(Options(), IDENTITY).encrypted_at_rest
    assert not KeyringStore(Options(allow_plaintext=True), IDENTITY).encrypted_at_rest


def test_which_backend_and_why_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    config = macos_config()
    monkeypatch.setenv(VARIABLE, config.pop("backend"))
    with caplog.at_level(logging.INFO), open_store(config, IDENTITY) as store:
        store.get_token()
        assert store.place.endswith("in the macOS Keychain (keyring.backends.macOS.Keyring)")
    (record,) = caplog.records
    assert f"the variable {VARIABLE} names it" in record.getMessage()


@pytest.mark.sample(1)
@pytest.mark.parametrize("by", ["variable", "file", "option"])
def test_a_chain_is_the_systems_own_choice(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks one backend after the other, down to a plaintext one."""
    config = {"name": "keyring"}
    if by == "variable":
        monkeypatch.setenv(VARIABLE, CHAINER)
    elif by == "file":
        configure(tmp_path, f"[backend]\ndefault-keyring={CHAINER}\n")
    else:
        config["backend"] = CHAINER
    assert "this system has none that can be used" in unavailable(config)
    monkeypatch.setattr("sys.platform", "darwin")
    macos_config()
    with open_store(config, IDENTITY) as store:
        store.set_token(token("a"))
        assert "macOS Keychain" in store.place


def test_the_option_wins_over_the_variable_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, f"[backend]\ndefault-keyring={NULL}\n")
    assert NULL in refused()
    monkeypatch.setenv(VARIABLE, FAIL)
    assert FAIL in refused()
    with open_store(macos_config(), IDENTITY) as store:
        assert store.get_token() is None


def test_without_a_name_only_those_that_encrypt_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not by priority: keyrings.alt is installed here, and a package may register any."""
    import keyring.backend

    class Greedy(keyring.backend.KeyringBackend):
        priority = 99.0

        def get_password(self, service: str, username: str) -> str:
            raise AssertionError("it was asked")

        set_password = delete_password = get_password  # type: ignore[assignment]

    try:
        assert "none that can be used" in unavailable()
    finally:
        keyring.backend.KeyringBackend._classes.discard(Greedy)
    for platform in ("win32", "darwin", "linux"):
        monkeypatch.setattr("sys.platform", platform)
        from flex_tokenstore_keyring._backends import _candidates

        assert {*_candidates()} <= {*KNOWN}


def test_kwallet_comes_first_on_kde(monkeypatch: pytest.MonkeyPatch) -> None:
    from flex_tokenstore_keyring._backends import _candidates

    monkeypatch.setattr("sys.platform", "linux")
    assert "SecretService" in next(_candidates())
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "KDE")
    assert "kwallet" in next(_candidates())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no section", "is not as keyring writes it"),
        (b"[backend]\ndefault-keyring=\xff\n", "is not as keyring writes it"),
        (b"[backend]\ndefault-keyring=acme.no.Such\n", "names acme.no.Such"),
        (b"[backend]\ndefault-keyring=a.B\nkeyring-path=~none/x", "names a.B"),
        (None, "cannot be read (Is a directory)"),
    ],
    ids=["no section", "no text", "a slip", "no folder", "a folder"],
)
def test_what_is_wrong_in_keyrings_file_is_told_at_opening(
    content: bytes | None, words: str, tmp_path: Path
) -> None:
    file = configure(tmp_path, "")
    if content is None:
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes(content)
    for allow in (False, True):
        told = refused({"name": "keyring", "allow_plaintext": allow})
        assert f"{file} {words}" in told


def test_keyrings_file_may_name_none(tmp_path: Path) -> None:
    file = configure(tmp_path, "")
    for text in ("", "[backend]\n", "[backend]\ndefault-keyring=\n"):
        file.write_text(text)
        assert "none that can be used" in unavailable()


@pytest.mark.parametrize("name", ["acme.no.Such", "keyring.backends.SecretService.keyring", "null"])
@pytest.mark.each_value
@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_name_with_a_slip_is_told_at_opening(
    name: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"name": "keyring", "allow_plaintext": True}
    if by == "option":
        config["backend"] = name
    monkeypatch.setenv(VARIABLE, name)
    told = refused(config)
    if "." in name:
        assert f"the {by} " in told
        assert f"names {name}, which cannot be imported" in told
        assert "keyring --list-backends" in told


@pytest.mark.parametrize(
    "slip",
    ["keyring.backends.SecretServce.Keyring", SECRET_SERVICE.lower(), SECRET_SERVICE[:-8]],
)
def test_a_slip_in_a_known_name_is_no_reason_to_allow_plaintext(slip: str) -> None:
    told = refused({"name": "keyring", "backend": slip})
    assert f"Is {SECRET_SERVICE} meant?" in told
    assert "meant?" not in refused({"name": "keyring", "backend": PLAIN})


@pytest.mark.parametrize(
    "name", ["keyring.backends.macOS.Keyring", "keyring.backends.Windows.WinVaultKeyring"]
)
def test_the_keyring_of_another_system_is_no_outage(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_backends, "_made", lambda cls: None)
    config = {"name": "keyring", "backend": name}
    with open_store(config, IDENTITY) as store, pytest.raises(TokenPermissionError) as caught:
        store.get_token()
    assert f"{name} cannot be used here" in str(caught.value)


def test_a_folder_that_keyrings_file_names_is_looked_in(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "acme_vault.py").write_text("from keyring_fakes import FolderKeyring\n")
    configure(
        tmp_path,
        f"[backend]\ndefault-keyring=acme_vault.FolderKeyring\nkeyring-path={tmp_path / 'own'}\n",
    )
    with open_store({"name": "keyring", "allow_plaintext": True}, IDENTITY) as store:
        assert store.get_token() is None
        assert FAKE in store.place


def test_a_package_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyrings.cryptfile", None)
    told = refused({"name": "keyring", "backend": "keyrings.cryptfile.cryptfile.CryptFileKeyring"})
    assert "python -m pip install keyrings.cryptfile" in told


def test_wrong_options_are_told_at_opening() -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"service": " "}, "1 to 100 characters"),
        ({"service": "a\nb"}, "1 to 100 characters"),
        ({"service": "a" * 101}, "1 to 100 characters"),
        ({"chunk": 255}, "256 or more"),
        ({"backend": "SecretService"}, "full name of a class"),
        ({"backend": "a b.c"}, "full name of a class"),
    ]
    for options, words in cases:
        with pytest.raises(StoreOptionsError, match=words) as caught:
            open_store({"name": "keyring", **options}, IDENTITY)
        assert caught.value.option == next(iter(options))


def test_nothing_connects_at_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    """The place and the lock's name are asked for on an event loop."""

    def choose(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("it chose a backend")

    monkeypatch.setattr(module, "choose", choose)
    with open_store("keyring", IDENTITY) as store:
        assert store.place == f"flex-tokenstore/{IDENTITY.key} in the system's keyring"
        assert store.lock_key == f"keyring:flex-tokenstore/{IDENTITY.key}"
