"""Values that each process has for itself, however it was forked."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """One value for each process, made when it is first asked for.

    A forked child asks under another process id, so it makes a value of its own. No fork hook is
    needed: a host that forks in C, as uWSGI does, runs none of Python's.

    Args:
        make: Makes the value. Two threads may both call it; both then use the same one.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[int, T] = {}

    def get(self) -> T:
        """This process's value."""
        made = self._made.get(os.getpid())
        if made is None:
            made = self._made.setdefault(os.getpid(), self._make())
        return made
