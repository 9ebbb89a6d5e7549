"""What the reader and the writer share: the error, values without a Python type, limits."""

from __future__ import annotations

from flex_integration_sdk.types import TaggedValue as TaggedValue
from flex_integration_sdk.types import TooDeep as TooDeep

MAX_DEPTH = 200
"""Arrays and maps within each other; answers of the API have about ten."""

MAX_VALUES = 4_000_000
"""Values of a document; a page of 100 listings has some 10,000. Each takes up to 200 bytes, from
as little as two on the wire."""

ESCAPED = frozenset("~^`")
"""A text that starts with one of these is written with ``~`` before it."""


class TransitError(ValueError):
    """The text is not Transit, or a value has no form in it. The message quotes no content."""
