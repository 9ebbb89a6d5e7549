"""Who may read and write beside us."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore._values.identity import TokenIdentity
from flex_tokenstore._values.token import ANY_REVISION
from flex_tokenstore.errors import TokenPermissionError, TokenUnavailableError
from flex_tokenstore.stores.file.store import FileStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and owners of Unix")
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="changes owners"
)

A = TokenIdentity("https://api.example.com", "client-a")
TOKEN = {"access_token": "SENTINEL", "flex_tokenstore": {"format": 1, "identity": A.key}}
NOBODY = 65534

# The interpreter may be where that user cannot start it: it changes user once all is imported.
PROGRAM = """
import os, sys
from flex_tokenstore._values.identity import TokenIdentity
from flex_tokenstore.errors import TokenStoreError
from flex_tokenstore._host.paths import config_folder
from flex_tokenstore.stores.file.store import FileStore
config_folder()
os.setgroups([])
os.setgid(int(sys.argv[3]))
os.setuid(int(sys.argv[3]))
identity = TokenIdentity("https://api.example.com", "client-a")
store = FileStore(FileStore.Options(path=sys.argv[2]), identity)
token = {"access_token": "a", "flex_tokenstore": {"format": 1, "identity": identity.key}}
try:
    if sys.argv[1] == "get":
        store.get_token()
    elif sys.argv[1] == "set":
        store.set_token(token, None)
    else:
        store.token_lock(0, 1).__enter__()
except TokenStoreError as error:
    print(type(error).__name__, error)
"""


def store(path: Path | None, **options: Any) -> FileStore:
    return FileStore(FileStore.Options(path=None if path is None else str(path), **options), A)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user of this machine can reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_nobody(what: str, path: Path) -> str:
    command = [sys.executable, "-c", PROGRAM, what, str(path), str(NOBODY)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("permissions", ["strict", "warn", "off"])
def test_files_and_new_folders_are_private_under_any_umask(
    tmp_path: Path, permissions: str
) -> None:
    old = os.umask(0)
    try:
        s = store(tmp_path / "a/b/t.json", permissions=permissions)
        s.set_token(TOKEN, None)
        with s.token_lock(0, 1):
            pass
    finally:
        os.umask(old)
    assert mode(tmp_path / "a") == mode(tmp_path / "a/b") == 0o700
    assert {mode(path) for path in (tmp_path / "a/b").iterdir()} == {0o600}


@pytest.mark.parametrize(("permissions", "after"), [("strict", 0o600), ("off", 0o644)])
def test_our_own_file_is_tightened_with_a_warning(
    tmp_path: Path, permissions: str, after: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(TOKEN))
    path.chmod(0o644)
    assert store(path, permissions=permissions).get_token() == TOKEN
    assert mode(path) == after
    assert len(caplog.records) == (1 if permissions == "strict" else 0)


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("member", [True, False])
@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root gives files away")
def test_no_other_group_gets_the_rights_of_the_one_that_shares_the_folder(
    tmp_path: Path, stored: bool, member: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, group = tmp_path / "shared/t.json", 4242
    path.parent.mkdir()
    os.chown(path.parent, -1, group)
    path.parent.chmod(0o770)
    shared = store(path, permissions="off")
    if stored:
        path.write_text(json.dumps(TOKEN))
        os.chown(path, -1, group)
        path.chmod(0o660)
    if not member:
        # What the system says to a user who is not in the group, and is not root.
        monkeypatch.setattr(os, "fchown", refuse)
    shared.set_token(TOKEN, ANY_REVISION)
    found = path.stat()
    assert (found.st_gid == group, mode(path)) == ((True, 0o660) if member else (False, 0o600))


def refuse(*_: object) -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted")


def test_only_the_default_folder_is_tightened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    default, other = tmp_path / "flex-integration-sdk", tmp_path / "other"
    for folder in (default, other):
        folder.mkdir()
        folder.chmod(0o755)
    store(None).set_token(TOKEN, None)
    store(other / "t.json").set_token(TOKEN, None)
    assert (mode(default), mode(other)) == (0o700, 0o755)


def test_a_folder_that_others_may_write_is_refused_not_changed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "open/t.json"
    path.parent.mkdir()
    path.parent.chmod(0o777)
    with pytest.raises(TokenPermissionError, match="chmod go-w"):
        store(path).set_token(TOKEN, None)
    assert mode(path.parent) == 0o777
    with caplog.at_level(logging.WARNING):
        store(path, permissions="warn").set_token(TOKEN, None)
    assert "other users can write" in caplog.text
    with pytest.raises(TokenPermissionError):
        store(path).get_token()
    path.parent.chmod(0o1777)
    assert store(path).get_token() == TOKEN


def test_a_link_out_of_the_folder_is_refused_and_one_within_followed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside.json", tmp_path / "folder"
    folder.mkdir()
    store(outside).set_token(TOKEN, None)
    (folder / "t.json").symlink_to(outside)
    for attempt in (
        store(folder / "t.json").get_token,
        lambda: store(folder / "t.json").set_token(TOKEN, ANY_REVISION),
    ):
        with pytest.raises(TokenPermissionError, match="link out of"):
            attempt()
    assert store(folder / "t.json", permissions="off").get_token() == TOKEN
    (folder / "u.json").symlink_to("real.json")
    store(folder / "u.json").set_token(TOKEN, None)
    assert (folder / "u.json").is_symlink()
    assert json.loads((folder / "real.json").read_text()) == TOKEN
    (folder / "loop").symlink_to("loop")
    with pytest.raises(TokenUnavailableError):
        store(folder / "loop").get_token()


def test_a_planted_temporary_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".t.json.tmp").symlink_to(victim)
    store(tmp_path / "t.json").set_token(TOKEN, None)
    assert victim.read_text() == "mine"
    assert not (tmp_path / "t.json").is_symlink()


@pytest.mark.parametrize(
    ("code", "says"), [(errno.ENOSPC, "disk is full"), (errno.EIO, "Input/output")]
)
def test_a_failed_write_keeps_the_old_token_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, says: str
) -> None:
    s = store(tmp_path / "t.json")
    s.set_token(TOKEN, None)

    def full(fd: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TokenUnavailableError, match=says) as caught:
            s.set_token({**TOKEN, "access_token": "SENTINEL-2"}, ANY_REVISION)
    assert "is kept" in str(caught.value)
    assert s.get_token() == TOKEN
    assert not list(tmp_path.glob(".*"))
    frames = 0
    error: BaseException | None = caught.value
    while error is not None:  # no frame of ours holds the token as plain text
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename != __file__:
                frames += 1
                shown = {**frame.f_locals, "token": None}  # the caller's own argument
                assert "SENTINEL" not in repr(shown)
        error = error.__context__
    assert frames > 3


@needs_root
def test_another_users_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    store(path).set_token(TOKEN, None)
    os.chown(path, NOBODY, NOBODY)
    with pytest.raises(TokenPermissionError, match="uid 65534"):
        store(path).get_token()
    assert store(path, permissions="warn").get_token() == TOKEN


@needs_root
def test_what_this_user_may_not_is_a_permission_error(public: Path) -> None:
    store(public / "t.json").set_token(TOKEN, None)
    assert as_nobody("get", public / "t.json").startswith(f"TokenPermissionError {public}/t.json")
    for what in ("set", "lock"):
        said = as_nobody(what, public / "new.json")
        assert said.startswith("TokenPermissionError")
        assert str(public) in said
    public.chmod(0o700)
    assert as_nobody("get", public / "t.json").startswith("TokenPermissionError")
    assert as_nobody("get", public / "sub/t.json").startswith("TokenPermissionError")
