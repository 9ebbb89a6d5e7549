"""For programs that only look, such as one that finds faults: nothing is tightened meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_looking: ContextVar[bool] = ContextVar("flex_tokenstore_looking", default=False)


@contextmanager
def only_looking() -> Iterator[None]:
    """A block in which the built-in stores take no rights from files and folders that are too open.

    Outside of it, a read of a token file with mode 0644 makes that 0600. Whoever looks for faults
    wants to see it as it is. It is for the calls of the thread or task that is in the block.
    """
    mark = _looking.set(True)
    try:
        yield
    finally:
        _looking.reset(mark)


def is_looking() -> bool:
    """Whether this thread or task is in such a block."""
    return _looking.get()
