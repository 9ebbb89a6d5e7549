"""The token lock: by the store's own ``acquire`` and ``release``, or a record beside the token.

Nobody's wall clock decides. A holder counts its lease from before it asked; a waiter from when it
first saw that version, on its own monotonic clock, so the waiter's count ends later. Where the
server tells the time, a lease that ended ``SURE`` ago by that clock is taken over at first sight.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from .._host.patience import Patience
from .._values.secret import Secret
from ..errors import TokenLockTimeoutError, TokenPermissionError, TokenUnavailableError
from ._record import ABSENT, Busy, Record, Sleep, Steps
from ._where import Where

SLICE = 1.0  # seconds; a wait as short as this is a slice of a longer one
LOOK = 1.0  # seconds after which one who waits looks at the lock although nobody woke it
BRISK = 0.1  # seconds between two looks at the lock of another, at first
TICK = 1.0  # seconds; servers may tell the time in whole seconds
SURE = 10.0  # seconds by which a server's clock may be set, or differ from that of its successor
SOON = 0.02  # seconds; the shortest wait for a lease that ends: servers may count whole seconds
LONGEST = 86_400.0 * 7  # seconds; no program may ask for a longer lease
DOUBTS = 16  # owners of lost answers that are kept; an older one's lease has ended by then
_TAKEN = object()  # another has just acquired the lock
_WOKEN = object()  # it was released while we waited for it


class Held(NamedTuple):
    """A lock that was acquired."""

    ends: float
    """By the monotonic clock; infinite: when it is released."""
    owner: str
    version: Any = None
    """Of the record, as we wrote it."""

    @property
    def lease_end(self) -> float | None:
        """What ``token_lock`` yields."""
        return None if math.isinf(self.ends) else self.ends


class _Found(NamedTuple):
    """What was read of a lock's record."""

    owner: str
    """Empty: nobody."""
    lease: float
    left: float | None
    """Seconds until it ends by the server's clock; None: that is not known."""


