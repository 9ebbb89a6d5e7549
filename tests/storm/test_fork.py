"""Programs that fork while they use an SDK instance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .conftest import Scene, SceneMaker, slow
from .crowd import PATIENCE, ROOT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


class Program:
    """``tests.storm.forks``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ready(self) -> None:
        """Waits until it says so."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def go(self) -> None:
        """Has it go on."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> Any:
        """What it came to; it ends by itself, and complains of nothing."""
        output, errors = self._process.communicate(timeout=PATIENCE)
        assert self._process.returncode == 0, errors
        assert errors == ""
        return json.loads(output)


@contextmanager
def program(played: Scene, what: str) -> Iterator[Program]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storm.forks", what],
        env=dict(played.environment),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    "method",
    [
        "fork",
        pytest.param("spawn", marks=slow),
        pytest.param("forkserver", marks=slow),
    ],
)
def test_children_and_parent_renew_at_once(scene: SceneMaker, method: str) -> None:
    with scene() as played:
        played.sign_in()
        with program(played, method) as running:
            running.ready()
            played.sandbox.expire()
            running.go()
            found = running.end()
        assert found["codes"] == [0] * 4
        assert len(found["tokens"]) == 17
        assert len({*found["tokens"]}) == 1
        assert played.watch.figures() == (1, 0, 0)
        assert played.watch.peak() == 1
        played.still_lives()


def test_a_fork_in_the_middle_of_a_renewal(scene: SceneMaker) -> None:
    with scene() as played:
        played.sign_in()
        with program(played, "mid-renewal") as running:
            running.ready()
            played.sandbox.expire()
            played.sandbox.fault("delay", target="token", seconds=1.0)
            running.go()
            played.watch.wait_for("refresh_token")
            running.ready()
            running.go()
            assert running.end()["codes"] == [0]
        assert played.watch.figures() == (1, 0, 0)
        played.still_lives()


@slow
def test_a_fork_at_any_moment(scene: SceneMaker) -> None:
    with scene(access_ttl=1, latency_ms=300) as played:
        with program(played, "any-moment") as running:
            running.ready()
            running.go()
            codes = running.end()["codes"]
            assert len(codes) >= 20
            assert set(codes) == {0}
        figures = played.watch.figures()
        assert figures.sign_ins == 1
        assert figures.rejected == 0
        assert figures.refreshes >= 2


def test_an_async_instance_is_made_anew_in_a_child(scene: SceneMaker) -> None:
    with scene() as played:
        played.sign_in()
        with program(played, "async") as running:
            running.ready()
            running.go()
            assert running.end()["codes"] == [0]
        assert played.watch.figures() == (0, 0, 0)
