"""Calls that block raise, if an event loop runs in their thread."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import contextmanager

_dir = builtins.dir
from blockbuster import BlockBuster  # noqa: E402 - see below

# What blockbuster uses to patch built-in types replaces ``dir`` when it is imported, by one that
# runs ``__getattr__`` of the object.
builtins.dir = _dir


@contextmanager
def blocking_raises() -> Iterator[None]:
    """Within it, a call that blocks raises ``BlockingError``."""
    blocker = BlockBuster()
    blocker.activate()
    try:
        yield
    finally:
        blocker.deactivate()
