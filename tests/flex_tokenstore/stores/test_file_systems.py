"""File systems that do less than ext4: no modes, no hard links, folders that cannot be listed.

And what Windows does otherwise, by fakes of its refusals: no machine here runs it. The fakes raise
what Windows raises (``winerror`` 32 and 5, "not found" for long paths), where it raises it.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import TokenPermissionError, TokenUnavailableError
from flex_tokenstore._host import paths
from flex_tokenstore._host import windows as _windows
from flex_tokenstore._host.host_lock import HostLock
from flex_tokenstore._values.token import ANY_REVISION
from flex_tokenstore.stores.file.private_files import Permissions, PrivateFiles

from .as_user import NOBODY, another_user, needs_root
from .traced import store, token

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fakes of other systems")

real_open, real_fstat, real_stat = os.open, os.fstat, Path.stat


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def with_mode(found: os.stat_result, mode: int) -> os.stat_result:
    return os.stat_result((found.st_mode & ~0o777 | mode, *found[1:]), dict(_times(found)))


def _times(found: os.stat_result) -> Iterator[tuple[str, Any]]:
    for name in ("st_mtime_ns", "st_ctime_ns", "st_atime_ns"):
        yield name, getattr(found, name)


@pytest.fixture
def no_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As CIFS and WSL do without metadata: each file is 0777, and chmod says yes."""
    monkeypatch.setattr(os, "fchmod", lambda fd, mode: None)
    monkeypatch.setattr(Path, "chmod", lambda self, mode: None)

    def fstat(fd: int) -> os.stat_result:
        found = real_fstat(fd)
        return with_mode(found, 0o777) if stat.S_ISREG(found.st_mode) else found

    monkeypatch.setattr(os, "fstat", fstat)


