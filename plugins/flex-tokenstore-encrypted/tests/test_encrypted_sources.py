"""The other sources of keys: a program, and the system's keychain."""

from __future__ import annotations

import os
import sys
import threading
import time
import types
from pathlib import Path
from typing import Any

import pytest

from encrypted_support import id_of, key_of, line_of, lines_of
from flex_tokenstore import StoreOptionsError, TokenStoreError, TokenUnavailableError
from flex_tokenstore_encrypted import _backend, _keychain, _sources
from flex_tokenstore_encrypted._key_text import from_bytes
from flex_tokenstore_encrypted._keychain import KeychainSource
from flex_tokenstore_encrypted._keys import Keys
from flex_tokenstore_encrypted._sources import CommandSource

posix = pytest.mark.skipif(sys.platform == "win32", reason="its program is a shell script")


@pytest.fixture
def script(tmp_path: Path) -> Any:
    """Makes a program that runs these lines of a shell, and returns its path."""

    def make(lines: str) -> str:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o700)
        return str(path)

    return make


def read(*command: str) -> _sources.Read:
    return CommandSource(command).read()


def error_of(*command: str) -> TokenStoreError:
    found = read(*command)
    assert found.keys == ()
    assert found.error is not None
    assert "SENTINEL" not in str(found.error)
    return found.error


@posix
def test_what_a_program_prints(script: Any, tmp_path: Path) -> None:
    keys = read(script(f"echo '# old and new'\necho {line_of('a')}\necho {line_of('b')}")).keys
    assert [from_bytes(each)[1] for each in keys] == ["", ""]
    (tmp_path / "raw").write_bytes(key_of("a"))
    assert len(read(script(f"cat {tmp_path / 'raw'}")).keys) == 1


@posix
def test_arguments_are_passed_as_they_are_and_no_shell_reads_them(script: Any) -> None:
    path = script(f"[ \"$1\" = '; echo SENTINEL $HOME *' ] && [ $# = 1 ] && echo {line_of('a')}")
    assert read(path, "; echo SENTINEL $HOME *").error is None


@posix
@pytest.mark.parametrize(
    ("lines", "kind", "said"),
    [
        ("echo SENTINEL; echo SENTINEL >&2; exit 3", TokenUnavailableError, "exit code 3"),
        (f"echo {line_of('a')}; exit 1", TokenUnavailableError, "exit code 1"),
        ("kill -9 $$", TokenUnavailableError, "exit code -9"),
        ("echo SENTINEL", StoreOptionsError, "in line 1"),
        ("true", StoreOptionsError, "it is empty"),
        ("read line; echo SENTINEL$line", StoreOptionsError, "in line 1"),  # it has no input
        ("head -c 200000 /dev/zero; sleep 60", TokenUnavailableError, "64 KiB"),
    ],
)
def test_a_program_that_prints_no_key(
    script: Any, lines: str, kind: type[TokenStoreError], said: str, capfd: Any
) -> None:
    error = error_of(script(lines))
    assert isinstance(error, kind)
    assert said in str(error)
    assert "SENTINEL" not in "".join(capfd.readouterr())


@posix
def test_a_program_is_never_taken_from_the_current_directory(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script("true")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", "/usr/bin"]))
    for name in ("program", "./program", f"../{tmp_path.name}/program"):
        error = error_of(name)
        assert isinstance(error, StoreOptionsError)
        assert error.option == "key_command"


@posix
def test_one_thread_runs_a_program_that_fails_and_the_others_that_waited_get_its_error(
    script: Any, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    keys = Keys(CommandSource((script(f"echo x >> {runs}; sleep 0.3; exit 1"),)))
    errors: list[Exception] = []
    start = threading.Barrier(8)

    def load() -> None:
        start.wait()
        try:
            keys.load()
        except TokenStoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, errors))) == 8
    assert len(runs.read_text().split()) == 1


class Vault:
    """A keychain, as keyring's backends are."""

    priority = 5

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def set_properties_from_env(self) -> None:
        pass

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise RuntimeError("SENTINEL")
        return self.kept.get((service, username))


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Vault:
    """The system's own keychain, and keyring without a file of its own."""
    pytest.importorskip("keyring")
    found = Vault()
    monkeypatch.setattr(_backend, "_of_system", lambda: (_backend._path(Vault),))
    monkeypatch.setattr(_backend, "_made", {_backend._path(Vault): found}.get)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setattr("keyring.util.platform_.config_root", lambda: str(tmp_path))
    return found


def test_a_key_in_the_keychain(vault: Vault) -> None:
    vault.kept["shop", "a/b"] = lines_of("b", "a")
    keys = Keys(KeychainSource("shop/a/b"))
    keys.load()
    first = keys.first()
    assert first is not None
    assert first.id == id_of("b")


