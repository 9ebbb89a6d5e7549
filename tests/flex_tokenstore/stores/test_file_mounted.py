"""The token file is a mount point, as with ``docker run -v ./token.json:/data/token.json``."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import stat
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    TokenConflictError,
    TokenCorruptError,
    TokenPermissionError,
    TokenSession,
    TokenUnavailableError,
    file_store,
    open_async_store,
    open_store,
)
from flex_tokenstore._values.token import ANY_REVISION, revision_of
from flex_tokenstore.stores.file.store import FileStore
from tests.support.fakes import IDENTITY, AsyncServer, Server, stored

from .as_user import mount
from .mounted import bound, run_in_namespace, skip_unless_mounting
from .test_file_faults import fill
from .test_file_kill import Place, kill_everywhere
from .traced import Helper, Outcome, store, token

NAME = "token.json"
LONG = token("old", more="x" * 500)


@pytest.fixture(autouse=True)
def mounting(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if request.function is not test_all_of_it_in_a_namespace_of_its_own:
        skip_unless_mounting(tmp_path)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """The mounted file, empty; the file itself is ``host/token.json``."""
    with bound(tmp_path / "host" / NAME, tmp_path / "data" / NAME) as mounted:
        yield mounted


def host_of(path: Path) -> Path:
    return path.parents[1] / "host" / NAME


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir() if each.suffix != ".lock")


def session(path: Path, server: Server) -> TokenSession:
    return TokenSession(open_store(file_store(path=str(path)), IDENTITY), server)


def test_it_is_saved_read_and_removed_in_place(path: Path) -> None:
    opened, inode = store(str(path)), host_of(path).stat().st_ino
    assert opened.get_token() is None, "an empty mounted file holds nothing"
    before: dict[str, Any] | None = None
    for new in (LONG, token("short"), token("new", more="y" * 9000)):
        opened.prepare_save()
        opened.set_token(new, revision_of(before) if before else None)
        assert opened.get_token() == store(str(path)).get_token() == new
        assert host_of(path).read_text() == json.dumps(new, separators=(",", ":")), "no blanks left"
        before = new
    with pytest.raises(TokenConflictError):
        opened.set_token(token("late"), revision_of(LONG))
    assert names(path) == [NAME]
    opened.remove_token(ANY_REVISION)
    assert host_of(path).read_bytes() == b""
    assert opened.get_token() is None
    opened.remove_token(None)
    assert host_of(path).stat().st_ino == inode
    assert names(path) == [NAME]


def test_the_file_system_of_the_folder_may_be_another(small_disk: Path, tmp_path: Path) -> None:
    with bound(small_disk / NAME, tmp_path / "data" / NAME) as path:
        opened = store(str(path))
        opened.set_token(token("new"), None)
        assert opened.get_token() == token("new")


def test_a_link_to_the_folder_makes_no_mount_point(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(small_disk)
    opened = store(str(tmp_path / "link" / NAME))
    opened.prepare_save()
    opened.set_token(token("old"), None)
    opened.prepare_save()
    (small_disk / NAME).write_bytes(b"")
    with pytest.raises(TokenCorruptError, match="it is empty"):
        opened.get_token()


def test_an_empty_ordinary_file_stays_corrupt(path: Path) -> None:
    with pytest.raises(TokenCorruptError, match="it is empty"):
        store(str(host_of(path))).get_token()


def test_a_mounted_folder_replaces_as_ever(small_disk: Path) -> None:
    opened = store(str(small_disk / NAME))
    opened.set_token(token("old"), None)
    opened.prepare_save()
    before = (small_disk / NAME).stat().st_ino
    opened.set_token(token("new"), ANY_REVISION)
    assert (small_disk / NAME).stat().st_ino != before


def test_it_is_told_once_for_each_handle(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        opened = store(str(path))
        opened.get_token()
        opened.prepare_save()
        for name in ("one", "two"):
            opened.set_token(token(name), ANY_REVISION)
        opened.remove_token(ANY_REVISION)
    told = [each for each in caplog.records if "is a mount point" in each.getMessage()]
    assert len(told) == 2
    assert {each.levelno for each in told} == {logging.WARNING}
    assert told[0].getMessage() == (
        f"{path} is a mount point, which cannot be replaced; it is written in place, and a power "
        "cut in that moment may damage it; mount the folder, not the file"
    )


def test_corrupt_content_is_copied_aside_and_emptied(path: Path) -> None:
    broken = b"{broken" + b"x" * (2 << 20)  # more than a store reads
    host_of(path).write_bytes(broken)
    opened = store(str(path))
    with pytest.raises(TokenCorruptError) as caught:
        opened.get_token()
    with pytest.raises(TokenConflictError):
        opened.remove_token("corrupt:other")
    opened.remove_token(caught.value.revision)
    assert host_of(path).read_bytes() == b""
    (aside,) = path.parent.glob("*.corrupt-*")
    assert aside.read_bytes() == broken
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert sorted([NAME, aside.name]) == names(path)
    host_of(path).write_bytes(b"{again")
    opened.set_token(token("new"), ANY_REVISION)
    assert opened.get_token() == token("new")
    assert len(list(path.parent.glob("*.corrupt-*"))) == 2


def test_what_is_written_while_it_is_copied_aside_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another container, which has another lock."""
    host_of(path).write_text("{broken")
    opened = store(str(path))
    real = opened._files.move_aside

    def meanwhile(given: Path, unchanged: Any) -> Path | None:
        host_of(path).write_text(json.dumps(token("theirs")))
        return real(given, unchanged)

    monkeypatch.setattr(opened._files, "move_aside", meanwhile)
    with pytest.raises(TokenConflictError):
        opened.remove_token(ANY_REVISION)
    assert opened.get_token() == token("theirs")
    assert names(path) == [NAME]


