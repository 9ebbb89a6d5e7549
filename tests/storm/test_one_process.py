"""Sixty-four callers in one process: threads, tasks, both, and one identity for each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk.sandbox import SandboxSettings, serve

from .conftest import LATENCY, SceneMaker, slow
from .crowd import Watch, one_token

CALLERS = 64


@pytest.mark.parametrize(
    "callers",
    [
        {"threads": CALLERS},
        {"tasks": CALLERS},
        pytest.param({"threads": 16, "each": True}, marks=slow),
        pytest.param({"threads": 32, "tasks": 32}, marks=slow),
    ],
    ids=["threads", "tasks", "an instance for each thread", "threads and tasks"],
)
def test_one_process(
    scene: SceneMaker, soak: Callable[[int], int], callers: dict[str, Any]
) -> None:
    count = callers.get("threads", 0) + callers.get("tasks", 0)
    with scene() as played, played.crowd(1, **callers) as workers:
        played.sign_in()
        one_token(workers.call(), count)
        for _ in range(soak(1)):
            played.sandbox.expire()
            one_token(workers.call(), count)
            assert played.watch.figures() == (1, 0, 0)
            played.age()
            workers.ask("open", **callers)
            one_token(workers.call(), count)
            assert played.watch.figures() == (1, 0, 0)
        assert played.watch.peak() == 1
        played.still_lives()


def test_sync_and_async_programs_together(scene: SceneMaker, soak: Callable[[int], int]) -> None:
    with scene() as played, played.crowd(4, threads=8, tasks=8) as workers:
        played.sign_in()
        for _ in range(soak(1)):
            played.sandbox.expire()
            one_token(workers.call(), CALLERS)
            assert played.watch.figures().rejected == 0
            assert played.watch.peak() == 1
        played.still_lives()


@pytest.mark.slow
def test_every_identity_refreshes_its_own_token(tmp_path: Path) -> None:
    with serve(SandboxSettings(latency_ms=LATENCY, reuse_revokes_family=True)) as sandbox:
        watch = Watch(sandbox)
        sdks = [
            create_instance(
                sandbox.client_id,
                sandbox.client_secret,
                base_url=sandbox.base_url,
                token_store="file",
                profile=f"profile-{number}",
            )
            for number in range(CALLERS)
        ]
        barrier = threading.Barrier(CALLERS)

        def call(number: int) -> str:
            barrier.wait()
            assert sdks[number].marketplace.show().status == 200
            return sdks[number].session.token().digest

        with ThreadPoolExecutor(CALLERS) as threads:
            first = list(threads.map(call, range(CALLERS)))
            assert watch.figures() == (0, 0, CALLERS)
            sandbox.expire()
            second = list(threads.map(call, range(CALLERS)))
            assert watch.figures() == (CALLERS, 0, 0)
        assert len({*first, *second}) == 2 * CALLERS
        for sdk, digest in zip(sdks, second, strict=True):
            stored = sdk.token_store.get_token()
            assert stored is not None
            assert stored.digest == digest
            assert stored.identity_key == sdk.session.identity.key
            sdk.close()
