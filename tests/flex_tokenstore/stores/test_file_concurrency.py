"""Many processes on one file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from flex_tokenstore._host.host_lock import HostLock
from flex_tokenstore._values.identity import TokenIdentity
from flex_tokenstore._values.token import ANY_REVISION
from flex_tokenstore.errors import TokenUnavailableError
from flex_tokenstore.stores.file.store import FileStore

A = TokenIdentity("https://api.example.com", "client-a")

# Waits for a line on standard input, so that all start at the same moment.
PRELUDE = """
import json, sys
from flex_tokenstore._values.identity import TokenIdentity
from flex_tokenstore._values.token import ANY_REVISION, revision_of
from flex_tokenstore.errors import TokenConflictError
from flex_tokenstore.stores.file.store import FileStore
number, path = int(sys.argv[1]), sys.argv[2] or None
def open_for(client):
    identity = TokenIdentity("https://api.example.com", client)
    return FileStore(FileStore.Options(path=path), identity), identity.key
def made(value, key, **more):
    return {"access_token": value, "flex_tokenstore": {"format": 1, "identity": key}, **more}
print("ready", flush=True)
sys.stdin.readline()
"""

WRITER = """
store, key = open_for("client-a")
for turn in range(12):
    value = f"{number}-{turn}"
    store.set_token(made(value, key, padding=value * (1 + 500 * (turn % 3))), ANY_REVISION)
"""

READER = """
store, key = open_for("client-a")
for turn in range(100):
    token = store.get_token()  # a torn read raises TokenCorruptError
    value = token["access_token"]
    assert token["padding"].replace(value, "") == ""
"""

COUNTER = """
store, key = open_for("client-a")
for turn in range(10):
    while True:
        old = store.get_token()
        count = old["count"] + 1
        try:
            store.set_token(made(f"{number}-{turn}", key, count=count), revision_of(old))
            break
        except TokenConflictError:
            pass
"""

CLAIMER = """
store, key = open_for(f"client-{number}")
store.set_token(made(f"of-{key}", key), None)
assert store.get_token()["access_token"] == f"of-{key}"
"""

DYING = """
import os
from pathlib import Path
store, key = open_for("client-a")
def die(*args, **kw):
    os._exit(9)
Path.replace = die
store.set_token(made("lost", key), ANY_REVISION)
"""


def run(programs: Sequence[str], path: Path | None) -> list[int]:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", PRELUDE + program, str(number), str(path or "")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number, program in enumerate(programs)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
        for child in children:
            child.communicate(b"go\n", timeout=60)
        return [child.returncode for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()


def seed(path: Path) -> FileStore:
    store = FileStore(FileStore.Options(path=str(path)), A)
    tag = {"format": 1, "identity": A.key}
    first = {"access_token": "0", "padding": "0", "count": 0, "flex_tokenstore": tag}
    store.set_token(first, None)
    return store


def test_eight_writers_and_eight_readers_never_tear_a_token(tmp_path: Path) -> None:
    store = seed(tmp_path / "t.json")
    assert run([WRITER, READER] * 8, tmp_path / "t.json") == [0] * 16
    token = store.get_token()
    assert token is not None
    assert token["access_token"].endswith("-11")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.json", "t.json.write.lock"]


def test_compare_and_set_loses_no_update(tmp_path: Path) -> None:
    store = seed(tmp_path / "t.json")
    assert run([COUNTER] * 4, tmp_path / "t.json") == [0] * 4
    token = store.get_token()
    assert token is not None
    assert token["count"] == 40


def test_racing_claims_give_one_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert run([CLAIMER] * 8, None) == [0] * 8
    folder = tmp_path / "flex-integration-sdk"
    tokens = [json.loads(p.read_text()) for p in folder.glob("file-store-token*.json")]
    assert len(tokens) == len({token["access_token"] for token in tokens}) == 8
    main = json.loads((folder / "file-store-token.json").read_text())
    owner = (folder / "file-store-token.owner").read_text()
    assert main["flex_tokenstore"]["identity"] == owner
    assert not list(folder.glob(".*"))


def test_a_crash_in_a_write_leaves_the_old_token_and_heals(tmp_path: Path) -> None:
    store = seed(tmp_path / "t.json")
    assert run([DYING], tmp_path / "t.json") == [9]
    assert (tmp_path / ".t.json.tmp").exists()
    token = store.get_token()
    assert token is not None
    assert token["access_token"] == "0"
    store.set_token({**token, "access_token": "1"}, ANY_REVISION)
    assert not (tmp_path / ".t.json.tmp").exists()
    assert (tmp_path / "t.json").stat().st_mode & 0o077 == 0


def test_removing_clears_what_a_crash_left_of_a_token(tmp_path: Path) -> None:
    for there_is_a_token in (True, False):
        store = seed(tmp_path / "t.json")
        assert run([DYING], tmp_path / "t.json") == [9]
        if not there_is_a_token:
            (tmp_path / "t.json").unlink()
        assert (tmp_path / ".t.json.tmp").exists()
        store.remove_token(ANY_REVISION)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["t.json.write.lock"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_two_links_to_one_file_share_its_write_lock(tmp_path: Path) -> None:
    seed(tmp_path / "real.json")
    (tmp_path / "a.json").symlink_to("real.json")
    (tmp_path / "b.json").symlink_to("real.json")
    held = HostLock(tmp_path / "real.json.write.lock")
    for name in ("a.json", "b.json", "real.json"):
        store = FileStore(FileStore.Options(path=str(tmp_path / name)), A)
        token = store.get_token()
        assert token is not None
        store.set_token(token, ANY_REVISION)
        with held.hold(0), pytest.MonkeyPatch.context() as patch:
            patch.setattr("flex_tokenstore.stores.file.store.WRITE_WAIT", 0)
            with pytest.raises(TokenUnavailableError, match="held by another process"):
                store.set_token(token, ANY_REVISION)
    assert not list(tmp_path.glob("[ab].json.*"))