def test_a_read_only_mount_is_found_before_anything_is_used_up(path: Path) -> None:
    server = Server()
    store(str(path)).set_token(stored(server, age=4000), None)
    mount("-o", "remount,bind,ro", str(path))
    opened = store(str(path))
    for call in (
        opened.prepare_save,
        lambda: opened.set_token(token("new"), ANY_REVISION),
        lambda: opened.remove_token(ANY_REVISION),
        session(path, server).token,
    ):
        with pytest.raises(TokenPermissionError, match="it is mounted read-only") as caught:
            call()
        assert "mount the folder, not the file" in str(caught.value)
    assert server.calls == []
    assert opened.get_token() is not None
    assert names(path) == [NAME]


def test_removing_nothing_from_a_read_only_mount_is_fine(path: Path) -> None:
    mount("-o", "remount,bind,ro", str(path))
    store(str(path)).remove_token(ANY_REVISION)


def test_a_folder_that_is_mounted_there_is_refused(tmp_path: Path) -> None:
    """What Docker makes of ``-v ./token.json:…`` if there is no such file."""
    for folder in (tmp_path / "host", tmp_path / "data" / NAME):
        folder.mkdir(parents=True, mode=0o700)
    mount("--bind", str(tmp_path / "host"), str(tmp_path / "data" / NAME))
    try:
        opened = store(str(tmp_path / "data" / NAME))
        for call in (opened.prepare_save, lambda: opened.set_token(token("new"), None)):
            with pytest.raises(TokenUnavailableError, match=r"is a folder|not an ordinary file"):
                call()
    finally:
        subprocess.run(["umount", "-l", str(tmp_path / "data" / NAME)], check=True)


def test_a_full_disk_keeps_the_old_token(small_disk: Path, tmp_path: Path) -> None:
    with bound(small_disk / NAME, tmp_path / "data" / NAME) as path:
        opened = store(str(path))
        opened.set_token(token("old"), None)
        fill(small_disk)
        with pytest.raises(TokenUnavailableError, match=r"its old content is kept.*disk is full"):
            opened.set_token(token("new", more="x" * 9000), ANY_REVISION)
        assert store(str(path)).get_token() == token("old")
        opened.set_token(token("new"), ANY_REVISION)  # it needs no more space
        assert store(str(path)).get_token() == token("new")
        opened.remove_token(ANY_REVISION)


def test_sessions_start_with_an_empty_file_and_never_need_the_secret_again(path: Path) -> None:
    server = Server(lifetime=3600)
    with session(path, server) as first:
        first.token()
        assert first.saved
    assert server.calls == ["sign_in"]
    for start in range(3):
        expire(path)
        with session(path, server) as one, session(path, server) as two:
            with ThreadPoolExecutor(4) as pool:
                tokens = list(pool.map(lambda each: each.token(), (one, two, one, two)))
            assert len({each.access_token.reveal() for each in tokens}) == 1
            assert one.saved
            assert two.saved
        assert server.calls == ["sign_in"] + ["refresh"] * (start + 1)
    with session(path, server) as last:
        assert last.revoke()
    assert host_of(path).read_bytes() == b""


def test_a_session_moves_corrupt_content_aside_and_goes_on(path: Path) -> None:
    server = Server()
    host_of(path).write_text("{broken")
    with session(path, server) as one:
        one.token()
        assert one.saved
    assert [each.read_text() for each in path.parent.glob("*.corrupt-*")] == ["{broken"]
    with session(path, server) as two:
        two.token()
    assert server.calls == ["sign_in"]


