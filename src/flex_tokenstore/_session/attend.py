"""A refresh in an event loop: what its task does when the loop is shut down."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any

from .single_flight import SLICE, SLOW_START, Flight
from .waits import SAVING, give_up_for_good, pressed_twice, warn

REQUEST = "flex-tokenstore-request"  # name of the task that obtains the token


async def wait_for(flight: Flight) -> None:
    """Waits for the flight to be over, without raising its error."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    since = time.monotonic()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(over.set)

    flight.wake(over, wake)
    try:
        while not flight.over():
            with contextlib.suppress(TimeoutError):
                # In slices: a loop that stands still, or a fork, wakes nobody.
                async with asyncio.timeout(SLICE):
                    await over.wait()
            if time.monotonic() - since > SLOW_START:
                flight.scrap()
    finally:
        flight.forget(over)


async def attend(
    flight: Flight,
    fly: Callable[[], Coroutine[Any, Any, None]],
    limit: float,
    give_up: Callable[[], None],
) -> None:
    """Runs the refresh to its end, even if the event loop is being shut down.

    ``asyncio.run`` cancels all tasks when it ends, this one too, and waits for them.
    """
    work = asyncio.get_running_loop().create_task(fly(), name=REQUEST)
    hide(work)
    flight.abort = lambda: _abort(work)
    cancelled: asyncio.CancelledError | None = None
    left: float | None = None
    while not work.done():
        try:
            await asyncio.wait({work}, timeout=left)
            # The time for the save is over. For a task that is done this does nothing.
            if left is not None:
                work.cancel()
        except asyncio.CancelledError as error:
            cancelled, left = error, limit + SAVING
            if may_stop(flight):
                work.cancel()
            elif was_ctrl_c(error):
                if pressed_twice(flight):
                    give_up_for_good(flight, give_up)
                    work.cancel()
                else:
                    warn(flight, limit)
    # The loop's end is passed on once the token is saved: docs/decisions/004.
    if cancelled is not None:
        raise cancelled


def may_stop(flight: Flight) -> bool:
    """Whether the loop's end may stop it: the token that a request brings exists nowhere else."""
    return not flight.sent


def _abort(work: asyncio.Task[Any]) -> None:
    """Of a loop that was closed over it: what it holds, such as a lock, is freed."""
    coroutine: Any = work.get_coro()
    with contextlib.suppress(Exception):
        # A closed loop runs nothing any more; close() runs what is in "finally" all the same.
        coroutine.close()


def hide(task: asyncio.Task[Any]) -> None:
    """Takes a task out of ``asyncio.all_tasks()``, so that only who knows it can cancel it.

    The loop's end would else cancel what must be finished; see :func:`attend`. This is the
    documented way for tasks that manage their own life ("Extending", in asyncio's manual).
    """
    asyncio._unregister_task(task)


def was_ctrl_c(error: BaseException) -> bool:
    """Whether this cancellation comes of Ctrl-C: asyncio then ends the loop within its handler."""
    seen = set[int]()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        if isinstance(current, KeyboardInterrupt):
            return True
        seen.add(id(current))
        current = current.__context__
    return False
