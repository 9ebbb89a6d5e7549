"""The Redis server fails while one process renews the token and the others wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import Scene, play, redis_store
from .crowd import Crowd, Figures, one_token

if TYPE_CHECKING:
    from tests.servers.valkey import Replicated, Valkey

pytestmark = pytest.mark.slow

PROCESSES, THREADS = 4, 4
STORE_TIMEOUT = 2.0  # seconds without an answer after which the store is unavailable
RECOVERY = 45.0  # seconds; a lease of 9 s, and time-outs of a machine that is busy


def play_trouble(
    played: Scene,
    kind: str,
    trouble: Callable[[], Any],
    relief: Callable[[], Any] = lambda: None,
) -> tuple[int, Figures]:
    """How many of the callers succeeded in the trouble, and what the server saw in all."""
    played.sign_in()
    callers = {kind: THREADS, "request_timeout": 2.0}
    with played.crowd(PROCESSES, **callers) as workers:
        one_token(workers.call(), PROCESSES * THREADS)
        played.sandbox.expire()
        played.sandbox.fault("delay", target="token", seconds=0.7)
        workers[0].tell("call")
        played.watch.wait_for("refresh_token")
        others = Crowd(workers[1:])
        others.ask("call", tell=True)
        trouble()
        results = [result for worker in workers for result in worker.results()]
        assert all(result["ok"] or result["typed"] for result in results), results
        relief()
        recovered(workers)
        figures = played.watch.figures()
        # At worst the token was lost with the server, and one signs in for all.
        assert figures.rejected <= 1
        assert figures.sign_ins <= 1
        assert played.watch.peak() <= 2
        # Whoever had a token that could not be saved may have used it up to here: it was good.
        time.sleep(5)  # for so long a failure is remembered
        played.sandbox.expire()
        one_token(workers.call(), PROCESSES * THREADS)
        assert played.watch.figures() == (1, 0, 0)
        played.still_lives()
        print(f"{sum(r['ok'] for r in results)} of {len(results)} rode through; {figures}")
        return sum(result["ok"] for result in results), figures


def recovered(workers: Crowd) -> None:
    """All succeed by themselves, none with a token that is still to be saved."""
    deadline = time.monotonic() + RECOVERY
    while True:
        results = workers.call()
        assert all(result["ok"] or result["typed"] for result in results), results
        if all(result["ok"] and result["saved"] for result in results):
            return
        assert time.monotonic() < deadline, results
        time.sleep(0.2)


def scene_on(server: Valkey, folder: Path) -> Any:
    return play({**redis_store(server), "timeout": str(STORE_TIMEOUT)}, folder)


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_restarted(own_valkey: Valkey, tmp_path: Path, kind: str) -> None:
    with scene_on(own_valkey, tmp_path) as played:
        _, figures = play_trouble(played, kind, own_valkey.restart)
        assert figures.sign_ins == 0


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_paused_for_a_moment(own_valkey: Valkey, tmp_path: Path, kind: str) -> None:
    def pause() -> None:
        own_valkey.pause()
        time.sleep(STORE_TIMEOUT / 2)
        own_valkey.resume()

    with scene_on(own_valkey, tmp_path) as played:
        good, figures = play_trouble(played, kind, pause)
        assert (good, figures) == (PROCESSES * THREADS, (1, 0, 0))


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_paused_for_longer_than_an_answer_may_take(
    own_valkey: Valkey, tmp_path: Path, kind: str
) -> None:
    with scene_on(own_valkey, tmp_path) as played:
        play_trouble(played, kind, own_valkey.pause, own_valkey.resume)


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_killed_and_started_again(own_valkey: Valkey, tmp_path: Path, kind: str) -> None:
    with scene_on(own_valkey, tmp_path) as played:
        play_trouble(played, kind, own_valkey.kill, own_valkey.restart)


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_failed_over_by_sentinel(valkey_replicated: Replicated, tmp_path: Path, kind: str) -> None:
    store = {
        "name": "redis",
        "sentinels": valkey_replicated.addresses,
        "service_name": valkey_replicated.service,
        "timeout": str(STORE_TIMEOUT),
    }
    with play(store, tmp_path) as played:
        play_trouble(played, kind, valkey_replicated.fail_over)
