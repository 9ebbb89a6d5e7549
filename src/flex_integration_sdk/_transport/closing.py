"""Whether an SDK instance is closed; closing it wakes the calls that wait."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from flex_integration_sdk._values.waits import SLICE
from flex_tokenstore import SessionClosedError

from .call_deadline import spending


class Closing:
    """For one instance.

    It holds no lock while it does anything: a signal handler may close the instance at any moment
    of a call of its own thread.
    """

    def __init__(self) -> None:
        self.closed = False
        self.process = os.getpid()
        """The one that made or used the instance last: at its end it closes it."""
        # Each waiting call, and how it is woken. Dicts add, remove and list in one step each.
        self._sleepers: dict[object, Callable[[], object]] = {}

    def close(self) -> None:
        """Marks the instance as closed and wakes the calls that wait. Nothing is sent then."""
        self.closed = True
        for wake in list(self._sleepers.values()):
            with suppress(RuntimeError):  # woken already, or its event loop was closed
                wake()

    def check(self) -> None:
        """A call makes this check right before it is sent.

        Raises:
            SessionClosedError: The instance is closed.
        """
        self.process = os.getpid()
        if self.closed:
            raise SessionClosedError(
                "this SDK instance is closed, so the call was not sent; make a new one"
            )

    @contextmanager
    def waking(self, waiter: object, wake: Callable[[], object]) -> Iterator[None]:
        """A block in which closing the instance calls ``wake``, in any thread."""
        self._sleepers[waiter] = wake
        try:
            yield
        finally:
            self._sleepers.pop(waiter, None)

    def sleep(self, seconds: float) -> None:
        """Waits.

        Raises:
            CallTimeoutError: The call would take longer than it may.
            SessionClosedError: The instance is closed, or was meanwhile.
        """
        with _pausing(seconds):
            self._sleep(seconds)

    def _sleep(self, seconds: float) -> None:
        alarm = threading.Lock()
        alarm.acquire()
        try:
            # Within it: Ctrl-C may come right after this line.
            self._sleepers[alarm] = alarm.release  # which any thread and a signal handler may call
            end = time.monotonic() + seconds
            # After it is listed: whoever closes the instance goes through the list once.
            while not self.closed and (left := end - time.monotonic()) > 0:
                alarm.acquire(timeout=min(left, SLICE))
            self.check()
        finally:
            self._sleepers.pop(alarm, None)

    async def sleep_async(self, seconds: float) -> None:
        """Waits, without blocking the event loop.

        Raises:
            CallTimeoutError: The call would take longer than it may.
            SessionClosedError: The instance is closed, or was meanwhile.
        """
        with _pausing(seconds):
            await self._sleep_async(seconds)

    async def _sleep_async(self, seconds: float) -> None:
        import asyncio

        loop = asyncio.get_running_loop()
        alarm = asyncio.Event()
        try:
            self._sleepers[alarm] = lambda: loop.call_soon_threadsafe(alarm.set)
            if not self.closed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await alarm.wait()
            self.check()
        finally:
            self._sleepers.pop(alarm, None)


@contextmanager
def _pausing(seconds: float) -> Iterator[None]:
    """A block that pauses for so long; it is not begun if the call would end before it."""
    with spending("pause") as deadline:
        if deadline is not None and seconds > deadline.left():
            raise deadline.error(ahead=seconds)
        yield
