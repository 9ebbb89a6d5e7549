"""What happened in the last days: who signed up, what was listed, and what people agreed on."""

from __future__ import annotations

from datetime import datetime, timedelta

from flex_integration_sdk.sandbox._data.database import Resource
from flex_integration_sdk.sandbox._data.event_content import Origin

from .deals import STEPS, at_step, moment_of, reviewed_at
from .goods import closed_times, listings
from .news import News
from .parts import identifier
from .people import users
from .sizes import Deal, Size
from .talk import message, review

# Made up: the storefront's own client of the API, and a person who uses Console.
_STOREFRONT = identifier("event", 1_000_001)
_OPERATOR = identifier("event", 1_000_002)
_CONSOLE = Origin("source/console", admin=_OPERATOR)


def signed_up(news: News, size: Size, now: datetime) -> None:
    """New users; one is banned an hour later."""
    for number in size.new_people:
        found = list(users(size, range(number, number + 1), now))
        created = found[-1]["attributes"]["createdAt"]
        if number == size.banned:
            news.add(created + timedelta(hours=1), found, _CONSOLE)
            found = [_with(found[-1], state="active", banned=False)]
        news.add(created, found, _by(number))


def listed(news: News, size: Size, now: datetime) -> None:
    """New listings, of which the operator approved some and closed one of these.

    Also the times at which some are not free.
    """
    for number in size.new_listings:
        found = list(listings(size, range(number, number + 1), now))
        created = found[-1]["attributes"]["createdAt"]
        if found[-1]["attributes"]["state"] == "closed":
            news.add(created + timedelta(hours=2), found, _CONSOLE)
            found[-1] = _with(found[-1], state="published")
        if found[-1]["attributes"]["state"] == "published":
            news.add(created + timedelta(hours=1), found, _CONSOLE)
            found[-1] = _with(found[-1], state="pendingApproval")
        news.add(created, found, _by(size.author(number)))
    for each in closed_times(size, now):
        news.add(now - timedelta(hours=26), [each], _CONSOLE)


def dealt(news: News, size: Size, deal: Deal, now: datetime) -> None:
    """A transaction, step by step, and what is said and judged."""
    moment = moment_of(deal, now)
    provider = size.author(deal.listing)
    for count, step in enumerate(STEPS[deal.state], 1):
        party = {"customer": _by(deal.customer), "provider": _by(provider)}.get(step.by, _CONSOLE)
        news.add(moment + timedelta(hours=step.hours), at_step(size, deal, count, now), party)
    for place, said in enumerate(deal.said):
        sender = deal.customer if said.by == "customer" else provider
        found = tuple(message(size, deal, place, moment))
        news.add(moment + timedelta(minutes=said.minutes), found, _by(sender))
    for place, judged in enumerate(deal.judged):
        at = reviewed_at(deal, place, now)
        author = deal.customer if judged.by == "customer" else provider
        news.add(at, [review(size, deal, place, at)], _by(author))


def _by(user: int) -> Origin:
    return Origin("source/marketplace-api", user=identifier("user", user), client=_STOREFRONT)


def _with(resource: Resource, **attributes: object) -> Resource:
    return {**resource, "attributes": {**resource["attributes"], **attributes}}
