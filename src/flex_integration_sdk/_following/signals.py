"""Signals that stop a stream."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any

from flex_integration_sdk.errors import ConfigurationError


class Signals:
    """While it is installed, the first of these signals calls ``stop``; a second one acts as
    before.

    Args:
        numbers: The signals.
        stop: What the first one calls.
    """

    def __init__(self, numbers: Collection[int], stop: Callable[[], object]) -> None:
        self._numbers, self._stop = tuple(numbers), stop
        self._before: dict[int, Any] = {}
        self._came: set[int] = set()

    def install(self) -> None:
        """Installs the handlers, once.

        Raises:
            ConfigurationError: Only the main thread can, and this is another.
        """
        if self._numbers and threading.current_thread() is not threading.main_thread():
            raise ConfigurationError(
                "stop_on needs the main thread, since only that can handle signals; in another "
                "one call stop() of the stream"
            )
        for number in self._numbers:
            if number not in self._before and number not in self._came:
                self._before[number] = signal.getsignal(number)
                signal.signal(number, self._handle)

    def restore(self) -> None:
        """Puts the handlers back that were there before."""
        before, self._before = self._before, {}
        for number, handler in before.items():
            # Not one that the program has installed meanwhile.
            if threading.current_thread() is threading.main_thread() and (
                signal.getsignal(number) == self._handle
            ):
                # None: it was not installed from Python, and cannot be put back.
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._came.add(number)  # first: it is not installed again
        handler = self._before.pop(number, None)
        signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._stop()
