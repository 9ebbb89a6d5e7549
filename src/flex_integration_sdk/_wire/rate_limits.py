"""Staying below the API's rate limits: token buckets for queries, commands and single calls."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore.embedding import PerProcess

# Seconds. A longer ``Retry-After`` is raised by the call that it answers, and holds up no other.
_LONGEST_PAUSE = 60.0


class _Moment:
    """What a limiter has left, and since when. It is never changed; a later one is linked to it."""

    __slots__ = ("_next", "left", "then")

    def __init__(self, left: float, then: float | None) -> None:
        self.left = left
        self.then = then  # None: before the first call, from which the server counts, too
        self._next: dict[str, _Moment] = {}

    def last(self) -> _Moment:
        """The latest moment that is linked to this one."""
        moment = self
        while (after := moment._next.get("next")) is not None:
            moment = after
        return moment

    def link(self, after: _Moment) -> bool:
        """Links ``after`` as the next one; False: another thread was first."""
        # A compare-and-swap: ``setdefault`` of a dict is one step.
        return self._next.setdefault("next", after) is after


class RateLimiter:
    """Lets a burst of calls through at once, and then one call each ``seconds`` seconds.

    Calls wait in their order. The instances, threads and event loops of a process can share a
    limiter. It does not see other processes, although the API counts by network address. A forked
    child begins with a full limiter of its own.

    Args:
        burst: Number of calls that are let through at the start.
        seconds: Seconds after which one more call is allowed.
        maximum: Number of calls that can gather while none is made; ``burst`` if omitted.

    Raises:
        ConfigurationError: A number is not positive.
    """

    # It has no lock. A thread that holds one while the process forks would leave it locked in the
    # child, and a signal handler that interrupts its own thread there would wait for itself.

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
                raise ConfigurationError(f"{name} must be a positive number, got {value!r}")
        # The latest moment, or one from which it is reached.
        self._moment = PerProcess(partial(_Moment, float(burst), None))

    _clock: Callable[[], float] = staticmethod(time.monotonic)

    def __repr__(self) -> str:
        return f"RateLimiter(burst={self.burst}, seconds={self.seconds}, maximum={self.maximum})"

    def reserve(self) -> float:
        """Takes the next place.

        Returns:
            Seconds to wait before the call may be made; 0: it may be made now.
        """
        while True:
            moment, now = self._now(), self._clock()
            left = self._left(moment, now)
            if self._move(moment, _Moment(left - 1, now)):
                return max(0.0, (1 - left) * self.seconds)

    def pause(self, seconds: float) -> None:
        """Admits no further call for so many seconds, and then one by one: the API refused a call.

        Calls that wait already are not put off any further.

        Args:
            seconds: How long, from now on.
        """
        while True:
            moment, now = self._now(), self._clock()
            left = min(self._left(moment, now), 1 - seconds / self.seconds)
            if self._move(moment, _Moment(left, now)):
                return

    def give_back(self) -> None:
        """Gives back a place that was taken and is not needed."""
        while True:
            moment = self._now()
            if self._move(moment, _Moment(moment.left + 1, moment.then)):
                return

    def wait(self, sleep: Callable[[float], object] | None = None) -> None:
        """Waits until the call may be made.

        Args:
            sleep: Waits for that many seconds; ``time.sleep`` if omitted. What it raises is passed
                on, and the place is given back.
        """
        if seconds := self.reserve():
            try:
                (sleep or time.sleep)(seconds)
            except BaseException:  # Ctrl-C
                self.give_back()
                raise

    async def wait_async(self, sleep: Callable[[float], Awaitable[object]] | None = None) -> None:
        """Waits until the call may be made, without blocking the event loop.

        Args:
            sleep: Coroutine function that waits for that many seconds; ``asyncio.sleep`` if
                omitted. What it raises is passed on, and the place is given back.

        Raises:
            AsyncioRequiredError: asyncio does not run here.
        """
        import asyncio

        from flex_tokenstore.embedding import running_loop

        running_loop()
        if seconds := self.reserve():
            try:
                await (sleep or asyncio.sleep)(seconds)
            except BaseException:  # cancelled
                self.give_back()
                raise

    def _left(self, moment: _Moment, now: float) -> float:
        """The calls that may be made now."""
        since = 0.0 if moment.then is None else now - moment.then
        if moment.left >= self.maximum:  # a burst beyond it is kept, but not filled up again
            return moment.left
        return min(self.maximum, moment.left + since / self.seconds)

    def _now(self) -> _Moment:
        return self._moment.get().last()

    def _move(self, before: _Moment, after: _Moment) -> bool:
        if not before.link(after):
            return False
        # A shortcut only: whoever still has an older moment follows its links.
        self._moment.put(after)
        return True


@dataclass(frozen=True)
class RateLimits:
    """The limiters of an instance. A limiter that is None does not limit.

    Args:
        queries: Limits the calls that read.
        commands: Limits the calls that change something.
        by_call: Limits single calls, by the API's name such as ``"listings.create"``. Such a call
            also waits for ``queries`` or ``commands``.

    Raises:
        ConfigurationError: ``by_call`` names a call that does not exist, or contains something else
            than a limiter.
    """

    queries: RateLimiter | None = None
    commands: RateLimiter | None = None
    by_call: Mapping[str, RateLimiter] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        given: dict[str, object] = dict(self.by_call)
        for name, limiter in given.items():
            if name not in ENDPOINTS:
                raise ConfigurationError(f"by_call: no call is named {name!r}")
            if not isinstance(limiter, RateLimiter):
                kind = type(limiter).__name__
                raise ConfigurationError(f"by_call[{name!r}] must be a RateLimiter, got {kind}")

    def of(self, name: str) -> tuple[RateLimiter, ...]:
        """The limiters that a call waits for.

        Args:
            name: The API's name of the call, such as ``"listings.create"``.
        """
        common = self.queries if ENDPOINTS[name].method == "GET" else self.commands
        return tuple(each for each in (self.by_call.get(name), common) if each is not None)


def wait(limiters: Sequence[RateLimiter], sleep: Callable[[float], object]) -> None:
    """Waits until all limiters admit the call; an interrupted wait gives its places back."""
    if seconds := max((each.reserve() for each in limiters), default=0.0):
        try:
            sleep(seconds)
        except BaseException:  # Ctrl-C
            _give_back(limiters)
            raise


async def wait_async(
    limiters: Sequence[RateLimiter], sleep: Callable[[float], Awaitable[object]]
) -> None:
    """Waits until all limiters admit the call; a cancelled wait gives its places back."""
    if seconds := max((each.reserve() for each in limiters), default=0.0):
        try:
            await sleep(seconds)
        except BaseException:  # cancelled
            _give_back(limiters)
            raise


def refused(limiters: Sequence[RateLimiter], asked: float | None) -> None:
    """Slows all who share the limiters: the API answered 429, so its own buckets are empty.

    Another process may have used them up.

    Args:
        limiters: Those of the refused call.
        asked: ``Retry-After`` in seconds; None: the API did not say.
    """
    for each in limiters:
        each.pause(min(asked or each.seconds, _LONGEST_PAUSE))


def _give_back(limiters: Sequence[RateLimiter]) -> None:
    for each in limiters:
        each.give_back()


def limits_of(value: Literal["dev", "live"] | RateLimits) -> RateLimits:
    """The limiters for the argument ``rate_limits``.

    ``dev`` is what the API allows in development and test environments; ``live`` is polite. Both
    are those of the JavaScript SDK, less one: the first call may take longer on its way than a
    later one, which would then be early. Only the commands of ``dev`` begin with all that they can
    gather, not with half of it: listings can be created 100 times a minute while the burst of
    commands lasts, and with half of it 150 would take more than three minutes.
    """
    if isinstance(value, RateLimits):
        return value
    if value == "dev":
        return RateLimits(
            RateLimiter(burst=99, seconds=1, maximum=199),
            RateLimiter(burst=99, seconds=2),
            _every_environment(),
        )
    if value == "live":
        return RateLimits(
            RateLimiter(burst=499, seconds=0.125),
            RateLimiter(burst=249, seconds=0.25),
            _every_environment(),
        )
    raise ConfigurationError(f'rate_limits must be "dev", "live" or a RateLimits, got {value!r}')


def _every_environment() -> dict[str, RateLimiter]:
    """What the API limits in live environments too: listings can be created 100 times a minute.

    How it counts a minute is not published. 9 at once and then 3 in 2 seconds are 99 in any minute.
    """
    return {"listings.create": RateLimiter(burst=9, seconds=2 / 3)}