def test_a_keychain_without_it_with_something_else_or_locked(vault: Vault) -> None:
    source = KeychainSource("shop/a")
    assert "new-key --keychain shop/a" in str(source.read().error)
    vault.kept["shop", "a"] = "SENTINEL"
    assert isinstance(source.read().error, StoreOptionsError)
    vault.locked = True
    error = source.read().error
    assert isinstance(error, TokenUnavailableError)
    assert "SENTINEL" not in str(error)


PLAIN = "keyrings.alt.file.PlaintextKeyring"
FILE = "keyrings.alt.file.EncryptedKeyring"


@pytest.mark.parametrize("name", [PLAIN, "keyring.backends.null.Keyring", "misspelt"])
@pytest.mark.parametrize("by", ["variable", "file"])
def test_a_keychain_that_does_not_encrypt_is_refused(
    vault: Vault, by: str, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is a mistake in the settings and no outage, after which another store may be taken."""
    vault.kept["shop", "a"] = lines_of("a")
    if by == "variable":
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)
    else:
        (tmp_path / "keyringrc.cfg").write_text(f"[backend]\ndefault-keyring={name}\n")
    error = KeychainSource("shop/a").read().error
    assert isinstance(error, StoreOptionsError)
    assert name in str(error)
    assert ("PYTHON_KEYRING_BACKEND" if by == "variable" else "keyringrc.cfg") in str(error)


def test_a_chain_leaves_the_choice_open(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.kept["shop", "a"] = lines_of("a")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.chainer.ChainerBackend")
    assert KeychainSource("shop/a").read().error is None


def test_keyrings_file_that_cannot_be_read(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "keyringrc.cfg").write_text("[backend")
    error = KeychainSource("shop/a").read().error
    assert isinstance(error, StoreOptionsError)
    assert "keyringrc.cfg" in str(error)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there the system has one")
@pytest.mark.parametrize("named", ["", FILE])
def test_without_a_session_of_the_desktop_no_other_keychain_is_taken(
    named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in cron. An encrypted file may be installed too: it has another key, or none."""
    pytest.importorskip("keyring")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setattr("keyring.util.platform_.config_root", lambda: str(tmp_path))
    module = types.ModuleType("keyrings.alt.file")
    module.EncryptedKeyring = Vault  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyrings.alt.file", module)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", named)
    source = KeychainSource("shop/a")
    error = source.read().error
    if named:
        assert isinstance(error, StoreOptionsError)
        assert "Vault does not have" in str(error)
        return
    assert isinstance(error, TokenUnavailableError)
    assert "DBUS_SESSION_BUS_ADDRESS" in str(error)
    assert "new-key" not in str(error)
    # It is tried anew: the session may come.
    monkeypatch.setattr(_backend, "_of_system", lambda: (FILE,))
    monkeypatch.setattr(Vault, "get_password", lambda *of: lines_of("a"))
    assert source.read().error is None


def test_a_keychain_that_does_not_answer_is_asked_once(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_keychain, "_TIME_LIMIT", 0.1)
    monkeypatch.setattr(_keychain, "_TIME_LIMIT_AGAIN", 0.1)
    answer, asked = threading.Event(), []

    def hangs(*entry: str) -> str:
        asked.append(entry)
        assert answer.wait(30)
        return lines_of("a")

    monkeypatch.setattr(vault, "get_password", hangs)
    source = KeychainSource("shop/a")
    for _ in range(3):
        error = source.read().error
        assert isinstance(error, TokenUnavailableError)
        assert "window" in str(error)
    assert len(asked) == 1
    monkeypatch.setattr(_keychain, "_TIME_LIMIT", 30)
    monkeypatch.setattr(_keychain, "_TIME_LIMIT_AGAIN", 30)
    answer.set()
    assert len(source.read().keys) == 1
    assert len(asked) == 1
    source.read()
    assert len(asked) == 2


@pytest.mark.parametrize("first", [True, False])
def test_a_source_without_a_sign_of_change_is_read_again_before_a_save(
    vault: Vault, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a program that can read all that it meets would write with an old key for ever."""
    vault.kept["shop", "a"] = lines_of("a")
    keys = Keys(KeychainSource("shop/a"))
    keys.load()
    vault.kept["shop", "a"] = lines_of("b", "a")
    keys.load()
    assert not keys.due(saving=True)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert not keys.due()
    assert keys.due(saving=True)
    vault.locked = not first
    keys.load()
    key = keys.first()
    assert key is not None
    # What cannot be read now does not cost the save, and is not tried again at once.
    assert key.id == id_of("b" if first else "a")
    assert not keys.due(saving=True)


def test_without_keyring_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setitem(sys.modules, "keyring.util", None)
    error = KeychainSource("shop/a").read().error
    assert "'./plugins/flex-tokenstore-encrypted[keychain]'" in str(error)
