"""When a listing is free: its plan, with its exceptions and bookings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple, get_args

from flex_integration_sdk._vocabulary.names import AvailabilityMode
from flex_integration_sdk.sandbox._data.database import Database, Resource

from .context import related_id
from .plans import DAY, LAST, Span, planned

AVAILABILITIES = get_args(AvailabilityMode)
_TAKING = ("pending", "accepted")
_ONE_DAY = timedelta(days=1)


class Wanted(NamedTuple):
    """What a search by availability asks for."""

    start: datetime
    end: datetime
    seats: int
    availability: str
    """One of :data:`AVAILABILITIES`."""
    shortest: int
    """``minDuration`` of a partial search: days with ``day-partial``, minutes otherwise."""


class Calendar:
    """The availability exceptions and bookings of all listings.

    Args:
        db: Where they are.
    """

    def __init__(self, db: Database) -> None:
        self._exceptions = _by_listing(db.all("availabilityException"))
        bookings = [each for each in db.all("booking") if each["attributes"]["state"] in _TAKING]
        self._bookings = _by_listing(bookings)

    def is_free(self, listing: Resource, wanted: Wanted) -> bool:
        """Whether a search finds the listing."""
        plan = listing["attributes"]["availabilityPlan"]
        # Official examples count a listing without a plan among those with a day plan.
        is_day = plan is None or plan["type"] == DAY
        if is_day != wanted.availability.startswith("day"):
            return False
        read = _whole_days if is_day else _exactly
        start, end, _ = read(Span(wanted.start, wanted.end, 0))
        exceptions = [read(each) for each in self._exceptions[listing["id"]]]
        bookings = [read(each) for each in self._bookings[listing["id"]]]
        # Without a plan, one seat is free all the time.
        open_ = [Span(start, end, 1)] if plan is None else list(planned(plan, start, end))
        pieces = _pieces(_levels(open_, exceptions, bookings), start, end, wanted.seats)
        if wanted.availability.endswith("-full"):
            return (start, end) in pieces
        unit = _ONE_DAY if is_day else timedelta(minutes=1)
        return any((till - since) // unit >= wanted.shortest for since, till in pieces)


def _by_listing(found: list[Resource]) -> defaultdict[Any, list[Span]]:
    spans: defaultdict[Any, list[Span]] = defaultdict(list)
    for each in found:
        attributes = each["attributes"]
        span = Span(attributes["start"], attributes["end"], attributes["seats"])
        spans[related_id(each, "listing")].append(span)
    return spans


def _exactly(span: Span) -> Span:
    return span


def _whole_days(span: Span) -> Span:
    """A day plan knows whole days of UTC: what is in a part of a day is in all of it."""
    start, end = (each.replace(hour=0, minute=0, second=0, microsecond=0) for each in span[:2])
    if end < span.end:
        end = LAST if end.date() == LAST.date() else end + _ONE_DAY
    return Span(start, end, span.seats)


def _levels(
    open_: list[Span], exceptions: list[Span], bookings: list[Span]
) -> Iterator[tuple[datetime, int]]:
    """The free seats from each moment on at which they can change."""
    changes = [
        (moment, kind, each.seats, by)
        for kind, spans in enumerate((open_, exceptions, bookings))
        for each in spans
        for moment, by in ((each.start, 1), (each.end, -1))
    ]
    now = plan, exception, booking = Counter[int](), Counter[int](), Counter[int]()
    for moment, group in groupby(sorted(changes), key=lambda change: change[0]):
        for _, kind, seats, by in group:
            now[kind][seats] += by
            if not now[kind][seats]:
                del now[kind][seats]
        taken = sum(seats * count for seats, count in booking.items())
        # Exceptions replace the plan. Those of one day of a day plan: the least of their seats.
        yield moment, (min(exception) if exception else max(plan, default=0)) - taken


def _pieces(
    levels: Iterator[tuple[datetime, int]], start: datetime, end: datetime, seats: int
) -> list[tuple[datetime, datetime]]:
    """The longest times with so many free seats, within the search: neighbours are one piece."""
    found: list[tuple[datetime, datetime]] = []
    since: datetime | None = start if seats <= 0 else None
    for moment, free in levels:
        if free >= seats and since is None:
            since = moment
        elif free < seats and since is not None:
            found.append((since, moment))
            since = None
    if since is not None:
        found.append((since, end))
    cut = ((max(since, start), min(till, end)) for since, till in found)
    return [(since, till) for since, till in cut if since < till]
