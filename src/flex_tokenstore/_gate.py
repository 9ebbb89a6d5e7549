"""One renewal at a time for each token of this process, shared by all who need it."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from ._steps import Load, Lock, Request, Revoke

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._steps import Step

_gates: WeakValueDictionary[object, Gate] = WeakValueDictionary()
_mutex = threading.Lock()


class Abandoned(Exception):
    """Nobody waits for this flight any more; whoever joined it meanwhile starts another."""


class Flight:
    """One renewal under way.

    Args:
        owner: The session whose flow it runs.
        dead: Tells that whatever ran it is gone (a closed event loop).
    """

    def __init__(self, owner: object, dead: Callable[[], bool]) -> None:
        self.owner = owner
        self.dead = dead
        self.future: Future[Any] = Future()
        # A running future cannot be cancelled by one of those who wait for it.
        self.future.set_running_or_notify_cancel()
        self.private = False
        """It revokes or removes: its outcome is its caller's alone."""
        self._waiting = 0
        self._sent = False
        self._mutex = threading.Lock()

    def enter(self) -> None:
        with self._mutex:
            self._waiting += 1

    def leave(self) -> None:
        with self._mutex:
            self._waiting -= 1

    def stops_before(self, step: Step) -> bool:
        """All who waited have left, and nothing is lost by stopping before ``step``.

        Once a request was sent nothing stops: the token that came of it may not be saved yet.
        """
        self._sent = self._sent or isinstance(step, (Request, Revoke))
        if self._sent or not isinstance(step, (Load, Lock)):
            return False
        with self._mutex:
            return self._waiting <= 0

    def wait(self) -> Any:
        """Blocks until the outcome is there; gives it or raises its error."""
        while True:
            try:
                # In slices: an endless wait cannot be interrupted on Windows.
                return self.future.result(timeout=0.5)
            except TimeoutError:
                if self.future.done():
                    raise
                if self.dead():
                    raise Abandoned from None


class Gate:
    """Lets one flight through; global in the process, for sync and async sessions alike."""

    def __init__(self, key: object) -> None:
        self.key = key
        self._mutex = threading.Lock()
        self._flight: Flight | None = None

    def join(self, owner: object, dead: Callable[[], bool] = lambda: False) -> tuple[Flight, bool]:
        """The flight under way, or a new one to be flown by the caller (then True)."""
        with self._mutex:
            flight, leads = self._flight, False
            if flight is None or flight.future.done() or flight.dead():
                flight, leads = Flight(owner, dead), True
                self._flight = flight
            flight.enter()
            return flight, leads

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
