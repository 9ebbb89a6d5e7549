"""What the file store stores, for whom, and what it refuses."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flex_tokenstore._values.identity import TokenIdentity
from flex_tokenstore._values.token import ANY_REVISION, revision_of
from flex_tokenstore.errors import (
    StoreOptionsError,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenUnavailableError,
)
from flex_tokenstore.stores.file import private_files
from flex_tokenstore.stores.file.store import FileStore

A = TokenIdentity("https://api.example.com", "client-a")
B = TokenIdentity("https://api.example.com", "client-b")


def token(name: str, identity: TokenIdentity | None = A) -> dict[str, Any]:
    made: dict[str, Any] = {"access_token": f"a-{name}", "refresh_token": f"r-{name}", "x": [1]}
    if identity is not None:
        made["flex_tokenstore"] = {"format": 1, "identity": identity.key}
    return made


def store(path: Path | None, identity: TokenIdentity = A, **options: Any) -> FileStore:
    given = None if path is None else str(path)
    return FileStore(FileStore.Options(path=given, **options), identity)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config/flex-integration-sdk"


def age(path: Path) -> None:
    """As if it had been written long ago; older than what the cache distrusts."""
    os.utime(path, ns=(10**18, 10**18))
    deadline = time.monotonic() + 5
    while time.time_ns() - path.stat().st_ctime_ns < 150_000_000 and time.monotonic() < deadline:
        time.sleep(0.02)


def test_gives_back_what_was_set_and_nothing_after_removal(tmp_path: Path) -> None:
    s = store(tmp_path / "new/t.json")
    assert s.get_token() is None
    s.set_token(token("1"), None)
    assert s.get_token() == token("1") == store(tmp_path / "new/t.json").get_token()
    s.remove_token(revision_of(token("1")))
    assert s.get_token() is None
    s.remove_token(ANY_REVISION)


def test_opening_and_reading_makes_no_folder(folder: Path) -> None:
    s = store(None)
    assert s.get_token() is None
    s.remove_token(ANY_REVISION)
    with pytest.raises(TokenConflictError):
        s.remove_token("0" * 64)
    assert s.place == str(folder / "file-store-token.json")
    assert not folder.exists()


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.text())))
def test_keeps_every_field_in_one_line(tmp_path_factory: Any, fields: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("fields") / "t.json"
    whole = {**fields, **token("1")}
    whole = {k: v for k, v in whole.items() if k not in ("token_type", "scope")}
    store(path).set_token(whole, None)
    assert store(path).get_token() == whole == json.loads(path.read_bytes())
    assert b"\n" not in path.read_bytes()


@pytest.mark.parametrize("expected", [None, "0" * 64])
def test_compares_before_it_writes_or_removes(tmp_path: Path, expected: str | None) -> None:
    s = store(tmp_path / "t.json")
    s.set_token(token("1"), None)
    with pytest.raises(TokenConflictError):
        s.set_token(token("2"), expected)
    with pytest.raises(TokenConflictError):
        s.remove_token(expected)
    assert s.get_token() == token("1")
    s.set_token(token("2"), revision_of(token("1")))
    s.set_token(token("3"), ANY_REVISION)
    assert s.get_token() == token("3")


def test_what_it_gives_is_the_callers_own_also_from_the_cache(tmp_path: Path) -> None:
    s = store(tmp_path / "t.json")
    s.set_token(token("1"), None)
    age(tmp_path / "t.json")
    for _ in range(3):
        got = s.get_token()
        assert got == token("1")
        got["flex_tokenstore"]["identity"] = "changed"
        got["x"].append(2)
        assert "a-1" not in repr(got)


def test_an_unchanged_file_costs_two_stat_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = store(None)
    s.set_token(token("1"), None)
    age(Path(s.place))
    s.get_token()
    calls: list[str] = []
    real = Path.stat

    def counted(path: Path, **options: Any) -> os.stat_result:
        calls.append(path.name)
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", counted)
    monkeypatch.setattr(os, "open", lambda *a, **kw: pytest.fail("opened a file"))
    assert s.get_token() == token("1")
    assert len(calls) <= 2


def test_the_cache_sees_every_change_and_is_not_used_under_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    s = store(path)
    s.set_token(token("1"), None)
    age(path)
    assert s.get_token() == token("1")
    store(path).set_token(token("2"), ANY_REVISION)
    assert s.get_token() == token("2")
    age(path)
    s.get_token()
    assert s._cache is not None
    with s.token_lock(0, 10), pytest.MonkeyPatch.context() as patch:
        patch.setattr(s._files, "read", lambda name: None)  # seen only if the file is read
        assert s.get_token() is None


@pytest.mark.parametrize(("stamp", "kept"), [(123_456_789, True), (0, False)])
def test_a_file_system_of_whole_seconds_is_trusted_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stamp: int, kept: bool
) -> None:
    s = store(tmp_path / "t.json")
    s.set_token(token("1"), None)
    written = time.time_ns() // 10**9 * 10**9 + stamp
    real = private_files._signature
    monkeypatch.setattr(
        private_files, "_signature", lambda found: (*real(found)[:2], written, written)
    )
    for later, trusted in ((50_000_000, False), (1_500_000_000, kept), (2_200_000_000, True)):
        with monkeypatch.context() as patch:
            patch.setattr(time, "time_ns", lambda now=written + later: now)
            s._cache = None
            s.get_token()
        assert (s._cache is not None) == trusted


@pytest.mark.parametrize("finished", [True, False])
def test_what_is_written_while_it_is_moved_aside_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished: bool
) -> None:
    path = tmp_path / "t.json"
    path.write_text('{"access')
    path.chmod(0o600)
    s = store(path)
    whole = json.dumps(token("1"))
    real = s._files.move_aside

    def finish_first(given: Path, unchanged: Callable[[Path], bool]) -> Path | None:
        given.write_text(whole if finished else whole[:20])
        return real(given, unchanged)

    monkeypatch.setattr(s._files, "move_aside", finish_first)
    with pytest.raises(TokenConflictError):
        s.remove_token(ANY_REVISION)
    assert path.read_text() == (whole if finished else whole[:20])
    assert not list(tmp_path.glob("*.corrupt-*"))


def test_an_empty_owner_file_names_nobody(folder: Path) -> None:
    store(None, B).set_token(token("b", B), None)
    (folder / "file-store-token.owner").write_text("")
    store(None, A).set_token(token("a"), None)
    assert (folder / "file-store-token.owner").read_text() == ""
    store(None, B).set_token(token("b2", B), revision_of(token("b", B)))
    assert (folder / "file-store-token.owner").read_text() == B.key
    assert store(None, A).get_token() == token("a")
    assert store(None, B).get_token() == token("b2", B)


def test_the_first_to_save_owns_the_documented_name(folder: Path) -> None:
    a, b = store(None, A), store(None, B)
    b.set_token(token("b", B), None)
    assert a.get_token() is None
    a.set_token(token("a"), None)
    assert Path(b.place).name == "file-store-token.json"
    assert Path(a.place).name == f"file-store-token.{A.key}.json"
    assert (folder / "file-store-token.owner").read_text() == B.key
    b.remove_token(ANY_REVISION)
    a.set_token(token("a2"), ANY_REVISION)
    assert store(None, A).get_token() == token("a2")
    b.set_token(token("b2", B), None)
    assert json.loads((folder / "file-store-token.json").read_text()) == token("b2", B)


def test_a_foreign_file_at_the_documented_name_is_left_alone(folder: Path) -> None:
    folder.mkdir(parents=True)
    main = folder / "file-store-token.json"
    for content in (json.dumps(token("js", None)), json.dumps(token("b", B)), "{broken"):
        main.write_text(content)
        s = store(None)
        s.set_token(token("1"), ANY_REVISION)
        assert s.get_token() == token("1")
        assert main.read_text() == content
    main.unlink()
    store(None).set_token(token("2"), ANY_REVISION)
    assert not main.exists(), "who has a sibling stays there"
    assert not (folder / "file-store-token.owner").exists()


def test_a_lost_owner_file_is_claimed_again_by_the_tagged_identity(folder: Path) -> None:
    store(None).set_token(token("1"), None)
    (folder / "file-store-token.owner").unlink()
    with pytest.raises(TokenConflictError):
        store(None).set_token(token("2"), None)
    assert store(None).get_token() == token("1")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(["set", "get", "remove"]))))
def test_two_identities_in_one_folder_never_meet(
    tmp_path_factory: Any, steps: list[tuple[str, str]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("two")))
        stores = {"A": store(None, A), "B": store(None, B)}
        model: dict[str, Any] = {"A": None, "B": None}
        for count, (who, what) in enumerate(steps):
            if what == "set":
                model[who] = token(f"{who}{count}", A if who == "A" else B)
                stores[who].set_token(model[who], ANY_REVISION)
            elif what == "remove":
                stores[who].remove_token(ANY_REVISION)
                model[who] = None
            assert stores[who].get_token() == model[who]


@pytest.mark.parametrize("owner", [None, B])
def test_the_token_of_another_is_neither_given_nor_changed(
    tmp_path: Path, owner: TokenIdentity | None
) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(token("other", owner)))
    s = store(path)
    for attempt in (
        s.get_token,
        lambda: s.set_token(token("1"), ANY_REVISION),
        lambda: s.remove_token(ANY_REVISION),
    ):
        with pytest.raises(TokenIdentityError, match="share_with_js") as caught:
            attempt()
        assert caught.value.place == str(path)
        assert "a-other" not in str(caught.value)
    assert json.loads(path.read_text()) == token("other", owner)
    with pytest.raises(TokenIdentityError):
        store(tmp_path / "u.json").set_token(token("x", owner), None)


def test_anothers_broken_token_is_not_ours_to_repair(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"flex_tokenstore": {"format": 1, "identity": B.key}}))
    with pytest.raises(TokenIdentityError):
        store(path).get_token()
    with pytest.raises(TokenIdentityError):
        store(path).set_token(token("1"), ANY_REVISION)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_token_that_an_editor_saved_in_another_encoding_is_read(
    tmp_path: Path, encoding: str
) -> None:
    """Such as Notepad and PowerShell do, with a byte order mark. It is a good token."""
    path = tmp_path / "t.json"
    path.write_bytes(json.dumps(token("1")).encode(encoding))
    path.chmod(0o600)
    s = store(path)
    assert s.get_token() == token("1")
    s.set_token(token("2"), revision_of(token("1")))
    assert json.loads(path.read_text(encoding="utf-8")) == token("2")
    assert [each.name for each in tmp_path.glob("*corrupt*")] == []


CORRUPT = {
    "empty": b"",
    "truncated": json.dumps(token("1")).encode()[:-5],
    "not UTF-8": b'{"access_token": "\xff"}',
    "a list": b"[1]",
    "no access token": b'{"refresh_token": "r"}',
    "an access token that is no text": b'{"access_token": 1}',
    "nested deeply": b"[" * 100_000,
    "too large": b'{"access_token": "' + b"a" * (1 << 20) + b'"}',
}


@pytest.mark.parametrize("content", CORRUPT.values(), ids=CORRUPT)
def test_corrupt_content_is_named_and_moved_aside_never_deleted(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(content)
    path.chmod(0o600)
    s = store(path)
    with pytest.raises(TokenCorruptError) as caught:
        s.get_token()
    revision = caught.value.revision
    assert revision is not None
    assert revision.startswith("corrupt:")
    assert caught.value.__context__ is None, "an error of json holds the whole text"
    for expected in (None, "corrupt:0"):
        with pytest.raises(TokenConflictError):
            s.remove_token(expected)
        with pytest.raises(TokenConflictError):
            s.set_token(token("1"), expected)
    os.utime(path, ns=(10**18, 10**18))
    with pytest.raises(TokenConflictError):
        s.remove_token(revision)  # the same content, but written since
    with pytest.raises(TokenCorruptError) as caught:
        s.get_token()
    s.remove_token(caught.value.revision)
    assert s.get_token() is None
    path.write_bytes(content)
    s.set_token(token("2"), ANY_REVISION)
    assert s.get_token() == token("2")
    copies = list(tmp_path.glob("t.json.corrupt-*"))
    assert [copy.read_bytes()[:100] for copy in copies] == [content[:100]] * 2


@pytest.mark.parametrize("extra", [{}, {"access_token": {"kind": "of tomorrow"}}])
def test_a_newer_format_is_kept_for_the_newer_version(tmp_path: Path, extra: Any) -> None:
    path = tmp_path / "t.json"
    newer = {**token("1"), **extra, "flex_tokenstore": {"format": 2, "identity": A.key}}
    path.write_text(json.dumps(newer))
    with pytest.raises(TokenCorruptError, match="upgrade") as caught:
        store(path).get_token()
    assert caught.value.revision is None
    with pytest.raises(TokenCorruptError, match="upgrade"):
        store(path).set_token(token("2"), ANY_REVISION)
    with pytest.raises(TokenCorruptError, match="upgrade"):
        store(path).remove_token(ANY_REVISION)
    assert json.loads(path.read_text()) == newer


def test_shares_the_file_of_the_javascript_sdk(tmp_path: Path) -> None:
    s = store(None, share_with_js=True)
    suffix = "" if sys.platform == "darwin" else "-nodejs"
    if sys.platform != "win32":
        folder = tmp_path / f"config/flex-integration-sdk{suffix}"
        assert s.place == str(folder / "file-store-token.json")
    path = Path(s.place)
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text('{"access_token":"a-js","refresh_token":"r-js","token_type":"bearer"}')
    path.chmod(0o600)
    got = s.get_token()
    assert got is not None
    assert got["flex_tokenstore"] == {"format": 1, "identity": A.key}
    assert "flex_tokenstore" not in path.read_text(), "reading does not write"
    s.set_token(token("py"), revision_of(got))
    written = json.loads(path.read_text())
    assert (written["access_token"], written["refresh_token"]) == ("a-py", "r-py")
    with pytest.raises(TokenIdentityError):
        store(None, B, share_with_js=True).get_token()


def test_a_broken_file_of_the_javascript_sdk_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text('{"access_to')
    s = store(path, share_with_js=True)
    with pytest.raises(TokenCorruptError) as caught:
        s.get_token()
    assert caught.value.revision is None
    with pytest.raises(TokenCorruptError):
        s.set_token(token("1"), ANY_REVISION)
    assert path.read_text() == '{"access_to'
    s.remove_token(ANY_REVISION)  # asked for by name: moved, not deleted
    assert [p.read_text() for p in tmp_path.glob("t.json.corrupt-*")] == ['{"access_to']


def test_the_lock_is_this_identitys_and_no_write_takes_it(tmp_path: Path) -> None:
    s, twin = store(tmp_path / "t.json"), store(tmp_path / "t.json")
    assert s.lock_id() == twin.lock_id() == f"file:{tmp_path / A.key}.lock"
    with s.token_lock(0, 10) as end:
        assert end is None
        with pytest.raises(TokenLockTimeoutError), twin.token_lock(0, 10):
            pass
        with store(tmp_path / "t.json", B).token_lock(0, 10):
            pass
        twin.set_token(token("1"), None)
        twin.remove_token(ANY_REVISION)


def test_what_would_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    s = store(tmp_path / "t.json")
    s.set_token(token("1"), None)
    largest = token("2")
    largest["x"] = "x" * ((1 << 20) - len(json.dumps({**largest, "x": ""}, separators=(",", ":"))))
    s.set_token(largest, ANY_REVISION)
    assert store(tmp_path / "t.json").get_token() == largest
    with pytest.raises(TokenUnavailableError, match="1 MiB"):
        s.set_token({**largest, "y": 1}, ANY_REVISION)
    assert s.get_token() == largest


@pytest.mark.parametrize("path", ["", " ", "/", "a\0b"])
def test_a_path_that_names_no_file_is_an_option_error(path: str) -> None:
    with pytest.raises(StoreOptionsError, match="path") as caught:
        FileStore(FileStore.Options(path=path), A)
    assert caught.value.option == "path"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_unavailable_and_never_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "t.json"
    if kind == "folder":
        path.mkdir()
    elif hasattr(os, "mkfifo"):
        os.mkfifo(path)
    else:
        pytest.skip("no named pipes")
    with pytest.raises(TokenUnavailableError, match="ordinary file"):
        store(path).get_token()


def test_a_home_path_is_expanded(tmp_path: Path) -> None:
    assert FileStore(FileStore.Options(path="~/t.json"), A).place == str(tmp_path / "t.json")
