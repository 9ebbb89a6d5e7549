"""Odd but possible requests are refused or answered, never with 500."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk.errors import BadRequestError
from flex_integration_sdk.names import AnyName
from flex_integration_sdk.sandbox import RunningSandbox
from flex_integration_sdk.sandbox._endpoints.values import KINDS, READERS

from .test_sandbox_commands import connected, new_listing

NOW = datetime.now(UTC)


@pytest.fixture
def sdk(flex_sandbox: RunningSandbox) -> IntegrationSDK:
    return connected(flex_sandbox)


def test_every_type_of_the_table_is_read_and_has_a_name() -> None:
    kinds = {param.type for each in ENDPOINTS.values() for param in each.all_params}
    assert kinds - {"Fields", "Limits", "ImageVariants"} == set(READERS) == set(KINDS)


def test_a_time_beyond_the_calendar_in_utc(sdk: IntegrationSDK) -> None:
    with sdk:
        listing = new_listing(sdk)
        with pytest.raises(BadRequestError, match="start is not a time"):
            sdk.availability_exceptions.create(
                listing_id=listing.id,
                seats=0,
                start="0001-01-01T00:00:00+14:00",  # type: ignore[arg-type]  # as a text
                end=datetime(2026, 1, 1, tzinfo=UTC),
            )
        zone = timezone(timedelta(hours=2))
        made = sdk.availability_exceptions.create(
            listing_id=listing.id,
            seats=0,
            start=datetime(2026, 1, 1, 2, tzinfo=zone),
            end=datetime(2026, 1, 2, 2, tzinfo=zone),
            expand=True,
        )
        assert made.data.attributes["start"] == datetime(2026, 1, 1, tzinfo=UTC)


def test_texts_are_searched_where_a_number_is(sdk: IntegrationSDK) -> None:
    with sdk:
        listing = new_listing(sdk)
        sdk.listings.update(id=listing.id, public_data={"gears": 7})
        assert sdk.listings.query(pub_gears="city,tent").data == []
        assert [each.id for each in sdk.listings.query(pub_gears="5,8").data] == [listing.id]


def test_values_of_several_kinds_are_sorted(sdk: IntegrationSDK) -> None:
    with sdk:
        values = ["b", 2, None, [1], {"x": 1}, 1.5, "a", True]
        made = [new_listing(sdk, public_data={"mixed": value}).id for value in values]
        page = sdk.listings.query(sort=AnyName("-pub_mixed"), per_page=100, created_at_start=NOW)
        found = [each.attributes["publicData"].get("mixed") for each in page.data]
        assert found == [None, True, 1.5, 2, [1], "a", "b", {"x": 1}]
        assert len(made) == len(found)


@pytest.mark.sample(4)
@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"type": 1},
        {"type": "availability-plan/time", "entries": []},
        {"type": "availability-plan/day", "timezone": "Mars/Olympus"},
        {"type": "availability-plan/day", "timezone": "../../etc/passwd"},
        {"type": "availability-plan/day", "entries": [1]},
        {"type": "availability-plan/day", "entries": 1},
        {"type": "availability-plan/day", "entries": [{"dayOfWeek": "monday", "seats": 1}]},
        {"type": "availability-plan/day", "entries": [{"dayOfWeek": "mon", "seats": "1"}]},
        {
            "type": "availability-plan/time",
            "timezone": "Europe/Helsinki",
            "entries": [{"dayOfWeek": "mon", "seats": 1, "startTime": "9 o'clock"}],
        },
    ],
)
def test_what_is_no_availability_plan_is_refused(sdk: IntegrationSDK, plan: Any) -> None:
    with sdk:
        with pytest.raises(BadRequestError, match="availabilityPlan"):
            new_listing(sdk, availability_plan=plan)
        listing = new_listing(sdk)
        with pytest.raises(BadRequestError, match="availabilityPlan"):
            sdk.listings.update(id=listing.id, availability_plan=plan)
        assert sdk.listings.update(id=listing.id, availability_plan=None)


def test_only_the_process_of_a_transaction_is_a_source_of_its_own(sdk: IntegrationSDK) -> None:
    with sdk:
        listing = new_listing(sdk)
        last = sdk.events.query().data[-1].attributes["sequenceId"]
        sdk.stock.compare_and_set(listing_id=listing.id, old_total=None, new_total=5)
        events = [each.attributes for each in sdk.events.query(start_after_sequence_id=last).data]
        assert {each["source"] for each in events} == {"source/integration-api"}
        assert {each["eventType"] for each in events} == {
            "listing/updated",  # it has a stock now
            "stockAdjustment/created",
        }
