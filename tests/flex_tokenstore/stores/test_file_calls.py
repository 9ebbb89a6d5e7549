"""Which system calls the file store makes, in which order, and when one of them fails."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flex_tokenstore._values.token import ANY_REVISION, revision_of
from tests.support.fakes import Server, stored

from .ptrace import Call
from .traced import Helper, Outcome, in_cache, store, token

# A save that outlasts a power cut: the bytes are on the disk before the name leads to them,
# and the name is before the save returns.
DURABLE = [
    ("open", ".t.json.tmp"),
    ("stat", ".t.json.tmp"),  # its mode: some file systems do not keep one
    ("write", ".t.json.tmp"),
    ("fsync", ".t.json.tmp"),
    ("close", ".t.json.tmp"),
    ("rename", ".t.json.tmp->t.json"),
    ("open", "t"),
    ("fsync", "t"),
    ("close", "t"),
]
LOCK = [
    ("open", "t.json.write.lock"),
    ("stat", "t.json.write.lock"),
    ("flock", "t.json.write.lock"),
    ("stat", "t.json.write.lock"),
]
UNLOCK = [("flock", "t.json.write.lock"), ("close", "t.json.write.lock")]
READ = [
    ("open", "t.json"),
    ("stat", "t.json"),
    ("read", "t.json"),
    ("read", "t.json"),
    ("close", "t.json"),
]


def seed(tmp_path: Path) -> Path:
    path = tmp_path / "t/t.json"
    store(str(path)).set_token(token("old"), ANY_REVISION)
    return path


def succeeded(outcome: Outcome) -> None:
    """Each call that makes a save durable was answered with success, and all was written."""
    assert outcome.error == ""
    for call in outcome.trace.calls:
        if call.kind in ("fsync", "rename", "close", "unlink", "mkdir"):
            assert call.result == 0, call
        if call.kind == "write":
            assert call.result == len(json.dumps(token("new"), separators=(",", ":")))


def test_a_save_makes_these_calls_and_no_other(tracer: Helper, tmp_path: Path) -> None:
    path = seed(tmp_path)
    outcome = tracer.run("save", path)
    succeeded(outcome)
    looks = [("stat", "t"), ("stat", "t.json")]
    calls = outcome.on_files(path.parent)
    assert calls == [*looks, *LOCK, *READ, *DURABLE, *UNLOCK]
    page = Path(__file__).parents[3] / "docs/file-store.md"
    documented = page.read_text().split("```text\n")[1].split("```")[0].splitlines()
    assert documented == [f"{kind} {name}" for kind, name in calls]


def test_the_first_save_syncs_the_owner_and_each_folder_it_makes(
    tracer: Helper, tmp_path: Path
) -> None:
    outcome = tracer.run("save", None)
    assert outcome.error == ""
    changes = [
        (kind, name)
        for kind, name in outcome.on_files(tmp_path)
        if kind in ("mkdir", "write", "fsync", "rename")
    ]
    folder, main, owner = "flex-integration-sdk", "file-store-token.json", "file-store-token.owner"
    assert changes == [
        ("mkdir", "config"),
        ("fsync", tmp_path.name),
        ("mkdir", folder),
        ("fsync", "config"),
        *[("write", f".{owner}.tmp"), ("fsync", f".{owner}.tmp")],
        *[("rename", f".{owner}.tmp->{owner}"), ("fsync", folder)],
        *[("write", f".{main}.tmp"), ("fsync", f".{main}.tmp")],
        *[("rename", f".{main}.tmp->{main}"), ("fsync", folder)],
    ]


def test_a_removal_and_a_move_aside_are_synced(tracer: Helper, tmp_path: Path) -> None:
    path = seed(tmp_path)
    calls = tracer.run("remove", path).on_files(path.parent)
    at = calls.index(("unlink", "t.json"))
    assert calls[at + 1 :] == [*DURABLE[-3:], *UNLOCK]
    path.write_text("{broken")
    calls = tracer.run("remove", path).on_files(path.parent)
    at = next(i for i, (kind, _) in enumerate(calls) if kind == "rename")
    assert calls[at][1].startswith("t.json->t.json.corrupt-")
    assert calls[at + 1 : at + 4] == DURABLE[-3:]


def test_reading_makes_these_calls(tracer: Helper, tmp_path: Path) -> None:
    path = seed(tmp_path)
    calls = tracer.run("get", path).on_files(path.parent)
    assert calls == [("stat", "t.json"), READ[0], ("stat", "t"), *READ[1:]]


@pytest.mark.parametrize(("named", "stats"), [(True, 1), (False, 2)])
def test_an_unchanged_file_costs_two_looks_at_most(
    tracer: Helper, tmp_path: Path, named: bool, stats: int
) -> None:
    opened = store(str(tmp_path / "t.json") if named else None)
    opened.set_token(token("old"), None)
    path = Path(opened.place)
    in_cache(opened)
    outcome = tracer.run("get_unchanged", path if named else None)
    calls = [call.kind for call in outcome.trace.calls]
    after = calls[calls.index("getpriority") + 1 : -1]
    assert [kind for kind in after if not kind.startswith("call")] == ["stat"] * stats


@pytest.mark.sample(2)
@pytest.mark.parametrize("code", ["EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "ESTALE"])
def test_each_call_of_a_save_fails_once(tracer: Helper, tmp_path: Path, code: str) -> None:
    path, number, fault = seed(tmp_path), 0, getattr(errno, code)
    while True:
        store(str(path)).set_token(token("old"), ANY_REVISION)
        outcome = tracer.run("save", path, fail_at=[number, fault])
        calls = [call for call in outcome.trace.calls if call.paths]
        if number == len(calls):
            break
        assert calls[number].result == -fault, "the fault did not bite"
        # After the rename only the folder's sync can fail: the new token is there already.
        replaced = ("rename", 0) in [(call.kind, call.result) for call in calls]
        assert store(str(path)).get_token() == token("new" if replaced else "old")
        if outcome.error:
            denied = code in ("EROFS", "EACCES")
            kind = "TokenPermissionError: " if denied else "TokenUnavailableError: "
            assert outcome.error.startswith(kind)
            assert str(path.parent) in outcome.error
            assert "a-new" not in outcome.error
            assert not (replaced and "is kept" in outcome.error)
        else:
            assert replaced, calls[number]
        assert sorted(os.listdir(path.parent)) == ["t.json", "t.json.write.lock"]
        number += 1
    assert number >= 19


def fail_everywhere(
    tracer: Helper,
    scenario: str,
    path: Path | None,
    prepare: Callable[[], object],
    check: Callable[[Outcome, Call], object],
) -> int:
    """An input/output error at each call about a file; gives how many there were."""
    number = 0
    while True:
        prepare()
        outcome = tracer.run(scenario, path, fail_at=[number, errno.EIO])
        calls = [call for call in outcome.trace.calls if call.paths]
        if number >= len(calls):
            return number
        assert calls[number].result == -errno.EIO, "the fault did not bite"
        assert not outcome.error or outcome.error.startswith("TokenUnavailableError: ")
        check(outcome, calls[number])
        number += 1


def test_each_call_of_a_first_save_fails_once(tracer: Helper, tmp_path: Path) -> None:
    def check(outcome: Outcome, call: Call) -> None:
        found = store(None).get_token()
        assert found in (None, token("new"))
        assert found is not None or outcome.error
        store(None).set_token(token("next"), revision_of(found) if found else None)
        assert store(None).get_token() == token("next")
        names = {path.name for path in Path(store(None).place).parent.iterdir()}
        assert {name for name in names if not name.endswith(".lock")} == {
            "file-store-token.json",
            "file-store-token.owner",
        }, call

    def prepare() -> None:
        shutil.rmtree(tmp_path / "config", ignore_errors=True)

    assert fail_everywhere(tracer, "save", None, prepare, check) >= 45


@pytest.mark.parametrize("corrupt", [False, True])
def test_each_call_of_a_removal_fails_once(tracer: Helper, tmp_path: Path, corrupt: bool) -> None:
    path = seed(tmp_path)
    content = "{broken" if corrupt else json.dumps(token("old"))

    def prepare() -> None:
        for aside in path.parent.glob("*.corrupt-*"):
            aside.unlink()
        path.write_text(content)
        path.chmod(0o600)

    def check(outcome: Outcome, call: Call) -> None:
        kept = [aside.read_text() for aside in path.parent.glob("*.corrupt-*")]
        there = [path.read_text()] if path.exists() else []
        if corrupt:
            assert kept + there == [content], call
        else:
            assert kept == []
            assert there in ([], [content])
        assert not there or outcome.error
        store(str(path)).remove_token(ANY_REVISION)
        assert store(str(path)).get_token() is None

    assert fail_everywhere(tracer, "remove", path, prepare, check) >= 15


@pytest.mark.slow
def test_each_call_of_a_renewal_fails_once_and_no_token_is_lost(
    tracer: Helper, tmp_path: Path
) -> None:
    path = tmp_path / "t/t.json"
    old = stored(Server(), age=4000)

    def check(outcome: Outcome, call: Call) -> None:
        found = store(str(path)).get_token()
        assert found is not None
        # What the server gave is saved, at the latest when the session is closed.
        expected = "access-2-SENTINEL" if outcome.asked_the_server else "access-1-SENTINEL"
        assert found["access_token"] == expected, call
        assert bool(outcome.error) != outcome.asked_the_server, call
        names = [each.name for each in path.parent.iterdir() if each.suffix != ".lock"]
        assert names == ["t.json"]

    def prepare() -> None:
        store(str(path)).set_token(old, ANY_REVISION)

    assert fail_everywhere(tracer, "renew", path, prepare, check) >= 35
