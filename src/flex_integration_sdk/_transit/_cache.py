"""Cache codes: the short names that compact Transit uses for repeated keys and tags.

https://github.com/cognitect/transit-format#caching
"""

from __future__ import annotations

# The format's own numbers: digits of base 44, the first of which is the character 48.
_BASE = 44
_FIRST = 48  # "0"


def _code(index: int) -> str:
    low = chr(index % _BASE + _FIRST)
    return f"^{low}" if index < _BASE else f"^{chr(index // _BASE + _FIRST)}{low}"


CACHE_SIZE = _BASE * _BASE
"""Entries; the one after the last starts the cache over."""

CODES = tuple(_code(index) for index in range(CACHE_SIZE))
"""The code of each entry, by its index."""


def is_cached(text: str) -> bool:
    """Whether ``text`` is long enough for the cache: more than 3 characters.

    Java and JavaScript count UTF-16 units, so ``~:`` and one emoji are four.
    """
    if len(text) > 3:
        return True
    return not text.isascii() and len(text.encode("utf-16-le", "surrogatepass")) > 6
