"""The rows of a new database: those that are the same each time, and those of the last days.

Encoding them is most of what making a sandbox costs, so each is encoded once in a process; those of
the last days once in a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache, lru_cache

from flex_integration_sdk.sandbox._data.database import Content, Resource, Row, encoded
from flex_integration_sdk.sandbox._settings import Seed

from .bulk import more_listings
from .deals import STEPS, at_step, first_stock, moment_of, reviewed_at
from .goods import faces, listings, pictures
from .happenings import dealt, listed, signed_up
from .news import News
from .parts import START, marketplace
from .people import users
from .sizes import SIZES, Size
from .talk import contents, message, review, unattached_files


def seed(name: Seed, total: int | None = None) -> Content:
    """What a new database of that seed starts with, if it is made now.

    Args:
        name: Of the seed.
        total: Listings; None: as many as the seed has by itself.
    """
    return _content(name, total, datetime.now(UTC).replace(second=0, microsecond=0))


def seed_name(name: Seed, total: int | None) -> str:
    """What a database calls the seed that it was made with."""
    return name if total is None else f"{name} with {total} listings"


@lru_cache(maxsize=len(SIZES))
def _content(name: Seed, total: int | None, now: datetime) -> Content:
    size = SIZES[name]
    more = () if total is None else more_listings(name, total)
    rows = (*more, *_fixed(name), *map(encoded, _new(size, now)))
    return Content(rows, _bytes(size), seed_name(name, total))


@cache
def _fixed(name: Seed) -> tuple[Row, ...]:
    return tuple(map(encoded, _old(SIZES[name])))


def _bytes(size: Size) -> Iterator[tuple[str, str, bytes]]:
    for id, kind, body in (*pictures(size), *contents(size)):
        yield str(id), kind, body


def _old(size: Size) -> Iterator[Resource]:
    """What has fixed times, oldest first."""
    yield marketplace()
    yield from faces(size)
    yield from users(size, range(1, size.new_people.start), START)
    yield from listings(size, range(1, size.new_listings.start), START)
    yield from unattached_files()
    for deal in size.deals:
        if deal.is_order:
            yield from first_stock(deal, START)
        if not deal.is_new:
            yield from at_step(size, deal, len(STEPS[deal.state]), START)
            moment = moment_of(deal, START)
            for place in range(len(deal.said)):
                yield from message(size, deal, place, moment)
            for place in range(len(deal.judged)):
                yield review(size, deal, place, reviewed_at(deal, place, START))


def _new(size: Size, now: datetime) -> Iterator[Resource]:
    """What happened in the last days, oldest first, then an event of each change."""
    news = News()
    signed_up(news, size, now)
    listed(news, size, now)
    for deal in size.deals:
        if deal.is_new:
            dealt(news, size, deal, now)
    return news.resources(has_events=size.has_events)
