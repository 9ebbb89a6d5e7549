"""An upgrade is rolled out: half of the processes still run the last version, on one store."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.last_version import LastVersion

from .conftest import SceneMaker, Upgrade, play, slow, store_on
from .crowd import ROOT, one_token
from .test_processes import FEW, PROCESSES, THREADS, storm
from .test_winner import winner_is_killed, winner_is_stopped_past_its_lease

STORES = ("file", "sqlite", "postgres", "redis", "vault")
on_each_store = pytest.mark.parametrize("store", STORES, indirect=True)


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    return store_on(request.param, request, tmp_path)


RollingScene = Callable[[Callable[[int], bool]], SceneMaker]


@pytest.fixture
def rolling(store: dict[str, Any], tmp_path: Path, last_version: LastVersion) -> RollingScene:
    """Makes scenes in which the processes of some numbers run the last version."""
    return lambda runs_last: functools.partial(
        play, store, tmp_path, upgrade=Upgrade(last_version, runs_last)
    )


def every_second(number: int) -> bool:
    return number % 2 == 1


def first(number: int) -> bool:
    return number == 0


def all_but_the_first(number: int) -> bool:
    return number != 0


@slow
@pytest.mark.parametrize("store", ["vault"], indirect=True)
def test_both_versions_make_one_refresh(rolling: RollingScene) -> None:
    with rolling(every_second)(reuse_revokes_family=True) as played:
        played.sign_in()
        played.age()
        with played.crowd(FEW, threads=THREADS) as workers:
            one_token(workers.call(), FEW * THREADS)
        assert played.watch.figures() == (1, 0, 0)
        assert played.watch.peak() == 1
        played.still_lives()


@slow
@pytest.mark.timeout(600)
@on_each_store
@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_both_versions_make_one_refresh_each_round(
    rolling: RollingScene, kind: str, soak: Callable[[int], int]
) -> None:
    with rolling(every_second)(reuse_revokes_family=True) as played:
        storm(played, soak(3), kind, processes=PROCESSES)


each_version = pytest.mark.parametrize(
    "holder", [first, all_but_the_first], ids=["last", "present"]
)


@slow
@on_each_store
@each_version
def test_one_version_waits_for_a_killed_winner_of_the_other(
    rolling: RollingScene, holder: Callable[[int], bool]
) -> None:
    winner_is_killed(rolling(holder), family=True)


@slow
@pytest.mark.parametrize("store", ["redis", "vault"], indirect=True)
@each_version
def test_a_winner_that_was_stopped_replaces_no_token_of_the_other_version(
    rolling: RollingScene, holder: Callable[[int], bool]
) -> None:
    winner_is_stopped_past_its_lease(rolling(holder), "threads", family=True)


# One line for each order: "take WAIT LEASE", answered by the time and the lease's end, or "null"
# if it is held by another; "release"; "code".
HOLDER = """
import json, sys, time
from flex_tokenstore import TokenIdentity, TokenLockTimeoutError, open_store
from tests.storm.worker import code, say
store = open_store(json.loads(sys.argv[1]), TokenIdentity("https://api.example.com", "client"))
for order, *numbers in map(str.split, sys.stdin):
    if order == "take":
        lock = store.token_lock(*map(float, numbers))
        try:
            end = lock.__enter__()
        except TokenLockTimeoutError:
            say(None)
        else:
            say({"at": time.monotonic(), "end": end})
    elif order == "release":
        lock.__exit__(None, None, None)
        say(None)
    else:
        say(code())
store.close()
"""


class Program:
    """A program that takes the lock when it is told to, and holds it until it is told or killed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def tell(self, order: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, order: str) -> Any:
        self.tell(order)
        return self.answer()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()


@contextmanager
def programs(
    store: dict[str, Any], last_version: LastVersion, *which: str
) -> Iterator[list[Program]]:
    """Programs of the last version and of the present one, as ``which`` names them."""
    with ExitStack() as stack:
        started = []
        for version in which:
            variables = last_version.variables if version == "last" else {}
            process = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", HOLDER, json.dumps(store)],
                env={**os.environ, **variables},
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            started.append(Program(process))
        for program, version in zip(started, which, strict=True):
            assert last_version.has(program.ask("code")) == (version == "last")
        yield started
        for program in started:
            assert program.process.stdin is not None
            program.process.stdin.close()


LONG, WAIT = 60.0, 30.0  # seconds: a lease that does not expire here, and a wait that is less
SHORT = 1.0  # seconds; a lease that is waited for


def passes_from(holder: Program, waiter: Program) -> None:
    """The one does not take the lock while the other holds it, and gets it when it is released."""
    assert holder.ask(f"take {WAIT} {LONG}") is not None
    assert waiter.ask(f"take 0 {LONG}") is None, "it took a lock that the other version holds"
    waiter.tell(f"take {WAIT} {LONG}")
    released = time.monotonic()  # before it is: whoever was told so has had no earlier chance
    holder.ask("release")
    taken = waiter.answer()
    assert taken is not None, "it did not see the release by the other version"
    assert taken["at"] >= released
    waiter.ask("release")


def outlives(holder: Program, waiter: Program) -> None:
    """The one gets the lock of the other when that was killed, but not before its lease ends."""
    held = holder.ask(f"take {WAIT} {SHORT}")
    waiter.tell(f"take {WAIT} {LONG}")
    killed = time.monotonic()
    holder.kill()
    taken = waiter.answer()
    assert taken is not None, "it waits for a holder of the other version that is dead"
    assert taken["at"] >= (killed if held["end"] is None else held["end"] - 0.01)
    waiter.ask("release")


@slow
@pytest.mark.parametrize("store", STORES, indirect=True)
def test_the_lock_passes_from_each_version_to_the_other(
    store: dict[str, Any], last_version: LastVersion
) -> None:
    with programs(store, last_version, "last", "present", "last") as (last, present, another):
        passes_from(last, present)
        passes_from(present, last)
        outlives(last, present)
        outlives(present, another)
