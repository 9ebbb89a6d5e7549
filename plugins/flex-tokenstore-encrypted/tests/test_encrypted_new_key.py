"""``python -m flex_tokenstore_encrypted new-key``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from encrypted_support import id_of, key_of, lines_of, write_private
from flex_tokenstore import Secret
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


def test_a_folder_that_is_missing(tmp_path: Path, capsys: Any) -> None:
    assert run(tmp_path / "missing" / "token.key") == 1
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["a", "--keychain", "s/u"], ["--keychain", "alone"]])
def test_wrong_arguments(arguments: list[str], capsys: Any) -> None:
    assert run(*arguments) == 2
    assert "error" in capsys.readouterr().err


def test_the_keychain(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    kept: dict[Any, str] = {}

    class Backend:
        def get_password(self, *entry: str) -> str | None:
            return kept.get(entry)

        def set_password(self, service: str, username: str, password: str) -> None:
            kept[service, username] = password

    monkeypatch.setattr(program, "backend", Backend)
    assert run("--keychain", "shop/key", "--first") == 1
    assert run("--keychain", "shop/key") == 0
    (first,) = from_bytes(Secret(kept["shop", "key"].encode()))[0]
    assert run("--keychain", "shop/key") == 1
    assert run("--keychain", "shop/key", "--first") == 0
    two = from_bytes(Secret(kept["shop", "key"].encode()))[0]
    assert [key_id(each) for each in two][1] == key_id(first)
    printed = "".join(capsys.readouterr())
    assert "key_keychain = 'shop/key'" in printed
    assert not any(line in printed for line in kept["shop", "key"].splitlines())
