"""SIGKILL at every system call of what the file store does, in a real process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import TokenSession, file_store, open_store
from flex_tokenstore._host.host_lock import HostLock
from flex_tokenstore._values.token import ANY_REVISION, revision_of
from flex_tokenstore.stores.file.store import FileStore
from tests.support.fakes import IDENTITY, Server, stored

from .traced import Helper, Outcome, store, token

TOO_MANY = 2000  # system calls; none of it makes a tenth of them


class Place:
    """A token file's place, made anew for each kill."""

    def __init__(self, base: Path, path: Path | None) -> None:
        self.base = base
        self.folder = base / ("config/flex-integration-sdk" if path is None else "t")
        self.path = path
        self.file = path or self.folder / "file-store-token.json"

    def clear(self) -> None:
        shutil.rmtree(self.base / "config", ignore_errors=True)
        shutil.rmtree(self.base / "t", ignore_errors=True)

    def write(self, content: str, name: str | None = None) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self.folder / (name or self.file.name)
        target.write_text(content)
        target.chmod(0o600)

    def open(self) -> FileStore:
        return store(None if self.path is None else str(self.path))

    def kept_aside(self) -> list[str]:
        return [path.read_text() for path in self.folder.glob("*.corrupt-*")]


def kill_everywhere(
    tracer: Helper,
    scenario: str,
    place: Place,
    prepare: Callable[[], object],
    check: Callable[[Outcome], object],
) -> list[str]:
    """Kills at each system call and checks; gives the calls at which it did."""
    killed: list[str] = []
    files: set[int] = set()  # numbers, among the calls about files, of those at which it was

    def kill(**at: int) -> Outcome:
        place.clear()
        prepare()
        outcome = tracer.run(scenario, place.path, **at)
        calls = outcome.trace.calls
        if outcome.trace.killed:
            killed.append(calls[-1].name)
            assert len(killed) < TOO_MANY
            if calls[-1].paths:
                files.add(sum(bool(call.paths) for call in calls) - 1)
            check(outcome)
        return outcome

    while (outcome := kill(kill_at=len(killed))).trace.killed:
        pass
    assert outcome.error == ""
    # Of the others, such as for memory, there may be one more or less in each run.
    for number in range(sum(bool(call.paths) for call in outcome.trace.calls)):
        if number not in files:
            assert kill(kill_at_file=number).trace.killed
    print(f"{scenario}: killed at {len(killed)} system calls: {' '.join(killed)}")
    return killed


def check_whole(place: Place, allowed: list[dict[str, Any] | None]) -> dict[str, Any] | None:
    """It holds one of the allowed tokens; the next process reads, locks, saves and removes."""
    found = place.open().get_token()
    assert found in allowed
    assert place.kept_aside() == []
    check_goes_on(place, found)
    return found


def check_goes_on(place: Place, found: dict[str, Any] | None) -> None:
    for lock in place.folder.glob("*.lock"):
        with HostLock(lock).hold(0):  # it is free
            pass
    again = place.open()
    with again.token_lock(0, 1):
        again.set_token(token("next"), revision_of(found) if found else None)
    assert place.open().get_token() == token("next")
    names = {path.name for path in place.folder.iterdir() if path.suffix != ".lock"}
    names -= {path.name for path in place.folder.glob("*.corrupt-*")}
    assert names <= {place.file.name, "file-store-token.owner"}, "something was left"
    place.open().remove_token(revision_of(token("next")))
    assert place.open().get_token() is None
    assert not place.file.exists()


def test_a_save_over_an_old_token(tracer: Helper, tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path / "t/t.json")
    seen = []

    def check(outcome: Outcome) -> None:
        found = check_whole(place, [token("old"), token("new")])
        renamed = any(call.name.startswith("rename") for call in outcome.trace.calls[:-1])
        assert found == token("new" if renamed else "old")
        seen.append(found)

    killed = kill_everywhere(
        tracer, "save", place, lambda: place.write(json.dumps(token("old"))), check
    )
    assert len(killed) >= 18
    assert {"openat", "write", "fsync", "close", "flock"} <= set(killed)
    assert token("old") in seen
    assert token("new") in seen


def test_a_save_over_what_a_crash_left(tracer: Helper, tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path / "t/t.json")

    def prepare() -> None:
        place.write(json.dumps(token("old")))
        place.write(json.dumps(token("lost"))[:-9], ".t.json.tmp")

    killed = kill_everywhere(
        tracer, "save", place, prepare, lambda _: check_whole(place, [token("old"), token("new")])
    )
    assert "unlink" in killed or "unlinkat" in killed


@pytest.mark.slow
def test_the_first_save_ever_and_its_claim(tracer: Helper, tmp_path: Path) -> None:
    place = Place(tmp_path, None)
    killed = kill_everywhere(
        tracer, "save", place, lambda: None, lambda _: check_whole(place, [None, token("new")])
    )
    assert len(killed) >= 45
    assert {"mkdir", "rename", "fsync"} <= {name.removesuffix("at") for name in killed}


def test_a_removal(tracer: Helper, tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path / "t/t.json")
    killed = kill_everywhere(
        tracer,
        "remove",
        place,
        lambda: place.write(json.dumps(token("old"))),
        lambda _: check_whole(place, [token("old"), None]),
    )
    assert len(killed) >= 15


@pytest.mark.parametrize("scenario", ["remove", "save"])
def test_moving_corrupt_content_aside(tracer: Helper, tmp_path: Path, scenario: str) -> None:
    place = Place(tmp_path, tmp_path / "t/t.json")

    def check(outcome: Outcome) -> None:
        aside = place.kept_aside()
        if place.file.exists() and place.file.read_text() == "{broken":
            assert aside == []
            place.open().remove_token(ANY_REVISION)
        else:
            assert aside == ["{broken"]
        found = place.open().get_token()
        assert found in (None, token("new"))
        check_goes_on(place, found)
        assert place.kept_aside() == ["{broken"], "it is kept, and nothing else was put there"

    killed = kill_everywhere(tracer, scenario, place, lambda: place.write("{broken"), check)
    assert len(killed) >= 15


@pytest.mark.slow
def test_a_sessions_renewal(tracer: Helper, tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path / "t/t.json")
    old = stored(Server(), age=4000)
    ends: set[str] = set()

    def check(outcome: Outcome) -> None:
        found = place.open().get_token()
        assert found is not None
        assert found["access_token"] in ("access-1-SENTINEL", "access-2-SENTINEL")
        assert place.kept_aside() == []
        server = Server()
        server._issue()
        if outcome.asked_the_server:
            server._issue()
            server.live.discard("refresh-1-SENTINEL")
        with TokenSession(open_store(file_store(path=str(place.path)), IDENTITY), server) as again:
            again.token()
            assert again.saved
            ends.add(" ".join(server.calls) or "adopted")
            again.revoke()
        check_goes_on(place, None)

    killed = kill_everywhere(tracer, "renew", place, lambda: place.write(json.dumps(old)), check)
    assert len(killed) >= 50
    # Not asked yet; asked and lost with the process; saved.
    assert ends == {"refresh", "refresh sign_in", "adopted"}
