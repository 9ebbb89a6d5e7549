"""``stock.compareAndSet`` with equal totals changes nothing.

Evidence: one published program, which says that there is no adjustment and no event.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK
from flex_integration_sdk.errors import ConflictError
from flex_integration_sdk.sandbox import RunningSandbox

from .test_sandbox_commands import connected, new_listing


def adjustments(sdk: IntegrationSDK, listing: Any) -> list[int]:
    now = datetime.now(UTC)
    found = sdk.stock_adjustments.query(
        listing_id=listing.id, start=now - timedelta(days=1), end=now + timedelta(days=1)
    )
    return [each.attributes["quantity"] for each in found.data]


def test_equal_totals_make_no_adjustment_and_no_event(flex_sandbox: RunningSandbox) -> None:
    with connected(flex_sandbox) as sdk:
        listing = new_listing(sdk)
        sdk.stock.compare_and_set(listing_id=listing.id, old_total=None, new_total=5)
        last = sdk.events.query(event_types="stockAdjustment").data[-1].attributes["sequenceId"]
        same: dict[str, Any] = {"listing_id": listing.id, "old_total": 5, "new_total": 5}
        stock = sdk.stock.compare_and_set(**same, expand=True).data
        assert stock.attributes == {"quantity": 5}
        assert adjustments(sdk, listing) == [5]
        assert sdk.events.query(start_after_sequence_id=last, resource_id=listing.id).data == []
        assert (
            sdk.events.query(start_after_sequence_id=last, event_types="stockAdjustment").data == []
        )
        with pytest.raises(ConflictError, match="old-total-mismatch"):
            sdk.stock.compare_and_set(listing_id=listing.id, old_total=4, new_total=4)
        # A first stock of 0 is a change: before, there was none.
        empty = new_listing(sdk)
        sdk.stock.compare_and_set(listing_id=empty.id, old_total=None, new_total=0)
        shown = sdk.listings.show(id=empty.id, include="currentStock").data.related("currentStock")
        assert shown is not None
        assert shown.attributes == {"quantity": 0}
