"""What becomes of the others, and of the token, when whoever renews it is killed or stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from flex_integration_sdk import create_async_instance

from .conftest import Scene, SceneMaker, slow
from .crowd import PATIENCE, ROOT, Crowd, Worker, one_token

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

OTHERS, THREADS = 4, 4
REQUEST_TIMEOUT = 2.0  # seconds; a lease is 9 s then, and a process waits 19 s for the lock
AT_ONCE = 15.0  # seconds: a lease, and a machine that is busy; less than the wait for the lock


@contextmanager
def winner_and_others(
    scene: SceneMaker, kind: str = "threads", **settings: bool
) -> Iterator[tuple[Scene, Worker, Crowd]]:
    """One process waits for the server's answer, with the lock; the others wait for it."""
    with scene(**settings) as played:
        played.sign_in()
        callers = {kind: THREADS, "request_timeout": REQUEST_TIMEOUT}
        with played.crowd(OTHERS + 1, **callers) as workers:
            one_token(workers.call(), (OTHERS + 1) * THREADS)
            played.sandbox.expire()
            # Decided on arrival: the refresh token is used up when the answer is still to come.
            played.sandbox.fault("delay", target="token", seconds=0.7)
            winner = workers[0]
            winner.tell("call")
            played.watch.wait_for("refresh_token")
            others = Crowd(workers[1:])
            assert others.ask("call", tell=True) == [{"calling": True}] * OTHERS
            yield played, winner, others
            played.still_lives()


def results(others: Crowd, patience: float) -> list[dict[str, object]]:
    deadline = time.monotonic() + patience
    return [result for each in others for result in each.answer(deadline)["results"]]


@pytest.mark.parametrize(
    "family", [pytest.param(False, marks=slow), True], ids=["", "family-revoking"]
)
def test_killed(scene: SceneMaker, family: bool) -> None:
    winner_is_killed(scene, family)


@slow
@pytest.mark.parametrize("scene", ["postgres", "vault"], indirect=True)
def test_killed_with_a_lock_on_a_server(scene: SceneMaker) -> None:
    winner_is_killed(scene, family=True)


def winner_is_killed(scene: SceneMaker, family: bool) -> None:
    with winner_and_others(scene, reuse_revokes_family=family) as (played, winner, others):
        winner.kill()
        one_token(results(others, AT_ONCE), OTHERS * THREADS)
        # Its answer is lost: one finds the refresh token dead, and signs in for all.
        assert played.watch.figures() == (2, 1, 1)
        assert played.watch.peak() <= 2, "the dead one's request may still be in flight"


@slow
@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_stopped_and_woken(scene: SceneMaker, kind: str) -> None:
    with winner_and_others(scene, kind) as (played, winner, others):
        winner.process.send_signal(signal.SIGSTOP)
        time.sleep(REQUEST_TIMEOUT + 0.5)  # its request is too old now, and answered
        winner.process.send_signal(signal.SIGCONT)
        mine = winner.results()
        one_token(mine + results(others, AT_ONCE), (OTHERS + 1) * THREADS)
        assert played.watch.figures() == (1, 0, 0)


@slow
@pytest.mark.parametrize("scene", ["redis", "postgres", "mariadb"], indirect=True)
@pytest.mark.parametrize("family", [False, True], ids=["", "family-revoking"])
@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_stopped_past_its_lease(scene: SceneMaker, kind: str, family: bool) -> None:
    winner_is_stopped_past_its_lease(scene, kind, family)


def winner_is_stopped_past_its_lease(scene: SceneMaker, kind: str, family: bool) -> None:
    with winner_and_others(scene, kind, reuse_revokes_family=family) as (played, winner, others):
        winner.process.send_signal(signal.SIGSTOP)
        try:
            token = one_token(results(others, AT_ONCE), OTHERS * THREADS)
            assert played.watch.figures() == (2, 1, 1)
        finally:
            winner.process.send_signal(signal.SIGCONT)
        # It has an answer for which its lease is over: it must not replace the newer token.
        assert one_token(winner.results(), THREADS) == token
        assert one_token([*winner.ask("call")["results"], *others.call()], 20) == token
        assert played.watch.figures() == (0, 0, 0)


