"""The event loop thread: an event loop in its own thread, for async stores in sync programs."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import sys
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar
from weakref import WeakSet

from .per_process import PerProcess
from .promise import Promise
from .spawn import spawn

T = TypeVar("T")

STOP_PATIENCE = 5.0  # seconds for a store's coroutines to end when they are cancelled
SLICE = 0.5  # seconds: an endless wait cannot be interrupted on Windows

_all: WeakSet[LoopThread] = WeakSet()


class _Running:
    """A loop and its thread, in one process."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.stopped = False
        self.begun = False
        self.ended = Promise()
        self._pilot: dict[str, object] = {}

    def run(self) -> None:
        """Runs the loop in its thread; a second thread returns at once."""
        me = object()
        # setdefault is one step in CPython: no lock that an interrupted caller could leave held.
        if self._pilot.setdefault("pilot", me) is not me:
            return
        self.begun = True
        try:
            _run(self.loop)
        finally:
            self.ended.give(None)


class _Job(Promise):
    """A coroutine that a loop thread runs. Its caller may leave at any moment."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        super().__init__()
        self._coroutine = coroutine
        self._task: asyncio.Task[None] | None = None
        self._unwanted = False

    def hand_to(self, running: _Running) -> bool:
        """Has the loop run the coroutine; False: that loop has ended."""

        def begin() -> None:
            if self._unwanted or running.stopped:  # what begins now would not be waited for
                self._coroutine.close()
                self.give(None, asyncio.CancelledError())
                return
            self._task = running.loop.create_task(self._perform())

        try:
            running.loop.call_soon_threadsafe(begin)
        except RuntimeError:
            if running.loop.is_closed():
                return False
            raise
        return True

    def leave(self, running: _Running | None) -> None:
        """Called when the caller leaves: the coroutine is cancelled, or never begun."""
        # First: what the loop has not begun yet is then closed, and not run.
        self._unwanted = True

        def cancel() -> None:
            if self._task is not None:
                self._task.cancel()
            else:
                self._coroutine.close()

        try:
            if running is not None:
                running.loop.call_soon_threadsafe(cancel)
                return
        except RuntimeError:
            pass  # the loop has ended, and this with it, unless it was never begun
        if self._task is None:
            self._coroutine.close()

    def outcome(self) -> Any:
        """The result or the error; raises CancelledError if the loop was stopped."""
        if not self.done() or isinstance(self.exception(), asyncio.CancelledError):
            raise CancelledError("the event loop of the token store was stopped")
        return self.result()

    async def _perform(self) -> None:
        try:
            self.give(await self._coroutine)
        except BaseException as error:
            self.give(None, error)
            # The task must end as cancelled. Any other error is the caller's, who has it by now:
            # raised here too, asyncio would log it as never retrieved.
            if isinstance(error, asyncio.CancelledError):
                raise


class LoopThread:
    """Runs coroutines for threads. Started when first needed, and again in a forked child.

    A caller may be interrupted at any line, so none holds a lock here: see :mod:`.promise`.
    """

    def __init__(self) -> None:
        # Of two that are made at once one is run, and the other's loop is closed.
        self._running = PerProcess(_Running, spare=lambda other: other.loop.close())
        _all.add(self)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs ``coroutine`` to its end and returns its result.

        Raises:
            concurrent.futures.CancelledError: The loop was stopped meanwhile.
        """
        job = _Job(coroutine)
        running: _Running | None = None
        try:
            try:
                # A finalizing interpreter freezes daemon threads: the loop would never answer.
                running = None if sys.is_finalizing() else self._start()
            except RuntimeError:
                running = None
            if running is None:
                return _run_here(coroutine)  # no thread can be started any more
            while not job.hand_to(running):
                self._running.take()  # another thread has stopped it
                running = self._start()
            while not job.wait(SLICE):
                if running.loop.is_closed():
                    break  # it was stopped before it came to this
        except BaseException:
            job.leave(running)
            raise
        # The loop was closed before it began this; Python would warn that nobody awaited it.
        if not job.done():
            coroutine.close()
        result: T = job.outcome()
        return result

    def stop(self) -> None:
        """Cancels what runs, and ends the loop and its thread. You may call it twice."""
        running = self._running.take()
        if running is None or sys.is_finalizing():
            return
        running.stopped = True
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            running.loop.call_soon_threadsafe(running.loop.stop)
        running.ended.wait(STOP_PATIENCE)

    def _start(self) -> _Running:
        running = self._running.get()
        if not running.begun:
            # Whoever made it may have been interrupted before this; only one of them will run it.
            try:
                # A daemon: the interpreter joins all other threads before it calls atexit
                # functions, and would wait for this one before it calls _stop_all.
                spawn(running.run, "flex-tokenstore-loop", daemon=True)
            except RuntimeError:
                self._running.take()
                raise
        return running


def _run_here(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs the coroutine in this thread, at the interpreter's end."""
    try:
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(coroutine)
        finally:
            loop.close()
    finally:
        coroutine.close()


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
