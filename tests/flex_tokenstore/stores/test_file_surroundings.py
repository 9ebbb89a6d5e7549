"""Clocks that jump, links, and things that are no files."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import TokenSession, TokenUnavailableError, file_store, open_store
from flex_tokenstore._host.host_lock import HostLock
from flex_tokenstore._values.token import ANY_REVISION
from tests.support.fakes import IDENTITY, Server, stored

from .traced import in_cache, store, token

unix = pytest.mark.skipif(sys.platform == "win32", reason="links and special files of Unix")
DAY = 86400.0


def write_in_place(path: Path, name: str) -> None:
    with path.open("r+") as file:
        file.write(json.dumps(token(name), separators=(",", ":")))


@pytest.mark.parametrize("back", [0, 1, 10**9, 10**18])
def test_a_time_stamp_that_goes_back_does_not_fool_the_cache(tmp_path: Path, back: int) -> None:
    path = tmp_path / "t.json"
    store(str(path)).set_token(token("1"), None)
    opened = in_cache(store(str(path)))
    before = path.stat()
    write_in_place(path, "2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns - back))
    after = path.stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)
    assert after.st_mtime_ns == before.st_mtime_ns - back
    if sys.platform == "win32" and back == 0:
        pytest.skip("Windows keeps no time of the last change of the time stamp")
    assert opened.get_token() == token("2")


def test_an_older_file_put_in_its_place_is_seen(tmp_path: Path) -> None:
    path, copy = tmp_path / "t.json", tmp_path / "copy.json"
    store(str(copy)).set_token(token("1"), None)
    store(str(path)).set_token(token("2"), None)
    os.utime(copy, ns=(0, path.stat().st_mtime_ns))
    opened = in_cache(store(str(path)))
    copy.replace(path)
    assert opened.get_token() == token("1")


@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_while_the_clock_is_wrong_each_change_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    path, real = tmp_path / "t.json", time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + int(jump * 10**9))
    opened = store(str(path))
    for name in "123":
        opened.set_token(token(name), ANY_REVISION)
        assert opened.get_token() == token(name)
        store(str(path)).set_token(token(f"{name}{name}"), ANY_REVISION)
        assert opened.get_token() == token(f"{name}{name}")


class Clock:
    """The wall clock, which the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + self.ahead)


def sessions(path: Path, server: Server) -> Callable[[], TokenSession]:
    config = file_store(path=str(path))
    return lambda: TokenSession(open_store(config, IDENTITY), server, failure_window=0)


def test_a_running_session_does_not_notice_a_wall_clock_that_is_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, server = Clock(monkeypatch), Server()
    with sessions(tmp_path / "t.json", server)() as session:
        first = session.token()
        clock.ahead = -DAY
        assert session.token() is first
    assert server.calls == ["sign_in"]


