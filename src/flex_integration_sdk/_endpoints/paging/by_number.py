"""Pages by number, each of which overlaps with the one before.

The API counts from the first resource, so whatever comes or goes before a page moves it. A page is
taken only if its first resource is known already: then nothing lies between it and the one before.
Pages of another size overlap: pages of 100 and of 99 begin at 0, 99, 196, 291 and so on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from flex_integration_sdk._endpoints.param_types import OwnText

from .page import MOST, Ask, Page, Plan, Row

DEPTH = 10_000
"""Resources that the API returns by page numbers, where it does not say."""
_RETREATS = 24  # pages that do not overlap: from page 100 back to the first one it takes eight
# Further walks through the pages, if fewer resources came than there are. Of 1,000 in another order
# at each request, a walk finds about two of three that it lacks.
_ROUNDS = 12
# Of those, walks in a row that find nothing new. One that lacks a single resource of 300 fails to
# find it in one of three cases.
_IDLE = 4


class Limits(NamedTuple):
    """The API's limit for page numbers."""

    wall: int | None
    """So many resources does it return, as far as it said."""
    report: Callable[[int | None, int], None]
    """Gets the number of resources that there are, and of those that the API returns."""
    missed: Callable[[tuple[int, int] | None], None]
    """Gets how many there are, and how many of them came; None: all came."""


def by_number(
    base: Ask,
    most: int,
    seen: set[bytes],
    rows: list[Row],
    limits: Limits,
    at: int = 0,
) -> Plan:
    """The resources of a query that are not in ``seen``.

    Args:
        base: The query, without its page.
        most: Resources on a page.
        seen: Ids that the program has already; the walk adds to it.
        rows: New resources of the page before.
        limits: What is known of the API's limit; is told if it does not return all.
        at: How many resources were walked through already.
    """
    walk = _Numbered(most, seen, at, limits.wall)
    while (spot := overlapping(walk.covered, walk.most, walk.next_wall())) is not None:
        size, number = spot
        page = yield rows, {**base, "page": OwnText(number), "perPage": OwnText(size)}
        rows = walk.taken(page, size, number)
        if walk.ended:
            limits.missed(walk.missed())
            return rows
    limits.report(walk.total, walk.covered)
    return rows


class _Numbered:
    """Where the walk is."""

    def __init__(self, most: int, seen: set[bytes], at: int, wall: int | None) -> None:
        # At the wall, a last page that is known already says how many there are.
        self.covered = at if wall is None else min(at, wall - 1)
        self.most, self._seen, self.wall = most, seen, wall
        self.total: int | None = None
        self.ended = False
        self._retreats, self._step = 0, 1
        self._rounds, self._idle, self._found = 0, 0, True
        self._hidden = 0  # resources that the API counts and does not show
        self._total_before: int | None = None

    def next_wall(self) -> int | None:
        """Where the next page must end at the latest; None: anywhere."""
        if self.wall is None and self.covered < DEPTH:
            return DEPTH  # not beyond it at once: it may be the wall, although the API did not say
        return self.wall

    def taken(self, page: Page | None, size: int, number: int) -> list[Row]:
        """The new resources of a page; sets where to go on."""
        start = (number - 1) * size
        if page is None:
            self.wall = start
            return []
        if page.size is not None and page.size != size:  # the API chose another one
            self.most = size = page.size
            start = (number - 1) * size
        self.total = page.total
        if page.limit is not None:
            self.wall = max(self.wall or 0, page.limit * size)
        if start and self._is_apart(page, start):
            return []
        before, rounds = self.covered, self._rounds
        new = self._accepted(page, start, size, number)
        stays = self.covered <= before and not self.ended and rounds == self._rounds
        if stays and not self._may_retreat():
            self.wall = self.covered  # pages of the API's own size lead nowhere
        return new

    def missed(self) -> tuple[int, int] | None:
        """How many resources there are and how many of them came; None: no less than could come."""
        # Those that came into being meanwhile need not come.
        grown = max(0, (self.total or 0) - (self._total_before or 0))
        return (self.total or 0, len(self._seen)) if self._lacking() > grown else None

    def _is_apart(self, page: Page, start: int) -> bool:
        """Whether something may lie between the page and what was seen; then it goes back."""
        if (page.rows and page.rows[0].key in self._seen) or not self._may_retreat():
            return False
        self.covered = max(0, start - self._step)
        self._step *= 2
        return True

    def _may_retreat(self) -> bool:
        self._retreats += 1
        return self._retreats <= _RETREATS

    def _accepted(self, page: Page, start: int, size: int, number: int) -> list[Row]:
        self._step = size
        for index, row in enumerate(page.rows):
            row.at = start + index + 1
        new = page.but(self._seen)
        self._seen.update(row.key for row in new)
        if page.total is not None:
            self._hidden += max(0, min(size, page.total - start) - len(page.rows))
            self._total_before = page.total if self._total_before is None else self._total_before
        self._found = self._found or bool(new)
        self.covered = start + size
        # A page may be shorter than others and not be the last one, if the API filters late.
        last = len(page.rows) < size if page.pages is None else number >= page.pages
        if last:
            self._end_of_round()
        elif page.first_only:
            self.covered = self.wall = len(page.rows)
        return new

    def _end_of_round(self) -> None:
        # Resources that are equal to the API may come in another order with each request.
        self._idle = 0 if self._found else self._idle + 1
        self._rounds += 1
        if self._lacking() <= 0 or self._idle >= _IDLE or self._rounds > _ROUNDS:
            self.ended = True
        else:
            self.covered, self._found, self._hidden, self._total_before = 0, False, 0, None

    def _lacking(self) -> int:
        """How many more resources there are than came, or are never shown."""
        return 0 if self.total is None else self.total - len(self._seen) - self._hidden


def overlapping(covered: int, most: int, wall: int | None) -> tuple[int, int] | None:
    """Size and number of the page that has the last of ``covered`` resources and most beyond it.

    Args:
        covered: Resources that were walked through.
        most: Resources on a page; more, up to 100, only if no smaller page overlaps.
        wall: So many resources does the API return; None: not known.

    Returns:
        None if the API returns no further ones.
    """
    if wall is not None and covered >= wall:
        return None
    if not covered:
        return most, 1
    for sizes in (range(most, 0, -1), range(most + 1, MOST + 1)):
        found = max((_spot(covered, size, wall) for size in sizes), default=(0, 0, 0))
        if found[0] > covered:
            return found[1:]
    return None


def _spot(covered: int, size: int, wall: int | None) -> tuple[int, int, int]:
    """End, size and number of the page of that size that has the last of ``covered``."""
    number = (covered - 1) // size + 1
    end = number * size
    return (end, size, number) if wall is None or end <= wall else (0, size, number)
