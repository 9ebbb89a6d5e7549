"""Users, with every state and every permission that matters, and what belongs to them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from flex_integration_sdk.sandbox._data.database import Resource

from .parts import MARKET, START, made, to
from .sizes import Size

ALLOW, DENY = "permission/allow", "permission/deny"
_PERMISSIONS = ("postListings", "initiateTransactions", "read")


def users(size: Size, numbers: range, now: datetime) -> Iterator[Resource]:
    """Users, each after the account that receives the user's money."""
    for number in numbers:
        if number <= size.sellers:
            account = {"stripeAccountId": f"acct_sandbox{number:04}"}
            yield made("stripeAccount", number, account)
        yield _user(size, number, now)


def profile_image(number: int) -> int:
    """Number of a user's image; apart from those of listings."""
    return 100_000 + number


def _user(size: Size, number: int, now: datetime) -> Resource:
    days = size.people + 1 - number
    is_new = number in size.new_people
    return made(
        "user",
        number,
        {
            "banned": number == size.banned,
            "deleted": False,
            "state": {size.banned: "banned", size.pending: "pendingApproval"}.get(number, "active"),
            "createdAt": now - timedelta(days=days) if is_new else START + timedelta(days=number),
            "email": f"user{number}@example.com",
            "emailVerified": number != size.unverified,
            "pendingEmail": f"new{number}@example.com" if number == size.unverified else None,
            "stripeConnected": number <= size.sellers,
            "identityProviders": [{"idpId": "google", "userId": "1001"}] if number == 5 else [],
            "profile": _profile(number),
            "permissions": _permissions(size.denied.get(number, "")),
        },
        {
            "marketplace": MARKET,
            "profileImage": to("image", profile_image(number) if number <= size.faces else None),
            "stripeAccount": to("stripeAccount", number if number <= size.sellers else None),
        },
    )


def _profile(number: int) -> dict[str, Any]:
    name = f"User{number}"
    is_first = number == 1
    return {
        "firstName": name,
        "lastName": "Example",
        "displayName": f"{name} E",
        "abbreviatedName": "UE",
        "bio": "I rent out what I do not need every day." if is_first else None,
        "publicData": {"languages": ["en", "fi"]} if is_first else {},
        "protectedData": {"phoneNumber": "+358401234567"} if is_first else {},
        "privateData": {"newsletter": True} if is_first else {},
        "metadata": {"verified": True} if is_first else {},
    }


def _permissions(denied: str) -> dict[str, str]:
    return {name: DENY if denied in (name, "all") else ALLOW for name in _PERMISSIONS}
