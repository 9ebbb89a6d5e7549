"""Availability plans on machines without a time zone database, as slim images and Windows are."""

from __future__ import annotations

import importlib.metadata
import sys
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flex_integration_sdk.errors import BadRequestError, ServerError
from flex_integration_sdk.sandbox import RunningSandbox

from .test_sandbox_commands import connected, new_listing

MONDAY = datetime(2027, 3, 1, tzinfo=UTC)
PLAN = {
    "type": "availability-plan/time",
    "timezone": "Asia/Tokyo",
    "entries": [{"dayOfWeek": "mon", "seats": 1}],
}


@pytest.fixture
def no_database() -> Iterator[None]:
    """As with an empty PYTHONTZPATH; the sandbox runs in this process."""
    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()


@pytest.fixture
def no_tzdata(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the package is not installed."""
    for name in [each for each in sys.modules if each.partition(".")[0] == "tzdata"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tzdata", None)


def test_the_extra_brings_the_data() -> None:
    required = importlib.metadata.requires("flex-integration-sdk") or []
    (found,) = [each for each in required if each.startswith("tzdata")]
    assert "extra == 'sandbox'" in found.replace('"', "'")
    assert "platform" not in found  # slim images have none either


@pytest.mark.usefixtures("no_database")
def test_a_plan_counts_in_its_own_zone(flex_sandbox: RunningSandbox) -> None:
    with connected(flex_sandbox) as sdk:
        listing = new_listing(sdk, availability_plan=PLAN)

        def free(start: datetime) -> bool:
            end = start + timedelta(hours=1)
            span: dict[str, Any] = {"start": start, "end": end}
            found = sdk.listings.query(ids=[listing.id], **span, availability="time-full")
            return bool(found.data)

        # Monday in Tokyo is from 15:00 UTC on Sunday to 15:00 UTC on Monday.
        assert free(MONDAY - timedelta(hours=9))
        assert not free(MONDAY - timedelta(hours=10))
        assert free(MONDAY + timedelta(hours=14))
        assert not free(MONDAY + timedelta(hours=15))
        with pytest.raises(BadRequestError, match="availabilityPlan"):
            new_listing(sdk, availability_plan={**PLAN, "timezone": "Mars/Olympus"})


@pytest.mark.usefixtures("no_database", "no_tzdata")
def test_without_any_data_it_says_what_to_install(flex_sandbox: RunningSandbox) -> None:
    with connected(flex_sandbox) as sdk:
        with pytest.raises(ServerError, match="pip install tzdata"):
            new_listing(sdk, availability_plan=PLAN)
        new_listing(sdk, availability_plan={**PLAN, "timezone": "Etc/UTC"})


def test_a_stored_plan_is_not_counted_in_utc(
    flex_sandbox: RunningSandbox, request: pytest.FixtureRequest
) -> None:
    with connected(flex_sandbox) as sdk:
        listing = new_listing(sdk, availability_plan=PLAN)
        for absent in ("no_database", "no_tzdata"):
            request.getfixturevalue(absent)
        with pytest.raises(ServerError, match="pip install tzdata"):
            sdk.listings.query(
                ids=[listing.id],
                start=MONDAY,
                end=MONDAY + timedelta(hours=1),
                availability="time-full",
            )
