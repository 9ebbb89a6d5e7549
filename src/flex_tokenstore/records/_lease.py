"""The token lock: by the store's own ``acquire`` and ``release``, or a record beside the token.

Nobody's wall clock decides. A holder counts its lease from before it asked; a waiter from when it
first saw that version, on its own monotonic clock, so the waiter's count ends later. Where the
server tells the time, a lease that has ended by that one clock is taken over at first sight.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from .._host.patience import Patience
from .._values.secret import Secret
from ..errors import TokenLockTimeoutError, TokenUnavailableError
from ._record import ABSENT, Busy, Record, Sleep, Steps
from ._where import Where

SLICE = 1.0  # seconds; a wait as short as this is a slice of a longer one
LOOK = 1.0  # seconds after which one who waits looks at the lock although nobody woke it
BRISK = 0.1  # seconds between two looks at the lock of another, at first
TICK = 1.0  # seconds; servers may tell the time in whole seconds
_TAKEN = object()  # another has just acquired the lock
_WOKEN = object()  # it was released while we waited for it


class Held(NamedTuple):
    """A lock that was acquired."""

    ends: float
    """By the monotonic clock."""
    owner: str
    version: Any = None
    """Of the record, as we wrote it."""


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
    """

    def __init__(self, where: Where, key: str, *, native: bool, wakes: bool) -> None:
        self._where = where
        self._key = key
        self._native = native
        self._wakes = wakes
        self._patience = Patience(BRISK)
        self._watched: tuple[Any, float] = (None, 0.0)  # what, and when it was first seen
        # Owners that may hold the lock: the answer was lost. By process: a forked child must not
        # take one for its own that its parent may hold.
        self._unsure: dict[int, list[str]] = {}

    def take(self, wait: float, lease: float) -> Steps[Held]:
        """Takes the lock.

        Of those who wait in slices, the ones that see it pass to another are told at once, for
        what they want is likely to be stored by now.
        """
        deadline = time.monotonic() + wait
        self._patience.begin()
        first: Any = None
        with self._owner() as owner:
            while True:
                got = yield from self._try(owner, lease)
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
        if self._native:
            with suppress(TokenUnavailableError):
                yield from self._where.call("release", self._key, held.owner)
            return
        try:
            yield from self._where.call("delete", self._key, held.version)
        except TokenUnavailableError:
            # The next caller of this process takes it over, which changes its version: should this
            # be done late, it does nothing. A native lock has no version, so it is left to expire.
            self._unsure.setdefault(os.getpid(), []).append(held.owner)

    @contextmanager
    def _owner(self) -> Iterator[str]:
        """Who takes the lock. If the reply was lost, nobody knows whether it was acquired; the
        next caller is the same owner, and so acquires it either way."""
        unsure = self._unsure.setdefault(os.getpid(), [])
        try:
            owner = unsure.pop()
        except IndexError:
            owner = secrets.token_hex(16)
        try:
            yield owner
        except TokenLockTimeoutError:
            raise  # the server has replied: nothing is held
        except BaseException:
            # Ctrl-C and a cancelled task too: the request may have been sent.
            unsure.append(owner)
            raise

    def _try(self, owner: str, lease: float) -> Steps[Held | Busy]:
        sent = time.monotonic()  # the server counts from later on: it ends after what we say
        if self._native:
            answer = yield from self._where.call("acquire", self._key, owner, lease)
            return answer.value if isinstance(answer.value, Busy) else Held(sent + lease, owner)
        answer = yield from self._where.call("read", self._key)
        record: Record = ABSENT if answer.value is None else answer.value
        there = _read(record, lease)
        if there.owner not in ("", owner) and (left := self._left(record, there)) > 0:
            return Busy(there.owner, left)
        sent = time.monotonic()
        data = _encode(owner, lease, record.clock)
        answer = yield from self._where.call("write", self._key, data, record.version)
        if not answer.changed:
            return Held(sent + lease, owner, answer.value)
        if answer.again:  # the first of the two may have been done; its answer was lost
            look = yield from self._where.call("read", self._key)
            if look.value is not None and look.value.data == data:
                return Held(sent + lease, owner, look.value.version)
        return Busy(_TAKEN)

    def _pause(self, busy: Busy, left: float) -> Steps[bool]:
        """Waits for a moment; returns whether somebody was told that the lock is free."""
        if not self._wakes:
            yield Sleep(min(left, self._patience.pause()))
            return False
        look = min(left, LOOK, self._where.timeout / 2)
        if busy.left is not None:
            look = min(look, max(busy.left, 0.001))
        answer = yield from self._where.call("await_release", self._key, busy.hint, look)
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
        # More than it began with: the server's clock was set back, and says nothing.
        if there.left is None or there.left > there.lease + 2 * TICK:
            return left
        return min(left, there.left)

    def _not_acquired(self, wait: float) -> TokenLockTimeoutError:
        return TokenLockTimeoutError(
            f"the lock {self._key} of {self._where.place} could not be acquired within {wait:g} s: "
            "another process holds it while it obtains a token, at most until its lease expires",
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
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        content = json.loads(record.data.reveal())
        until = content.get("until")
        left = None if until is None or record.clock is None else float(until) - record.clock
        return _Found(str(content["holder"]), float(content["lease"]), left)
    # What cannot be read counts as held, for as long as our own lease would last.
    return _Found("?", lease, None)
