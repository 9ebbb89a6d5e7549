"""The other sources of keys: a program, and the system's keychain."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from encrypted_support import id_of, key_of, line_of, lines_of
from flex_tokenstore import StoreOptionsError, TokenStoreError, TokenUnavailableError
from flex_tokenstore_encrypted import _keychain, _sources
from flex_tokenstore_encrypted._key_text import from_bytes
from flex_tokenstore_encrypted._keychain import KeychainSource
from flex_tokenstore_encrypted._keys import Keys
from flex_tokenstore_encrypted._sources import CommandSource, find_program

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
@pytest.mark.parametrize("lines", ["sleep 60", "sleep 60 & echo x", "exec >&-; sleep 60"])
def test_a_program_that_does_not_end_is_ended_with_all_that_it_started(
    script: Any, lines: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_sources, "_TIME_LIMIT", 0.3)
    began = time.monotonic()
    mark = tmp_path / "pids"
    found = read(script(f"echo $$ > {mark}\n{lines}"))
    assert time.monotonic() - began < 5
    assert found.error is not None
    group = mark.read_text().strip()
    until = time.monotonic() + 5
    while running(group):
        assert time.monotonic() < until


def running(group: str) -> list[str]:
    """The states of the processes of a session, without those that nobody has taken leave of."""
    done = subprocess.run(["ps", "-o", "stat=", "-s", group], capture_output=True, text=True)
    return [state for state in done.stdout.split() if not state.startswith("Z")]


@posix
def test_a_program_is_never_taken_from_the_current_directory(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script("true")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", "/usr/bin"]))
    for name in ("program", "./program", f"../{tmp_path.name}/program"):
        assert find_program(name) is None
        error = error_of(name)
        assert isinstance(error, StoreOptionsError)
        assert error.option == "key_command"
    monkeypatch.setenv("PATH", os.pathsep.join([".", str(tmp_path)]))
    assert find_program("program") == str(tmp_path / "program")


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

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise RuntimeError("SENTINEL")
        return self.kept.get((service, username))


class Plain(Vault):
    """One that keeps all as it is."""

    priority = 9


class Chain:
    """As keyring's own: it asks one after the other."""

    priority = 10

    def __init__(self, *backends: Vault) -> None:
        self.backends = list(backends)


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Vault:
    found = Vault()
    monkeypatch.setattr(_keychain, "ENCRYPTED", {_keychain._path(found)})
    _offer(monkeypatch, Chain(Plain(), found), Plain(), found)
    return found


def _offer(monkeypatch: pytest.MonkeyPatch, *backends: object, named: object = None) -> None:
    core = pytest.importorskip("keyring.core")
    monkeypatch.setattr(core, "load_env", lambda: named)
    monkeypatch.setattr(core, "load_config", lambda: None)
    monkeypatch.setattr("keyring.backend.get_all_keyring", lambda: list(backends))


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


@pytest.mark.parametrize("named", [None, Plain()])
def test_a_keychain_that_does_not_encrypt_is_refused(
    vault: Vault, named: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    _offer(monkeypatch, Plain(), *([vault] if named else []), named=named)
    error = KeychainSource("shop/a").read().error
    assert isinstance(error, TokenUnavailableError)
    assert "Plain" in str(error)


def test_without_keyring_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setitem(sys.modules, "keyring.core", None)
    error = KeychainSource("shop/a").read().error
    assert "'./plugins/flex-tokenstore-encrypted[keychain]'" in str(error)
