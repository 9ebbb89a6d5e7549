"""Full disks, read-only ones, lost permissions, folders that vanish: for real."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    Token,
    TokenPermissionError,
    TokenSession,
    TokenUnavailableError,
    file_store,
    open_store,
)
from flex_tokenstore._values.token import ANY_REVISION
from flex_tokenstore.stores.file.store import FileStore
from tests.support.fakes import IDENTITY, Server, stored

from .as_user import NOBODY, another_user, mount, needs_root
from .traced import store, token

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="faults of Unix")


def fill(disk: Path) -> Path:
    """Writes until the disk is full."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as out:
        for _ in range(1000):
            try:
                out.write(b"x" * 1024)
            except OSError:
                return ballast  # what the store says about it is checked
    raise AssertionError("the fault did not bite")


def expired(path: Path, server: Server) -> dict[str, Any]:
    made = stored(server, age=4000)
    store(str(path)).set_token(made, None)
    return made


def session(path: Path, server: Server) -> TokenSession:
    return TokenSession(open_store(file_store(path=str(path)), IDENTITY), server, failure_window=0)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_a_full_disk_keeps_the_old_token_and_the_session_the_new_one(small_disk: Path) -> None:
    path, server = small_disk / "t.json", Server()
    old = expired(path, server)
    with session(path, server):
        pass
    ballast = fill(small_disk)
    with pytest.raises(TokenUnavailableError, match=r"its old content is kept.*disk is full"):
        store(str(path)).set_token(token("new"), ANY_REVISION)
    with session(path, server) as one:
        fresh = one.token()
        assert not one.saved
        assert json.loads(path.read_bytes()) == old
        assert names(small_disk) == ["ballast", "t.json"]
        ballast.unlink()
    assert json.loads(path.read_bytes()) == fresh.to_dict(), "closing tried once more"
    with session(path, server) as two:
        assert two.token() == fresh
    assert server.calls == ["refresh"]


@pytest.mark.parametrize("what", ["remove", "revoke"])
def test_a_full_disk_does_not_keep_a_token_from_being_removed(small_disk: Path, what: str) -> None:
    path, server = small_disk / "t.json", Server()
    store(str(path)).set_token(stored(server), None)
    fill(small_disk)
    with session(path, server) as one:
        getattr(one, what)()
    assert not path.exists()
    assert server.calls == (["revoke"] if what == "revoke" else [])


def test_a_read_only_file_system_is_read_and_nothing_is_asked(small_disk: Path) -> None:
    path, server = small_disk / "t.json", Server()
    old = expired(path, server)
    mount("-o", "remount,ro", str(small_disk))
    assert store(str(path)).get_token() == old
    for attempt in (
        lambda: store(str(path)).set_token(token("new"), ANY_REVISION),
        lambda: store(str(path)).remove_token(ANY_REVISION),
        lambda: session(path, server).token(),
        lambda: session(path, server).revoke(),
    ):
        with pytest.raises(TokenPermissionError, match="read-only"):
            attempt()
    assert server.calls == [], "a token that could not be saved is not asked for"
    mount("-o", "remount,rw", str(small_disk))
    with session(path, server) as one:
        one.token()
        assert one.saved
        assert one.revoke()
    assert names(small_disk) == []


LIMITED = """
import resource, sys
from tests.flex_tokenstore.stores.traced import store, token
from flex_tokenstore import TokenStoreError
from flex_tokenstore._values.token import ANY_REVISION
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
try:
    store(sys.argv[1]).set_token(token("new"), ANY_REVISION)
except TokenStoreError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("limit", [0, 50])
def test_a_limit_on_the_size_of_files_cuts_nothing_short(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "t.json"
    store(str(path)).set_token(token("old"), None)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path), str(limit)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.startswith(f"TokenUnavailableError {path} could not be written")
    assert os.strerror(errno.EFBIG) in done.stdout
    assert store(str(path)).get_token() == token("old")
    assert names(tmp_path) == ["t.json"]


@needs_root
@pytest.mark.parametrize(("mode", "reads"), [(0o500, True), (0o000, False), (0o600, False)])
def test_a_folder_that_loses_its_rights_in_between(theirs: Path, mode: int, reads: bool) -> None:
    with another_user(theirs / "t.json") as ask:
        assert ask("set old") == "done None"
        theirs.chmod(mode)
        for what in ("set new", "remove"):
            assert ask(what).startswith("TokenPermissionError"), what
        said = ask("get")
        assert said == "done a-old" if reads else said.startswith("TokenPermissionError")
        theirs.chmod(0o700)
        assert names(theirs) == ["t.json"]
        assert ask("get") == "done a-old"
        assert ask("set new") == "done None"
        assert ask("get") == "done a-new"
        assert ask("remove") == "done None"
        assert names(theirs) == []


@needs_root
@pytest.mark.parametrize("name", ["t.json", "t.json.write.lock"])
def test_a_file_that_root_took_over_in_between(theirs: Path, name: str) -> None:
    with another_user(theirs / "t.json") as ask:
        assert ask("set old") == "done None"
        os.chown(theirs / name, 0, 0)
        said = ask("set new")
        assert said.startswith("TokenPermissionError")
        assert str(theirs / name) in said
        os.chown(theirs / name, NOBODY, NOBODY)
        assert ask("get") == "done a-old"
        assert ask("set new") == "done None"
        assert names(theirs) == ["t.json"]


@pytest.mark.parametrize("locked", [False, True])
def test_a_folder_that_is_deleted_in_between_is_made_again(tmp_path: Path, locked: bool) -> None:
    path = tmp_path / "a/b/t.json"
    opened: FileStore = store(str(path))
    opened.set_token(token("old"), None)
    with opened.token_lock(0, 1):
        shutil.rmtree(tmp_path / "a")
        if locked:
            opened.set_token(token("new"), None)
    if not locked:
        assert opened.get_token() is None
        opened.remove_token(ANY_REVISION)
        opened.set_token(token("new"), None)
    assert opened.get_token() == token("new")
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("below", ["token.json", "deeper/token.json"])
def test_a_file_where_a_folder_should_be_is_named_and_no_empty_store(
    tmp_path: Path, below: str
) -> None:
    in_the_way = tmp_path / "notes"
    in_the_way.write_text("of the user's own")
    server = Server()
    with open_store(file_store(path=str(in_the_way / below)), IDENTITY) as opened:
        for call in (
            opened.get_token,
            opened.remove_token,
            lambda: opened.set_token(Token(token("new"))),
            TokenSession(opened, server).token,
        ):
            with pytest.raises(TokenUnavailableError, match=f"{in_the_way} is a file") as caught:
                call()
            assert "option path" in str(caught.value)
        with (
            pytest.raises(TokenUnavailableError, match="is a file") as caught,
            opened.token_lock(0, 5),
        ):
            pass
        assert "host_lock" not in str(caught.value), "this store has a lock of its own"
    assert server.calls == []
    assert in_the_way.read_text() == "of the user's own"


def test_a_deleted_default_folder_is_claimed_anew(tmp_path: Path) -> None:
    opened = store(None)
    opened.set_token(token("old"), None)
    folder = Path(opened.place).parent
    shutil.rmtree(folder)
    assert opened.get_token() is None
    opened.set_token(token("new"), None)
    assert names(folder) == ["file-store-token.json", "file-store-token.owner"]
    assert opened.get_token() == token("new")
