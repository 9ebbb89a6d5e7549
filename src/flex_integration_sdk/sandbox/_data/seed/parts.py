"""What all resources of the seed are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from flex_integration_sdk.sandbox._data.database import Resource

# A fixed time, so that tests can name what they expect.
START = datetime(2026, 1, 1, 12, tzinfo=UTC)

# The first part of each id tells the type: some of these are in the documentation.
_KINDS = {
    "marketplace": 1, "user": 2, "listing": 3, "transaction": 4, "booking": 5, "message": 6,
    "stock": 7, "stockReservation": 8, "stockAdjustment": 9, "file": 10, "fileAttachment": 11,
    "image": 12, "review": 13, "stripeAccount": 14, "availabilityException": 15, "event": 16,
}  # fmt: skip


@cache
def identifier(kind: str, number: int) -> UUID:
    """A stable id."""
    # Such as 00000003-0000-4000-8000-000000000001, for the first listing.
    return UUID(int=_KINDS[kind] << 96 | 0x4000_8000 << 48 | number)


@cache
def reference(kind: str, number: int) -> dict[str, Any]:
    """What a relationship holds."""
    return {"id": identifier(kind, number), "type": kind}


def to(kind: str, number: int | None) -> dict[str, Any]:
    """A to-one relationship; None: to nothing."""
    return {"data": None if number is None else reference(kind, number)}


def to_many(kind: str, numbers: list[int]) -> dict[str, Any]:
    """A to-many relationship."""
    return {"data": [reference(kind, number) for number in numbers]}


MARKET = to("marketplace", 1)


def made(
    kind: str, number: int, attributes: dict[str, Any], relationships: dict[str, Any] | None = None
) -> Resource:
    """A resource."""
    found: Resource = {**reference(kind, number), "attributes": attributes}
    return found if relationships is None else {**found, "relationships": relationships}


def marketplace() -> Resource:
    """The one marketplace."""
    return made("marketplace", 1, {"name": "Sandbox marketplace", "description": None})
