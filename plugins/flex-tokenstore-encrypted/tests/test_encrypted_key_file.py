"""The key file: who may read it, what is said of one that cannot be used, and when it is read."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from encrypted_support import id_of, key_of, lines_of, write_private
from flex_tokenstore import (
    Secret,
    StoreOptionsError,
    TokenPermissionError,
    TokenStoreError,
    TokenUnavailableError,
)
from flex_tokenstore_encrypted import Options, _keys
from flex_tokenstore_encrypted._key_file import KeyFile, write_new
from flex_tokenstore_encrypted._keys import Keys
from flex_tokenstore_encrypted._sources import FileSource, Read

posix = pytest.mark.skipif(sys.platform == "win32", reason="files have no mode there")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_private(tmp_path / "token.key", lines_of("a"))


def keys_of(path: Path, **options: Any) -> Keys:
    return Keys(FileSource(Options(inner="file", key_file=str(path), **options)))


def loaded(path: Path, **options: Any) -> Keys:
    keys = keys_of(path, **options)
    keys.load()
    return keys


def first_of(keys: Keys) -> str:
    found = keys.first()
    assert found is not None
    return found.id


@pytest.mark.parametrize("content", [key_of("a"), lines_of("a", "b").encode()])
def test_raw_bytes_and_lines(path: Path, content: bytes) -> None:
    write_private(path, content)
    keys = loaded(path)
    assert first_of(keys) == id_of("a")
    assert (keys.find(id_of("b")) is None) == (content == key_of("a"))


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o611])
def test_a_file_that_others_may_use_is_refused(
    path: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    path.chmod(mode)
    with pytest.raises(TokenPermissionError, match=f"chmod 600 {path}"):
        loaded(path)
    keys = loaded(path, permissions="warn")
    keys._read()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    caplog.clear()
    assert first_of(loaded(path, permissions="off")) == id_of("a")
    assert not caplog.records


@posix
def test_a_folder_that_others_may_write_is_refused(path: Path) -> None:
    path.parent.chmod(0o777)
    with pytest.raises(TokenPermissionError, match=f"chmod go-w {path.parent}"):
        loaded(path)
    path.parent.chmod(0o1777)  # as /tmp: nobody can replace this user's file
    assert first_of(loaded(path)) == id_of("a")


@posix
def test_files_of_root_are_taken_and_those_of_others_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: here + 1)
    monkeypatch.setattr("flex_tokenstore_encrypted._key_file._ROOT", here)
    assert first_of(loaded(path)) == id_of("a")
    monkeypatch.setattr("flex_tokenstore_encrypted._key_file._ROOT", here + 2)
    with pytest.raises(TokenPermissionError, match="another user"):
        loaded(path)


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.EACCES, TokenPermissionError, "chmod 600"),
        (errno.EPERM, TokenPermissionError, "chmod 600"),
        (errno.EIO, TokenUnavailableError, "cannot be read now"),
        (errno.ESTALE, TokenUnavailableError, "cannot be read now"),
        (errno.ENOENT, TokenUnavailableError, "cannot be read now"),
    ],
)
def test_a_file_that_cannot_be_opened_is_no_wrong_option(
    path: Path, number: int, kind: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*arguments: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuses)
    keys = keys_of(path)
    with pytest.raises(kind, match=said) as caught:
        keys.load()
    assert str(path) in str(caught.value)


@posix
def test_a_folder_that_may_not_be_entered(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told when the key is read: whether there is a key file is not known before."""
    real_stat, real_open = os.stat, os.open

    def refuses(real: Any) -> Any:
        def call(of: Any, *arguments: Any, **more: Any) -> Any:
            if str(of) == str(path):
                raise PermissionError(errno.EACCES, "Permission denied")
            return real(of, *arguments, **more)

        return call

    monkeypatch.setattr(os, "stat", refuses(real_stat))
    monkeypatch.setattr(os, "open", refuses(real_open))
    keys = keys_of(path)
    with pytest.raises(TokenPermissionError, match=f"enter the folder {path.parent}"):
        keys.load()


