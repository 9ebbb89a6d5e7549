"""A marketplace with many listings, of which many share one moment of creation."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK, create_instance
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from flex_integration_sdk.sandbox._data.rows import milliseconds

MANY = 1_200
MILLISECOND = timedelta(milliseconds=1)


def connected(sandbox: RunningSandbox) -> IntegrationSDK:
    return create_instance(sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url)


@pytest.fixture(scope="module")
def sdk() -> Iterator[IntegrationSDK]:
    with serve(SandboxSettings(listings=MANY)) as sandbox, connected(sandbox) as sdk:
        yield sdk


def all_pages(sdk: IntegrationSDK, **query: Any) -> list[Any]:
    first = sdk.listings.query(**query)
    rest = range(2, (first.meta["totalPages"] or 0) + 1)
    found = [
        *first.data,
        *(each for page in rest for each in sdk.listings.query(page=page, **query).data),
    ]
    assert len(found) == first.meta["totalItems"]
    return found


def moments(listings: list[Any]) -> list[datetime]:
    return [each.attributes["createdAt"] for each in listings]


def test_there_are_so_many_and_many_share_a_moment(sdk: IntegrationSDK) -> None:
    found = all_pages(sdk)
    assert len({each.id for each in found}) == len(found) == MANY
    assert {f"{each.id}"[:8] for each in found} == {"00000003"}
    runs = Counter(moments(found))
    assert {250, 100, 101, 1} <= set(runs.values())
    assert max(runs.values()) <= 300
    assert any(at.microsecond for at in runs)
    assert not any(at.microsecond % 1000 for at in runs)
    assert Counter(each.attributes["state"] for each in found)["closed"] > 40
    assert all(-90 <= each.attributes["geolocation"].lat <= 90 for each in found)


@pytest.mark.parametrize("sort", [None, "createdAt"])
def test_the_newest_is_first(sdk: IntegrationSDK, sort: Any) -> None:
    found = moments(all_pages(sdk, **({"sort": sort} if sort else {})))
    assert found == sorted(found, reverse=True)


def test_with_a_dash_the_oldest_is_first(sdk: IntegrationSDK) -> None:
    found = moments(all_pages(sdk, sort="-createdAt"))
    assert found == sorted(found)


@pytest.mark.parametrize("sort", ["createdAt", "-createdAt"])
def test_an_order_is_the_same_with_another_filter(sdk: IntegrationSDK, sort: Any) -> None:
    """Which page a listing is on does not depend on how the sandbox looks it up."""
    states: Any = ["draft", "pendingApproval", "published", "closed"]
    plain = [each.id for each in all_pages(sdk, sort=sort)]
    assert plain == [each.id for each in all_pages(sdk, sort=sort, states=states)]


def test_a_time_span_has_its_start_and_not_its_end(sdk: IntegrationSDK) -> None:
    runs = Counter(moments(all_pages(sdk)))
    full = next(at for at, number in runs.items() if number == 250)

    def total(start: datetime, end: datetime) -> Any:
        return sdk.listings.query(created_at_start=start, created_at_end=end).meta["totalItems"]

    assert total(full, full + MILLISECOND) == 250
    assert total(full - MILLISECOND, full) == 0
    span: dict[str, Any] = {"created_at_start": full, "created_at_end": full + MILLISECOND}
    third = sdk.listings.query(page=3, **span)
    assert len(third.data) == 50


def test_what_is_asked_for_may_be_finer_than_what_is_stored() -> None:
    """A moment before the stored one must find it, and one after it must not, as exact ones do."""
    stored = datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=UTC)
    beside = timedelta(microseconds=1)
    assert milliseconds(stored - beside) == milliseconds(stored)
    assert milliseconds(stored + beside) == milliseconds(stored) + 1
    assert milliseconds(datetime(1970, 1, 1, tzinfo=UTC) - beside) == 0


def test_listings_are_the_same_each_time(sdk: IntegrationSDK) -> None:
    with serve(SandboxSettings(listings=MANY)) as other, connected(other) as again:
        query: dict[str, Any] = {"created_at_end": datetime(2026, 1, 1, tzinfo=UTC), "page": 2}
        one, two = sdk.listings.query(**query), again.listings.query(**query)
        assert [(each.id, each.attributes) for each in one.data] == [
            (each.id, each.attributes) for each in two.data
        ]


def test_a_listing_that_is_created_is_found_by_its_time(sdk: IntegrationSDK) -> None:
    author = sdk.users.query(per_page=1).data[0].id
    made = sdk.listings.create(title="New", author_id=author, state="published", expand=True).data
    at = made.attributes["createdAt"]
    found = sdk.listings.query(created_at_start=at, created_at_end=at + MILLISECOND).data
    assert [each.id for each in found] == [made.id]
    assert sdk.listings.query(sort="createdAt", per_page=1).data[0].id == made.id
    sdk.listings.update(id=made.id, title="Newer")
    assert sdk.listings.query(created_at_start=at).data[0].attributes["title"] == "Newer"


def test_the_file_of_an_earlier_version_is_found_by_time(tmp_path: Path) -> None:
    """Its rows do not say when they were created, nor do those that such a version adds later."""
    path = tmp_path / "market.db"
    kept = SandboxSettings(db=str(path), seed="small")
    query: dict[str, Any] = {
        "created_at_start": datetime(2026, 1, 1, tzinfo=UTC),
        "sort": "-createdAt",
    }
    with serve(kept) as sandbox, connected(sandbox) as sdk:
        before = [each.id for each in all_pages(sdk, **query)]
    with sqlite3.connect(path) as file:
        file.execute("DROP INDEX resource_created")
        file.execute("ALTER TABLE resource DROP COLUMN created")
    file.close()
    with serve(kept) as sandbox, connected(sandbox) as sdk:
        assert [each.id for each in all_pages(sdk, **query)] == before
    with sqlite3.connect(path) as file:
        file.execute("UPDATE resource SET created = NULL WHERE position % 2")
    file.close()
    with serve(kept) as sandbox, connected(sandbox) as sdk:
        assert [each.id for each in all_pages(sdk, **query)] == before


def test_a_file_with_data_keeps_its_number_of_listings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "market.db")
    for number in (300, 300, 400):
        kept = SandboxSettings(db=path, listings=number)
        with serve(kept) as sandbox, connected(sandbox) as sdk:
            assert sdk.listings.query(per_page=1).meta["totalItems"] == 300
    (line,) = capsys.readouterr().err.splitlines()
    assert "made with the seed rich with 300 listings" in line
    assert "so the seed rich with 400 listings is not used" in line


@pytest.mark.parametrize(
    ("seed", "wrong"), [("rich", 249), ("small", 11), ("rich", True), ("rich", 300.0)]
)
def test_how_many_there_can_be(seed: Any, wrong: Any) -> None:
    with pytest.raises(ValueError, match="listings must be a whole number"):
        SandboxSettings(seed=seed, listings=wrong)


@pytest.mark.slow
def test_twenty_five_thousand_start_soon_and_are_paged_soon(tmp_path: Path) -> None:
    """A page must not take longer the more there are: it takes 7 ms, and 2 s if all are read."""
    for path in (None, str(tmp_path / "market.db")):
        begun = time.perf_counter()
        with serve(SandboxSettings(listings=25_000, db=path)) as sandbox, connected(sandbox) as sdk:
            assert time.perf_counter() - begun < 10  # about one on an idle machine
            sdk.marketplace.show()
            start = datetime(2025, 3, 1, tzinfo=UTC)
            took: list[float] = []
            for page in range(1, 21):
                begun = time.perf_counter()
                sdk.listings.query(sort="-createdAt", created_at_start=start, page=page)
                took.append(time.perf_counter() - begun)
            assert sorted(took)[10] < 0.1  # the median: others use the machine too