class TestWithoutModes:
    pytestmark = pytest.mark.usefixtures("no_modes")

    def test_strict_writes_no_token_and_finds_it_before_a_request(self, tmp_path: Path) -> None:
        path = tmp_path / "t/t.json"
        (tmp_path / "t").mkdir(mode=0o700)
        for action in (
            store(str(path)).prepare_save,
            lambda: store(str(path)).set_token(token("new"), ANY_REVISION),
        ):
            with pytest.raises(TokenPermissionError, match="chmod changed nothing"):
                action()
        assert not [each for each in path.parent.iterdir() if each.suffix != ".lock"]

    def test_strict_uses_no_token_and_does_not_say_that_it_is_private(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = tmp_path / "t.json"
        path.write_text(json.dumps(token("old")))
        with pytest.raises(TokenPermissionError, match="other users can read it"):
            store(str(path)).get_token()
        assert "now 0600" not in caplog.text

    def test_warn_goes_on_and_says_so(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = tmp_path / "t.json"
        opened = store(str(path), "warn")
        opened.prepare_save()
        opened.set_token(token("new"), ANY_REVISION)
        assert (opened.get_token() or {})["access_token"] == token("new")["access_token"]
        assert "chmod changed nothing" in caplog.text
        assert "now 0600" not in caplog.text


def test_a_default_folder_that_stays_open_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setattr(Path, "chmod", lambda self, mode: None)
    files = PrivateFiles(folder, "strict", tighten=True)
    with pytest.raises(TokenPermissionError, match="other users can write in it"):
        files.check_folder()
    assert "now 0700" not in caplog.text


@pytest.fixture
def shared() -> Iterator[Path]:
    """A volume that two users of one group share."""
    outer = Path(tempfile.mkdtemp())
    outer.chmod(0o755)
    folder = outer / "shared"
    folder.mkdir()
    os.chown(folder, NOBODY, 1234)
    folder.chmod(0o2770)
    yield folder
    shutil.rmtree(outer)


@needs_root
def test_off_lets_two_users_of_one_group_share_a_token(shared: Path) -> None:
    path = shared / "t.json"
    mine = store(str(path), "off")
    mine.set_token(token("first"), ANY_REVISION)
    with mine.token_lock(1, 10):
        pass
    assert {mode(each) for each in shared.iterdir()} == {0o660}
    with another_user(path, 1234, "off") as ask:  # its group is 1234 as well
        assert ask("get") == f"done {token('first')['access_token']}"
        assert ask("prepare") == "done None"
        assert ask("set second") == "done None"
    assert (mine.get_token() or {})["access_token"] == token("second")["access_token"]
    mine.set_token(token("third"), ANY_REVISION)
    assert mode(path) == 0o660
    assert path.stat().st_gid == 1234


@needs_root
def test_off_keeps_the_mode_and_group_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(token("old")))
    path.chmod(0o640)
    os.chown(path, -1, 4321)
    store(str(path), "off").set_token(token("new"), ANY_REVISION)
    assert (mode(path), path.stat().st_gid) == (0o640, 4321)


@pytest.mark.parametrize("permissions", ["strict", "warn"])
def test_else_a_new_file_is_private(tmp_path: Path, permissions: Permissions) -> None:
    (tmp_path / "t").mkdir(mode=0o750)
    store(str(tmp_path / "t/t.json"), permissions).set_token(token("new"), ANY_REVISION)
    assert {mode(each) for each in (tmp_path / "t").iterdir()} == {0o600}


@needs_root
def test_root_refuses_the_folder_of_another_user_too(
    theirs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = theirs / "t.json"
    with pytest.raises(TokenPermissionError, match="belongs to another user"):
        store(str(path)).set_token(token("new"), ANY_REVISION)
    store(str(path), "warn").set_token(token("new"), ANY_REVISION)
    assert "belongs to another user" in caplog.text


@needs_root
@pytest.mark.parametrize("what", ["folder", "file"])
def test_after_sudo_the_message_names_the_owner(theirs: Path, what: str) -> None:
    path = theirs / "t.json"
    if what == "folder":
        os.chown(theirs, 0, 0)
    else:
        path.write_text(json.dumps(token("old")))
        path.chmod(0o600)
    with another_user(path) as ask:
        said = ask("get")
        assert said.startswith("TokenPermissionError ")
        owned = theirs if what == "folder" else path
        assert f"{owned} belongs to root (uid 0)" in said
        assert f"sudo chown -R {NOBODY} {owned}" in said


def no_links(self: Path, target: Path) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


def test_without_hard_links_a_good_token_written_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program without our lock writes a good token while the corrupt one is moved aside."""
    monkeypatch.setattr(Path, "hardlink_to", no_links)
    path = tmp_path / "t.json"
    path.write_text("{")
    good = json.dumps(token("good"))
    files = PrivateFiles(tmp_path, "strict", tighten=False)
    real_rename = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self == path:
            path.write_text(good)
        return real_rename(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    assert files.move_aside(path, lambda at: at.read_text() == "{") is None
    assert path.read_text() == good
    assert os.listdir(tmp_path) == ["t.json"]


def test_without_hard_links_a_newer_file_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", no_links)
    path, aside = tmp_path / "t.json", tmp_path / "t.json.corrupt-1"
    path.write_text("newer")
    aside.write_text("older")
    PrivateFiles(tmp_path, "strict", tighten=False).put_back(aside, path)
    assert (path.read_text(), aside.read_text()) == ("newer", "older")


@needs_root
def test_a_folder_that_cannot_be_listed_reports_what_was_done(theirs: Path) -> None:
    theirs.chmod(0o300)
    with another_user(theirs / "t.json") as ask:
        assert ask("prepare") == "done None"
        assert ask("set first") == "done None"
        assert ask("get") == f"done {token('first')['access_token']}"
        assert ask("remove") == "done None"
        assert ask("get") == "done None"


@pytest.mark.parametrize("code", ["EMLINK", "EFTYPE", "ELOOP"])
def test_a_link_is_named_as_each_system_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """FreeBSD says EMLINK, NetBSD EFTYPE, where O_NOFOLLOW meets a link."""
    number = getattr(errno, code, None)
    if number is None:
        pytest.skip("this system does not have it")

    def refuse(path: Any, *arguments: Any) -> int:
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(TokenPermissionError, match="symbolic link"):
            HostLock(tmp_path / "t.lock").try_acquire()
        with pytest.raises(TokenPermissionError, match="symbolic link"):
            store(str(tmp_path / "t.json")).get_token()


# Windows


def refusal(winerror: int, path: object) -> PermissionError:
    """As Windows has it: EACCES, and a number of its own."""
    error = PermissionError(errno.EACCES, "Access is denied", str(path))
    error.winerror = winerror  # type: ignore[attr-defined]
    return error


class Busy:
    """Another program has a file open, for so many seconds of the fake clock."""

    def __init__(self, seconds: float, winerror: int) -> None:
        self.now = 1000.0
        self.free_at = self.now + seconds
        self.winerror = winerror
        self.naps = 0

    def check(self, path: object) -> None:
        if self.now < self.free_at:
            raise refusal(self.winerror, path)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.naps += 1


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_windows, "WINDOWS", True)
    monkeypatch.setattr(_windows, "has_long_paths", lambda: False)


@pytest.fixture
def busy(windows: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Busy]:
    def make(seconds: float, winerror: int = 32) -> Busy:
        made = Busy(seconds, winerror)
        for module in ("_host.windows", "_host.host_lock", "_host.patience", "stores.file.locks"):
            name = f"flex_tokenstore.{module}.time"
            fake = type("Time", (), {"monotonic": lambda: made.now, "sleep": made.sleep})
            monkeypatch.setattr(name, fake)
        return made

    return make


def hold(busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token file is open: it can be neither replaced nor removed."""
    real_replace, real_unlink = Path.replace, Path.unlink

    def replace(self: Path, target: Path) -> Path:
        busy.check(target)
        return real_replace(self, target)

    def unlink(self: Path, missing_ok: bool = False) -> None:
        if self.name == "t.json":
            busy.check(self)
        real_unlink(self, missing_ok)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "unlink", unlink)


@pytest.mark.parametrize("winerror", [5, 32, 33])
@pytest.mark.parametrize("seconds", [0.3, 1.3, 20.0])
def test_a_scanner_is_waited_for_as_long_as_the_lease(
    tmp_path: Path,
    busy: Callable[..., Busy],
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    winerror: int,
) -> None:
    opened = store(str(tmp_path / "t.json"))
    opened.set_token(token("old"), ANY_REVISION)
    held = busy(seconds, winerror)
    hold(held, monkeypatch)
    with opened.token_lock(0, 35.0):
        opened.set_token(token("new"), ANY_REVISION)
    assert (opened.get_token() or {})["access_token"] == token("new")["access_token"]


def test_after_the_lease_the_violation_is_named(
    tmp_path: Path, busy: Callable[..., Busy], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = store(str(tmp_path / "t.json"))
    opened.set_token(token("old"), ANY_REVISION)
    held = busy(1000.0)
    hold(held, monkeypatch)
    with opened.token_lock(0, 35.0), pytest.raises(TokenUnavailableError) as caught:
        opened.set_token(token("new"), ANY_REVISION)
    assert not isinstance(caught.value, TokenPermissionError)
    assert "another program has it open" in str(caught.value)
    assert "mode" not in str(caught.value)
    assert held.now - 1000.0 == pytest.approx(35.0, abs=0.1)


def test_a_removal_waits_too(
    tmp_path: Path, busy: Callable[..., Busy], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = store(str(tmp_path / "t.json"))
    opened.set_token(token("old"), ANY_REVISION)
    hold(busy(0.3), monkeypatch)
    opened.remove_token(ANY_REVISION)
    assert opened.get_token() is None


@pytest.mark.parametrize("wait", [0.0, 5.0])
@pytest.mark.parametrize("winerror", [5, 32])
def test_a_lock_file_that_is_open_elsewhere_is_waited_for(
    tmp_path: Path,
    busy: Callable[..., Busy],
    monkeypatch: pytest.MonkeyPatch,
    winerror: int,
    wait: float,
) -> None:
    held = busy(0.05, winerror)
    path = tmp_path / "t.lock"

    def opening(name: Any, *arguments: Any, **keywords: Any) -> int:
        if str(name) == str(path):
            held.check(name)
        return real_open(name, *arguments, **keywords)

    monkeypatch.setattr(os, "open", opening)
    lock = HostLock(path)
    if wait:
        with lock.hold(wait):
            pass
        return
    while not lock.try_acquire():  # as an asyncio program tries
        held.sleep(0.01)
    lock.release()


def test_a_lock_file_that_may_never_be_opened_is_refused(
    tmp_path: Path, busy: Callable[..., Busy], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = busy(1e9, 5)

    def opening(name: Any, *arguments: Any, **keywords: Any) -> int:
        held.check(name)
        raise AssertionError

    monkeypatch.setattr(os, "open", opening)
    with pytest.raises(TokenPermissionError):
        HostLock(tmp_path / "t.lock").acquire(5)


def long_paths_are_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows without long paths: ENOENT from 260 characters on, for a folder from 248 on."""

    def check(path: object, longest: int = 259) -> None:
        if len(str(path)) > longest:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    def opening(name: Any, *arguments: Any, **keywords: Any) -> int:
        check(name)
        return real_open(name, *arguments, **keywords)

    real_mkdir, real_lstat = Path.mkdir, Path.lstat
    monkeypatch.setattr(os, "open", opening)

    def mkdir(self: Path, *arguments: Any, **keywords: Any) -> None:
        check(self, 247)
        real_mkdir(self, *arguments, **keywords)

    def find(self: Path, **keywords: Any) -> os.stat_result:
        check(self)
        return real_stat(self, **keywords)

    def lstat(self: Path) -> os.stat_result:
        check(self)
        return real_lstat(self)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "stat", find)
    monkeypatch.setattr(Path, "lstat", lstat)


def padded(folder: Path, length: int, end: str = "") -> Path:
    """A path of so many characters; parts of it are at most 100 long."""
    while (left := length - len(str(folder)) - 1 - len(end)) > 100:
        folder /= "d" * min(90, left - 20)
    return folder / ("n" * left + end)


@pytest.mark.parametrize("system", ["windows", "unknown"])
@pytest.mark.parametrize("length", [245, 249, 255, 259, 260, 300])
def test_a_long_path_is_found_before_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int, system: str
) -> None:
    if system == "windows":
        monkeypatch.setattr(_windows, "WINDOWS", True)
        monkeypatch.setattr(_windows, "has_long_paths", lambda: False)
    path = padded(tmp_path, length, ".json")
    path.parent.mkdir(parents=True)
    long_paths_are_not_found(monkeypatch)
    with pytest.raises(TokenUnavailableError, match="too long"):
        store(str(path)).prepare_save()


def test_a_long_folder_that_is_missing_is_found_before_a_request(
    tmp_path: Path, windows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = padded(tmp_path, 250) / "t.json"
    long_paths_are_not_found(monkeypatch)
    with pytest.raises(TokenUnavailableError, match="too long"):
        store(str(path)).prepare_save()


def test_a_file_that_the_folder_lists_is_not_absent(
    tmp_path: Path, windows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program, for which long paths are switched on, wrote it."""
    path = padded(tmp_path, 262, ".json")
    store(str(path)).set_token(token("old"), ANY_REVISION)
    long_paths_are_not_found(monkeypatch)
    monkeypatch.setattr(os.path, "lexists", lambda name: len(str(name)) < 260)
    with pytest.raises(TokenUnavailableError, match="too long"):
        store(str(path)).get_token()


def test_a_short_path_is_not_refused(tmp_path: Path, windows: None) -> None:
    opened = store(str(tmp_path / "t/t.json"))
    opened.prepare_save()
    opened.set_token(token("new"), ANY_REVISION)


def test_windows_gets_no_mode_for_a_folder(
    tmp_path: Path, windows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mode 0700 made by an elevated Python 3.12.4 and newer locks its user out."""
    real_mkdir, modes = Path.mkdir, list[object]()

    def mkdir(self: Path, mode: int = 0o777, **keywords: Any) -> None:
        modes.append(mode)
        real_mkdir(self, mode, **keywords)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    paths.make_private_folder(tmp_path / "a/b")
    assert modes == [0o777, 0o777]


@pytest.mark.parametrize("permissions", ["strict", "warn"])
@pytest.mark.parametrize("inside", [True, False])
def test_strict_says_what_it_does_not_check_on_windows(
    tmp_path: Path,
    windows: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    inside: bool,
    permissions: Permissions,
) -> None:
    profile = tmp_path if inside else tmp_path / "home"
    monkeypatch.setattr(Path, "home", lambda: profile)
    opened = store(str(tmp_path / "t.json"), permissions)
    for _ in range(2):
        opened.set_token(token("new"), ANY_REVISION)
    said = [record for record in caplog.records if "icacls" in record.getMessage()]
    assert len(said) == (not inside and permissions == "strict")
    assert all(record.levelno == logging.WARNING for record in said)
