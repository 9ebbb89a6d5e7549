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
    """How long to pause between two tries: longer, the longer this object has waited.

    Keep one object for a lock, over all waits for it. A session waits in slices: a wait that
    begins soon after the last one timed out counts as its continuation.

    Args:
        brisk: Seconds that the first pauses take at most.
    """

    def __init__(self, brisk: float = BRISK) -> None:
        self._brisk = brisk
        self._since = 0.0
        self._until = float("-inf")

    def begin(self) -> None:
        """A wait begins, or goes on."""
        now = time.monotonic()
        if now > self._until:
            self._since = now

    def pause(self) -> float:
        """Seconds until the next try; at random, so that waiters do not all try at once."""
        now = time.monotonic()
        waited = max(0.0, now - self._since)
        longest = min(LONGEST, max(self._brisk, GROWTH * waited**3))
        self._until = now + longest + MEMORY
        return random.uniform(longest / 2, longest)  # noqa: S311 - a jitter

    def stir(self) -> None:
        """The lock passed from one to another: it is likely to be free soon again."""
        self._since = max(self._since, time.monotonic() - STIRRED)

    def end(self) -> None:
        """The lock was acquired: the next wait starts with short pauses again."""
        self._until = float("-inf")
