"""One renewal at a time for each token of this process, shared by all who need it."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from ._steps import Load, Lock, Request, Revoke
from .errors import SessionClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._steps import Step

_gates: WeakValueDictionary[object, Gate] = WeakValueDictionary()
_mutex = threading.Lock()


class Abandoned(Exception):
    """Nobody flies or waits for this flight any more; whoever joined it starts another."""


class Flight:
    """One renewal under way.

    Args:
        owner: The session whose flow it runs.
        dead: Tells that whatever runs it stands still (an event loop that does not run).
        thread: Of the event loop that runs it; None: it has a thread of its own.
    """

    def __init__(self, owner: object, dead: Callable[[], bool], thread: int | None = None) -> None:
        self.owner = owner
        self.dead = dead
        self._thread = thread
        self.future: Future[Any] = Future()
        # A running future cannot be cancelled by one of those who wait for it.
        self.future.set_running_or_notify_cancel()
        self.private = False
        """It revokes or removes: its outcome is its caller's alone."""
        self._waiting = 0
        self._flown = False
        self._sent = False
        self._mutex = threading.Lock()

    def enter(self) -> None:
        with self._mutex:
            self._waiting += 1

    def leave(self) -> None:
        with self._mutex:
            self._waiting -= 1

    def take_off(self) -> bool:
        """For whoever flies it, at the start; False: it was scrapped, or another flies it."""
        with self._mutex:
            if self._flown or self.future.done():
                return False
            self._flown = True
            return True

    def scrap(self) -> None:
        """For its maker, who leaves: unless it has taken off, it never will."""
        with self._mutex:
            if not self._flown and not self.future.done():
                self.future.set_exception(Abandoned())

    def stops_before(self, step: Step) -> bool:
        """All who waited have left, and nothing is lost by stopping here.

        Once a request was sent it goes on to the end: a token may be in hand that is not saved.
        """
        if self._sent or isinstance(step, (Request, Revoke)):
            self._sent = True
            return False
        with self._mutex:
            return self._waiting <= 0 and isinstance(step, (Load, Lock))

    def wait(self) -> None:
        """Blocks until it is over (``future.done()``) or dead.

        Raises:
            SessionClosedError: It never would be: this thread's event loop flies it.
        """
        if self._thread == threading.get_ident() and not (self.future.done() or self.dead()):
            raise SessionClosedError(
                "an async session renews this token in the event loop of this very thread, which a "
                "sync call would block for ever: await the async one here, or make the sync call "
                "with asyncio.to_thread()"
            )
        # In slices: an endless wait cannot be interrupted on Windows.
        while not self.future.done():
            with suppress(TimeoutError):
                self.future.exception(timeout=0.5)
                return
            if self.dead():
                return


class Gate:
    """Lets one flight through; global in the process, for sync and async sessions alike."""

    def __init__(self, key: object) -> None:
        self.key = key
        self._mutex = threading.Lock()
        self._flight: Flight | None = None

    @contextmanager
    def joined(
        self,
        owner: object,
        dead: Callable[[], bool] = lambda: False,
        thread: int | None = None,
    ) -> Iterator[tuple[Flight, bool]]:
        """The flight under way, or a new one to be flown by the caller (then True)."""
        # Made before it is shown to anyone, so that it is scrapped wherever Ctrl-C strikes:
        # others would wait for ever for a flight that nobody flies.
        mine = Flight(owner, dead, thread)
        joined: Flight | None = None
        try:
            with self._mutex:
                joined = self._flight
                if joined is None or joined.future.done() or joined.dead():
                    joined = self._flight = mine
                joined.enter()
            yield joined, joined is mine
        finally:
            mine.scrap()
            if joined is not None:
                joined.leave()

    def current(self, owner: object) -> Flight | None:
        """The flight of ``owner`` under way."""
        with self._mutex:
            flight = self._flight
        if flight is None or flight.owner is not owner or flight.future.done():
            return None
        return flight

    def reset(self) -> None:
        """In a forked child: no thread of the parent is here, and its mutex may be held."""
        self._mutex = threading.Lock()
        self._flight = None


def gate_for(key: object) -> Gate:
    """The gate for ``key`` in this process."""
    with _mutex:
        gate = _gates.get(key)
        if gate is None:
            gate = _gates[key] = Gate(key)
        return gate


def _after_fork() -> None:
    global _mutex
    _mutex = threading.Lock()
    for gate in list(_gates.values()):
        gate.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
