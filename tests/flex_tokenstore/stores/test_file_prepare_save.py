"""``prepare_save`` refuses what ``set_token`` would, and nothing else; it changes nothing."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from flex_tokenstore import TokenPermissionError, TokenUnavailableError
from flex_tokenstore._values.token import ANY_REVISION
from tests.support.fakes import IDENTITY

from .as_user import NOBODY, another_user, mount, needs_root
from .test_file_faults import fill
from .traced import Helper, store, token

pytestmark = pytest.mark.skipif(os.name == "nt", reason="rights of Unix")
KEY = IDENTITY.key


class Loss(NamedTuple):
    """How a right is lost, and had again; both are given the token file."""

    lose: Callable[[Path], object]
    undo: Callable[[Path], object]
    says: str = "could not be written"
    permissions: str = "strict"


def all_of(*steps: Callable[[Path], object]) -> Callable[[Path], None]:
    def take(path: Path) -> None:
        for step in steps:
            step(path)

    return take


def lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.write.lock")


def temporary_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def chattr(flag: str, path: Path) -> None:
    done = subprocess.run(["chattr", flag, str(path)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this file system has no such marks")


def own(path: Path, uid: int) -> None:
    os.chown(path, uid, uid)


def make_sticky(path: Path) -> None:
    own(path.parent, 0)
    path.parent.chmod(0o1777)


def undo_sticky(path: Path) -> None:
    own(path.parent, NOBODY)
    path.parent.chmod(0o700)


def swap_for_folder(path: Path) -> None:
    if path.exists():
        path.rename(path.parent.parent / "away")
    path.mkdir()


def undo_swap(path: Path) -> None:
    path.rmdir()
    (path.parent.parent / "away").rename(path)


def link_out(path: Path) -> None:
    path.rename(path.parent.parent / "away")
    path.symlink_to(path.parent.parent / "away")


def undo_link(path: Path) -> None:
    path.unlink()
    (path.parent.parent / "away").rename(path)


LOSSES = {
    "folder without w": Loss(lambda p: p.parent.chmod(0o500), lambda p: p.parent.chmod(0o700)),
    "folder without x": Loss(
        lambda p: p.parent.chmod(0o600), lambda p: p.parent.chmod(0o700), "cannot be used"
    ),
    "folder of root": Loss(
        all_of(lambda p: own(p.parent, 0), lambda p: p.parent.chmod(0o755)),
        all_of(lambda p: own(p.parent, NOBODY), lambda p: p.parent.chmod(0o700)),
    ),
    "folder that others may write": Loss(
        lambda p: p.parent.chmod(0o777),
        lambda p: p.parent.chmod(0o700),
        "other users can write in it",
    ),
    "folder immutable": Loss(lambda p: chattr("+i", p.parent), lambda p: chattr("-i", p.parent)),
    "token immutable": Loss(lambda p: chattr("+i", p), lambda p: chattr("-i", p), "unchangeable"),
    "token append-only": Loss(lambda p: chattr("+a", p), lambda p: chattr("-a", p), "unchangeable"),
    "token of root": Loss(lambda p: own(p, 0), lambda p: own(p, NOBODY), "could not be read"),
    "token unreadable": Loss(
        lambda p: p.chmod(0o200), lambda p: p.chmod(0o600), "could not be read"
    ),
    "token of root in a sticky folder": Loss(
        all_of(lambda p: make_sticky(p), lambda p: own(p, 0), lambda p: p.chmod(0o644)),
        all_of(lambda p: undo_sticky(p), lambda p: own(p, NOBODY), lambda p: p.chmod(0o600)),
        "sticky",
        permissions="off",
    ),
    "token a folder": Loss(swap_for_folder, undo_swap, "is a folder"),
    "token a link out": Loss(link_out, undo_link, "link out of its folder"),
    "token a pipe": Loss(
        all_of(
            lambda p: p.rename(p.parent.parent / "away"),
            lambda p: os.mkfifo(p),
            lambda p: own(p, NOBODY),
        ),
        undo_link,
        "not an ordinary file",
    ),
    "lock of root": Loss(
        lambda p: own(lock_of(p), 0), lambda p: own(lock_of(p), NOBODY), "lock file"
    ),
    "lock a folder": Loss(
        lambda p: swap_for_folder(lock_of(p)), lambda p: undo_swap(lock_of(p)), "it is a folder"
    ),
    "lock a link": Loss(
        lambda p: link_out(lock_of(p)), lambda p: undo_link(lock_of(p)), "symbolic link"
    ),
    "leftover of root in a sticky folder": Loss(
        all_of(lambda p: make_sticky(p), lambda p: temporary_of(p).touch(mode=0o600)),
        all_of(lambda p: undo_sticky(p), lambda p: temporary_of(p).unlink()),
        "sticky",
    ),
    "leftover a folder": Loss(
        lambda p: temporary_of(p).mkdir(), lambda p: temporary_of(p).rmdir(), "it is a folder"
    ),
}


def content_of(folder: Path) -> dict[str, object]:
    """Names, and of the files what is in them and when that changed."""
    return {
        each.name: (each.lstat().st_ino, each.lstat().st_mtime_ns, each.lstat().st_size)
        for each in folder.iterdir()
    }


@pytest.mark.sample(6)
@needs_root
@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_right_is_found_without_a_change(theirs: Path, loss: str) -> None:
    path, what = theirs / "t.json", LOSSES[loss]
    with another_user(path, permissions=what.permissions) as ask:
        assert ask("set old") == "done None"
        what.lose(path)
        try:
            before = content_of(theirs)
            said = ask("prepare")
            assert not said.startswith("done"), "set_token would be refused"
            assert what.says in said
            assert said.startswith(("TokenPermissionError", "TokenUnavailableError"))
            assert content_of(theirs) == before
            assert not ask("set new").startswith("done"), "it is refused without reason"
        finally:
            what.undo(path)
        before = content_of(theirs)
        assert ask("prepare") == "done None"
        assert content_of(theirs) == before
        assert ask("set new") == "done None"


@needs_root
@pytest.mark.parametrize("loss", ["folder without w", "folder of root", "leftover a folder"])
def test_the_first_save_is_prepared_too(theirs: Path, loss: str) -> None:
    path = theirs / "t.json"
    with another_user(path) as ask:
        LOSSES[loss].lose(path)
        assert not ask("prepare").startswith("done")
        assert not ask("set new").startswith("done")
        LOSSES[loss].undo(path)
        before = content_of(theirs)
        assert ask("prepare") == "done None"
        assert content_of(theirs) == before


@needs_root
def test_a_folder_that_is_missing_is_not_made(theirs: Path) -> None:
    path = theirs / "a/b/t.json"
    with another_user(path) as ask:
        assert ask("prepare") == "done None"
        assert list(theirs.iterdir()) == []
        theirs.chmod(0o500)
        assert "this user may not" in ask("prepare")


@needs_root
def test_what_may_be_replaced_is_not_refused(theirs: Path) -> None:
    """Replacing a file needs rights in its folder; those on the file are about its content."""
    path = theirs / "t.json"
    with another_user(path) as ask:
        assert ask("set old") == "done None"
        path.chmod(0o400)
        temporary_of(path).touch()  # root's, left in their folder
        path.parent.chmod(0o1700)
        assert ask("prepare") == "done None"
        assert ask("set new") == "done None"
        assert ask("get") == "done a-new"


@needs_root
def test_the_renewal_lock_of_another_user_is_found(theirs: Path) -> None:
    lock = theirs / f"{KEY}.lock"
    with another_user(theirs / "t.json") as ask:
        lock.touch(mode=0o600)
        assert str(lock) in ask("prepare")


@needs_root
@pytest.mark.parametrize("name", ["file-store-token.json.write.lock", "file-store-token.owner"])
def test_the_documented_name_is_prepared_where_it_may_be_claimed(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = store(None)
    folder = Path(opened.place).parent
    opened.prepare_save()
    assert not folder.exists(), "it claims nothing"
    folder.mkdir(parents=True, mode=0o700)
    (folder / name).mkdir()
    with pytest.raises(TokenUnavailableError, match=name):
        opened.prepare_save()
    with pytest.raises(TokenUnavailableError, match=name):
        opened.set_token(token("new"), None)
    (folder / name).rmdir()
    before = sorted(os.listdir(folder))
    opened.prepare_save()
    assert sorted(os.listdir(folder)) == before


def test_a_read_only_file_system_is_found(small_disk: Path) -> None:
    opened = store(str(small_disk / "t.json"))
    opened.set_token(token("old"), None)
    mount("-o", "remount,ro", str(small_disk))
    with pytest.raises(TokenPermissionError, match="read-only"):
        opened.prepare_save()
    for below in ("new.json", "a/b/new.json"):
        with pytest.raises(TokenPermissionError, match="read-only"):
            store(str(small_disk / below)).prepare_save()


def test_a_full_disk_is_no_refusal(small_disk: Path) -> None:
    opened = store(str(small_disk / "t.json"))
    opened.set_token(token("old"), None)
    fill(small_disk)
    before = content_of(small_disk)
    opened.prepare_save()
    assert content_of(small_disk) == before
    mount("-o", "remount,nr_inodes=5", str(small_disk))  # no file can be made at all
    with pytest.raises(TokenUnavailableError, match="disk is full"):
        opened.set_token(token("new"), ANY_REVISION)
    opened.prepare_save()


@pytest.mark.parametrize("name", ["t" * 240 + ".json", "t" * 250 + ".json", "ü" * 120 + ".json"])
def test_the_longest_names_work(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "own"
    opened = store(str(folder / name))
    opened.prepare_save()
    opened.set_token(token("old"), None)
    opened.prepare_save()
    opened.set_token(token("new"), ANY_REVISION)
    assert opened.get_token() == token("new")
    (folder / name).write_text("{broken")
    opened.remove_token(ANY_REVISION)
    left = os.listdir(folder)
    assert len(left) == 2
    assert sum(".corrupt-" in each for each in left) == 1
    assert opened.get_token() is None


def test_two_long_names_share_no_lock(tmp_path: Path) -> None:
    one, two = (store(str(tmp_path / ("t" * 240 + f"{n}.json"))) for n in (1, 2))
    one.set_token(token("one"), None)
    two.set_token(token("two"), None)
    assert len([name for name in os.listdir(tmp_path) if name.endswith(".write.lock")]) == 2


def test_a_name_that_no_file_can_have_is_found(tmp_path: Path) -> None:
    opened = store(str(tmp_path / ("t" * 256)))
    for call in (opened.get_token, opened.prepare_save, lambda: opened.set_token(token("a"), None)):
        with pytest.raises(TokenUnavailableError, match="name is too long; choose a shorter one"):
            call()


def test_what_a_crash_left_is_no_refusal(tmp_path: Path) -> None:
    opened = store(str(tmp_path / "t.json"))
    (tmp_path / ".t.json.try").touch()
    (tmp_path / ".t.json.tmp").touch()
    opened.prepare_save()
    assert os.listdir(tmp_path) == [".t.json.tmp"]  # it is the next save's to remove
    opened.set_token(token("new"), None)
    assert opened.get_token() == token("new")


def test_the_lock_is_neither_needed_nor_taken(tmp_path: Path) -> None:
    opened = store(str(tmp_path / "t.json"))
    opened.set_token(token("old"), None)
    with opened.token_lock(0, 1), opened._writing(tmp_path / "t.json"):
        store(str(tmp_path / "t.json")).prepare_save()


@pytest.mark.parametrize(
    "code",
    [
        "ENOSPC",
        "EACCES",
        *(pytest.param(code, marks=pytest.mark.slow) for code in ("EIO", "EDQUOT", "ESTALE")),
        *(pytest.param(code, marks=pytest.mark.slow) for code in ("EMFILE", "EROFS")),
    ],
)
def test_each_call_fails_once(tracer: Helper, tmp_path: Path, code: str) -> None:
    path, number, fault = tmp_path / "t/t.json", 0, getattr(errno, code)
    store(str(path)).set_token(token("old"), None)
    refused = 0
    while True:
        before = content_of(path.parent)
        outcome = tracer.run("prepare", path, fail_at=[number, fault])
        calls = [call for call in outcome.trace.calls if call.paths]
        if number == len(calls):
            break
        assert calls[number].result == -fault, "the fault did not bite"
        if code in ("EACCES", "EROFS"):
            assert outcome.error == "" or outcome.error.startswith("TokenPermissionError: ")
            refused += outcome.error != ""
        else:
            assert outcome.error == "", calls[number]
        after = content_of(path.parent)
        scratch = path.with_name(".t.json.try")
        if calls[number].kind == "unlink":
            scratch.unlink(missing_ok=True)  # it could not be removed
            after = content_of(path.parent)
        assert after == before, calls[number]
        number += 1
    assert number >= 10
    assert refused >= 5 or code not in ("EACCES", "EROFS")


def test_it_costs_few_calls(tracer: Helper, tmp_path: Path) -> None:
    path = tmp_path / "t/t.json"
    store(str(path)).set_token(token("old"), None)
    calls = tracer.run("prepare", path).on_files(path.parent)
    assert len(calls) <= 25, calls
    assert not {"write", "fsync", "rename", "flock"} & {kind for kind, _ in calls}


def test_a_folder_deleted_in_between_is_no_refusal(tmp_path: Path) -> None:
    opened = store(str(tmp_path / "a/b/t.json"))
    opened.set_token(token("old"), None)
    shutil.rmtree(tmp_path / "a")
    opened.prepare_save()
    assert os.listdir(tmp_path) == []
