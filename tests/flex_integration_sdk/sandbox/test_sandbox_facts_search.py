"""Searches for listings, users and transactions.

Evidence: the official page "How the listing search works" (*page* below), unless a test's docstring
names another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from flex_integration_sdk import IntegrationSDK, LatLng, LatLngBounds, Money
from flex_integration_sdk.errors import ApiError, BadRequestError
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from flex_integration_sdk.sandbox._endpoints.keywords import relevance, words_of

from .test_sandbox_commands import code_of, connected, new_listing


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as found:
        yield found


@pytest.fixture
def sdk(running: RunningSandbox) -> Iterator[IntegrationSDK]:
    running.reset()
    with connected(running) as found:
        yield found


def titles(sdk: IntegrationSDK, **asked: Any) -> list[str]:
    return [each.attributes["title"] for each in sdk.listings.query(**asked).data]


def refused(sdk: IntegrationSDK, **asked: Any) -> str:
    with pytest.raises(BadRequestError) as error:
        sdk.listings.query(**asked)
    return code_of(error)


@pytest.mark.parametrize(
    ("keyword", "is_found"),
    [
        ("local", True), ("LOCAL", True),
        ("loc", True), ("loca", True), ("ocal", True), ("cal", True),  # the page's own example
        ("oca", False),  # in the middle of the word
        ("lo", False), ("al", False),  # too short
        ("locals", False), ("locale", False),
    ],
)  # fmt: skip
def test_a_word_or_the_three_and_more_letters_of_its_ends(
    sdk: IntegrationSDK, keyword: str, is_found: bool
) -> None:
    made = new_listing(sdk, title="Local")
    assert titles(sdk, ids=[made.id], keywords=keyword) == (["Local"] if is_found else [])


def test_a_short_word_is_found_whole(sdk: IntegrationSDK) -> None:
    """Page: only words of more than three characters have n-grams."""
    ids = [new_listing(sdk, title="Zoo", description="at Ü4").id]
    assert titles(sdk, ids=ids, keywords="zoo") == titles(sdk, ids=ids, keywords="ü4") == ["Zoo"]
    assert titles(sdk, ids=ids, keywords="oo") == []


def test_any_of_the_keywords_is_enough(sdk: IntegrationSDK) -> None:
    """Page: "a single string that is tokenized on non-alphanumeric characters"; "included in the
    results, in case any of the keywords match"."""
    both = {"Local", "Attractions"}
    ids = [new_listing(sdk, title=title).id for title in both]
    for keywords in ("local attractions", "local_attractions", "local-attractions nowhere"):
        assert set(titles(sdk, ids=ids, keywords=keywords)) == both
    assert titles(sdk, ids=ids, keywords="nowhere") == []


def test_the_order_is_by_relevance(sdk: IntegrationSDK) -> None:
    """Page: a word always weighs more than an n-gram; then title, description, extended data."""
    wanted = ["Zyx wvut", "Zyx", "By description", "By data", "By metadata", "Zyxzyx"]
    new_listing(sdk, title="By metadata", metadata={"text": "zyx"})
    new_listing(sdk, title="By data", public_data={"text": "some zyx", "list": ["zyx"]})
    new_listing(sdk, title="By description", description="Some zyx")
    new_listing(sdk, title="Zyxzyx", description="zyxabc zyxdef", public_data={"a": "abczyx"})
    new_listing(sdk, title="Zyx")
    new_listing(sdk, title="Zyx wvut")
    new_listing(sdk, title="Not", public_data={"list": ["zyx"], "inner": {"text": "zyx"}})
    assert titles(sdk, keywords="zyx wvut") == [
        "Zyx wvut", "Zyx", "By description", "By data", "By metadata", "Zyxzyx"
    ]  # fmt: skip
    assert sorted(titles(sdk, keywords="zyx")) == sorted(wanted)
    assert titles(sdk, keywords="zyx")[-1] == "Zyxzyx"


def test_a_word_weighs_more_than_any_number_of_parts() -> None:
    one: dict[str, Any] = {"title": "", "description": "", "metadata": {}}
    word = relevance({**one, "publicData": {"a": "abcd"}}, ["abcd", "efg", "hij"])
    parts = relevance({**one, "title": "abcde efgh hijk", "publicData": {}}, ["abcd", "efg", "hij"])
    assert word > parts > relevance({**one, "publicData": {}}, ["abcd"])
    assert words_of("City-bike_7, Öl!") == ["city", "bike", "7", "öl"]


def test_sort_and_filters_go_with_keywords(sdk: IntegrationSDK) -> None:
    """Page: to combine a location with keywords, use ``bounds``; the template sorts by price with
    keywords."""
    for title, price, lat in (("Zyx", 3, 10), ("Zyxes", 2, 10), ("Zyxed", 1, 50)):
        new_listing(sdk, title=title, price=Money(price, "EUR"), geolocation=LatLng(lat, 10))
    assert titles(sdk, keywords="zyx", sort="-price") == ["Zyxed", "Zyxes", "Zyx"]
    box = LatLngBounds(LatLng(11, 11), LatLng(9, 9))
    assert titles(sdk, keywords="zyx", bounds=box) == ["Zyx", "Zyxes"]
    assert titles(sdk, keywords="zyx", price=(None, 2)) == ["Zyxed"]
    assert refused(sdk, keywords="zyx", origin=LatLng(1, 1)) == "validation-invalid-params"


def test_keywords_without_a_word_are_no_filter(sdk: IntegrationSDK) -> None:
    """Inferred; a search form sends its empty field."""
    for keywords in ("", " ", "-!"):
        assert sdk.listings.query(keywords=keywords).meta["totalItems"] == 250


