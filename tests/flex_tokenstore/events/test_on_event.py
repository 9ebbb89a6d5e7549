"""The program's own callback: what it is told, and what it can do no harm with."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import Event, TokenUnavailableError
from tests.support.event_world import World
from tests.support.fakes import stored


@pytest.mark.parametrize("raised", [ValueError("SENTINEL"), SystemExit(3)])
def test_a_callback_that_raises_is_of_no_consequence(
    world: World, raised: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: Event) -> None:
        raise raised

    token, *_ = world.run("token", on_event=fail)
    assert world.store.token == token.to_dict()
    failures = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert failures == [
        f"on_event failed at event {name}: {type(raised).__name__}"
        for name in ("waited", "signed_in", "saved")
    ]


USES_THE_SESSION = """
from flex_tokenstore import TokenSession, open_store
from tests.support.fakes import IDENTITY, DictStore, Server

def use(event):
    for call in (session.token, session.revoke, session.close):
        try:
            call()
            print(event.name, call.__name__, "done")
        except RuntimeError as error:
            print(event.name, call.__name__, str(error)[:8])

store = open_store(DictStore(), IDENTITY, host_lock="off")
with TokenSession(store, Server(), on_event=use) as session:
    session.token()
"""


def test_a_callback_that_uses_the_session_is_refused_and_does_not_hang() -> None:
    # In a process of its own, which can be ended if it does hang.
    done = subprocess.run(
        [sys.executable, "-c", USES_THE_SESSION],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == [
        "waited token on_event",
        "waited revoke on_event",
        "waited close on_event",
        "signed_in token done",  # it is in memory by then, and using it is no renewal
        "signed_in revoke on_event",
        "signed_in close on_event",
        "saved token done",
        "saved revoke on_event",
        "saved close on_event",
    ]


def test_a_task_that_an_async_callback_starts_may_use_the_session() -> None:
    async def main() -> None:
        world = World("async")
        tasks: list[asyncio.Task[Any]] = []

        def start(event: Event) -> None:
            tasks.append(asyncio.get_running_loop().create_task(session.token()))

        session = await world.open(on_event=start)
        async with session:
            token = await session.token()
            assert set(await asyncio.gather(*tasks)) == {token}
        assert world.server.calls == ["sign_in"]

    asyncio.run(main())


def test_while_a_callback_runs_other_threads_use_the_token_that_still_works() -> None:
    world = World("sync")
    world.store.token = old = stored(world.server, age=3590)
    others: list[Any] = []

    def wait_for_another(event: Event) -> None:
        if event.name == "waited":
            thread = threading.Thread(target=lambda: others.append(session.token()))
            thread.start()
            thread.join(30)

    session = asyncio.run(world.open(on_event=wait_for_another))
    with session:
        session.token()
    assert [token.to_dict() for token in others] == [old]


async def _coroutine(event: Event) -> None:
    """Not what is wanted."""


class _AsyncCallable:
    async def __call__(self, event: Event) -> None:
        """Not what is wanted either."""


@pytest.mark.parametrize("wrong", [_coroutine, _AsyncCallable(), "print"])
def test_what_is_no_plain_function_is_refused(world: World, wrong: Any) -> None:
    with pytest.raises(TypeError, match="on_event must be"):
        asyncio.run(world.open(on_event=wrong))


def test_an_error_that_cannot_be_shown_is_of_no_consequence(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Unprintable(TokenUnavailableError):
        def __str__(self) -> str:
            raise ValueError("SENTINEL")

    world.store.set_errors = [Unprintable()]
    token, *_ = world.run("token", on_event=None)
    assert world.store.token == token.to_dict()
    # One of ours stands for it, which can be shown: the report does not fail.
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == []
    assert "token not saved" in caplog.text
    assert "SENTINEL" not in caplog.text
