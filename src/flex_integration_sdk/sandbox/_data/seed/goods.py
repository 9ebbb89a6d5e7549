"""Listings, their images, their stock, and when they are not free."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flex_integration_sdk.sandbox._data.database import IMAGES, Resource
from flex_integration_sdk.types import LatLng, Money

from .parts import MARKET, START, identifier, made, to, to_many
from .people import profile_image
from .pictures import HEIGHT, WIDTH, png
from .sizes import Size

_KINDS = ("City bike", "Road bike", "Kayak", "Tent", "Sauna")


def listings(size: Size, numbers: range, now: datetime) -> Iterator[Resource]:
    """Listings, each after its images."""
    for number in numbers:
        for image in images_of(size, number):
            yield _image(image)
        yield listing(size, number, _created(size, number, now))


def price_of(listing: int) -> int:
    """Cents."""
    return 1000 + 10 * listing


def images_of(size: Size, listing: int) -> list[int]:
    """Numbers of a listing's images: none, one or two."""
    if listing > size.listings or listing % size.pictured_each != 1:
        return []
    return [10 * listing + place for place in range(1 + listing // size.pictured_each % 2)]


def faces(size: Size) -> Iterator[Resource]:
    """The profile images of users."""
    return (_image(profile_image(number)) for number in range(1, size.faces + 1))


def pictures(size: Size) -> Iterator[tuple[UUID, str, bytes]]:
    """The bytes of all images."""
    numbers = [image for number in range(1, size.listings + 1) for image in images_of(size, number)]
    for number in (*numbers, *(profile_image(user) for user in range(1, size.faces + 1))):
        yield identifier("image", number), "image/png", png(number)


def closed_times(size: Size, now: datetime) -> Iterator[Resource]:
    """Availability exceptions: one at a fixed time, others in the next days."""
    today = now.replace(hour=0, minute=0)
    listed = list(size.plans)
    spans = [(START.replace(month=2, hour=0) + timedelta(days=365), 2, 0)]
    spans += [(today + timedelta(days=days), 1, days % 2 * 4) for days in range(2, 2 + len(listed))]
    for number, (start, days, seats) in enumerate(spans, 1):
        span = {"seats": seats, "start": start, "end": start + timedelta(days=days)}
        listing = listed[max(0, number - 2)]
        yield made("availabilityException", number, span, {"listing": to("listing", listing)})


def _created(size: Size, number: int, now: datetime) -> datetime:
    if number not in size.new_listings:
        return START + timedelta(hours=number)
    # The newest ten are of the last six days.
    return now - timedelta(hours=14 * (size.listings + 1 - number))


def listing(size: Size, number: int, created: datetime) -> Resource:
    """A listing, without its images."""
    kind = _KINDS[number % len(_KINDS)]
    place = number % 3000 / 100  # degrees: within what a map has, however many there are
    return made(
        "listing",
        number,
        {
            "title": f"{kind} {number}",
            "description": f"A {kind.lower()} to rent.",
            "geolocation": LatLng(60 + place, 24 + place),
            "createdAt": created,
            "price": Money(price_of(number), "EUR"),
            "availabilityPlan": _plan(size.plans.get(number)),
            "publicData": {"category": kind.split()[0].lower()},
            "privateData": {},
            "metadata": {},
            "state": size.state(number),
            "deleted": False,
        },
        {
            "marketplace": MARKET,
            "author": to("user", size.author(number)),
            "images": to_many("image", images_of(size, number)),
            "currentStock": to("stock", size.stocked.get(number)),
        },
    )


def _plan(kind: str | None) -> dict[str, Any] | None:
    if kind == "day":
        days = [{"dayOfWeek": day, "seats": 1} for day in ("mon", "tue", "wed", "thu", "fri")]
        return {"type": "availability-plan/day", "entries": days}
    if kind is None:
        return None
    # A zone that no machine needs data for.
    hours = {"seats": 4, "startTime": "16:00", "endTime": "22:00"}
    entries = [{"dayOfWeek": day, **hours} for day in ("wed", "fri")]
    entries += [{"dayOfWeek": day, **hours, "startTime": "10:00"} for day in ("sat", "sun")]
    return {"type": "availability-plan/time", "timezone": "Etc/UTC", "entries": entries}


def _image(number: int) -> Resource:
    url = f"{IMAGES}{identifier('image', number)}"
    whole = {"name": "default", "width": WIDTH, "height": HEIGHT, "url": url}
    return made("image", number, {"variants": {"default": whole}}, {})
