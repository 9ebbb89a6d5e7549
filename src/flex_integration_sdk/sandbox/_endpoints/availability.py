"""``availability_exceptions``, and when a listing is free."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from flex_integration_sdk.sandbox._data.database import Resource
from flex_integration_sdk.sandbox._refusal import ApiFault, conflict

from .context import Context, endpoint, ordered_span, related_id
from .pages import page
from .parameters import Arguments

# The API's limit for a query of exceptions, from its changelog.
MOST_DAYS = 366
NO_DATA = (
    "The sandbox cannot look up time zones: this machine has no time zone data, and the package "
    "tzdata is not installed: pip install tzdata"
)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TAKING = ("pending", "accepted")
_UTC = frozenset({"UTC", "Etc/UTC"})  # known without any data
_PLANS = ("availability-plan/day", "availability-plan/time")


@endpoint("availabilityExceptions.query")
def query(context: Context, asked: Arguments) -> dict[str, Any]:
    start, end = ordered_span(asked, MOST_DAYS)
    context.needed("listing", asked["listingId"], "listing-not-found")
    found = [
        each
        for each in _of(context, "availabilityException", asked["listingId"])
        if _overlaps(each, start, end)
    ]
    return page(context.db, sorted(found, key=lambda each: each["attributes"]["start"]), asked)


@endpoint("availabilityExceptions.create")
def create(context: Context, asked: Arguments) -> Resource:
    listing = context.needed("listing", asked["listingId"], "listing-not-found")
    start, end = ordered_span(asked)
    if asked["seats"] < 0:
        title = "seats must be a whole number, 0 or more"
        raise ApiFault(400, "validation-invalid-value", title, path=("seats",), where="body")
    for each in _of(context, "availabilityException", listing["id"]):
        if _overlaps(each, start, end):
            raise conflict("conflict", "There already is an availability exception in that time")
    attributes = {"seats": asked["seats"], "start": start, "end": end}
    return context.add("availabilityException", attributes, {"listing": listing})


@endpoint("availabilityExceptions.delete")
def delete(context: Context, asked: Arguments) -> Resource:
    found = context.needed("availabilityException", asked["id"])
    context.db.remove(found)
    return found


def check_plan(plan: dict[str, Any] | None) -> None:
    """Refuses what is not an availability plan.

    Raises:
        ApiFault: 400.
    """
    if plan is None:
        return
    try:
        if plan["type"] not in _PLANS:
            raise ValueError
        if plan["type"] == _PLANS[1] or "timezone" in plan:
            _zone(plan["timezone"])
        for entry in plan.get("entries", []):
            if entry["dayOfWeek"] not in _DAYS or type(entry["seats"]) is not int:
                raise ValueError
            for name in ("startTime", "endTime"):
                time.fromisoformat(entry.get(name, "00:00"))
    except (AttributeError, LookupError, OSError, TypeError, ValueError):
        path, title = ("availabilityPlan",), "availabilityPlan is not a valid availability plan"
        raise ApiFault(400, "validation-invalid-value", title, path=path, where="body") from None


def _zone(name: str) -> tzinfo:
    """The time zone.

    Raises:
        ApiFault: 500; this machine has no data about time zones, so that no plan can be judged.
        LookupError, OSError, TypeError, ValueError: There is no such zone.
    """
    if name in _UTC:
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        if available_timezones():
            raise
    raise ApiFault(500, "sandbox-no-time-zone-data", NO_DATA)


def is_free(
    context: Context,
    listing: Resource,
    start: datetime,
    end: datetime,
    seats: int,
    *,
    partial: bool,
) -> bool:
    """Whether so many seats are free in the whole time span, or (``partial``) in a part of it."""
    exceptions = _of(context, "availabilityException", listing["id"])
    bookings = [
        each
        for each in _of(context, "booking", listing["id"])
        if each["attributes"]["state"] in _TAKING
    ]
    moments = {start, end}
    for each in (*exceptions, *bookings):
        moments |= {each["attributes"]["start"], each["attributes"]["end"]}
    moment = start if listing["attributes"]["availabilityPlan"] is not None else end
    while moment < end:  # a plan changes at full hours; a time span is at most 90 days
        moments.add(moment)
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    free = (
        _seats(listing, exceptions, bookings, moment) >= seats
        for moment in moments
        if start <= moment < end
    )
    return any(free) if partial else all(free)


def _seats(
    listing: Resource, exceptions: list[Resource], bookings: list[Resource], moment: datetime
) -> int:
    within = [each for each in exceptions if _holds(each, moment)]
    total = within[0]["attributes"]["seats"] if within else _planned(listing, moment)
    taken = sum(each["attributes"]["seats"] for each in bookings if _holds(each, moment))
    return int(total) - int(taken)


def _planned(listing: Resource, moment: datetime) -> int:
    plan = listing["attributes"]["availabilityPlan"]
    if plan is None:
        return 1  # without a plan a listing is free all the time
    zone = _zone(plan.get("timezone", "Etc/UTC"))
    try:
        local = moment.astimezone(zone)
    except OverflowError:  # the end of the calendar
        local = moment
    seats = 0
    for entry in plan.get("entries", ()):
        if entry.get("dayOfWeek") != _DAYS[local.weekday()]:
            continue
        first = time.fromisoformat(entry.get("startTime", "00:00"))
        last = entry.get("endTime", "00:00")
        if first <= local.time() and (last == "00:00" or local.time() < time.fromisoformat(last)):
            seats = max(seats, int(entry.get("seats", 1)))
    return seats


def _of(context: Context, kind: str, listing: Any) -> list[Resource]:
    return [each for each in context.db.all(kind) if related_id(each, "listing") == listing]


def _holds(span: Resource, moment: datetime) -> bool:
    return bool(span["attributes"]["start"] <= moment < span["attributes"]["end"])


def _overlaps(span: Resource, start: datetime, end: datetime) -> bool:
    return bool(span["attributes"]["start"] < end and start < span["attributes"]["end"])
