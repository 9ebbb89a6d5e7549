"""Ends a wait in an event loop, from any thread and from a signal handler."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class AsyncBell:
    """One task waits, and anybody can wake it."""

    def __init__(self) -> None:
        self._rung = False
        self._alarm: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def ring(self) -> None:
        """Ends the wait, or the next one if there is none."""
        self._rung = True
        alarm, loop = self._alarm, self._loop
        if alarm is not None and loop is not None:
            with suppress(RuntimeError):  # its loop was closed
                loop.call_soon_threadsafe(alarm.set)

    async def wait(self, seconds: float) -> None:
        """Waits, unless it was rung since the last wait."""
        self._loop, self._alarm = asyncio.get_running_loop(), asyncio.Event()
        try:
            # After it is there: who rings looks at it once.
            if not self._rung:
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self._alarm.wait()
        finally:
            self._alarm = None
            self._rung = False
