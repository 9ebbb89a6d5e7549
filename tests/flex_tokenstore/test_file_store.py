"""The ``file`` store: private, whole or absent, one identity's own."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    ANY_REVISION,
    Token,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenStore,
    open_store,
)

ONE = TokenIdentity("https://api.example.com", "one", "integ")
TWO = TokenIdentity("https://api.example.com", "two", "integ")


def token(number: int, identity: TokenIdentity = ONE, **fields: Any) -> Token:
    answer = {
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
        "token_type": "bearer",
        "expires_in": 3600,
        **fields,
    }
    return Token.issued(answer, identity_key=identity.key, obtained_at=1.0)


def at(path: Path, identity: TokenIdentity = ONE, **options: Any) -> TokenStore:
    return open_store({"name": "file", "path": str(path), **options}, identity)


def test_every_field_is_kept(tmp_path: Path) -> None:
    store = at(tmp_path / "t.json")
    assert store.get_token() is None
    kept = token(1, scope="integ", unknown={"é": [1, None, 1.5, "\u2028"]})
    store.set_token(kept, None)
    assert store.get_token() == kept == at(tmp_path / "t.json").get_token()
    store.remove_token(kept.revision)
    store.remove_token()
    assert store.get_token() is None


def test_compare_and_set(tmp_path: Path) -> None:
    store = at(tmp_path / "t.json")
    store.set_token(token(1), None)
    for expected in (None, token(2).revision):
        with pytest.raises(TokenConflictError):
            store.set_token(token(3), expected)
        with pytest.raises(TokenConflictError):
            store.remove_token(expected)
    store.set_token(token(2), token(1).revision)
    assert store.get_token() == token(2)
    store.set_token(token(3), ANY_REVISION)
    assert store.get_token() == token(3)


def test_the_first_identity_owns_the_documented_name(tmp_path: Path) -> None:
    one, two = open_store("file", ONE), open_store("file", TWO)
    one.set_token(token(1), None)
    two.set_token(token(2, TWO), None)
    folder = tmp_path / "config" / "flex-integration-sdk"
    assert one.place == str(folder / "file-store-token.json")
    assert two.place == str(folder / f"file-store-token.{TWO.key}.json")
    one.remove_token()
    assert two.get_token() == token(2, TWO)
    two.set_token(token(3, TWO))
    assert one.get_token() is None
    assert one.place == str(folder / "file-store-token.json")


def test_another_identitys_file_is_neither_used_nor_overwritten(tmp_path: Path) -> None:
    at(tmp_path / "t.json").set_token(token(1), None)
    two = at(tmp_path / "t.json", TWO)
    with pytest.raises(TokenIdentityError, match=r"t\.json"):
        two.get_token()
    with pytest.raises(TokenIdentityError):
        two.set_token(token(2, TWO))
    assert at(tmp_path / "t.json").get_token() == token(1)


def test_the_javascript_sdks_file_is_shared_on_request_only(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "flex-integration-sdk-nodejs"
    folder.mkdir(parents=True)
    file = folder / "file-store-token.json"
    file.write_text(json.dumps({"access_token": "a", "refresh_token": "r", "token_type": "bearer"}))
    with pytest.raises(TokenIdentityError, match="share_with_js"):
        at(file).get_token()
    store = open_store({"name": "file", "share_with_js": True}, ONE)
    found = store.get_token()
    assert found is not None
    assert found.access_token.reveal() == "a"
    assert found.expires_at is None
    store.set_token(token(2), found.revision)
    assert json.loads(file.read_text())["access_token"] == "access-2"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b'"x"', b"{}", b'{"access_token": 1}', b"x" * (10 << 20)],
)
def test_corrupt_content_is_told_and_moved_aside_but_never_deleted(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "t.json"
    file.write_bytes(content)
    store = at(file)
    with pytest.raises(TokenCorruptError) as caught:
        store.get_token()
    with pytest.raises(TokenConflictError):
        store.set_token(token(1), None)
    store.remove_token(caught.value.revision)
    assert not file.exists()
    (aside,) = tmp_path.glob("t.json.corrupt-*")
    assert aside.read_bytes() == content
    store.set_token(token(1), None)
    assert store.get_token() == token(1)


def test_a_newer_format_is_left_where_it_is(tmp_path: Path) -> None:
    newer = token(1).to_dict()
    newer["flex_tokenstore"]["format"] = 2
    (tmp_path / "t.json").write_text(json.dumps(newer))
    with pytest.raises(TokenCorruptError, match=r"newer|upgrade") as caught:
        at(tmp_path / "t.json").get_token()
    assert caught.value.revision is None


@pytest.mark.skipif(os.name == "nt", reason="modes are Unix")
def test_files_are_private(tmp_path: Path) -> None:
    file = tmp_path / "new" / "t.json"
    at(file).set_token(token(1), None)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o644)
    assert at(file).get_token() == token(1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="modes are Unix")
def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(TokenPermissionError):
        at(shared / "t.json").set_token(token(1), None)
    at(shared / "t.json", permissions="off").set_token(token(1), None)


@pytest.mark.skipif(os.name == "nt", reason="links are Unix")
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    at(tmp_path / "elsewhere" / "real.json").set_token(token(1), None)
    link = tmp_path / "t.json"
    link.symlink_to(tmp_path / "elsewhere" / "real.json")
    with pytest.raises(TokenPermissionError):
        at(link).get_token()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_another_users_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    at(file).set_token(token(1), None)
    os.chown(file, 65534, 65534)
    with pytest.raises(TokenPermissionError):
        at(file).get_token()
    assert at(file, permissions="warn").get_token() == token(1)


def test_the_lock_excludes_and_is_freed(tmp_path: Path) -> None:
    one, other = at(tmp_path / "t.json"), at(tmp_path / "t.json")
    with one.token_lock(0, 10), pytest.raises(TokenLockTimeoutError), other.token_lock(0, 10):
        pass
    with other.token_lock(0, 10) as end:
        assert end is None


def _add_one(path: str, times: int) -> None:
    store = at(Path(path))
    done = 0
    while done < times:
        found = store.get_token()
        assert found is not None
        number = int(found.access_token.reveal().removeprefix("access-"))
        try:
            store.set_token(token(number + 1), found.revision)
        except TokenConflictError:
            continue
        done += 1


def test_no_update_is_lost_and_no_read_is_torn_among_processes(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    at(file).set_token(token(0), None)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_add_one, args=(str(file), 10)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert at(file).get_token() == token(40)


def _hold(path: str, ready: Any) -> None:
    with at(Path(path)).token_lock(0, 10):
        ready.set()
        ready.clear()
        ready.wait(60)


def test_the_lock_of_a_killed_holder_is_free(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=_hold, args=(str(tmp_path / "t.json"), ready))
    holder.start()
    assert ready.wait(30)
    holder.kill()
    holder.join(30)
    with at(tmp_path / "t.json").token_lock(5, 10):
        pass
