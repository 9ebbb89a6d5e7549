"""The marketplace with which the sandbox starts; it is the same each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from flex_integration_sdk.types import LatLng, Money

Resource = dict[str, Any]

# A fixed time, so that tests can name what they expect.
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
USERS = 20
LISTINGS = 250
TRANSACTIONS = 12
PENDING, BANNED, UNVERIFIED = 18, 19, 17
"""Numbers of users who are not like the others."""
_KINDS = ("City bike", "Road bike", "Kayak", "Tent", "Sauna")


def identifier(kind: int, number: int) -> UUID:
    """A stable id."""
    return UUID(f"{kind:08x}-0000-4000-8000-{number:012x}")


def marketplace() -> Resource:
    """The one marketplace."""
    return {
        "id": identifier(1, 1),
        "type": "marketplace",
        "attributes": {"name": "Sandbox marketplace", "description": None},
    }


def seed() -> list[Resource]:
    """All resources, oldest first."""
    market = marketplace()
    people = [_user(number) for number in range(1, USERS + 1)]
    goods = [_listing(number, people) for number in range(1, LISTINGS + 1)]
    rest = [each for number in range(TRANSACTIONS) for each in _deal(number, people, goods)]
    return [market, *people, *goods, *rest]


def _user(number: int) -> Resource:
    name = f"User{number}"
    return {
        "id": identifier(2, number),
        "type": "user",
        "attributes": {
            "banned": number == BANNED,
            "deleted": False,
            "state": {BANNED: "banned", PENDING: "pendingApproval"}.get(number, "active"),
            "createdAt": START + timedelta(days=number),
            "email": f"user{number}@example.com",
            "emailVerified": number != UNVERIFIED,
            "pendingEmail": f"new{number}@example.com" if number == UNVERIFIED else None,
            "stripeConnected": False,
            "identityProviders": [],
            "profile": {
                "firstName": name,
                "lastName": "Example",
                "displayName": f"{name} E",
                "abbreviatedName": "UE",
                "bio": None,
                "publicData": {},
                "protectedData": {},
                "privateData": {},
                "metadata": {},
            },
            "permissions": {
                "postListings": "permission/allow",
                "initiateTransactions": "permission/allow",
                "read": "permission/allow",
            },
        },
        "relationships": {
            "marketplace": {"data": {"id": identifier(1, 1), "type": "marketplace"}},
            "profileImage": {"data": None},
        },
    }


def _listing(number: int, people: list[Resource]) -> Resource:
    kind = _KINDS[number % len(_KINDS)]
    return {
        "id": identifier(3, number),
        "type": "listing",
        "attributes": {
            "title": f"{kind} {number}",
            "description": f"A {kind.lower()} to rent.",
            "geolocation": LatLng(60 + number / 100, 24 + number / 100),
            "createdAt": START + timedelta(hours=number),
            "price": Money(1000 + 10 * number, "EUR"),
            "availabilityPlan": None,
            "publicData": {"category": kind.split()[0].lower()},
            "privateData": {},
            "metadata": {},
            "state": "closed" if number % 25 == 0 else "published",
            "deleted": False,
        },
        "relationships": {
            "marketplace": {"data": {"id": identifier(1, 1), "type": "marketplace"}},
            "author": to(people[number % USERS]),
            "images": {"data": []},
            "currentStock": {"data": None},
        },
    }


def to(resource: Resource) -> dict[str, Any]:
    """A to-one relationship to ``resource``."""
    return {"data": {"id": resource["id"], "type": resource["type"]}}


def _deal(number: int, people: list[Resource], goods: list[Resource]) -> list[Resource]:
    """A transaction and what belongs to it: a booking, or a stock reservation for each third."""
    listing = goods[number]
    transaction = _transaction(number, listing, people)
    message = {
        "id": identifier(6, number + 1),
        "type": "message",
        "attributes": {
            "content": f"Is it free, number {number + 1}?",
            "createdAt": START + timedelta(days=60, hours=number, minutes=5),
            "deleted": False,
        },
        "relationships": {
            "sender": transaction["relationships"]["customer"],
            "transaction": to(transaction),
            "publicFileAttachments": {"data": []},
        },
    }
    transaction["relationships"]["messages"]["data"].append(to(message)["data"])
    if number % 3 == 2:
        extra = _stocked(number, listing, transaction)
    else:
        extra = [_booking(number, listing, transaction)]
    return [transaction, message, *extra]


def _transaction(number: int, listing: Resource, people: list[Resource]) -> Resource:
    moment = START + timedelta(days=60, hours=number)
    accepted = number % 4 == 3
    steps = ["transition/request-payment", *(["transition/accept"] if accepted else [])]
    price = listing["attributes"]["price"]
    return {
        "id": identifier(4, number + 1),
        "type": "transaction",
        "attributes": {
            "createdAt": moment,
            "processName": "sandbox-purchase" if number % 3 == 2 else "sandbox-booking",
            "processVersion": 1,
            "lastTransition": steps[-1],
            "lastTransitionedAt": moment,
            "state": "accepted" if accepted else "preauthorized",
            "lineItems": [
                {
                    "code": "line-item/unit",
                    "unitPrice": price,
                    "quantity": Decimal(1),
                    "lineTotal": price,
                    "reversal": False,
                    "includeFor": ["customer", "provider"],
                }
            ],
            "payinTotal": price,
            "payoutTotal": price,
            "protectedData": {},
            "metadata": {},
            "transitions": [
                {"transition": step, "createdAt": moment, "by": "customer"} for step in steps
            ],
        },
        "relationships": {
            "marketplace": {"data": {"id": identifier(1, 1), "type": "marketplace"}},
            "listing": to(listing),
            "provider": listing["relationships"]["author"],
            "customer": to(people[(number + 5) % USERS]),
            "booking": {"data": None},
            "stockReservation": {"data": None},
            "reviews": {"data": []},
            "messages": {"data": []},
        },
    }


def _booking(number: int, listing: Resource, transaction: Resource) -> Resource:
    start = datetime(2027, 1, 1 + number, tzinfo=UTC)
    accepted = transaction["attributes"]["state"] == "accepted"
    booking = {
        "id": identifier(5, number + 1),
        "type": "booking",
        "attributes": {
            "seats": 1,
            "start": start,
            "end": start + timedelta(days=2),
            "displayStart": start,
            "displayEnd": start + timedelta(days=2),
            "state": "accepted" if accepted else "pending",
        },
        "relationships": {"transaction": to(transaction), "listing": to(listing)},
    }
    transaction["relationships"]["booking"] = to(booking)
    return booking


def _stocked(number: int, listing: Resource, transaction: Resource) -> list[Resource]:
    """Stock of which ten were added and two are reserved."""
    moment = transaction["attributes"]["createdAt"]
    accepted = transaction["attributes"]["state"] == "accepted"
    stock: Resource = {
        "id": identifier(7, number + 1),
        "type": "stock",
        "attributes": {"quantity": 8},
        "relationships": {},
    }
    listing["relationships"]["currentStock"] = to(stock)
    reservation: Resource = {
        "id": identifier(8, number + 1),
        "type": "stockReservation",
        "attributes": {"quantity": 2, "state": "accepted" if accepted else "pending"},
        "relationships": {
            "listing": to(listing),
            "transaction": to(transaction),
            "stockAdjustments": {"data": []},
        },
    }
    transaction["relationships"]["stockReservation"] = to(reservation)
    adjustments = []
    for step, quantity in enumerate((10, -2)):
        adjustment: Resource = {
            "id": identifier(9, 2 * number + step),
            "type": "stockAdjustment",
            "attributes": {"at": moment - timedelta(hours=1 - step), "quantity": quantity},
            "relationships": {
                "listing": to(listing),
                "stockReservation": to(reservation) if step else {"data": None},
            },
        }
        adjustments.append(adjustment)
    reservation["relationships"]["stockAdjustments"]["data"].append(to(adjustments[1])["data"])
    return [stock, reservation, *adjustments]
