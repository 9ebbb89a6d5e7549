"""One refresh at a time for each token of this process, shared by all who need it.

An exception from a signal handler can strike the waiting thread at any line, and a process can be
forked at any moment, even without Python's fork hooks (uWSGI). So no lock is held here by anyone
who waits: what is shared is changed by single atomic operations, and carries the id of its process.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from .._concurrency.per_process import PerProcess
from .._concurrency.promise import Promise
from ..errors import SessionClosedError
from .flow.steps import Load, Lock, Remove, Request, Revoke, Save, Unlock

if TYPE_CHECKING:
    from .flow.steps import Step

SLICE = 0.5  # seconds: an endless wait cannot be interrupted on Windows
SLOW_START = 2.0  # seconds after which a refresh that has not begun never will


class Abandoned(Exception):
    """The refresh was dropped before it started; its waiters must start another."""


class Flight(Promise):
    """One refresh under way.

    Args:
        owner: The session whose flow it runs.
        dead: Tells that whatever runs it stands still (an event loop that does not run).
        thread: Of the event loop that runs it; None: it has a thread of its own.
    """

    def __init__(
        self, owner: object, dead: Callable[[], bool] = lambda: False, thread: int | None = None
    ) -> None:
        super().__init__()
        self.owner = owner
        self.private = False
        """It revokes or removes: its outcome is for its caller only."""
        self.sent = False
        """A request was sent: what it brings exists nowhere else until it is saved."""
        self.given_up = False
        """The user pressed Ctrl-C twice: nobody waits for it any more, saved or not."""
        self.given_up_at = 0.0
        """Monotonic time of that."""
        self.unwanted = False
        """Its session is being closed: it sends nothing any more, but saves what it has."""
        self.warned_at: float | None = None
        """Monotonic time of the message that it is being waited for."""
        self.abort: Callable[[], None] = lambda: None
        """Frees what it holds; for a refresh whose event loop was closed."""
        self._dead = dead
        self._thread = thread
        self._process = os.getpid()
        self._fate: dict[str, object] = {}
        self._waiting: dict[object, None] = {}
        self._next: dict[str, Flight] = {}

    def over(self) -> bool:
        """It has landed, or never will: it was lost with its loop, or is the parent process's."""
        return self.done() or self._process != os.getpid() or self._dead()

    def enter(self, waiter: object) -> None:
        """Somebody waits for it."""
        self._waiting[waiter] = None

    def leave(self, waiter: object) -> None:
        """Somebody does not wait for it any more."""
        self._waiting.pop(waiter, None)

    def awaited(self) -> bool:
        """Whether anybody waits for it."""
        return bool(self._waiting)

    def take_off(self) -> bool:
        """Called by whoever runs it, at the start; False: it was dropped."""
        pilot = object()
        # One step: either it has started, or scrap() has dropped it, and never both.
        return self._fate.setdefault("fate", pilot) is pilot

    def scrap(self) -> None:
        """Drops it, unless it has started."""
        if self._fate.setdefault("fate", "scrapped") == "scrapped":
            self.give(None, Abandoned())

    def follow(self, successor: Flight) -> Flight:
        """The one refresh that follows this one: ``successor``, unless another was first."""
        return self._next.setdefault("next", successor)

    def last(self) -> Flight:
        """The last one of those that follow it."""
        flight = self
        while (following := flight._next.get("next")) is not None:
            flight = following
        return flight

    def stops_before(self, step: Step) -> bool:
        """All who waited have left, and nothing is lost by stopping here.

        A refresh that nobody waits for makes no further request: it would send a secret, or use
        up a refresh token, for nobody. With a token in hand it goes on until that is saved.
        """
        if self.given_up:
            return not isinstance(step, Save)
        if self.unwanted and not self.sent:
            return not isinstance(step, (Save, Remove, Unlock))
        if isinstance(step, (Request, Revoke)):
            before, self.sent = self.sent, True  # before looking: see ``_waits.leave_or_stay``
            if self._waiting and not (self.unwanted and isinstance(step, Request)):
                return False
            self.sent = before
            return True
        return not self.sent and not self._waiting and isinstance(step, (Load, Lock))

    def check_thread(self) -> None:
        """Raises SessionClosedError if this thread would wait for its own event loop."""
        if self._thread == threading.get_ident() and not self.over():
            raise SessionClosedError(
                "an async session is obtaining this token in the event loop of this thread, and a "
                "sync call would block that loop for ever: await the async one here, or make the "
                "sync call with asyncio.to_thread()"
            )

    def wait_a_while(self, since: float, end: float | None = None) -> None:
        """Blocks until it is over, for a slice of time.

        Args:
            since: When the wait began.
            end: When the waiter leaves.
        """
        left = SLICE if end is None else max(0.0, end - time.monotonic())
        self.wait(min(SLICE, left))
        if time.monotonic() - since > SLOW_START:
            self.scrap()  # whoever was to fly it was interrupted before it could


class Gate:
    """Single flight: one refresh at a time, in the whole process, for sync and async sessions."""

    def __init__(self, key: object) -> None:
        self.key = key
        self.sign_ins: list[float] = []
        """For ``State.sign_ins``, which all sessions of one token share."""
        self._latest = Flight(None)
        # So that the first caller finds one that is over, and no case of its own is needed.
        self._latest.scrap()

    @contextmanager
    def joined(
        self,
        owner: object,
        dead: Callable[[], bool] = lambda: False,
        thread: int | None = None,
    ) -> Iterator[tuple[Flight, Flight]]:
        """The refresh under way and the caller's own; the same one if the caller is to run it.

        The caller's own also stands for it among those who wait.
        """
        # Made before it is shown to anyone, so that it is dropped wherever Ctrl-C strikes:
        # others would wait for a refresh that nobody runs.
        mine = Flight(owner, dead, thread)
        joined: Flight | None = None
        try:
            joined = self._latest
            while joined.over():
                joined = joined.follow(mine)
            # Only a short cut: whichever of two threads writes last, those that follow are found.
            self._latest = joined
            joined.enter(mine)
            yield joined, mine
        finally:
            mine.scrap()
            if joined is not None:
                joined.leave(mine)

    def current(self, owner: object) -> Flight | None:
        """The refresh of ``owner`` under way."""
        flight = self._latest.last()
        return None if flight.over() or flight.owner is not owner else flight


# Weak: the sessions of a token keep its gate alive.
_gates: WeakValueDictionary[object, Gate] = WeakValueDictionary()
# Another thread of the parent may have held it when this process was forked. Reentrant: a signal
# handler may make a session while its thread makes one.
_mutex = PerProcess(threading.RLock)


def gate_for(key: object) -> Gate:
    """The single flight for ``key`` in this process."""
    new = Gate(key)
    with _mutex.get():
        return _gates.setdefault(key, new)
