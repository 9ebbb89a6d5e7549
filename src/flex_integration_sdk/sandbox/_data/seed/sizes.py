"""How much there is: ``rich``, to look around in, and ``small``, a handful of each type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flex_integration_sdk._vocabulary.names import Party


@dataclass(frozen=True)
class Said:
    """A message."""

    text: str
    by: Party = "customer"
    minutes: int = 5
    """After the request."""
    files: tuple[str, ...] = ()
    """Names of the files that are attached to it: ``.txt`` or ``.png``."""


@dataclass(frozen=True)
class Judged:
    """A review. It is public once both parties have written one, or the time for it is over."""

    by: Party
    rating: int
    text: str
    is_public: bool = True


@dataclass(frozen=True)
class Deal:
    """A transaction: a booking, or an order of things that are in stock."""

    number: int
    listing: int
    customer: int
    state: str
    requested: timedelta
    """After the fixed start of the seed; if negative, before the database is made."""
    is_order: bool = False
    start: datetime | None = None
    """Of the booking."""
    ahead: int = 1
    """If there is no ``start``: days from the request to the booking."""
    said: tuple[Said, ...] = ()
    judged: tuple[Judged, ...] = ()

    @property
    def is_new(self) -> bool:
        """It is of the last days."""
        return self.requested < timedelta(0)


@dataclass(frozen=True, kw_only=True)
class Size:
    """The numbers of users and listings, and which of them are not like the others."""

    people: int
    authors: int
    """So many users, from the first, have listings."""
    sellers: int
    """So many, from the first, have a Stripe account."""
    faces: int
    """So many, from the first, have a profile image."""
    denied: Mapping[int, str]
    """By user: the permission that the user does not have; ``all`` of them."""
    unverified: int
    pending: int
    banned: int
    new_people: range
    """Those who signed up in the last days."""

    listings: int
    states: Mapping[int, str]
    """By listing; others are published."""
    plans: Mapping[int, str]
    """By listing: ``day`` or ``time``; others have no availability plan."""
    pictured_each: int
    """The first of so many listings has images."""
    new_listings: range
    """Those of the last days."""

    deals: tuple[Deal, ...]
    has_events: bool = False
    """Whether there are events of what is new; else the first is one of your own program."""
    stocked: Mapping[int, int] = field(init=False)
    """By listing that is in stock: number of the transaction that orders it."""

    def __post_init__(self) -> None:
        orders = {deal.listing: deal.number for deal in self.deals if deal.is_order}
        object.__setattr__(self, "stocked", orders)

    def state(self, listing: int) -> str:
        """State of a listing; of those beyond the size, each 25th is closed."""
        if listing > self.listings and listing % 25 == 0:
            return "closed"
        return self.states.get(listing, "published")

    def author(self, listing: int) -> int:
        """Number of the user whose listing it is."""
        return listing % self.authors + 1


def _first(number: int) -> Deal:
    """One of the deals that documentation and tests know by their numbers."""
    return Deal(
        number,
        listing=number,
        customer=(number + 4) % 20 + 1,
        state="accepted" if number % 4 == 0 else "preauthorized",
        requested=timedelta(days=60, hours=number - 1),
        is_order=number % 3 == 0,
        start=datetime(2027, 1, number, tzinfo=UTC),
        said=(Said(f"Is it free, number {number}?"),),
    )


_THANKS = (
    Judged("customer", 5, "Easy to agree with, and as described."),
    Judged("provider", 4, "Brought it back in time."),
)
_ONE_SIDED = (Judged("customer", 3, "It was dirty.", is_public=False),)
_PAPERS = (
    Said("Here are the terms, and a map of the way.", "provider", 30, ("terms.txt", "map.png")),
    Said("Thank you.", "customer", 45),
)


def _later(number: int, customer: int, state: str, **more: Any) -> Deal:
    return Deal(number, number, customer, state, timedelta(days=77 + number), **more)


RICH = Size(
    people=20,
    authors=17,
    sellers=6,
    faces=4,
    denied={13: "all", 14: "postListings", 15: "initiateTransactions", 16: "read"},
    unverified=17,
    pending=18,
    banned=19,
    new_people=range(18, 21),
    listings=250,
    states={
        **dict.fromkeys(range(25, 251, 25), "closed"),
        **dict.fromkeys((43, 93, 143, 193, 245), "draft"),
        **dict.fromkeys((47, 97, 147, 197, 244), "pendingApproval"),
    },
    plans={22: "day", 23: "day", 24: "time", 29: "time"},
    pictured_each=10,
    new_listings=range(241, 251),
    deals=(
        *map(_first, range(1, 13)),
        _later(13, 6, "declined", said=(Said("Do you also deliver?"),)),
        _later(14, 7, "cancelled", said=(Said("I broke my leg, I am sorry.", minutes=600),)),
        _later(15, 8, "completed", judged=_THANKS, said=_PAPERS),
        _later(16, 1, "completed", judged=(Judged("provider", 5, "A pleasure.", is_public=False),)),
        _later(17, 2, "completed", judged=_THANKS, is_order=True),
        _later(18, 3, "declined", is_order=True),
        _later(19, 4, "cancelled", is_order=True),
        _later(20, 5, "accepted", said=_PAPERS[1:]),
        Deal(
            21,
            31,
            5,
            "completed",
            timedelta(days=-6),
            judged=_ONE_SIDED,
        ),
        Deal(
            22,
            32,
            6,
            "accepted",
            timedelta(days=-2),
            ahead=6,
            said=(Said("When can I come?"), Said("At nine.", "provider", 20, ("way.txt",))),
        ),
        Deal(23, 33, 7, "declined", timedelta(hours=-30), ahead=9),
        Deal(
            24,
            34,
            20,
            "preauthorized",
            timedelta(hours=-5),
            is_order=True,
            said=(Said("Can I have it tomorrow?"),),
        ),
        Deal(25, 35, 8, "preauthorized", timedelta(hours=-3), ahead=5, said=(Said("Is it free?"),)),
    ),
    has_events=True,
)

SMALL = Size(
    people=10,
    authors=6,
    sellers=2,
    faces=1,
    denied={3: "postListings", 4: "initiateTransactions", 5: "read", 6: "all"},
    unverified=7,
    pending=8,
    banned=9,
    new_people=range(8, 11),
    listings=12,
    states={4: "closed", 9: "pendingApproval", 10: "draft"},
    plans={2: "day", 3: "time"},
    pictured_each=6,
    new_listings=range(9, 13),
    deals=(
        _later(1, 1, "preauthorized", said=(Said("Is it free?"),)),
        _later(2, 1, "declined"),
        _later(5, 2, "accepted", is_order=True),
        _later(6, 3, "cancelled", is_order=True),
        _later(7, 1, "completed", judged=_THANKS, said=_PAPERS),
        Deal(8, 8, 2, "preauthorized", timedelta(hours=-3), ahead=5, said=(Said("Is it free?"),)),
        Deal(9, 3, 3, "completed", timedelta(days=-4), judged=_ONE_SIDED),
    ),
)

SIZES = {"rich": RICH, "small": SMALL}
