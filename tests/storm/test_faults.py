"""A storm in which the server fails."""

from __future__ import annotations

import time

import pytest

from flex_integration_sdk.sandbox import FaultKind

from .conftest import SceneMaker, slow
from .crowd import Figures, one_token

PROCESSES, THREADS = 4, 4


@pytest.mark.parametrize(
    ("kind", "family", "expected"),
    [
        # 500 and a connection dropped before anything was done: once more, without the secret.
        pytest.param("status", False, Figures(2, 0, 0), marks=slow),
        pytest.param("drop", False, Figures(2, 0, 0), marks=slow),
        # The refresh token is used up and its successor lost: one rejection, one sign-in.
        pytest.param("lose_answer", False, Figures(2, 1, 1), marks=slow),
        ("lose_answer", True, Figures(2, 1, 1)),
    ],
)
def test_one_failure(scene: SceneMaker, kind: FaultKind, family: bool, expected: Figures) -> None:
    with scene(reuse_revokes_family=family) as played:
        played.sign_in()
        with played.crowd(PROCESSES, threads=THREADS) as workers:
            one_token(workers.call(), PROCESSES * THREADS)
            played.sandbox.expire()
            played.sandbox.fault(kind, target="token")
            one_token(workers.call(), PROCESSES * THREADS)
            assert played.watch.figures() == expected
            assert played.watch.peak() == 1
            played.still_lives()


@slow
def test_a_server_that_is_down_for_all(scene: SceneMaker) -> None:
    with scene() as played:
        played.sign_in()
        with played.crowd(PROCESSES, threads=THREADS) as workers:
            one_token(workers.call(), PROCESSES * THREADS)
            played.sandbox.expire()
            played.sandbox.fault("status", target="token", count=2 * PROCESSES)
            results = workers.call()
            assert {result.get("error") for result in results} == {"ServerError"}
            assert all(result["typed"] for result in results)
            # Each process asks twice, one after the other, and then leaves the server alone.
            assert played.watch.figures() == (2 * PROCESSES, 0, 0)
            assert {result.get("error") for result in workers.call()} == {"ServerError"}
            assert played.watch.figures() == (0, 0, 0)
            time.sleep(5)
            one_token(workers.call(), PROCESSES * THREADS)
            assert played.watch.figures() == (1, 0, 0)
            assert played.watch.peak() == 1
            played.still_lives()