@slow
@pytest.mark.parametrize("scene", ["file"], indirect=True)
def test_stopped_for_longer_than_the_others_wait(scene: SceneMaker) -> None:
    with winner_and_others(scene) as (played, winner, others):
        winner.process.send_signal(signal.SIGSTOP)
        try:
            found = results(others, 40)
            assert {result.get("error") for result in found} == {"TokenLockTimeoutError"}
            assert all(result["typed"] for result in found)
        finally:
            winner.process.send_signal(signal.SIGCONT)
        one_token(winner.results(), THREADS)
        time.sleep(5)  # for so long a failure is remembered
        one_token(others.call(), OTHERS * THREADS)
        assert played.watch.figures() == (1, 0, 0)


@pytest.mark.slow
def test_ctrl_c_while_the_server_answers(scene: SceneMaker) -> None:
    with scene() as played, played.crowd(2, threads=1) as workers:
        played.sign_in()
        one_token(workers.call(), 2)
        played.sandbox.expire()
        played.sandbox.fault("delay", target="token", seconds=0.7)
        workers[0].tell("call", main=True)
        played.watch.wait_for("refresh_token")
        workers[0].process.send_signal(signal.SIGINT)
        (interrupted,) = workers[0].results()
        assert interrupted["error"] == "KeyboardInterrupt"
        one_token(workers.call(), 2)
        assert played.watch.figures() == (1, 0, 0)
        played.still_lives()


# Where the tests run in the background, a shell may have SIGINT ignored, and children inherit that.
HEED_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
SYNC_PROGRAM = f"""{HEED_CTRL_C}
from flex_integration_sdk import create_instance
with create_instance() as sdk:
    sdk.marketplace.show()
"""
ASYNC_PROGRAM = f"""{HEED_CTRL_C}
import asyncio
from flex_integration_sdk import create_async_instance
async def main():
    async with create_async_instance() as sdk:
        await sdk.marketplace.show()
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("program", "times"),
    [
        pytest.param(SYNC_PROGRAM, 1, marks=slow),
        (SYNC_PROGRAM, 2),
        pytest.param(ASYNC_PROGRAM, 1, marks=slow),
    ],
    ids=["sync", "sync, twice", "async"],
)
def test_ctrl_c_ends_a_program_with_its_token_saved(
    scene: SceneMaker, program: str, times: int
) -> None:
    with scene() as played:
        played.sign_in()
        played.sandbox.expire()
        played.sandbox.fault("delay", target="token", seconds=1.0)
        child = subprocess.Popen(
            [sys.executable, "-c", program],
            env=dict(played.environment),
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        try:
            played.watch.wait_for("refresh_token")
            for _ in range(times):
                child.send_signal(signal.SIGINT)
                time.sleep(0.2)  # so that the second one finds it closing
            assert child.wait(PATIENCE) != 0
        finally:
            child.kill()
            child.wait()
        assert played.watch.figures() == (1, 0, 0)
        played.still_lives()


@pytest.mark.parametrize(
    "closing_too", [pytest.param(False, marks=slow), True], ids=["call", "call and close"]
)
def test_cancelled_while_the_server_answers(scene: SceneMaker, closing_too: bool) -> None:
    async def main(played: Scene) -> None:
        sdk = create_async_instance(
            played.sandbox.client_id,
            played.sandbox.client_secret,
            base_url=played.sandbox.base_url,
            token_store=played.store,
        )
        caller = asyncio.ensure_future(sdk.marketplace.show())
        await asyncio.to_thread(played.watch.wait_for, "refresh_token")
        caller.cancel()
        with suppress(asyncio.CancelledError):
            await caller
        if closing_too:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(sdk.aclose(), 0.05)
        await sdk.aclose()

    with scene() as played:
        played.sign_in()
        played.sandbox.expire()
        played.sandbox.fault("delay", target="token", seconds=0.7)
        asyncio.run(main(played))
        assert played.watch.figures() == (1, 0, 0)
        played.still_lives()
