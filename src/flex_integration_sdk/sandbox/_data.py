"""The marketplace that the sandbox starts with; the same each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flex_integration_sdk.types import LatLng, Money

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
USERS = 20
LISTINGS = 250
_KINDS = ("City bike", "Road bike", "Kayak", "Tent", "Sauna")


def identifier(kind: int, number: int) -> UUID:
    """A stable id."""
    return UUID(f"{kind:08x}-0000-4000-8000-{number:012x}")


def marketplace() -> dict[str, Any]:
    """The one marketplace."""
    return {
        "id": identifier(1, 1),
        "type": "marketplace",
        "attributes": {"name": "Sandbox marketplace", "description": None},
    }


def users() -> list[dict[str, Any]]:
    """Newest first, as the API answers."""
    return [_user(number) for number in range(USERS, 0, -1)]


def listings() -> list[dict[str, Any]]:
    """Newest first, as the API answers."""
    return [_listing(number) for number in range(LISTINGS, 0, -1)]


def _user(number: int) -> dict[str, Any]:
    name = f"User{number}"
    return {
        "id": identifier(2, number),
        "type": "user",
        "attributes": {
            "banned": False,
            "deleted": False,
            "state": "active",
            "createdAt": START + timedelta(days=number),
            "email": f"user{number}@example.com",
            "emailVerified": True,
            "pendingEmail": None,
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
        },
        "relationships": {
            "marketplace": {"data": {"id": identifier(1, 1), "type": "marketplace"}},
        },
    }


def _listing(number: int) -> dict[str, Any]:
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
            "author": {"data": {"id": identifier(2, 1 + number % USERS), "type": "user"}},
        },
    }
