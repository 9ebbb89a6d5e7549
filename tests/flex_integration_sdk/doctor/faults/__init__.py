"""Planted faults: what is wrong, and what ``flex-sdk doctor`` must say of it.

A fault is a generator function with the decorator :func:`fault`: it makes something wrong in its
:class:`World`, yields once, and undoes what the world does not undo. Each module of this folder has
those of one topic; ``test_faults.py`` runs them all, and ``docs/doctor-faults.md`` is their table.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .world import World

Plant = Callable[["World"], Iterator[None]]


class Fault(NamedTuple):
    """One fault, and what must be found."""

    what: str
    """What is wrong, for people; the first column of the table."""
    finds: str
    """Id of the finding that names it."""
    says: str | re.Pattern[str]
    """In the message."""
    remedy: str | re.Pattern[str]
    """In the remedy: the option, variable or command to use."""
    status: str
    also: frozenset[str]
    """Ids of other findings that may be an error or a warning, since they come of the same."""
    slow: bool
    plant: Plant

    @property
    def name(self) -> str:
        """Of the test."""
        return self.plant.__name__

    def planted(self, world: World) -> contextlib.AbstractContextManager[None]:
        """A block in which this is wrong."""
        return contextlib.contextmanager(self.plant)(world)


FAULTS: list[Fault] = []


def fits(text: str, said: str | re.Pattern[str]) -> bool:
    """Whether that is in the text."""
    return said in text if isinstance(said, str) else said.search(text) is not None


def fault(
    what: str,
    *,
    finds: str,
    says: str | re.Pattern[str],
    remedy: str | re.Pattern[str],
    status: str = "error",
    also: tuple[str, ...] = (),
    slow: bool = False,
) -> Callable[[Plant], Plant]:
    """Adds a fault; see :class:`Fault`."""

    def add(plant: Plant) -> Plant:
        FAULTS.append(Fault(what, finds, says, remedy, status, frozenset(also), slow, plant))
        return plant

    return add
