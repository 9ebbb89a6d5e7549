"""Transactions at each of their steps, with their bookings or what is reserved of a stock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from flex_integration_sdk.sandbox._data.database import Resource
from flex_integration_sdk.types import Money

from .goods import price_of
from .parts import MARKET, START, made, to, to_many
from .sizes import Deal, Size
from .talk import message_numbers, review_numbers


class Step(NamedTuple):
    """One transition."""

    name: str
    by: str
    state: str
    """Of the transaction after it."""
    effect: str
    """State of the booking or reservation after it."""
    hours: int
    """After the request."""


_REQUEST = Step("transition/request-payment", "customer", "preauthorized", "pending", 0)
_ACCEPT = Step("transition/accept", "provider", "accepted", "accepted", 2)
_DECLINE = Step("transition/decline", "provider", "declined", "declined", 2)
_CANCEL = Step("transition/cancel", "operator", "cancelled", "cancelled", 20)
# After a booking of two days that starts on the next day.
_COMPLETE = Step("transition/complete", "operator", "completed", "accepted", 76)
STEPS = {
    "preauthorized": (_REQUEST,),
    "accepted": (_REQUEST, _ACCEPT),
    "declined": (_REQUEST, _DECLINE),
    "cancelled": (_REQUEST, _ACCEPT, _CANCEL),
    "completed": (_REQUEST, _ACCEPT, _COMPLETE),
}
_ADDED, _ORDERED = 10, 2  # pieces
_BACK = ("declined", "cancelled")  # so what was ordered is in stock again


def moment_of(deal: Deal, now: datetime) -> datetime:
    """When it was requested."""
    return (now if deal.is_new else START) + deal.requested


def reviewed_at(deal: Deal, place: int, now: datetime) -> datetime:
    """When it was reviewed: after its last transition."""
    return moment_of(deal, now) + timedelta(hours=STEPS[deal.state][-1].hours + 2 + place)


def at_step(size: Size, deal: Deal, count: int, now: datetime) -> Iterator[Resource]:
    """The transaction after so many steps, and what belongs to it; the transaction comes last."""
    steps = STEPS[deal.state][:count]
    moment = moment_of(deal, now)
    if deal.is_order:
        yield from _order(deal, steps, moment)
    else:
        yield _booking(deal, steps[-1], moment)
    yield _transaction(size, deal, steps, moment)


def first_stock(deal: Deal, now: datetime) -> Iterator[Resource]:
    """The stock of an order's listing, before the order."""
    yield made("stock", deal.number, {"quantity": _ADDED}, {})
    # Of a new deal too it is among what has fixed times, where it comes last.
    long_ago = START + timedelta(days=100)
    moment = long_ago if deal.is_new else moment_of(deal, now) - timedelta(hours=1)
    yield _adjustment(deal, 0, _ADDED, moment)


def _order(deal: Deal, steps: tuple[Step, ...], moment: datetime) -> Iterator[Resource]:
    is_back = steps[-1].state in _BACK
    yield made("stock", deal.number, {"quantity": _ADDED - (0 if is_back else _ORDERED)}, {})
    yield _adjustment(deal, 1, -_ORDERED, moment)
    if is_back:
        yield _adjustment(deal, 2, _ORDERED, moment + timedelta(hours=steps[-1].hours))
    adjustments = [_adjustment_number(deal, place) for place in range(1, 3 if is_back else 2)]
    yield made(
        "stockReservation",
        deal.number,
        {"quantity": _ORDERED, "state": steps[-1].effect},
        {
            "listing": to("listing", deal.listing),
            "transaction": to("transaction", deal.number),
            "stockAdjustments": to_many("stockAdjustment", adjustments),
        },
    )


def _adjustment_number(deal: Deal, place: int) -> int:
    return 10 * deal.number + place


def _adjustment(deal: Deal, place: int, quantity: int, at: datetime) -> Resource:
    return made(
        "stockAdjustment",
        _adjustment_number(deal, place),
        {"at": at, "quantity": quantity},
        {
            "listing": to("listing", deal.listing),
            "stockReservation": to("stockReservation", deal.number if place else None),
        },
    )


def _booking(deal: Deal, step: Step, moment: datetime) -> Resource:
    day = moment.replace(hour=0, minute=0) + timedelta(days=deal.ahead)
    start = deal.start or day
    end = start + timedelta(days=2)
    return made(
        "booking",
        deal.number,
        {
            "seats": 1,
            "start": start,
            "end": end,
            "displayStart": start,
            "displayEnd": end,
            "state": step.effect,
        },
        {
            "transaction": to("transaction", deal.number),
            "listing": to("listing", deal.listing),
        },
    )


def _transaction(size: Size, deal: Deal, steps: tuple[Step, ...], moment: datetime) -> Resource:
    taken = [
        {"transition": step.name, "createdAt": moment + timedelta(hours=step.hours), "by": step.by}
        for step in steps
    ]
    last = steps[-1]
    return made(
        "transaction",
        deal.number,
        {
            "createdAt": moment,
            "processName": "sandbox-purchase" if deal.is_order else "sandbox-booking",
            "processVersion": 1,
            "lastTransition": last.name,
            "lastTransitionedAt": moment + timedelta(hours=last.hours),
            "state": last.state,
            **_price(deal),
            "protectedData": {},
            "metadata": {},
            "transitions": taken,
        },
        {
            "marketplace": MARKET,
            "listing": to("listing", deal.listing),
            "provider": to("user", size.author(deal.listing)),
            "customer": to("user", deal.customer),
            "booking": to("booking", None if deal.is_order else deal.number),
            "stockReservation": to("stockReservation", deal.number if deal.is_order else None),
            "reviews": to_many("review", review_numbers(deal)),
            "messages": to_many("message", message_numbers(deal)),
        },
    )


def _price(deal: Deal) -> dict[str, Any]:
    unit, count = price_of(deal.listing), _ORDERED if deal.is_order else 1
    total = Money(unit * count, "EUR")
    line = {
        "code": "line-item/unit",
        "unitPrice": Money(unit, "EUR"),
        "quantity": Decimal(count),
        "lineTotal": total,
        "reversal": False,
        "includeFor": ["customer", "provider"],
    }
    return {"lineItems": [line], "payinTotal": total, "payoutTotal": total}