def test_a_machine_that_slept_past_the_tokens_life_refreshes_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The monotonic clock stands still while a machine sleeps; a wall clock set forward looks
    the same, and costs one refresh."""
    clock, server = Clock(monkeypatch), Server()
    with sessions(tmp_path / "t.json", server)() as session:
        first = session.token()
        clock.ahead = DAY
        second = session.token()
        assert second != first
        assert session.token() is second
    assert server.calls == ["sign_in", "refresh"]


def test_with_the_clock_set_back_a_token_from_the_future_is_used_until_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, server = Clock(monkeypatch), Server()
    new = sessions(tmp_path / "t.json", server)
    clock.ahead = DAY
    with new() as session:
        first = session.token()
    clock.ahead = 0
    with new() as session:
        call = session.new_call()
        assert call.token() == first
        assert server.calls == ["sign_in"]
        second = call.refused(first)
        assert second is not None
        assert second != first
    with new() as session:
        assert session.token() == second
        assert session.revoke()
    assert server.calls == ["sign_in", "refresh", "revoke"]


def test_with_the_clock_set_forward_a_token_is_renewed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, server = Clock(monkeypatch), Server()
    new = sessions(tmp_path / "t.json", server)
    with new() as session:
        session.token()
    clock.ahead = DAY
    for _ in range(3):
        with new() as session:
            session.token()
    assert server.calls == ["sign_in", "refresh"]


def test_what_lies_aside_of_the_same_second_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.json"
    monkeypatch.setattr(time, "gmtime", lambda: time.struct_time((2030, 1, 2, 3, 4, 5, 0, 0, 0)))
    for number in range(3):
        path.write_text(f"broken {number}")
        store(str(path)).remove_token(ANY_REVISION)
    kept = sorted(tmp_path.glob("*.corrupt-*"))
    assert [each.read_text() for each in kept] == ["broken 0", "broken 1", "broken 2"]


@unix
def test_a_link_to_the_folder_is_the_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("real")
    linked, real = store(str(tmp_path / "link/t.json")), store(str(tmp_path / "real/t.json"))
    linked.set_token(token("1"), None)
    assert real.get_token() == token("1")
    with linked.token_lock(0, 1):
        assert not HostLock(tmp_path / f"real/{IDENTITY.key}.lock").try_acquire()
    real.remove_token(ANY_REVISION)
    assert linked.get_token() is None


@unix
@pytest.mark.parametrize("name", ["link", "link/below"])
def test_a_link_to_nowhere_in_place_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    opened = store(str(tmp_path / name / "t.json"))
    assert opened.get_token() is None
    with pytest.raises(TokenUnavailableError, match="something else is in the way"):
        opened.set_token(token("1"), None)
    assert not (tmp_path / "nowhere").exists()


@unix
def test_a_hard_link_keeps_the_old_token_whole(tmp_path: Path) -> None:
    path, other = tmp_path / "t.json", tmp_path / "other.json"
    store(str(path)).set_token(token("old"), None)
    other.hardlink_to(path)
    store(str(path)).set_token(token("new"), ANY_REVISION)
    assert store(str(path)).get_token() == token("new")
    assert store(str(other)).get_token() == token("old")
    store(str(path)).remove_token(ANY_REVISION)
    assert store(str(other)).get_token() == token("old")


def plant(path: Path, kind: str) -> Any:
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(os.path.relpath(path))  # the name may have a hundred characters
        return bound
    return None


@unix
@pytest.mark.parametrize("kind", ["folder", "pipe", "socket"])
@pytest.mark.parametrize("place", ["t.json", "t.json.write.lock", ".t.json.tmp", "owner"])
def test_what_is_no_file_is_neither_used_nor_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path if place != "owner" else tmp_path / "config/flex-integration-sdk"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    planted = folder / (place if place != "owner" else "file-store-token.owner")
    opened = store(None if place == "owner" else str(tmp_path / "t.json"))
    bound = plant(planted, kind)
    try:
        if (place, kind) == ("t.json.write.lock", "pipe") or (
            place == ".t.json.tmp" and kind != "folder"
        ):
            # A pipe can be locked; what has the temporary file's name is ours to replace.
            opened.set_token(token("1"), None)
            assert opened.get_token() == token("1")
            return
        with pytest.raises(TokenUnavailableError, match=str(folder)):
            opened.set_token(token("1"), None)
        if place in ("t.json", "owner"):
            for attempt in (opened.get_token, lambda: opened.remove_token(ANY_REVISION)):
                with pytest.raises(TokenUnavailableError, match="not an ordinary file"):
                    attempt()
        assert planted.exists()
        assert not planted.is_file()
    finally:
        if bound is not None:
            bound.close()
    planted.rmdir() if kind == "folder" else planted.unlink()
    opened.set_token(token("1"), None)
    assert opened.get_token() == token("1")
    opened.remove_token(ANY_REVISION)


@unix
def test_a_readable_file_of_an_earlier_program_is_tightened_and_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, server = tmp_path / "t.json", Server()
    path.write_text(json.dumps(stored(server, age=4000)))
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING), sessions(path, server)() as session:
        session.token()
        assert path.stat().st_mode & 0o777 == 0o600
        assert "could be read by other users" in caplog.text
        assert session.revoke()
    assert server.calls == ["refresh", "revoke"]
