"""Rate limits, as the API documents them.

Burst sizes are not published. Programs with the limiters of the official JavaScript SDK meet no
429, so a bucket here lets through what those do: they gather at most ``bucketMaximum`` calls.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from flex_integration_sdk._endpoints.endpoint import Endpoint

from ._refusal import ApiFault

Limits = Literal["dev", "live", "off"]
# The API's limit of requests at once, which its official SDK keeps to.
MOST_AT_ONCE = 10


class Rate(NamedTuple):
    """A token bucket, which is full at the start."""

    seconds: float
    """Until one more call is allowed."""
    maximum: int
    """Calls that it holds when full."""


# A limiter in a client counts when a call begins, and this one when it arrives. So calls that were
# late on their way arrive together with those that were let through later: up to so many seconds.
_LATE = 10


def _behind_limiter(seconds: float, maximum: int) -> Rate:
    """A bucket that a client with a limiter of this size never finds empty.

    One call more: the limiter adds a call at its own ticks, perhaps at once after a burst.
    """
    return Rate(seconds, maximum + 1 + math.ceil(_LATE / seconds))


# The limiters are ``devQueryLimiterConfig`` and ``devCommandLimiterConfig`` of the JavaScript SDK.
_DEV = {"GET": _behind_limiter(1, 200), "POST": _behind_limiter(2, 100)}
# 100 in a minute, and 5 in 30 minutes, in each environment. The SDK's limiters do not know of them.
_ALWAYS = {"listings.create": Rate(0.6, 100), "users.verifyEmail": Rate(360, 5)}


class Limiter:
    """Counts calls.

    Args:
        limits: ``dev``: as in development and test environments; ``live``; ``off``.
        clock: Monotonic time in seconds.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._in_flight = 0

    def reset(self) -> None:
        """Fills all buckets again."""
        self._buckets.clear()

    def enter(self, endpoint: Endpoint) -> None:
        """Begins a call; :meth:`leave` ends it.

        Raises:
            ApiFault: 429; there were too many, or are too many at once.
        """
        if self._limits == "off":
            return
        if self._in_flight >= MOST_AT_ONCE:
            raise _too_many(f"More than {MOST_AT_ONCE} requests at once")
        if self._limits == "dev":
            self._take(endpoint.method, _DEV[endpoint.method])
        if endpoint.name in _ALWAYS:
            self._take(endpoint.name, _ALWAYS[endpoint.name])
        self._in_flight += 1

    def leave(self) -> None:
        """Ends a call that :meth:`enter` admitted."""
        if self._limits != "off":
            self._in_flight -= 1

    def _take(self, name: str, rate: Rate) -> None:
        now = self._clock()
        left, then = self._buckets.get(name, (float(rate.maximum), now))
        left = min(rate.maximum, left + (now - then) / rate.seconds)
        self._buckets[name] = (left, now)
        if left < 1:
            raise _too_many("Too many requests")
        self._buckets[name] = (left - 1, now)


def _too_many(title: str) -> ApiFault:
    return ApiFault(429, "too-many-requests", title)
