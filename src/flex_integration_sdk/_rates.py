"""Staying below the API's rate limits: a token bucket for queries and one for commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .errors import ConfigurationError


class RateLimiter:
    """Lets so many calls through at once, and then one after the other.

    Calls wait in their order. It can be shared by instances, threads and event loops of a process;
    other processes are not seen, although the API counts by network address.

    Args:
        burst: Calls that are let through at the start.
        seconds: Time in which one more call is allowed.
        maximum: Calls that can gather while there are none; without, ``burst``.

    Raises:
        ConfigurationError: A number is not positive.
    """

    def __init__(self, *, burst: int, seconds: float, maximum: int | None = None) -> None:
        self.burst, self.seconds = burst, seconds
        self.maximum = burst if maximum is None else maximum
        for name in ("burst", "seconds", "maximum"):
            value = getattr(self, name)
            if (
                isinstance(value, bool)
                or not isinstance(value, (int, float))
                or not 0 < value < 1e15
            ):
                raise ConfigurationError(f"{name} takes a positive number, got {value!r}")
        self._left = float(burst)
        self._then: float | None = None  # the server counts from the first call on, too
        self._lock = threading.Lock()

    _clock: Callable[[], float] = staticmethod(time.monotonic)

    def __repr__(self) -> str:
        return f"RateLimiter(burst={self.burst}, seconds={self.seconds}, maximum={self.maximum})"

    def reserve(self) -> float:
        """Takes a place; gives the seconds to wait for it."""
        with self._lock:
            now = self._clock()
            since = 0.0 if self._then is None else now - self._then
            if self._left < self.maximum:  # a burst beyond it is kept, but not filled up again
                self._left = min(self.maximum, self._left + since / self.seconds)
            self._then = now
            self._left -= 1
            return max(0.0, -self._left * self.seconds)

    def give_back(self) -> None:
        """The place was not needed."""
        with self._lock:
            self._left += 1

    def wait(self) -> None:
        """Returns when the call may be made."""
        if seconds := self.reserve():
            try:
                time.sleep(seconds)
            except BaseException:  # Ctrl-C
                self.give_back()
                raise

    async def wait_async(self) -> None:
        """As :meth:`wait`, in an event loop."""
        import asyncio

        if seconds := self.reserve():
            try:
                await asyncio.sleep(seconds)
            except BaseException:  # cancelled
                self.give_back()
                raise


@dataclass(frozen=True)
class RateLimits:
    """Limiters of an instance; None: no limit.

    Args:
        queries: Of calls that read.
        commands: Of calls that change something.
    """

    queries: RateLimiter | None = None
    commands: RateLimiter | None = None


def limits_of(value: Literal["dev", "live"] | RateLimits | None) -> RateLimits:
    """What ``create_instance`` takes, as limiters.

    ``dev`` is what the API allows in development and test environments; ``live`` is polite. Both
    are those of the JavaScript SDK, less one: the first call may take longer on its way than a
    later one, which would then be early.
    """
    if value is None:
        return RateLimits()
    if isinstance(value, RateLimits):
        return value
    if value == "dev":
        return RateLimits(
            RateLimiter(burst=99, seconds=1, maximum=199),
            RateLimiter(burst=49, seconds=2, maximum=99),
        )
    if value == "live":
        return RateLimits(
            RateLimiter(burst=499, seconds=0.125), RateLimiter(burst=249, seconds=0.25)
        )
    raise ConfigurationError(f'rate_limits takes "dev", "live" or a RateLimits, got {value!r}')
