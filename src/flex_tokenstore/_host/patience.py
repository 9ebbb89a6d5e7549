"""Pauses between two tries to acquire a lock that another program holds."""

from __future__ import annotations

import random
import time

BRISK = 0.004  # seconds; the longest pause at first
LONGEST = 0.6  # seconds; 200 waiters then cost less than a tenth of one core
GROWTH = 0.4  # of the cube of the wait. Nothing grows before 0.2 s: until then most token requests
# have ended, and those who wait share the new token at once
STIRRED = 0.5  # seconds of waiting that count when the lock was seen to pass to another: 0.05 s of
# pause at most, so that all are served soon, and do not try all at once
MEMORY = 1.0  # seconds beyond the last pause; a session reads the store between two waits


class Patience:
    """The pauses between a store's tries to acquire its lock; they grow with the wait.

    Keep one object for each lock, over all waits for it. A session waits in slices, so a wait that
    begins within a second of the last pause continues the wait before it.

    Args:
        brisk: Seconds that the first pauses take at most.
    """

    def __init__(self, brisk: float = BRISK) -> None:
        self._brisk = brisk
        self._since = 0.0
        self._until = float("-inf")

    def begin(self) -> None:
        """Call this when a wait begins or goes on."""
        now = time.monotonic()
        if now > self._until:
            self._since = now

    def pause(self) -> float:
        """Seconds to wait before the next try, at most 0.6.

        They are random, so that waiting programs do not all try at the same moment.
        """
        now = time.monotonic()
        waited = max(0.0, now - self._since)
        longest = min(LONGEST, max(self._brisk, GROWTH * waited**3))
        self._until = now + longest + MEMORY
        return random.uniform(longest / 2, longest)  # noqa: S311 - a jitter

    def stir(self) -> None:
        """Call this when the lock passed to another holder: it is likely to be free again soon."""
        # It only shortens the pauses: a wait that has just begun stays brisk.
        self._since = max(self._since, time.monotonic() - STIRRED)

    def end(self) -> None:
        """Call this when the lock was acquired. The next wait starts with short pauses again."""
        self._until = float("-inf")
