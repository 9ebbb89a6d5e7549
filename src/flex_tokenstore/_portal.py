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

_open: WeakSet[LoopThread] = WeakSet()


class LoopThread:
    """Runs coroutines for threads. Started when first needed, anew in a forked child."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs ``coroutine`` to its end and gives its result."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """Ends the loop and its thread; twice is fine."""
        with self._mutex:
            loop, thread, pid = self._loop, self._thread, self._pid
            self._loop = self._thread = None
        if loop is None or thread is None or pid != os.getpid():
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._pid != os.getpid():
            # A forked child has the objects, not the thread; the old mutex may be held for ever.
            self._mutex, self._loop = threading.Lock(), None
            self._pid = os.getpid()
        with self._mutex:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_run, args=(self._loop,), name="flex-tokenstore-loop", daemon=True
                )
                self._thread.start()
                _open.add(self)
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@atexit.register
def _stop_all() -> None:
    # A loop that still runs while the interpreter goes down hangs it.
    for portal in list(_open):
        portal.stop()
