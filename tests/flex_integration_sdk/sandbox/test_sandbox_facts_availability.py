"""Availability plans, and searches by availability.

Evidence for each test is in its docstring. *Page* is "How the listing search works", "Listing
availability management" or "Managing listing availability" of the official documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK, LatLng, Money
from flex_integration_sdk.errors import BadRequestError
from flex_integration_sdk.names import AnyName, AvailabilityMode
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

from .test_sandbox_commands import connected, new_listing

MONDAY = datetime(2027, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_PLAN: dict[str, Any] = {
    "type": "availability-plan/day",
    "entries": [{"dayOfWeek": "mon", "seats": 2}, {"dayOfWeek": "tue", "seats": 1}],
}


def time_plan(*entries: tuple[str, str, str], timezone: str = "Etc/UTC") -> dict[str, Any]:
    return {
        "type": "availability-plan/time",
        "timezone": timezone,
        "entries": [
            {"dayOfWeek": day, "startTime": start, "endTime": end, "seats": 1}
            for day, start, end in entries
        ],
    }


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as found:
        yield found


@pytest.fixture
def sdk(running: RunningSandbox) -> Iterator[IntegrationSDK]:
    running.reset()
    with connected(running) as found:
        yield found


@pytest.fixture(scope="module")
def strict() -> Iterator[IntegrationSDK]:
    with serve(SandboxSettings(strict=True)) as found, connected(found) as sdk:
        yield sdk


def is_found(
    sdk: IntegrationSDK,
    listing: Any,
    start: datetime,
    end: datetime,
    how: str,
    **more: Any,
) -> bool:
    found = sdk.listings.query(
        ids=[listing.id], start=start, end=end, availability=AnyName(how), **more
    )
    return bool(found.data)


def refusal(sdk: IntegrationSDK, **given: Any) -> tuple[str, list[str]]:
    """Code and path of the 400 that a new listing gets; an existing one gets the same."""
    with pytest.raises(BadRequestError) as error:
        new_listing(sdk, **given)
    some = sdk.listings.query(per_page=1).data[0]
    with pytest.raises(BadRequestError) as again:
        sdk.listings.update(id=some.id, **given)
    one, two = error.value.errors[0], again.value.errors[0]
    assert one["source"]["type"] == "body"
    assert (one["code"], one["source"]) == (two["code"], two["source"])
    return one["code"], one["source"]["path"]


def test_a_day_plan_has_no_timezone(sdk: IntegrationSDK) -> None:
    """Public scripts that ran against production in 2026; pages: a day plan is always in UTC."""
    code, path = refusal(sdk, availability_plan={**DAY_PLAN, "timezone": "Etc/UTC"})
    assert (code, path) == ("validation-disallowed-key", ["availabilityPlan", "timezone"])
    assert new_listing(sdk, availability_plan=DAY_PLAN).attributes["availabilityPlan"] == DAY_PLAN


ENTRY = {"dayOfWeek": "mon", "seats": 1}
NEVER: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"entries": []}, "validation-missing-key", ["type"]),
    ({"type": "day"}, "validation-invalid-value", ["type"]),
    ({"type": "availability-plan/time"}, "validation-missing-key", ["timezone"]),
    ({**DAY_PLAN, "entries": [{"seats": 1}]}, "validation-missing-key",
     ["entries", "0", "dayOfWeek"]),
    ({**DAY_PLAN, "entries": [ENTRY, {"dayOfWeek": "mon"}]}, "validation-missing-key",
     ["entries", "1", "seats"]),
    ({**DAY_PLAN, "entries": [{**ENTRY, "seats": -1}]}, "validation-invalid-value",
     ["entries", "0", "seats"]),
    (time_plan(("mon", "00:00", "24:00")), "validation-invalid-value",
     ["entries", "0", "endTime"]),
    (time_plan(("mon", "09:00+02:00", "10:00")), "validation-invalid-value",
     ["entries", "0", "startTime"]),
]  # fmt: skip


@pytest.mark.parametrize(("plan", "code", "path"), NEVER)
def test_what_no_search_could_read_is_never_stored(
    sdk: IntegrationSDK, plan: dict[str, Any], code: str, path: list[str]
) -> None:
    """Inferred: no published program sends any of these."""
    assert refusal(sdk, availability_plan=plan) == (code, ["availabilityPlan", *path])


PERHAPS: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"availability_plan": {**DAY_PLAN, "color": 1}}, "validation-disallowed-key",
     ["availabilityPlan", "color"]),
    ({"availability_plan": {**DAY_PLAN, "entries": [{**ENTRY, "startTime": "09:00"}]}},
     "validation-disallowed-key", ["availabilityPlan", "entries", "0", "startTime"]),
    ({"availability_plan": {**DAY_PLAN, "entries": [ENTRY, ENTRY]}}, "validation-invalid-value",
     ["availabilityPlan", "entries", "1"]),
    ({"availability_plan": {**time_plan(), "entries": [ENTRY]}}, "validation-missing-key",
     ["availabilityPlan", "entries", "0", "startTime"]),
    ({"availability_plan": time_plan(("mon", "10:00", "09:00"))}, "validation-invalid-value",
     ["availabilityPlan", "entries", "0", "endTime"]),
    ({"availability_plan": time_plan(("mon", "09:00", "11:00"), ("mon", "10:00", "00:00"))},
     "validation-invalid-value", ["availabilityPlan", "entries", "1"]),
    ({"price": Money(-1, "EUR")}, "validation-invalid-value", ["price"]),
    ({"price": {"amount": 1, "currency": "EUR", "unit": "day"}}, "validation-disallowed-key",
     ["price", "unit"]),
    ({"geolocation": LatLng(91, 0)}, "validation-invalid-value", ["geolocation"]),
    ({"geolocation": LatLng(0, -181)}, "validation-invalid-value", ["geolocation"]),
    ({"title": ""}, "validation-invalid-value", ["title"]),
    ({"geolocation": {"lat": 1, "lng": 2, "alt": 3}}, "validation-disallowed-key",
     ["geolocation", "alt"]),
]  # fmt: skip


@pytest.mark.parametrize(("given", "code", "path"), PERHAPS)
def test_what_the_api_might_refuse(
    sdk: IntegrationSDK, strict: IntegrationSDK, given: dict[str, Any], code: str, path: list[str]
) -> None:
    """Inferred from the refused time zone of a day plan: only a strict sandbox refuses them."""
    assert refusal(strict, **given) == (code, path)
    listing = new_listing(sdk, **given)
    for how in ("day-full", "day-partial", "time-full", "time-partial"):
        is_found(sdk, listing, MONDAY, MONDAY + DAY, how)  # what is stored can be searched
    assert sdk.listings.query(origin=LatLng(0, 0)).data


def test_a_strict_sandbox_takes_what_is_right(strict: IntegrationSDK) -> None:
    new_listing(strict, availability_plan=DAY_PLAN, price=Money(0, "EUR"))
    plan = time_plan(
        ("mon", "09:00", "11:00"), ("mon", "11:00", "00:00"), ("tue", "00:00", "00:00")
    )
    new_listing(strict, availability_plan=plan, geolocation=LatLng(-90, 180))


def test_midnight_to_midnight_is_the_whole_day_and_days_merge(sdk: IntegrationSDK) -> None:
    """Page: entries from 00:00 to 00:00 enable bookings that span consecutive days; the official
    example ``bulk-update-listings.js`` sends such a plan."""
    every_day = time_plan(*((day, "00:00", "00:00") for day in WEEK), timezone="Europe/Helsinki")
    listing = new_listing(sdk, availability_plan=every_day)
    assert is_found(sdk, listing, MONDAY - HOUR, MONDAY + 89 * DAY, "time-full")
    assert is_found(
        sdk, listing, MONDAY, MONDAY + 89 * DAY, "time-partial", min_duration=89 * 24 * 60
    )
    # Across the hour that the clocks skip: 28 March 2027 in Helsinki.
    sunday = datetime(2027, 3, 28, tzinfo=UTC)
    assert is_found(sdk, listing, sunday - DAY, sunday + DAY, "time-full")


def test_neighbours_are_one_piece(sdk: IntegrationSDK) -> None:
    """Page: ``minDuration`` is the minimum duration at any point of the searched time, in
    minutes with ``time-partial``."""
    plan = time_plan(
        ("mon", "22:30", "23:15"), ("mon", "23:15", "00:00"), ("tue", "00:00", "01:30")
    )
    listing = new_listing(sdk, availability_plan=plan)
    span = (MONDAY, MONDAY + 2 * DAY)
    assert is_found(sdk, listing, *span, "time-partial", min_duration=180)
    assert not is_found(sdk, listing, *span, "time-partial", min_duration=181)
    assert is_found(sdk, listing, MONDAY + 22.5 * HOUR, MONDAY + 25.5 * HOUR, "time-full")
    assert not is_found(sdk, listing, MONDAY + 22 * HOUR, MONDAY + 25 * HOUR, "time-full")
    # What is searched ends within the piece.
    late = (MONDAY + 23 * HOUR, MONDAY + 2 * DAY)
    assert is_found(sdk, listing, *late, "time-partial", min_duration=150)
    assert not is_found(sdk, listing, *late, "time-partial", min_duration=151)


def test_exceptions_and_bookings_of_a_time_plan_are_exact(sdk: IntegrationSDK) -> None:
    """Page: "interpreted literally, i.e. covering the exact time intervals"; its example: 07–22
    with an exception of 22–23 is free from 07 to 23."""
    listing = new_listing(sdk, availability_plan=time_plan(("mon", "07:00", "22:00")))

    def longest() -> int:
        span = (MONDAY, MONDAY + DAY)
        hours = range(1, 25)
        return max(
            (n for n in hours
             if is_found(sdk, listing, *span, "time-partial", min_duration=60 * n)), default=0
        )  # fmt: skip

    assert longest() == 15
    sdk.availability_exceptions.create(
        listing_id=listing.id, seats=1, start=MONDAY + 22 * HOUR, end=MONDAY + 23 * HOUR
    )
    assert longest() == 16
    sdk.availability_exceptions.create(
        listing_id=listing.id, seats=0, start=MONDAY + 10 * HOUR, end=MONDAY + 11.5 * HOUR
    )
    assert longest() == 11  # 11:30 to 23:00
    assert is_found(sdk, listing, MONDAY + 9 * HOUR, MONDAY + 10 * HOUR, "time-full")
    assert not is_found(sdk, listing, MONDAY + 11 * HOUR, MONDAY + 12 * HOUR, "time-full")


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2018-11-26T12:30:00.000+01:00", "2018-11-27T10:25:00.000+01:00", 26, 28),
        ("2018-11-26T00:30:00.000+01:00", "2018-11-27T00:15:00.000+01:00", 25, 27),
        ("2018-11-26T00:30:00.000+01:00", "2018-11-27T15:15:00.000+01:00", 25, 28),
    ],
)
def test_a_part_of_a_day_is_the_whole_day_for_a_day_plan(
    sdk: IntegrationSDK, start: str, end: str, first: int, last: int
) -> None:
    """The three examples of the page, by the UTC dates that the exception covers."""
    plan = {
        "type": "availability-plan/day", "entries": [{"dayOfWeek": d, "seats": 1} for d in WEEK]
    }  # fmt: skip
    listing = new_listing(sdk, availability_plan=plan)
    span: Any = {"start": datetime.fromisoformat(start), "end": datetime.fromisoformat(end)}
    sdk.availability_exceptions.create(listing_id=listing.id, seats=0, **span)
    blocked = [
        number
        for number in range(24, 30)
        if not is_found(
            sdk,
            listing,
            datetime(2018, 11, number, tzinfo=UTC),
            datetime(2018, 11, number + 1, tzinfo=UTC),
            "day-full",
        )
    ]
    assert blocked == list(range(first, last))


def test_of_several_exceptions_of_a_day_the_least_seats_count(sdk: IntegrationSDK) -> None:
    """Page: "the minimum number of seats of all these availability exceptions"."""
    listing = new_listing(sdk, availability_plan=DAY_PLAN)
    for hour, seats in ((1, 5), (3, 3)):
        sdk.availability_exceptions.create(
            listing_id=listing.id,
            seats=seats,
            start=MONDAY + hour * HOUR,
            end=MONDAY + (hour + 1) * HOUR,
        )
    assert is_found(sdk, listing, MONDAY, MONDAY + DAY, "day-full", seats=3)
    assert not is_found(sdk, listing, MONDAY, MONDAY + DAY, "day-full", seats=4)


def test_minimum_duration_counts_days_with_a_day_plan(sdk: IntegrationSDK) -> None:
    """Page: "days in day-partial, minutes in time-partial"."""
    listing = new_listing(sdk, availability_plan=DAY_PLAN)
    span = (MONDAY - DAY, MONDAY + 7 * DAY)
    assert is_found(sdk, listing, *span, "day-partial", min_duration=2)
    assert not is_found(sdk, listing, *span, "day-partial", min_duration=3)
    assert not is_found(sdk, listing, *span, "day-partial", min_duration=2, seats=2)


def test_day_and_time_searches_find_plans_of_their_kind(sdk: IntegrationSDK) -> None:
    """Page: "Match listings with availability plan type: day, day, time, time"; the official
    example ``bulk-update-listings.js`` counts a listing without a plan as day-based."""
    both = {
        "day": [new_listing(sdk, availability_plan=DAY_PLAN), new_listing(sdk)],
        "time": [new_listing(sdk, availability_plan=time_plan(("mon", "00:00", "00:00")))],
    }
    for kind, listings in both.items():
        for listing in listings:
            for how in ("full", "partial"):
                for asked in ("day", "time"):
                    found = is_found(sdk, listing, MONDAY, MONDAY + DAY, f"{asked}-{how}")
                    assert found == (asked == kind)
    ids = [each.id for listings in both.values() for each in listings]
    default = sdk.listings.query(ids=ids, start=MONDAY, end=MONDAY + DAY)
    assert {each.id for each in default.data} == {each.id for each in both["day"]}


@pytest.mark.parametrize(
    ("how", "counted"),
    [("day-full", True), ("day-partial", False), ("time-full", False), ("time-partial", False)],
)
def test_which_searches_have_pages(
    sdk: IntegrationSDK, how: AvailabilityMode, counted: bool
) -> None:
    """Page: "Supports result pagination: yes, no, no, no"."""
    meta = sdk.listings.query(start=MONDAY, end=MONDAY + DAY, availability=how).meta
    assert (meta["totalItems"] is not None) is counted
    assert meta.get("paginationUnsupported") is (None if counted else True)


def test_what_cannot_be_searched(sdk: IntegrationSDK, strict: IntegrationSDK) -> None:
    """Page: four values; at most 90 days; ``minDuration`` is of partial searches."""
    with pytest.raises(BadRequestError, match="availability must be one of"):
        sdk.listings.query(start=MONDAY, end=MONDAY + DAY, availability=AnyName("full"))
    with pytest.raises(BadRequestError, match="90 days"):
        sdk.listings.query(start=MONDAY, end=MONDAY + 91 * DAY)
    full: dict[str, Any] = {"start": MONDAY, "end": MONDAY + DAY, "availability": "day-full"}
    assert sdk.listings.query(**full, min_duration=2).data
    with pytest.raises(BadRequestError, match="minDuration"):
        strict.listings.query(**full, min_duration=2)


def test_the_ends_of_the_calendar(sdk: IntegrationSDK) -> None:
    days = {"type": "availability-plan/day"}
    days["entries"] = [{"dayOfWeek": d, "seats": 1} for d in WEEK]  # type: ignore[assignment]  # JSON
    times = time_plan(*((d, "00:00", "00:00") for d in WEEK), timezone="Asia/Tokyo")
    for plan, how in ((days, "day-full"), (times, "time-full")):
        listing = new_listing(sdk, availability_plan=plan)
        for start in (datetime(1, 1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 1, tzinfo=UTC)):
            assert is_found(sdk, listing, start, start + 22.5 * HOUR, how)
