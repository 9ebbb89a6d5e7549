"""Availability plans: what is refused, and when a plan has seats."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any, NamedTuple, get_args
from zoneinfo import ZoneInfo, available_timezones

from flex_integration_sdk._vocabulary.names import AvailabilityPlanType, DayOfWeek
from flex_integration_sdk.sandbox._refusal import ApiFault

DAY, TIME = get_args(AvailabilityPlanType)
NO_DATA = (
    "The sandbox cannot look up time zones: this machine has no time zone data, and the package "
    "tzdata is not installed: pip install tzdata"
)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_DAYS = get_args(DayOfWeek)
_MIDNIGHT = "00:00"
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_UTC = frozenset({"UTC", "Etc/UTC"})  # known without any data
_ENTRY = {DAY: {"dayOfWeek", "seats"}, TIME: {"dayOfWeek", "seats", "startTime", "endTime"}}


class Span(NamedTuple):
    """A time with a number of seats."""

    start: datetime
    end: datetime
    seats: int


def check_plan(plan: dict[str, Any] | None, *, strict: bool) -> None:
    """Refuses what is not an availability plan.

    Args:
        plan: The plan, decoded; None: the listing has none.
        strict: Refuse also what the live API only might refuse.

    Raises:
        ApiFault: 400.
    """
    if plan is None:
        return
    kind = _needed(plan, (), "type")
    if kind not in (DAY, TIME):
        raise _invalid(("type",), f"is not {DAY} or {TIME}")
    if kind == DAY and "timezone" in plan:
        # Public scripts that run against production say so: a day is a day of UTC.
        raise _disallowed(("timezone",), f"is not allowed with the type {DAY}")
    if kind == TIME:
        _check_zone(_needed(plan, (), "timezone"))
    entries = plan.get("entries", [])
    if not isinstance(entries, list):
        raise _invalid(("entries",), "is not a list")
    for number, entry in enumerate(entries):
        _check_entry(kind, entry, ("entries", str(number)))
    if strict:
        known = {"type", "entries"} | ({"timezone"} if kind == TIME else set())
        _check_keys(plan, (), known)
        _check_strictly(kind, entries)


def zone_of(name: Any) -> tzinfo:
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


def planned(plan: dict[str, Any], start: datetime, end: datetime) -> Iterator[Span]:
    """When a plan has seats, from the day before ``start`` to the day after ``end``."""
    # A day plan counts in UTC; one of an older database can have a time zone.
    is_day = plan["type"] == DAY
    zone = UTC if is_day else zone_of(plan["timezone"])
    days = [[each for each in plan.get("entries", ()) if each["dayOfWeek"] == d] for d in _DAYS]
    first = max(date.min.toordinal(), start.toordinal() - 1)
    for number in range(first, min(date.max.toordinal(), end.toordinal() + 1) + 1):
        for entry in days[date.fromordinal(number).weekday()]:
            opens = _MIDNIGHT if is_day else entry.get("startTime", _MIDNIGHT)
            closes = _MIDNIGHT if is_day else entry.get("endTime", _MIDNIGHT)
            span = Span(
                _instant(number, opens, zone),
                # Midnight as the end is that of the next day, also after a start at midnight.
                _instant(number + (closes == _MIDNIGHT), closes, zone),
                entry["seats"],
            )
            if span.start < span.end:
                yield span


def _instant(number: int, clock: str, zone: tzinfo) -> datetime:
    """A day's time by the clock, in UTC."""
    try:
        at = time.fromisoformat(clock).replace(tzinfo=None)
        return datetime.combine(date.fromordinal(number), at, zone).astimezone(UTC)
    except (OverflowError, ValueError):  # the first or the last day of the calendar
        return FIRST if number <= 2 else LAST


def _check_zone(name: Any) -> None:
    try:
        zone_of(name)
    except (LookupError, OSError, TypeError, ValueError):
        raise _invalid(("timezone",), "is not a time zone") from None


def _check_entry(kind: str, entry: Any, path: tuple[str, ...]) -> None:
    if not isinstance(entry, dict):
        raise _invalid(path, "is not an object")
    if _needed(entry, path, "dayOfWeek") not in _DAYS:
        raise _invalid((*path, "dayOfWeek"), f"is not one of {', '.join(_DAYS)}")
    seats = _needed(entry, path, "seats")
    if type(seats) is not int or seats < 0:
        raise _invalid((*path, "seats"), "is not a whole number, 0 or more")
    for name in ("startTime", "endTime") if kind == TIME else ():
        value = entry.get(name, _MIDNIGHT)
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            raise _invalid((*path, name), "is not a time such as 09:30")


def _check_strictly(kind: str, entries: list[dict[str, Any]]) -> None:
    """Refuses entries with unknown keys, that end before they start, or that overlap."""
    taken: dict[str, list[tuple[str, str]]] = {}
    for number, entry in enumerate(entries):
        path = ("entries", str(number))
        _check_keys(entry, path, _ENTRY[kind])
        opens, closes = _MIDNIGHT, "24:00"
        if kind == TIME:
            opens, closes = _needed(entry, path, "startTime"), _needed(entry, path, "endTime")
            closes = "24:00" if closes == _MIDNIGHT else closes
        if closes <= opens:
            raise _invalid((*path, "endTime"), "is not after startTime")
        others = taken.setdefault(entry["dayOfWeek"], [])
        if any(opens < end and start < closes for start, end in others):
            raise _invalid(path, "overlaps another entry of that day")
        others.append((opens, closes))


def _check_keys(given: dict[str, Any], path: tuple[str, ...], known: set[str]) -> None:
    for name in given:
        if name not in known:
            raise _disallowed((*path, name), "is not a known key")


def _needed(given: dict[str, Any], path: tuple[str, ...], name: str) -> Any:
    if name not in given:
        raise _fault("validation-missing-key", (*path, name), "is missing")
    return given[name]


def _invalid(path: tuple[str, ...], what: str) -> ApiFault:
    return _fault("validation-invalid-value", path, what)


def _disallowed(path: tuple[str, ...], what: str) -> ApiFault:
    return _fault("validation-disallowed-key", path, what)


def _fault(code: str, path: tuple[str, ...], what: str) -> ApiFault:
    path = ("availabilityPlan", *path)
    return ApiFault(400, code, f"{'.'.join(path)} {what}", path=path, where="body")
