"""A walk against a model of the API: nothing that stays is missed, and nothing comes twice."""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_integration_sdk._endpoints.paging.walk import Walk
from flex_integration_sdk._endpoints.response import Response
from tests.support.paged_api import Guide, PagedApi

# Microseconds: some of one millisecond, and many equal.
created = st.integers(0, 8).map(lambda step: step * 400)
numbers = st.integers(1, 60)
there = st.dictionaries(numbers, created, max_size=45)
change = st.tuples(numbers, st.none()) | st.tuples(numbers, created)
changes = st.lists(st.lists(change, max_size=6), max_size=30)
sizes = st.integers(1, 7)
LISTINGS, MESSAGES = "listings.query", "messages.query"


def gone(changes: list[list[tuple[int, int | None]]]) -> set[int]:
    return {number for step in changes for number, created in step if created is None}


@given(rows=there, changes=changes, size=sizes, newest=st.booleans(), counts=st.booleans())
def test_by_creation_while_data_changes(
    rows: dict[int, int],
    changes: list[list[tuple[int, int | None]]],
    size: int,
    newest: bool,
    counts: bool,
) -> None:
    api = PagedApi(dict(rows), counts=counts)
    walk = Walk(LISTINGS, {"perPage": size, "sort": "createdAt" if newest else None}, {})
    born = dict(rows)
    for step in changes:
        for number, created in step:
            if created is not None:
                born.setdefault(number, created)
    found = list(Guide(api, changes).through(walk))
    assert len(found) == len(set(found))
    assert set(rows) - gone(changes) <= set(found)
    moments = [born[number] // 1000 for number in found]
    assert moments == sorted(moments, reverse=newest)
    assert walk.failure() is None
    assert walk.position.done == len(found)


@given(rows=there, changes=changes, size=sizes, counts=st.booleans())
def test_by_page_number_while_data_changes(
    rows: dict[int, int],
    changes: list[list[tuple[int, int | None]]],
    size: int,
    counts: bool,
) -> None:
    walk = Walk(MESSAGES, {"perPage": size}, {})
    found = list(Guide(PagedApi(dict(rows), counts=counts), changes).through(walk))
    assert len(found) == len(set(found))
    assert set(rows) - gone(changes) <= set(found)
    assert walk.failure() is None


@given(
    rows=there,
    size=sizes,
    query=st.sampled_from([LISTINGS, MESSAGES]),
    newest=st.booleans(),
    counts=st.booleans(),
    wall=st.sampled_from([None, 7, 10]),
    data=st.data(),
)
def test_a_position_goes_on_with_the_next_one(
    rows: dict[int, int],
    size: int,
    query: str,
    newest: bool,
    counts: bool,
    wall: int | None,
    data: st.DataObject,
) -> None:
    api = PagedApi(rows, counts=counts, wall=wall)
    sort = "createdAt" if newest and query == LISTINGS else None
    arguments = {"perPage": size, "sort": sort}
    whole = Walk(query, arguments, {})
    expected = list(Guide(api).through(whole))
    first = Walk(query, arguments, {})
    cut = data.draw(st.integers(0, len(expected)))
    begun = list(islice(Guide(api).through(first), cut))
    rest = Walk(query, arguments, {}, first.position.to_text())
    assert begun + list(Guide(api).through(rest)) == expected
    assert rest.position.done == len(expected)
    assert (rest.failure() is None) == (whole.failure() is None)


@given(rows=there, size=sizes, wall=st.integers(7, 20))
def test_past_the_wall(rows: dict[int, int], size: int, wall: int) -> None:
    walk = Walk(LISTINGS, {"perPage": size}, {})
    found = list(Guide(PagedApi(rows, wall=wall)).through(walk))
    missing, failure = set(rows) - set(found), walk.failure()
    assert len(found) == len(set(found))
    assert (failure is None) == (not missing)
    # Only of moments that more rows share than the API returns.
    moments = {rows[number] // 1000 for number in missing}
    for moment in moments:
        sharing = [number for number, at in rows.items() if at // 1000 == moment]
        reached = [number for number in sharing if number in found]
        # A page cannot end at any number: six at most do not fit.
        assert len(sharing) > len(reached) > wall - 7
        assert f"{len(sharing)} of listings.query have the createdAt" in str(failure)


def test_25_000_of_which_many_share_a_moment_take_few_requests() -> None:
    rows = {number: number // 700 * 1_000_000 for number in range(25_000)}
    api = PagedApi(rows, wall=10_000)
    walk = Walk(LISTINGS, {}, {})
    assert list(Guide(api).through(walk)) == list(range(25_000))
    assert walk.failure() is None
    assert len(api.asked) < 400


@pytest.mark.parametrize("says_limit", [True, False])
def test_a_moment_that_more_share_than_the_api_returns(says_limit: bool) -> None:
    rows = dict.fromkeys(range(10_450), 5_000) | {20_000: 1_000, 20_001: 9_000}
    api = PagedApi(rows, wall=10_000, says_limit=says_limit)
    walk = Walk(LISTINGS, {}, {})
    found = list(Guide(api).through(walk))
    assert found == [20_000, *range(10_000), 20_001]
    failure = walk.failure()
    assert failure is not None
    assert (failure.total, failure.done, failure.reachable) == (10_450, 10_002, 10_000)
    assert "10450 of listings.query have the createdAt 2026-01-01T00:00:00.005Z" in str(failure)


def test_page_numbers_end_at_the_wall() -> None:
    api = PagedApi({number: number for number in range(1_000)}, wall=300)
    walk = Walk(LISTINGS, {"sort": "price", "perPage": 50}, {})
    assert len(list(Guide(api).through(walk))) == 300
    failure = walk.failure()
    assert failure is not None
    assert (failure.total, failure.done, failure.reachable) == (1_000, 300, 300)
    assert "omit sort" in str(failure)


@given(rows=there, hidden=st.frozensets(numbers), size=sizes, newest=st.booleans())
def test_a_short_page_is_not_the_last_one(
    rows: dict[int, int], hidden: frozenset[int], size: int, newest: bool
) -> None:
    api = PagedApi(rows, hidden=hidden)
    walk = Walk(LISTINGS, {"perPage": size, "sort": "createdAt" if newest else None}, {})
    found = list(Guide(api).through(walk))
    assert len(found) == len(set(found))
    assert set(found) == set(rows) - hidden


@given(rows=st.lists(created, max_size=30), size=sizes)
def test_where_the_api_returns_first_pages_only(rows: list[int], size: int) -> None:
    there = dict(enumerate(rows))
    walk = Walk(LISTINGS, {"perPage": size, "availability": "time-full"}, {})
    found = list(Guide(PagedApi(there, first_only=True)).through(walk))
    assert len(found) == len(set(found))
    failure = walk.failure()
    for moment in {at // 1000 for at in rows}:
        sharing = {number for number, at in there.items() if at // 1000 == moment}
        reached = sharing & set(found)
        assert reached == sharing or (failure is not None and len(reached) >= size)


def test_an_api_that_does_not_sort_is_walked_through_by_number() -> None:
    rows = {number: number * 1_000 for number in range(40)}
    walk = Walk(LISTINGS, {"perPage": 7}, {})
    assert set(Guide(PagedApi(rows, sorts=False)).through(walk)) == set(rows)
    assert walk.failure() is None


@pytest.mark.parametrize("arguments", [{"sort": "price"}, {}, {"keywords": "bike"}])
@pytest.mark.parametrize("seed", range(3))
def test_equal_rows_in_another_order_with_each_request(
    arguments: dict[str, Any], seed: int
) -> None:
    rows = dict.fromkeys(range(400), 5_000)
    api = PagedApi(rows, shuffles=Random(seed))
    found = list(Guide(api).through(Walk(LISTINGS, {"perPage": 50, **arguments}, {})))
    assert sorted(found) == list(range(400))
    assert len(api.asked) < 150


def test_rows_that_never_come_are_told_of() -> None:
    at_once = dict.fromkeys(range(300), 5_000)
    place = {17: 3, 250: 4}
    for sort, said in (
        ("price", "listings.query finds 300 resources, of which the API returned 298"),
        (None, "300 of listings.query have the createdAt 2026-01-01T00:00:00.005Z, of which"),
    ):
        api = PagedApi(at_once, in_place_of=place)
        arguments = {"sort": sort}
        walk = Walk(LISTINGS, arguments, {})
        found = list(Guide(api).through(walk))
        assert len(found) == len(set(found)) == 298
        assert len(api.asked) < 30
        kept = walk.position.to_text()
        failure = walk.failure()
        assert failure is not None
        assert said in str(failure)
        assert "it returned them in another order each time" in str(failure)
        assert (failure.total, failure.done, failure.reachable) == (300, 298, 298)
        # A program that goes on there is told again, until they come.
        later = Walk(LISTINGS, arguments, {}, kept)
        assert list(Guide(PagedApi(at_once, in_place_of=place)).through(later)) == []
        assert "another order" in str(later.failure())
        if sort:
            again = Walk(LISTINGS, arguments, {}, kept)
            assert sorted(Guide(PagedApi(at_once)).through(again)) == sorted(place)
            assert again.failure() is None


@pytest.mark.parametrize(
    ("query", "arguments", "advice"),
    [
        (LISTINGS, {"sort": "price"}, "omit sort: then it goes by createdAt"),
        (LISTINGS, {"keywords": "bike"}, "narrow the query by created_at_start and created_at_end"),
        (LISTINGS, {"origin": "60,24"}, "narrow the query by created_at_start and created_at_end"),
        (LISTINGS, {"sort": "price", "keywords": "x"}, "narrow the query by created_at_start and"),
        ("files.query", {"sort": "createdAt"}, "narrow the query by created_at_start and"),
        (MESSAGES, {"transactionId": "x"}, "narrow the query by another argument"),
    ],
)
def test_the_advice_is_to_ask_for_the_same(
    query: str, arguments: dict[str, Any], advice: str
) -> None:
    walk = Walk(query, {"perPage": 50, **arguments}, {})
    list(Guide(PagedApi({number: number for number in range(500)}, wall=300)).through(walk))
    assert advice in str(walk.failure())


def test_the_programs_own_span_is_kept() -> None:
    api = PagedApi({number: number * 1_000 for number in range(40)})
    span = {
        "createdAtStart": "2026-01-01T00:00:00.010Z",
        "createdAtEnd": "2026-01-01T00:00:00.030Z",
    }
    for sort, expected in (("-createdAt", range(10, 30)), ("createdAt", range(29, 9, -1))):
        arguments: dict[str, Any] = {**span, "perPage": 3, "sort": sort}
        assert list(Guide(api).through(Walk(LISTINGS, arguments, {}))) == list(expected)


def of_events(first: int, count: int) -> Response[Any]:
    """A page of events, without totals as the API's is."""
    data = [
        {"id": str(number), "type": "event", "attributes": {"sequenceId": number}}
        for number in range(first, first + count)
    ]
    return Response(200, {"data": data, "meta": {"perPage": 100, "totalItems": None}})


def test_events_go_on_after_the_last_sequence_id() -> None:
    walk = Walk("events.query", {"createdAtStart": "2026-01-01T00:00:00.000Z"}, {})
    asked, found = [], []
    for page in (of_events(5, 100), of_events(107, 100), of_events(300, 3)):
        asked.append(walk.following)
        walk.take(page)
        while walk.ready:
            found.append(walk.pass_on().attributes["sequenceId"])
    assert walk.following is None
    assert found == [*range(5, 105), *range(107, 207), 300, 301, 302]
    # The API takes one of both.
    assert asked == [
        {"createdAtStart": "2026-01-01T00:00:00.000Z"},
        {"startAfterSequenceId": "104"},
        {"startAfterSequenceId": "206"},
    ]
    assert walk.failure() is None
    later = Walk(
        "events.query", {"createdAtStart": "2026-01-01T00:00:00.000Z"}, {}, walk.position.to_text()
    )
    assert later.following == {"startAfterSequenceId": "302"}


@pytest.mark.parametrize("second", [50, 90])
def test_events_that_do_not_go_on_end_with_an_error(second: int) -> None:
    walk = Walk("events.query", {}, {})
    walk.take(of_events(1, 100))
    walk.take(of_events(second, 5))
    assert walk.following is None
    assert "not in the order" in str(walk.failure())


def test_a_page_out_of_order_ends_with_an_error() -> None:
    api = PagedApi({number: number * 1_000 for number in range(40)})
    walk = Walk(LISTINGS, {"perPage": 7}, {})
    guide = Guide(api).through(walk)
    found = [next(guide) for _ in range(3)]
    api.sorts = False
    found += list(guide)
    assert found == list(range(7))
    assert "not in the order" in str(walk.failure())