def test_a_list_has_all_values_unless_any_is_asked_for(sdk: IntegrationSDK) -> None:
    """Page: "the default has_all"."""
    made = new_listing(sdk, public_data={"tags": ["a", "b"], "kind": "a"})

    def found(**asked: Any) -> bool:
        return [each.id for each in sdk.listings.query(**asked).data] == [made.id]

    assert found(pub_tags="a,b")
    assert found(pub_tags="has_all:a,b")
    assert found(pub_tags="has_any:b,c")
    assert not found(pub_tags="b,c")
    assert not found(pub_tags="has_all:b,c")
    assert found(pub_kind="a,c")  # one value: any of those asked for


def test_prices_are_from_and_below(sdk: IntegrationSDK) -> None:
    """Page: "at or above 2000", "below 10000", whatever the currency."""
    asked: dict[str, Any] = {"sort": "-price", "ids": []}
    for amount, currency in ((7, "EUR"), (8, "USD"), (9, "EUR")):
        made = new_listing(sdk, title=str(amount), price=Money(amount, currency))
        asked["ids"].append(made.id)
    assert titles(sdk, price=(7, 9), **asked) == ["7", "8"]
    assert titles(sdk, price=(None, 9), **asked) == ["7", "8"]
    assert titles(sdk, price=8, **asked) == ["8"]
    assert titles(sdk, price=(9, None), **asked) == ["9"]


def test_stock(sdk: IntegrationSDK) -> None:
    """Page: only listings with a stock of that many, unless ``stockMode`` is match-undefined."""
    made = new_listing(sdk, title="Stocked")
    sdk.stock.compare_and_set(listing_id=made.id, old_total=None, new_total=1000)
    assert titles(sdk, min_stock=1000) == titles(sdk, min_stock=1000, stock_mode="strict")
    assert titles(sdk, min_stock=1000) == ["Stocked"]
    assert len(titles(sdk, min_stock=1000, stock_mode="match-undefined")) > 1
    assert refused(sdk, min_stock=1, stock_mode="all") == "validation-invalid-value"


def test_origin_sorts_by_distance_unless_sort_is_given(sdk: IntegrationSDK) -> None:
    """Page: "sorts the results from closest to the furthest"."""
    for title, lat, price in (("far", 60, 1), ("near", -59, 2)):
        new_listing(sdk, title=title, geolocation=LatLng(lat, -170), price=Money(price, "EUR"))
    assert titles(sdk, origin=LatLng(-60, -170))[0] == "near"
    assert titles(sdk, origin=LatLng(-60, -170), sort="-price")[0] == "far"


@pytest.mark.parametrize(
    ("resource", "sort"),
    [
        ("listings", "createdAt"), ("listings", "-price"), ("listings", "pub_a,meta_b,createdAt"),
        ("users", "createdAt"), ("users", "-meta_a"),
        ("transactions", "createdAt"), ("transactions", "lastTransitionedAt"),
        ("transactions", "lastMessageAt"), ("transactions", "-bookingStart,bookingEnd"),
    ],
)  # fmt: skip
def test_sort_keys(sdk: IntegrationSDK, resource: str, sort: str) -> None:
    """Page, and the reference as three published type packages read it: at most three keys."""
    assert getattr(sdk, resource).query(sort=sort).data
    with pytest.raises(BadRequestError):
        getattr(sdk, resource).query(sort=f"{sort},pub_a,pub_b,pub_c")
    with pytest.raises(BadRequestError):
        getattr(sdk, resource).query(sort="nothing")


def test_the_newest_come_first(sdk: IntegrationSDK) -> None:
    """The reference, as published type packages read it; ``sort=createdAt`` is the same order."""
    for query in (sdk.listings.query, sdk.users.query, sdk.transactions.query):
        found = [each.attributes["createdAt"] for each in query().data]
        assert found == sorted(found, reverse=True)
        assert len(found) > 1


@pytest.mark.parametrize(
    "call",
    ["listings", "files", "file_attachments", "messages"],
)
def test_at_most_100_ids(sdk: IntegrationSDK, call: str) -> None:
    """Two published programs that read the reference."""
    query = getattr(sdk, call).query
    assert query(ids=[UUID(int=n) for n in range(100)]).data == []
    with pytest.raises(BadRequestError):
        query(ids=[UUID(int=n) for n in range(101)])


def test_listings_of_all_states_unless_some_are_asked_for(sdk: IntegrationSDK) -> None:
    """One published program that read the reference: the Integration API shows all states."""
    found = {each.attributes["state"] for page in (1, 2, 3)
             for each in sdk.listings.query(page=page).data}  # fmt: skip
    assert {"published", "closed"} <= found
    closed = sdk.listings.query(states="closed").data
    assert {each.attributes["state"] for each in closed} == {"closed"}
    assert refused(sdk, states="open") == "validation-invalid-value"


def test_a_new_listing_needs_a_state_in_a_strict_sandbox(sdk: IntegrationSDK) -> None:
    """Sources that read the reference disagree whether ``state`` may be omitted."""
    author = sdk.users.query(per_page=1).data[0].id
    made = sdk.listings.create(title="New", author_id=author, expand=True).data
    assert made.attributes["state"] == "published"
    with serve(SandboxSettings(strict=True)) as strict, connected(strict) as other:
        with pytest.raises(ApiError) as error:
            other.listings.create(title="New", author_id=author)
        assert code_of(error) == "validation-missing-key"
        assert error.value.errors[0]["source"] == {"path": ["state"], "type": "body"}
        assert other.listings.create(title="New", author_id=author, state="published").data
