"""Pages by the moment of creation: each begins at the moment where the one before ended.

Nothing depends on how many resources come before a page: none is missed because an earlier one
went, and the API's limit for page numbers is not met. Resources of the moment where a page ended
come again on the next one, and are known by their ids. Only if a whole page has one moment, that
moment's pages are numbered.

The API may know moments more finely than it says. It cuts them to milliseconds, so all that it
says to be of one millisecond lies from that millisecond on, and before the next.
"""

from __future__ import annotations

from flex_integration_sdk._endpoints.param_types import OwnText

from .by_number import by_number
from .page import Ask, Page, Plan, Row, moment_text
from .position import Position, Start


class Unordered(Exception):
    """The API returned resources in another order than by their creation."""


def by_moment(
    base: Ask, most: int, start: Start, position: Position, *, newest_first: bool
) -> Plan:
    """The resources of a query after ``start``.

    Args:
        base: The query, without its page.
        most: Resources on a page.
        start: The last one that the program got.
        position: Knows the API's limit, and is told what the API does not return.
        newest_first: The order of the query.

    Raises:
        Unordered: The API does not keep to the order. It is raised at a page after the first; if
            the first one has no order, the pages are walked through by their numbers.
    """
    moment, seen, rows, at = start.moment, set(start.ids), list[Row](), start.at
    # A whole page had one moment: its other pages are numbered, if the API returns those.
    ended, numbered = moment is not None and at > 0, True
    after = 0 if newest_first else 1
    while True:
        if ended and moment is not None:
            if numbered:
                limits = position.limits_of(moment)
                rows = yield from by_number(_of(base, moment), most, seen, rows, limits, at)
            bound: int | None = moment + after
            seen, ended = set(), False
        else:
            bound = None if moment is None else moment + 1 - after
        page = yield rows, _from(base, most, bound, newest_first=newest_first)
        assert page is not None  # a first page is never too deep
        if not _is_ordered(page, bound, newest_first=newest_first):
            if bound is not None:
                raise Unordered
            position.mode = "number"
            return (yield from by_number(base, most, seen, [], position.limits_of(None)))
        rows = page.but(seen)
        # Where the API does not count, a short page may not be the last one, if it filters late.
        new_or_full = bool(rows) or len(page.rows) >= most
        if not (new_or_full if page.pages is None else page.pages > 1):
            return rows
        if not page.rows:
            base = _from(base, most, bound, newest_first=newest_first)
            return (yield from by_number(base, most, seen, rows, position.limits_of(None)))
        first, last = page.rows[0].moment, page.rows[-1].moment
        if last != moment:
            seen = set()
        seen |= {row.key for row in page.rows if row.moment == last}
        moment, ended, at = last, first == last, len(page.rows)
        numbered = not page.first_only
        if ended and not numbered and len(page.rows) >= most and last is not None:
            position.limits_of(last).report(None, len(page.rows))


def _from(base: Ask, most: int, bound: int | None, *, newest_first: bool) -> Ask:
    asked = {**base, "page": OwnText(1), "perPage": OwnText(most)}
    if bound is not None:
        # The start is part of the span, its end is not.
        asked["createdAtEnd" if newest_first else "createdAtStart"] = moment_text(bound)
    return asked


def _of(base: Ask, moment: int) -> Ask:
    span = {"createdAtStart": moment_text(moment), "createdAtEnd": moment_text(moment + 1)}
    return {**base, **span}


def _is_ordered(page: Page, bound: int | None, *, newest_first: bool) -> bool:
    moments = [row.moment for row in page.rows]
    known = [each for each in moments if each is not None]
    if len(known) < len(moments) or known != sorted(known, reverse=newest_first):
        return False
    if bound is None or not known:
        return True
    return known[0] < bound if newest_first else known[0] >= bound
