"""``python -m flex_tokenstore_encrypted new-key``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from encrypted_support import id_of, key_of, lines_of, write_private
from flex_tokenstore import Secret, host_lock
from flex_tokenstore_encrypted import __main__ as program
from flex_tokenstore_encrypted._key_text import from_bytes, key_id


def run(*arguments: object) -> int:
    return program.main(["new-key", *map(str, arguments)])


def ids(path: Path) -> list[str]:
    keys, problem = from_bytes(Secret(path.read_bytes()))
    assert not problem
    return [key_id(key) for key in keys]


def test_a_new_file_and_its_id(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "token.key"
    assert run(path) == 0
    printed = capsys.readouterr().out
    assert ids(path)[0] in printed
    assert str(path) in printed
    assert path.read_text().strip() not in printed
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
    assert run(tmp_path / "other.key") == 0
    assert ids(path) != ids(tmp_path / "other.key")


def test_a_file_that_exists_is_kept(tmp_path: Path, capsys: Any) -> None:
    path = write_private(tmp_path / "token.key", lines_of("a"))
    assert run(path) == 1
    assert "--first" in capsys.readouterr().err
    assert path.read_text() == lines_of("a")


@pytest.mark.parametrize(
    "content", [key_of("a"), lines_of("a").encode(), b"# May\n" + lines_of("a").encode()]
)
def test_first_puts_it_before_the_others(tmp_path: Path, content: bytes) -> None:
    path = write_private(tmp_path / "token.key", content)
    assert run("--first", path) == 0
    assert len(ids(path)) == 2
    assert ids(path)[1] == id_of("a")
    assert (b"# May" in path.read_bytes()) == (b"# May" in content)


@pytest.mark.parametrize("content", [None, b"", b"SENTINEL"])
def test_first_needs_a_good_file(tmp_path: Path, content: bytes | None, capsys: Any) -> None:
    path = tmp_path / "token.key"
    if content is not None:
        write_private(path, content)
    assert run("--first", path) == 1
    assert str(path) in capsys.readouterr().err
    assert path.exists() == (content is not None)
    assert content is None or path.read_bytes() == content


def test_two_at_once_wait_for_each_other(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """Else the second would drop the key whose id the first has told."""
    monkeypatch.setattr(program, "_WAIT", 0.0)
    path = write_private(tmp_path / "token.key", lines_of("a"))
    with host_lock("encrypted-new-key", wait=0):
        assert run("--first", path) == 1
    assert not capsys.readouterr().out
    assert path.read_text() == lines_of("a")
    assert run("--first", path) == 0


def test_a_folder_that_is_missing(tmp_path: Path, capsys: Any) -> None:
    assert run(tmp_path / "missing" / "token.key") == 1
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["a", "--keychain", "s/u"], ["--keychain", "alone"]])
def test_wrong_arguments(arguments: list[str], capsys: Any) -> None:
    assert run(*arguments) == 2
    assert "error" in capsys.readouterr().err


class Keychain:
    """As keyring's backend of macOS: to replace an entry is to remove it, and to add it."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.refused: set[int] = set()
        """Numbers of the saves whose second half the user refuses."""
        self.saves = self.interrupted = 0
        self.deaf = False

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.saves += 1
        self.kept.pop((service, username), None)
        if self.saves in self.refused:
            raise RuntimeError(password)
        if self.saves == self.interrupted:
            raise KeyboardInterrupt
        if not self.deaf:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def keychain(monkeypatch: pytest.MonkeyPatch) -> Keychain:
    found = Keychain()
    monkeypatch.setattr(program, "backend", lambda: found)
    return found


@pytest.mark.parametrize(
    ("refused", "entries"),
    [({1}, ["key"]), ({2}, ["key"]), ({2, 3}, ["key.before"]), ({1, 2, 3}, ["key"])],
)
def test_the_keys_of_an_entry_are_never_lost(
    keychain: Keychain, refused: set[int], entries: list[str], capsys: Any
) -> None:
    old = lines_of("a", "b").strip()
    keychain.kept["shop", "key"] = old
    keychain.refused = refused
    assert run("--keychain", "shop/key", "--first") == 1
    assert keychain.kept == {("shop", each): old for each in entries}
    said = "".join(capsys.readouterr())
    assert "made the key" not in said
    assert "RuntimeError" in said
    assert all(f"'shop/{each}'" in said for each in entries)
    assert old[:20] not in said
    # Once the keychain is unlocked, the same command does it.
    keychain.refused = set()
    assert run("--keychain", "shop/key") == 1
    assert run("--keychain", "shop/key", "--first") == 0
    assert list(keychain.kept) == [("shop", "key")]
    assert keychain.kept["shop", "key"].splitlines()[1:] == old.splitlines()


def test_a_run_that_is_interrupted_loses_no_key(keychain: Keychain, capsys: Any) -> None:
    old = lines_of("a").strip()
    keychain.kept["shop", "key"] = old
    keychain.interrupted = 2
    with pytest.raises(KeyboardInterrupt):
        run("--keychain", "shop/key", "--first")
    assert keychain.kept == {("shop", "key.before"): old}
    # Other keys than those that were left are not mixed with them.
    keychain.kept["shop", "key"] = lines_of("b")
    before = dict(keychain.kept)
    assert run("--keychain", "shop/key", "--first") == 1
    assert "'shop/key.before'" in capsys.readouterr().err
    assert keychain.kept == before


def test_a_keychain_that_keeps_nothing_is_noticed(keychain: Keychain, capsys: Any) -> None:
    keychain.deaf = True
    assert run("--keychain", "shop/key") == 1
    said = capsys.readouterr()
    assert "does not keep" in said.err
    assert not said.out


def test_the_keychain(keychain: Keychain, capsys: Any) -> None:
    kept = keychain.kept
    assert run("--keychain", "shop/key", "--first") == 1
    assert run("--keychain", "shop/key") == 0
    (first,) = from_bytes(Secret(kept["shop", "key"].encode()))[0]
    assert run("--keychain", "shop/key") == 1
    assert run("--keychain", "shop/key", "--first") == 0
    two = from_bytes(Secret(kept["shop", "key"].encode()))[0]
    assert [key_id(each) for each in two][1] == key_id(first)
    assert list(kept) == [("shop", "key")]
    printed = "".join(capsys.readouterr())
    assert "key_keychain = 'shop/key'" in printed
    assert not any(line in printed for line in kept["shop", "key"].splitlines())
