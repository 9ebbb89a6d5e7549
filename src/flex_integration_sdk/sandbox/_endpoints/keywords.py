"""Search by ``keywords``, as the API's page on the listing search describes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

# Letters and digits; all else separates words.
_WORD = re.compile(r"[^\W_]+")
SHORTEST = 3
"""Letters of the shortest part of a word that is found."""


class Relevance(NamedTuple):
    """How well a listing matches, the most important first. All are 0 if it does not match."""

    words: int = 0
    """Keywords that are words of the listing: one of them is worth more than any parts."""
    parts: int = 0
    """Keywords that are only the beginning or the end of a word."""
    fields: int = 0
    """By where the matches are: the title before the description before extended data."""


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return _WORD.findall(text.lower())


def relevance(attributes: dict[str, Any], keywords: list[str]) -> Relevance:
    """How well a listing matches; any of the keywords is enough.

    Args:
        attributes: The listing's.
        keywords: In lower case.
    """
    fields = list(_fields(attributes))
    words = parts = weight = 0
    for keyword in dict.fromkeys(keywords):
        whole = [rank for rank, field in fields if keyword in field]
        partly = [rank for rank, field in fields if any(_is_part(keyword, each) for each in field)]
        words += bool(whole)
        parts += bool(partly and not whole)
        weight += max((*whole, *partly), default=0)
    return Relevance(words, parts, weight)


def _fields(attributes: dict[str, Any]) -> Iterator[tuple[int, set[str]]]:
    """The weight and the words of each field."""
    yield 3, set(words_of(attributes["title"]))
    yield 2, set(words_of(attributes["description"] or ""))
    # The API searches fields whose schema has the type ``text``; the sandbox has no schemas, and
    # takes every string at the top level for one.
    for name in ("publicData", "metadata"):
        for value in attributes[name].values():
            if isinstance(value, str):
                yield 1, set(words_of(value))


def _is_part(keyword: str, word: str) -> bool:
    """Whether it is an n-gram of the word: only words of more than three letters have some."""
    return SHORTEST <= len(keyword) < len(word) and (
        word.startswith(keyword) or word.endswith(keyword)
    )
