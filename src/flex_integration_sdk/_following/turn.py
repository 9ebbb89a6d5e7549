"""Whether this program may work: of the replicas of a worker, one at a time may. No I/O.

A lock with a lease is never extended, so a worker has two of them and goes hand over hand: it takes
the other one before the first has ended, and then releases the first. Who has neither begins only
when it holds both at one moment: then nobody else holds any. So nobody can slip in between, and a
worker keeps its turn while it lives, however long it handles one event.

A lock that is held until its holder ends, such as that of the store ``file``, needs one only.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, NamedTuple

from flex_tokenstore import TokenLockTimeoutError

LOCKS = (0, 1)
_LOOKS = 10  # times within a lease that one who waits looks whether it can take over
_LONGEST_LOOK = 5.0  # seconds between two looks


class Lock(NamedTuple):
    """Acquire the lock with this number, without a wait; what comes back is its lease's end."""

    number: int


class Unlock(NamedTuple):
    """Release it."""

    number: int


LockSteps = Generator["Lock | Unlock", Any, bool]


class Held(NamedTuple):
    """A lock that we hold."""

    number: int
    ends: float
    """By the monotonic clock; infinite: when it is released."""
    wall_ends: float
    """By the wall clock, which goes on while the system sleeps."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What tells the time."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


class Turn:
    """The turn of one program.

    Args:
        lease: Seconds after which another may take over from one that has died.
        clock: Tells the time.
    """

    def __init__(self, lease: float, clock: Clock) -> None:
        self.lease = lease
        self.look = min(lease / _LOOKS, _LONGEST_LOOK)
        """Seconds between two looks of one who waits."""
        self._clock = clock
        # Replaced in one step: another thread may look.
        self._held: Held | None = None

    @property
    def is_lasting(self) -> bool:
        """It lasts until it is released."""
        return self._held is not None and math.isinf(self._held.ends)

    @property
    def left(self) -> float:
        """Seconds that nobody else can work; 0: others may."""
        held = self._held
        if held is None:
            return 0.0
        clock = self._clock
        return max(0.0, min(held.ends - clock.monotonic(), held.wall_ends - clock.wall()))

    @property
    def is_sure(self) -> bool:
        """Whether there is time to begin something."""
        return self.left > self.lease / 4

    @property
    def is_ours(self) -> bool:
        """Whether nobody else can work at this moment."""
        return self.left > 0

    @property
    def renew_in(self) -> float:
        """Seconds until the other lock is to be taken."""
        return max(0.0, self.left - self.lease / 2)

    def take(self) -> LockSteps:
        """Begins the turn, if nobody else has it."""
        held = yield from self._acquired(0)
        if held is None:
            return False
        if math.isfinite(held.ends):
            try:
                other = yield from self._acquired(1)
            except Exception:
                yield Unlock(0)
                raise
            if other is None:
                yield Unlock(0)
                return False
            yield Unlock(1)
        self._held = held
        if not self.is_ours:  # it took longer than a lease
            yield from self.drop()
            return False
        return True

    def renew(self) -> LockSteps:
        """Takes the other lock and releases this one; False: not now."""
        old = self._held
        if old is None:
            return False
        new = yield from self._acquired(1 - old.number)
        if new is None:
            return False
        # Looked at after it was acquired: were there a moment without any, another may have begun.
        if not self.is_ours:
            yield Unlock(new.number)
            return False
        self._held = new
        yield Unlock(old.number)
        return True

    def drop(self) -> LockSteps:
        """Ends the turn."""
        held, self._held = self._held, None
        if held is not None:
            yield Unlock(held.number)
        return True

    def _acquired(self, number: int) -> Generator[Lock | Unlock, Any, Held | None]:
        # Before it is asked for: the lease begins later.
        asked, wall = self._clock.monotonic(), self._clock.wall()
        try:
            end = yield Lock(number)
        except TokenLockTimeoutError:
            return None
        ends = math.inf if end is None else end
        return Held(number, ends, wall + (ends - asked))
