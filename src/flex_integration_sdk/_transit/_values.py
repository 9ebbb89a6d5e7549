"""What reading and writing share: the error, the value of an unknown tag, the depth limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 200
"""Arrays and maps within each other; answers of the API have about ten."""

MAX_VALUES = 4_000_000
"""Values of a document; a page of 100 listings has some 10,000. Each takes up to 200 bytes, from
as little as two on the wire."""

ESCAPED = frozenset("~^`")
"""A text that starts with one of these is written with ``~`` before it."""


class TransitError(ValueError):
    """The text is not Transit, or a value has no form in it. The message holds no content."""


@dataclass(frozen=True, slots=True)
class TaggedValue:
    """A value with a tag that this reader does not know, such as ``r``, a URI.

    Args:
        tag: The tag without ``~`` and ``#``.
        value: What it stands before, already read. Written again, it gives the same Transit.
    """

    tag: str
    value: Any
