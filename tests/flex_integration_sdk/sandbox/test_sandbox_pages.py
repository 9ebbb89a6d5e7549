"""How far the pages of a query reach, and what its ``meta`` says of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK, create_instance
from flex_integration_sdk.errors import ApiError
from flex_integration_sdk.sandbox import SandboxSettings, serve

MONDAY = datetime(2027, 3, 1, tzinfo=UTC)
WALL = 25


@pytest.fixture(scope="module")
def sdk() -> Iterator[IntegrationSDK]:
    """Of a marketplace with 250 listings and 25 transactions, and a wall at 25 items."""
    with (
        serve(SandboxSettings(page_wall=WALL)) as sandbox,
        create_instance(sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url) as sdk,
    ):
        yield sdk


def refused(sdk: IntegrationSDK, **query: Any) -> Any:
    with pytest.raises(ApiError) as caught:
        sdk.listings.query(**query)
    assert caught.value.status == 400
    (error,) = caught.value.errors
    assert error["code"] == "validation-invalid-value"
    assert error["source"]["path"] == ["page"]
    return error["title"]


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "-createdAt"},
        {"sort": "createdAt"},
        {"sort": "price"},
        {"created_at_start": datetime(2026, 1, 1, tzinfo=UTC)},
        {"states": ["published", "closed"]},
        {"pub_category": "kayak"},
        {"keywords": "bike"},
    ],
    ids=lambda query: next(iter(query.items()))[0] + str(next(iter(query.items()))[1])[:10],
)
def test_a_query_that_filters_or_sorts_reaches_the_wall(
    sdk: IntegrationSDK, query: dict[str, Any]
) -> None:
    first = sdk.listings.query(per_page=10, **query)
    total = first.meta["totalItems"]
    assert total is not None
    assert total > WALL
    assert first.meta["totalPages"] == -(-total // 10)
    assert first.meta["paginationLimit"] == 2  # the third page reaches beyond the wall
    last = sdk.listings.query(per_page=10, page=2, **query)
    assert len(last.data) == 10
    assert last.meta["paginationLimit"] == 2
    assert "at most 2" in refused(sdk, per_page=10, page=3, **query)


def test_a_query_that_asks_for_all_reaches_all(sdk: IntegrationSDK) -> None:
    seen = [each.id for page in (1, 2, 3) for each in sdk.listings.query(page=page).data]
    assert len(set(seen)) == 250
    assert "paginationLimit" not in sdk.listings.query().meta


def test_what_is_found_before_the_wall_has_no_limit(sdk: IntegrationSDK) -> None:
    query: dict[str, Any] = {"created_at_end": datetime(2026, 1, 2, tzinfo=UTC), "per_page": 5}
    found = sdk.listings.query(**query)
    assert (found.meta["totalItems"] or 0) <= WALL
    assert "paginationLimit" not in found.meta
    assert sdk.listings.query(page=99, **query).data == []


def test_a_page_that_is_larger_than_the_wall_can_be_requested(sdk: IntegrationSDK) -> None:
    found = sdk.listings.query(sort="price")
    assert len(found.data) == 100
    assert found.meta["paginationLimit"] == 1


def test_users_and_transactions_have_the_wall_too() -> None:
    with (
        serve(SandboxSettings(page_wall=3)) as sandbox,
        create_instance(sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url) as sdk,
    ):
        for query in (sdk.users.query, sdk.transactions.query):
            assert query(sort="-createdAt", per_page=2).meta["paginationLimit"] == 1
            with pytest.raises(ApiError, match="at most 1"):
                query(sort="-createdAt", per_page=2, page=2)


def test_the_wall_is_at_ten_thousand() -> None:
    assert SandboxSettings().page_wall == 10_000


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "10"])
def test_a_wall_is_a_number_of_items(wrong: Any) -> None:
    with pytest.raises(ValueError, match="page_wall must be a whole number"):
        SandboxSettings(page_wall=wrong)


@pytest.mark.parametrize("how", ["day-partial", "time-full", "time-partial"])
def test_a_search_without_pages_has_its_first_only(sdk: IntegrationSDK, how: Any) -> None:
    query: dict[str, Any] = {"start": MONDAY, "end": MONDAY + timedelta(days=1)}
    query["availability"] = how
    found = sdk.listings.query(page=1, **query)
    assert found.meta["paginationUnsupported"] is True
    assert found.meta["totalItems"] is None
    assert found.meta["totalPages"] is None
    assert "page 1 only" in refused(sdk, page=2, **query)


def test_without_a_time_span_availability_takes_no_pages_away(sdk: IntegrationSDK) -> None:
    found = sdk.listings.query(availability="time-full", per_page=10, page=2)
    assert len(found.data) == 10
    assert found.meta["totalItems"] == 250
