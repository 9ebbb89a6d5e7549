"""An event loop in a thread of its own, for async stores in sync programs."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar
from weakref import WeakSet

T = TypeVar("T")

STOP_PATIENCE = 5.0  # seconds for a store's coroutines to end when they are cancelled

_all: WeakSet[LoopThread] = WeakSet()
_left_behind: list[asyncio.AbstractEventLoop] = []


class LoopThread:
    """Runs coroutines for threads. Started when first needed, anew in a forked child."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        _all.add(self)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs ``coroutine`` to its end and gives its result.

        Raises:
            concurrent.futures.CancelledError: The loop was stopped meanwhile.
        """
        try:
            with self._mutex:  # so that whatever is handed over is there before the loop's end
                future = asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())
        except BaseException:
            coroutine.close()
            raise
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """Cancels what runs and ends the loop and its thread; twice is fine."""
        with self._mutex:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
            if loop is None or thread is None:
                return
            loop.call_soon_threadsafe(loop.stop)
        thread.join(STOP_PATIENCE)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=_run, args=(loop,), name="flex-tokenstore-loop", daemon=True
            )
            self._thread.start()
            self._loop = loop
        return self._loop

    def _forked(self) -> None:
        # The child has the objects, not the thread; and another may have held the mutex.
        if self._loop is not None:
            # Kept for ever: closing it would take the parent's loop its wake-up call away, for
            # both share what the system watches for them (epoll).
            _left_behind.append(self._loop)
        self._mutex, self._loop, self._thread = threading.Lock(), None, None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        # Whoever waits for one of them would wait for ever.
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


@atexit.register
def _stop_all() -> None:
    # A loop that still runs while the interpreter goes down hangs it.
    for portal in list(_all):
        portal.stop()


def _after_fork() -> None:
    for portal in list(_all):
        portal._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
