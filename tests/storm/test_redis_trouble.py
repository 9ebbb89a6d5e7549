"""The Redis server fails while one process renews the token and the others wait for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import play, redis_store
from .trouble import PROCESSES, THREADS, Trouble, play_trouble

if TYPE_CHECKING:
    from tests.servers.valkey import Replicated, Valkey

pytestmark = pytest.mark.slow

STORE_TIMEOUT = 2.0  # seconds without an answer after which the store is unavailable


def scene_on(server: Valkey, folder: Path) -> Any:
    return play({**redis_store(server), "timeout": str(STORE_TIMEOUT)}, folder)


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_restarted(own_valkey: Valkey, tmp_path: Path, kind: str) -> None:
    with scene_on(own_valkey, tmp_path) as played:
        _, figures = play_trouble(played, kind, Trouble(own_valkey.restart))
        assert figures.sign_ins == 0


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_paused_for_a_moment(own_valkey: Valkey, tmp_path: Path, kind: str) -> None:
    def pause() -> None:
        own_valkey.pause()
        time.sleep(STORE_TIMEOUT / 2)
        own_valkey.resume()

    with scene_on(own_valkey, tmp_path) as played:
        good, figures = play_trouble(played, kind, Trouble(pause))
        assert (good, figures) == (PROCESSES * THREADS, (1, 0, 0))


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_paused_for_longer_than_an_answer_may_take(
    own_valkey: Valkey, tmp_path: Path, kind: str
) -> None:
    with scene_on(own_valkey, tmp_path) as played:
        play_trouble(played, kind, Trouble(own_valkey.pause, own_valkey.resume))


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_killed_and_started_again(own_valkey: Valkey, tmp_path: Path, kind: str) -> None:
    with scene_on(own_valkey, tmp_path) as played:
        play_trouble(played, kind, Trouble(own_valkey.kill, own_valkey.restart))


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_failed_over_by_sentinel(valkey_replicated: Replicated, tmp_path: Path, kind: str) -> None:
    store = {
        "name": "redis",
        "sentinels": valkey_replicated.addresses,
        "service_name": valkey_replicated.service,
        "timeout": str(STORE_TIMEOUT),
    }
    with play(store, tmp_path) as played:
        play_trouble(played, kind, Trouble(valkey_replicated.fail_over))
