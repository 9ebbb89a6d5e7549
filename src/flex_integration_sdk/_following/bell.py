"""Ends a wait: in a sync program, from any thread and from a signal handler."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from flex_integration_sdk._values.waits import SLICE


class Bell:
    """One waits, and anybody can wake it. It holds no lock, so a signal handler can too."""

    def __init__(self) -> None:
        self._rung = False
        self._alarm: threading.Lock | None = None

    def ring(self) -> None:
        """Ends the wait, or the next one if there is none."""
        self._rung = True
        alarm = self._alarm
        if alarm is not None:
            with suppress(RuntimeError):  # rung already
                alarm.release()

    def wait(self, seconds: float) -> None:
        """Waits, unless it was rung since the last wait."""
        alarm = threading.Lock()
        alarm.acquire()
        self._alarm = alarm
        try:
            end = time.monotonic() + seconds
            # After it is there: who rings looks at it once.
            while not self._rung and (left := end - time.monotonic()) > 0:
                alarm.acquire(timeout=min(left, SLICE))
        finally:
            self._alarm = None
            self._rung = False
