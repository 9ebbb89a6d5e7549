"""What an upload asks of whoever sends it: work to be done, and pieces to be sent."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias


class Work(NamedTuple):
    """A call of a source. In an event loop its result may be awaitable."""

    call: Callable[[], Any]
    blocks: bool
    """An event loop makes the call in a thread."""


Steps: TypeAlias = "Generator[Work | bytes, Any, Any]"
"""Yields work, and is sent its result or thrown its error; and yields pieces of the body."""
