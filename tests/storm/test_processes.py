"""Sixteen processes with four threads or tasks each, and what the server saw."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Scene, SceneMaker, both_stores
from .crowd import Crowd, one_token

PROCESSES, THREADS = 16, 4
FEW = 6  # processes of the default suite: to start sixteen takes longer than to play


def refused_at_once(scene: Scene, workers: Crowd, kind: str) -> None:
    """A round in which all learn by a 401 that their token is no good."""
    scene.sandbox.expire()
    one_token(workers.call(), len(workers) * THREADS)
    assert scene.watch.figures() == (1, 0, 0)


def expired_at_once(scene: Scene, workers: Crowd, kind: str) -> None:
    """A round of programs that just started and find an expired token in the store."""
    scene.age()
    workers.ask("open", **{kind: THREADS})
    before = scene.sandbox.stats()["unauthorized"]
    one_token(workers.call(), len(workers) * THREADS)
    assert scene.watch.figures() == (1, 0, 0)
    assert scene.sandbox.stats()["unauthorized"] == before, "no token that is too old is sent"


def storm(scene: Scene, rounds: int, kind: str = "threads", *, processes: int = PROCESSES) -> None:
    scene.sign_in()
    with scene.crowd(processes, **{kind: THREADS}) as workers:
        one_token(workers.call(), processes * THREADS)
        assert scene.watch.figures() == (0, 0, 0)
        for number in range(rounds):
            (expired_at_once if number % 3 == 1 else refused_at_once)(scene, workers, kind)
    assert scene.watch.peak() == 1
    scene.still_lives()


@pytest.mark.parametrize(
    "scene", ["file", pytest.param("redis", marks=pytest.mark.slow)], indirect=True
)
def test_a_few_rounds(scene: SceneMaker, soak: Callable[[int], int]) -> None:
    with scene() as played:
        storm(played, soak(2), processes=FEW)


@both_stores
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("family", [False, True], ids=["", "family-revoking"])
def test_twenty_rounds(scene: SceneMaker, soak: Callable[[int], int], family: bool) -> None:
    with scene(reuse_revokes_family=family) as played:
        storm(played, soak(50))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("scene", "kind", "family"),
    [
        ("postgres", "threads", False),
        ("postgres", "tasks", True),
        ("vault", "threads", False),
        ("vault", "tasks", True),
        ("mariadb", "tasks", True),
        ("sqlite", "threads", True),
    ],
    indirect=["scene"],
)
def test_three_rounds(
    scene: SceneMaker, soak: Callable[[int], int], kind: str, family: bool
) -> None:
    with scene(reuse_revokes_family=family) as played:
        storm(played, soak(3), kind)
