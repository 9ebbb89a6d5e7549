"""Values that each process has for itself, however it was forked.

Threads, locks and event loops do not survive a fork: a child has the objects, but nobody who runs
or releases them. So whatever holds some is kept by the id of its process. No fork hook is needed:
a host that forks in C, as uWSGI does, runs none of Python's.

What only has to know whether it is its parent's, such as a thread object or a refresh under way,
compares ``os.getpid()`` with the id that it was made under; that is not kept here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# What forked children have of their parents, never used and kept for ever. Collecting it would do
# harm: closing a loop takes the parent's loop its wake-up call away, for both share what the system
# watches for them (epoll), and sockets would warn that nobody closed them.
_inherited: list[object] = []


class PerProcess(Generic[T]):
    """One value for each process, made when it is first asked for.

    A forked child asks under another process id, so it makes a value of its own.

    No lock is held: a signal handler may ask while its thread makes the value, and a fork may copy
    a lock that another thread holds. Dicts get, set and list in one step each.

    Args:
        make: Makes the value, which is not None. Two threads may both call it; both then use the
            same one.
        spare: Gets the one that is not used then.
        leave: Gets each value that this process has of a parent; two threads may call it for one.
            Without it, such a value is kept for ever, so that nothing finalizes it.
    """

    def __init__(
        self,
        make: Callable[[], T],
        *,
        spare: Callable[[T], object] | None = None,
        leave: Callable[[T], object] | None = None,
    ) -> None:
        self._make = make
        self._spare = spare
        self._leave = leave
        self._made: dict[int, T] = {}

    def get(self) -> T:
        """This process's value."""
        made = self._made.get(os.getpid())
        return self._new() if made is None else made

    def found(self) -> T | None:
        """This process's value, if it has been made."""
        return self._made.get(os.getpid())

    def take(self) -> T | None:
        """This process's value, if it has been made; the next one who asks makes another."""
        return self._made.pop(os.getpid(), None)

    def put(self, value: T) -> None:
        """Replaces this process's value.

        Args:
            value: What :meth:`get` returns from now on, in this process.
        """
        self._made[os.getpid()] = value

    def leave_parents(self) -> None:
        """Leaves what the parents made; :meth:`get` does it when it makes a value."""
        for pid in list(self._made):
            value = self._made.get(pid)
            if pid != os.getpid() and value is not None:
                # Before it is forgotten: an exception may strike in between.
                (self._leave or _inherited.append)(value)
                self._made.pop(pid, None)

    def _new(self) -> T:
        new = self._make()
        # Its id is looked at after that: a signal handler may have forked meanwhile.
        made = self._made.setdefault(os.getpid(), new)
        if made is not new and self._spare is not None:
            self._spare(new)
        self.leave_parents()
        return made
