"""Many listings, for programs that read a large marketplace."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random

from flex_integration_sdk.sandbox._data.rows import Row, encoded
from flex_integration_sdk.sandbox._settings import Seed

from .goods import listing
from .parts import START
from .sizes import SIZES

# A program that reads page by page must not lose those of one moment that are on two pages: there
# are moments with more listings than a page, and with just as many.
LONGEST_RUN = 300
SHARED = (250, 100, 1, 101)
# In which the moments of the others are: most have one listing, as when people write them.
_USUAL = (1, 1, 1, 1, 2, 3, 7, 30, LONGEST_RUN)
_FIRST = START - timedelta(days=365)


@lru_cache(maxsize=2)  # a test may make many sandboxes of one kind
def more_listings(name: Seed, total: int) -> tuple[Row, ...]:
    """The listings that a seed lacks to have ``total`` of them, oldest first; as they are stored.

    All are older than those of the seed.
    """
    size = SIZES[name]
    numbers = range(size.listings + 1, total + 1)
    moments = _moments(len(numbers))
    return tuple(
        encoded(listing(size, number, at)) for number, at in zip(numbers, moments, strict=True)
    )


def _moments(count: int) -> Iterator[datetime]:
    """When each of them was created, in whole milliseconds: runs of one to 300 share a moment."""
    random = Random(count)  # noqa: S311 - the same each time
    runs: list[int] = []
    left = count
    while left > 0:
        known = SHARED[len(runs)] if len(runs) < len(SHARED) else random.choice(_USUAL)
        runs.append(min(left, known))
        left -= runs[-1]
    # The moments are spread over a year, some a millisecond apart.
    step = (START - _FIRST) // (len(runs) + 1) // timedelta(milliseconds=1)
    at = _FIRST
    for run in runs:
        at += timedelta(milliseconds=random.choice((1, random.randint(1, step))))
        for _ in range(run):
            yield at