class Lease:
    """The lock of one identity.

    Args:
        where: The record that it protects.
        key: Names the lock.
        native: The store has ``acquire`` and ``release``.
        wakes: It has ``await_release``.
        ends: It expires with its lease.
    """

    def __init__(
        self, where: Where, key: str, *, native: bool, wakes: bool, ends: bool = True
    ) -> None:
        self._where = where
        self._key = key
        self._native = native
        self._wakes = wakes
        self._ends = ends
        self._patience = Patience(BRISK)
        self._watched: tuple[Any, float] = (None, 0.0)  # what, and when it was first seen
        # Owners that may hold the lock, but nobody knows: the answer was lost. By process: a forked
        # child must not take one for its own that its parent may hold.
        self._doubted: dict[int, list[str]] = {}

    def take(self, wait: float, lease: float) -> Steps[Held]:
        """Takes the lock.

        Of those who wait in slices, the ones that see it pass to another are told at once, for
        what they want is likely to be stored by now.
        """
        deadline = time.monotonic() + wait
        self._patience.begin()
        first: Any = None
        while True:
            if self._native:
                yield from self._release_doubted()
            # Never one that was used before: what a server does late, or wrote for an earlier turn,
            # then cannot be mistaken for this one, whose lease ends later.
            got = yield from self._try(secrets.token_hex(16), lease)
            if isinstance(got, Held):
                self._patience.end()
                return got
            left = deadline - time.monotonic()
            if left <= 0 or (wait <= SLICE and self._has_passed(got, first)):
                raise self._not_acquired(wait)
            woken = yield from self._pause(got, left)
            first = _WOKEN if woken else first or got.hint

    def release(self, held: Held) -> Steps[None]:
        """Releases the lock, if it is still ours. An outage is not raised: its lease ends it."""
        if self._native and time.monotonic() >= held.ends:
            return  # the service has ended it
        # A record is deleted after its lease too, which saves the next one a wait: another holder
        # would have changed its version.
        primitive, last = ("release", held.owner) if self._native else ("delete", held.version)
        with suppress(TokenUnavailableError), self._doubt(held.owner):
            yield from self._where.call(primitive, self._key, last)

    def _release_doubted(self) -> Steps[None]:
        doubted = self._doubts()
        for owner in list(doubted):
            with suppress(TokenPermissionError):  # its lease ends it
                yield from self._where.call("release", self._key, owner)
            _forget(doubted, owner)

    def _doubts(self) -> list[str]:
        return self._doubted.setdefault(os.getpid(), [])

    @contextmanager
    def _doubt(self, owner: str) -> Iterator[None]:
        """Without an answer nobody knows whether this owner holds the lock. The next caller of this
        process releases it, or takes it over, so that nobody has to wait for its lease."""
        doubted = self._doubts()
        try:
            yield
        except BaseException:
            # Ctrl-C and a cancelled task too: the request may have been sent.
            doubted.append(owner)
            del doubted[:-DOUBTS]
            raise

    def _try(self, owner: str, lease: float) -> Steps[Held | Busy]:
        # Before anything is asked for: the server counts from later on, so its count ends later.
        sent = time.monotonic()
        if self._native:
            with self._doubt(owner):
                answer = yield from self._where.call("acquire", self._key, owner, lease)
            if not isinstance(answer.value, Busy):
                return Held(sent + lease if self._ends else math.inf, owner)
            if answer.again:  # the first of the two may be done late
                self._doubts().append(owner)
            return answer.value
        answer = yield from self._where.call("read", self._key)
        record: Record = ABSENT if answer.value is None else answer.value
        there = _read(record, lease)
        free = there.owner == "" or there.owner in self._doubts()
        if not free and (left := self._left(record, there)) > 0:
            return Busy(there.owner, left)
        data = _encode(owner, lease, record.clock)
        with self._doubt(owner):
            answer = yield from self._where.call("write", self._key, data, record.version)
            held = None if answer.changed else Held(sent + lease, owner, answer.value)
            if answer.changed and answer.again:
                # The first of the two may have been done; its answer was lost.
                look = yield from self._where.call("read", self._key)
                # By its owner: a service may keep a lock in another form than these bytes.
                if look.value is not None and _read(look.value, lease).owner == owner:
                    held = Held(sent + lease, owner, look.value.version)
        if held is None:
            return Busy(_TAKEN)
        _forget(self._doubts(), there.owner)
        return held

    def _pause(self, busy: Busy, left: float) -> Steps[bool]:
        """Waits for a moment; returns whether somebody was told that the lock is free."""
        if not self._wakes:
            yield Sleep(min(left, self._patience.pause()))
            return False
        look = min(left, LOOK, self._where.timeout / 2)
        if busy.left is not None:
            look = min(look, max(busy.left, SOON))
        hint = busy.hint if self._native else None
        answer = yield from self._where.call("await_release", self._key, hint, look)
        return bool(answer.value)

    def _has_passed(self, busy: Busy, first: Any) -> bool:
        """The lock passed to another while we waited."""
        if self._native:  # its hint may change for other reasons
            return first is _WOKEN
        return busy.hint is _TAKEN or first not in (None, busy.hint)

    def _left(self, record: Record, there: _Found) -> float:
        now = time.monotonic()
        seen = (record.version, there.owner)
        if self._watched[0] != seen:
            self._watched = (seen, now)  # after the answer: no earlier than it began
        left = self._watched[1] + there.lease - now
        return left if there.left is None else min(left, there.left + SURE)

    def _not_acquired(self, wait: float) -> TokenLockTimeoutError:
        until = (
            "at most until its lease expires"
            if self._ends
            else "and may be suspended or blocked (a debugger, a blocking call in an event loop): "
            "resume it or stop it, or wait longer"
        )
        return TokenLockTimeoutError(
            f"the lock {self._key} of {self._where.place} could not be acquired within {wait:g} s: "
            f"another process holds it while it obtains a token, {until}",
            **self._where.about,
        )


def _encode(owner: str, lease: float, clock: float | None) -> Secret[bytes]:
    content: dict[str, Any] = {"holder": owner, "lease": lease}
    if clock is not None:
        # The clock may be cut to whole seconds: without one more the lease could end too early.
        content["until"] = int(clock) + TICK + lease
    return Secret(json.dumps(content).encode())


def _read(record: Record, lease: float) -> _Found:
    if record.data is None:
        return _Found("", 0.0, None)
    # What cannot be read counts as held, for as long as our own lease would last.
    unread = _Found("?", lease, None)
    with suppress(ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        content = json.loads(record.data.reveal())
        until = content.get("until")
        left = None if until is None or record.clock is None else float(until) - record.clock
        found = _Found(str(content["holder"]), float(content["lease"]), left)
        # NaN is not: it compares with nothing.
        return found if 0 <= found.lease <= LONGEST else unread
    return unread


def _forget(doubted: list[str], owner: str) -> None:
    with suppress(ValueError):  # another thread was quicker
        doubted.remove(owner)
