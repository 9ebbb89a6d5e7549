"""What primitives take, return and raise."""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from .._values.secret import Secret

T = TypeVar("T")

Steps = Generator[Any, Any, T]
"""A primitive, or a policy, that yields what it wants to have done and returns a ``T``."""

ANY_VERSION = "*"
"""The version to write over any token of this identity, except one of a newer format; for stores
with ``overwrites`` only. Whatever else is stored raises :class:`Changed`, in the same atomic step.
"""


class Record(NamedTuple):
    """What is stored under one key."""

    data: Secret[bytes] | None
    """The bytes; None: nothing is stored."""
    version: Any = None
    """What ``write`` and ``delete`` compare; None: there has never been anything. It stands for one
    content, and never comes back with another, after a removal either: a request may be done late.
    """
    clock: float | None = None
    """Unix time in seconds by the server's clock, when the record was read; None: not known. For a
    lease that has ended; another server's clock may differ by a few seconds."""
    problem: str = ""
    """What keeps this from being a record of ours, in words for people that hold no content, such
    as "it is a list". ``data`` are then bytes that differ if the content does; without
    ``put_aside`` they are what is kept of it, so they must hold all of it."""
    raw: Secret[Any] | None = None
    """Whatever ``put_aside`` needs, if the bytes are not enough."""


ABSENT = Record(None)


class Busy(NamedTuple):
    """The answer of ``acquire``: another holds the lock."""

    hint: Any = None
    """Whatever ``await_release`` needs."""
    left: float | None = None
    """Seconds until its lease expires; None: not known."""


class Kind(Enum):
    """What an error of a driver means for what was asked."""

    UNAVAILABLE = "the server cannot be reached or used"
    SILENT = (
        "no response came in time, and what was asked for may be done; once more on another "
        "connection, if one had come on this one before: it may have been forgotten on the way"
    )
    LOST = "the connection broke; what was asked for may be done: once more, on another connection"
    WRONG_SERVER = "this connection leads to a server that cannot do it: once more, on another one"
    BUSY = "not now, though it may be done: tried again, a few times within the time limit"
    DENIED = "this user, or this server, may not do it, now and later"
    CHANGED = "the version has changed; nothing was done"


class Problem(NamedTuple):
    """What an error means."""

    kind: Kind
    text: str = ""
    """Cause and remedy, for people. Never the driver's own words: they may quote a value."""
    found: Record | None = None
    """Of ``CHANGED``: what is stored instead, if the server said it; saves a read."""
    pause: float = 0.0
    """Seconds that the server asks to wait before it is asked again; for ``BUSY``."""


class Changed(Exception):
    """Raised by ``write``, ``delete`` and ``put_aside``: another version is stored.

    Args:
        found: What is stored instead, if the server said it with its refusal; saves a read.
    """

    def __init__(self, found: Record | None = None) -> None:
        super().__init__()
        self.found = found


class Call(NamedTuple):
    """A step of the base: one primitive."""

    name: str
    args: tuple[Any, ...]


class Sleep(NamedTuple):
    """A step of the base, or of a primitive: a pause."""

    seconds: float


class Answer(NamedTuple):
    """What a call has brought."""

    value: Any = None
    changed: bool = False
    problem: Problem | None = None
    again: bool = False
    """It was asked for more than once, and an earlier one may have been done."""
