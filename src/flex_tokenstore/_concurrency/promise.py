"""A result that threads and tasks wait for, and that no interrupted waiter can spoil.

``concurrent.futures.Future`` guards itself with a lock that its waiters take. An exception from a
signal handler (Ctrl-C, a task queue's time limit) can leave that lock held, and then whoever has
the result can never hand it over: the program hangs for good. Here each waiter sleeps on a lock of
its own, and what all share is changed only by single operations that Python makes atomic.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Promise:
    """Something that gets a value or an error, once. A later one is not used."""

    def __init__(self) -> None:
        self._given: dict[str, tuple[Any, BaseException | None]] = {}
        self._wakers: dict[object, Callable[[], object]] = {}

    def give(self, value: Any, error: BaseException | None = None) -> None:
        """Sets the value or the error, and wakes all waiters."""
        # One step in CPython: if two threads give at once, one value stays, and both wake all.
        self._given.setdefault("given", (value, error))
        # A copy: waiters come and go meanwhile.
        for wake in list(self._wakers.values()):
            wake()

    def done(self) -> bool:
        """Whether the value or the error is set."""
        return "given" in self._given

    def exception(self) -> BaseException | None:
        """The error, once it is done; None: it has a value."""
        return self._given["given"][1]

    def result(self) -> Any:
        """The value, once it is done; raises the error."""
        value, error = self._given["given"]
        if error is not None:
            raise error
        return value

    def wake(self, waiter: object, wake: Callable[[], object]) -> None:
        """Has the thread that sets it call ``wake``. Check :meth:`done` after this."""
        self._wakers[waiter] = wake

    def forget(self, waiter: object) -> None:
        """Removes a waiter that has left."""
        self._wakers.pop(waiter, None)

    def wait(self, seconds: float) -> bool:
        """Blocks until it is done, at most so many seconds; tells whether it is done."""
        sleeper = threading.Lock()
        sleeper.acquire()
        # Before done() is asked: whoever gives after that finds this waiter and wakes it.
        self._wakers[sleeper] = lambda: _release(sleeper)
        try:
            if not self.done():
                sleeper.acquire(timeout=seconds)
            return self.done()
        finally:
            self._wakers.pop(sleeper, None)


def _release(lock: threading.Lock) -> None:
    # Twice, if two threads give at once: only the first one finds it locked.
    try:
        lock.release()
    except RuntimeError:
        return