def test_an_async_session_does_the_same(path: Path) -> None:
    server = Server()

    async def main() -> None:
        for _ in range(2):
            opened = await open_async_store(file_store(path=str(path)), IDENTITY)
            async with AsyncTokenSession(opened, AsyncServer(server)) as one:
                await asyncio.gather(one.token(), one.token())
                assert one.saved
            expire(path)
        async with await open_async_store(file_store(path=str(path)), IDENTITY) as opened:
            assert await opened.get_token() is not None
            await opened.remove_token()
            assert await opened.get_token() is None

    asyncio.run(main())
    assert server.calls == ["sign_in", "refresh"]
    assert host_of(path).read_bytes() == b""


def expire(path: Path) -> None:
    held = json.loads(host_of(path).read_text())
    held["expires_at"] = held["flex_tokenstore"]["expires_at"] = time.time() - 10
    held["flex_tokenstore"]["obtained_at"] = time.time() - 4000
    host_of(path).write_text(json.dumps(held))


def test_the_javascript_sdk_empties_it_for_a_moment_only(path: Path) -> None:
    """What is empty that long holds nothing; what was emptied just now is being written."""
    shared = FileStore(FileStore.Options(path=str(path), share_with_js=True), IDENTITY)
    os.truncate(host_of(path), 0)
    with pytest.raises(TokenCorruptError, match="it is empty"):
        shared.get_token()
    os.utime(host_of(path), (time.time() - 10, time.time() - 10))
    assert shared.get_token() is None
    shared.set_token(token("new"), None)
    assert shared.get_token() == token("new")


class MountedPlace(Place):
    """The same place for each kill: the mount stays."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent, path)
        self.folder = path.parent

    def clear(self) -> None:
        for each in self.folder.iterdir():
            if each.name != NAME:
                each.unlink()
        self.write("")


def check_goes_on(place: Place, allowed: list[dict[str, Any] | None]) -> dict[str, Any] | None:
    """It holds one of the tokens; the next process saves, removes and leaves nothing."""
    found = place.open().get_token()
    assert found in allowed
    again = place.open()
    with again.token_lock(0, 1):
        again.set_token(token("next"), revision_of(found) if found else None)
    assert place.open().get_token() == token("next")
    left = {name for name in names(place.file) if ".corrupt-" not in name}
    assert left == {NAME}
    place.open().remove_token(revision_of(token("next")))
    assert place.open().get_token() is None
    return found


@pytest.mark.parametrize(
    "old",
    [LONG, *(pytest.param(old, marks=pytest.mark.slow) for old in (token("o"), None))],
    ids=["longer", "shorter", "none"],
)
def test_a_save_that_is_killed_at_any_call(
    tracer: Helper, path: Path, old: dict[str, Any] | None
) -> None:
    place, seen = MountedPlace(path), []

    def check(_: Outcome) -> None:
        seen.append(check_goes_on(place, [old, token("new")]))

    killed = kill_everywhere(
        tracer, "save", place, lambda: place.write(json.dumps(old) if old else ""), check
    )
    assert "pwrite64" in killed
    assert old in seen
    assert token("new") in seen


@pytest.mark.slow
@pytest.mark.parametrize(("content", "kept"), [(json.dumps(LONG), []), ("{broken", ["{broken"])])
def test_a_removal_that_is_killed_at_any_call(
    tracer: Helper, path: Path, content: str, kept: list[str]
) -> None:
    place = MountedPlace(path)

    def check(_: Outcome) -> None:
        if path.read_text() == "{broken":
            place.open().remove_token(ANY_REVISION)
        aside = place.kept_aside()
        assert set(aside) == set(kept), "each copy is whole"
        check_goes_on(place, [None if kept else LONG, None])

    killed = kill_everywhere(tracer, "remove", place, lambda: place.write(content), check)
    assert "ftruncate" in killed


@pytest.mark.parametrize("code", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("old", [LONG, token("o")], ids=["longer", "shorter"])
def test_each_call_of_a_save_fails_once(
    tracer: Helper, path: Path, old: dict[str, Any], code: str
) -> None:
    number, refused = 0, 0
    while True:
        path.write_text(json.dumps(old))
        outcome = tracer.run("save", path, fail_at=[number, getattr(errno, code)])
        calls = [call for call in outcome.trace.calls if call.paths]
        if number >= len(calls):
            break
        found = store(str(path)).get_token()
        assert found in (old, token("new")), calls[number]
        if found == old:
            assert outcome.error.startswith("TokenUnavailableError"), calls[number]
            refused += 1
        number += 1
    assert refused > 10
    assert outcome.error == ""


@pytest.mark.timeout(900)
def test_all_of_it_in_a_namespace_of_its_own(tmp_path: Path) -> None:
    run_in_namespace(__file__, tmp_path)