@posix
def test_a_volume_of_kubernetes(tmp_path: Path) -> None:
    """It mounts links, and replaces what they lead to by moving one of them."""
    for name in ("a", "b"):
        folder = tmp_path / f"..{name}"
        folder.mkdir()
        write_private(folder / "token.key", lines_of(name))
    (tmp_path / "..data").symlink_to("..a")
    (tmp_path / "token.key").symlink_to("..data/token.key")
    keys = loaded(tmp_path / "token.key")
    assert first_of(keys) == id_of("a")
    (tmp_path / "..new").symlink_to("..b")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert keys.due()
    keys.load()
    assert first_of(keys) == id_of("b")


@posix
def test_a_pipe_a_folder_and_a_huge_file_are_refused(path: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    write_private(tmp_path / "huge", b"x" * (1 << 17))
    for name, said in (("pipe", "ordinary"), ("folder", "ordinary"), ("huge", "64 KiB")):
        data, problem = KeyFile(tmp_path / name, "strict").read()
        assert data is None
        assert said in str(problem)


@pytest.mark.parametrize("content", ["", "# none\n", "SENTINEL", key_of("a").hex()])
def test_a_file_without_a_key(path: Path, content: str) -> None:
    write_private(path, content)
    with pytest.raises(StoreOptionsError) as caught:
        loaded(path)
    assert caught.value.option == "key_file"
    assert str(path) in str(caught.value)
    assert "SENTINEL" not in str(caught.value)


def test_it_is_not_read_before_it_is_needed(path: Path) -> None:
    keys = keys_of(path)
    assert keys.due()
    assert keys.first() is None
    assert keys.find(id_of("a")) is None


def test_a_change_is_read_and_old_keys_are_dropped(path: Path) -> None:
    keys = loaded(path)
    assert not keys.due()
    write_private(path, lines_of("b", "a"))
    assert keys.due()
    keys.load()
    assert first_of(keys) == id_of("b")
    assert keys.find(id_of("a")) is not None
    write_private(path, lines_of("b"))
    keys.load()
    assert keys.find(id_of("a")) is None


@pytest.mark.parametrize("content", ["", "SENTINEL", None, lines_of("b", "b")])
def test_a_change_that_cannot_be_read_leaves_the_keys_as_they_are(
    path: Path,
    content: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A file may be written at this moment; it is looked at again soon."""
    keys = loaded(path)
    path.unlink() if content is None else write_private(path, content)
    for _ in range(3):
        keys.load()
        assert first_of(keys) == id_of("a")
    assert len(caplog.records) == 1
    assert "still used" in caplog.text
    assert "SENTINEL" not in caplog.text
    assert not keys.due()  # not at each call
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + _keys.AGAIN)
    assert keys.due()
    keys.load()
    assert len(caplog.records) == 1
    write_private(path, lines_of("c"))
    keys.load()
    assert first_of(keys) == id_of("c")


def test_an_unknown_key_is_looked_for_at_once_and_then_every_few_seconds(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = loaded(path)
    reads: list[int] = []
    read = keys._source.read

    def counted() -> Read:
        reads.append(1)
        return read()

    monkeypatch.setattr(keys._source, "read", counted)
    now = time.monotonic() + _keys.AGAIN
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for _ in range(5):
        keys.load(id_of("x"))
    assert len(reads) == 1
    keys.load(id_of("a"))
    assert len(reads) == 1
    now += _keys.AGAIN
    keys.load(id_of("x"))
    assert len(reads) == 2


def test_a_failed_first_read_is_tried_again_at_once(path: Path) -> None:
    keys = keys_of(path)
    write_private(path, "")
    with pytest.raises(TokenStoreError):
        keys.load()
    write_private(path, lines_of("a"))
    keys.load()
    assert first_of(keys) == id_of("a")


def test_a_new_file_is_private_and_never_replaces_one(tmp_path: Path) -> None:
    path = tmp_path / "new.key"
    write_new(path, Secret(b"one"), replace=False)
    with pytest.raises(FileExistsError):
        write_new(path, Secret(b"two"), replace=False)
    assert path.read_bytes() == b"one"
    write_new(path, Secret(b"two"), replace=True)
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["new.key"]
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
