"""Fact 12.4: parameters and forms that published programs send, and that the live API takes.

Evidence: two workflow nodes add ``page``, ``perPage`` and ``expand`` to each show, query and
command; a sync connector and a command line page through events; type packages give ``include``
to deletions. The notes of a published program say that ``email`` does not filter ``users.query``:
every user comes back. A published dashboard sends times of Python's ``isoformat``, without a zone.
Both nodes sort by ``keywords``, by distance, and by private and protected data.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from flex_integration_sdk.sandbox import SandboxSettings, serve
from tests.support.plain_http import refusal, signed_in

DISALLOWED = "validation-disallowed-key"
INVALID = "validation-invalid-value"
PARAMS = "validation-invalid-params"
NODE = {"page": "1", "perPage": "50", "expand": "true"}
PAST = "2020-01-01T00:00:00Z"
USER = "00000002-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    with serve() as sandbox, signed_in(sandbox) as client:
        yield client


@pytest.fixture(scope="module")
def strict() -> Iterator[httpx2.Client]:
    with serve(SandboxSettings(strict=True)) as sandbox, signed_in(sandbox) as client:
        yield client


def made_listing(client: httpx2.Client, **more: object) -> dict[str, object]:
    author = client.get("users/query", params={"perPage": "1"}).json()["data"][0]["id"]
    body = {"title": "Bike", "authorId": author, "state": "published", **more}
    created = client.post("listings/create", json=body)
    assert created.status_code == 200, created.text
    found: dict[str, object] = created.json()["data"]
    return found


@pytest.mark.parametrize("name", ["page", "perPage", "per_page", "expand"])
@pytest.mark.parametrize("path", ["marketplace/show", "users/show?email=user1@example.com"])
def test_a_show_ignores_pages_and_expand(
    client: httpx2.Client, strict: httpx2.Client, path: str, name: str
) -> None:
    plain = client.get(path).json()
    extended = httpx2.URL(path).copy_add_param(name, "7")
    assert client.get(extended).json() == plain
    assert refusal(strict.get(extended))[:2] == (400, DISALLOWED)


def test_a_query_ignores_expand(client: httpx2.Client, strict: httpx2.Client) -> None:
    assert client.get("users/query?expand=true").json() == client.get("users/query").json()
    assert refusal(strict.get("users/query?expand=true"))[:2] == (400, DISALLOWED)


def test_a_command_ignores_pages(client: httpx2.Client, strict: httpx2.Client) -> None:
    body = {"id": made_listing(client)["id"]}
    closed = client.post("listings/close", params=NODE, json=body).json()["data"]
    assert closed["attributes"]["state"] == "closed"
    body = {"id": made_listing(strict)["id"]}
    assert refusal(strict.post("listings/close?page=1", json=body))[:2] == (400, DISALLOWED)


def test_a_deletion_ignores_how_its_resource_would_be_shown(
    client: httpx2.Client, strict: httpx2.Client
) -> None:
    def deleted(client: httpx2.Client, query: str) -> httpx2.Response:
        span = {"start": "2027-01-01T00:00:00.000Z", "end": "2027-01-02T00:00:00.000Z"}
        body = {"listingId": made_listing(client)["id"], "seats": 0, **span}
        made = client.post("availability_exceptions/create", json=body).json()["data"]
        return client.post(f"availability_exceptions/delete?{query}", json={"id": made["id"]})

    query = "expand=true&include=listing&fields.listing=title&page=1&perPage=50"
    found = deleted(client, query).json()["data"]
    assert set(found) == {"id", "type"}
    assert deleted(strict, "").status_code == 200
    assert refusal(deleted(strict, "expand=true"))[:2] == (400, DISALLOWED)


def test_events_have_one_page(client: httpx2.Client, strict: httpx2.Client) -> None:
    made_listing(client)
    first = client.get("events/query?page=1&perPage=100").json()
    assert first["data"] == client.get("events/query").json()["data"] != []
    assert (first["meta"]["totalPages"], first["meta"]["perPage"]) == (None, 100)
    # Not the first page again: a connector asks for pages until one is not full.
    assert client.get("events/query?page=2&perPage=100").json()["data"] == []
    made_listing(client)
    # A page of another size would be cut here, and whole on the API.
    for size in (1, 1000):
        cut = client.get(f"events/query?perPage={size}").json()
        assert (len(cut["data"]) > 1, cut["meta"]["perPage"]) == (True, 100)
        assert client.get(f"events/query?page=2&perPage={size}").json()["data"] == []
    assert refusal(strict.get("events/query?page=1"))[:2] == (400, DISALLOWED)


@pytest.mark.parametrize("name", ["email", "ids"])
def test_users_query_has_no_such_filter_and_says_so(
    strict: httpx2.Client, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    query = {name: "nobody@example.com"}
    with serve() as sandbox, signed_in(sandbox) as client:
        for _ in range(2):
            found = client.get("users/query", params=query).json()
            assert len(found["data"]) == found["meta"]["totalItems"] == 20
    notice = f"users.query has no filter {name}, so it finds every user; use users.show"
    assert capfd.readouterr().err.count(notice) == 1
    assert refusal(strict.get("users/query", params=query)) == (400, DISALLOWED, notice)


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("listings/query?start=2027-01-01T00:00Z&end=2027-01-02T00:00Z&seats=-1", INVALID, "seats"),
        ("listings/query?minStock=-1", INVALID, "minStock is negative"),
        ("listings/query?minDuration=-1", INVALID, "minDuration is negative"),
        ("events/query?startAfterSequenceId=-1", INVALID, "startAfterSequenceId is negative"),
        ("listings/query?minDuration=1", PARAMS, "minDuration needs start and end"),
        ("listings/query?availability=day-full", PARAMS, "availability needs start and end"),
        ("listings/query?seats=1", PARAMS, "seats needs start and end"),
        ("listings/query?origin=91,0", INVALID, "origin needs a latitude"),
        ("listings/query?bounds=91,0,0,0", INVALID, "bounds needs a latitude"),
        ("listings/query?bounds=1,0,0,-181", INVALID, "bounds needs a latitude"),
        ("listings/query?fields.listings=title", INVALID, "fields.listings is not of a known type"),
        ("listings/query?limit.image=1", INVALID, "limit.image is not of a known relationship"),
        ("transactions/query?bookingStates=accept", INVALID, "bookingStates has no accept"),
        ("transactions/query?stockReservationStates=x", INVALID, "stockReservationStates has no"),
    ],
)
def test_what_a_query_might_be_refused_for(
    client: httpx2.Client, strict: httpx2.Client, query: str, code: str, said: str
) -> None:
    assert client.get(query).status_code == 200
    found = refusal(strict.get(query))
    assert found[:2] == (400, code)
    assert found[2].startswith(said)


def test_a_strict_sandbox_takes_what_a_query_may_say(strict: httpx2.Client) -> None:
    for query in (
        "listings/query?start=2027-01-01T00:00Z&end=2027-01-02T00:00Z&seats=1"
        "&availability=day-partial&minDuration=1&minStock=0",
        "listings/query?origin=-90,180&include=images&limit.images=1&fields.image=variants",
        "listings/query?bounds=90,180,-90,-180",
        "transactions/query?bookingStates=accepted,pending&stockReservationStates=declined",
        "events/query?startAfterSequenceId=0",
    ):
        assert strict.get(query).status_code == 200, query


def test_a_misspelled_filter_is_not_ignored(client: httpx2.Client) -> None:
    said = (400, DISALLOWED, "Unknown key createdAtSart: did you mean createdAtStart?")
    assert refusal(client.get("users/query?createdAtSart=2026-01-01T00:00:00Z")) == said
    said = (400, DISALLOWED, "Unknown key limit: write limit.images=1, for example; perPage is the")
    *found, title = refusal(client.get("users/query?limit=10"))
    assert (*found, title[: len(said[2])]) == said
    said = (400, DISALLOWED, "Unknown key author_id: did you mean authorId?")
    assert refusal(client.post("listings/create", json={"author_id": "a"})) == said
    assert refusal(client.get("users/query?nonsense=1"))[2] == "Unknown key nonsense"
    said = (400, DISALLOWED, "Unknown key state")  # not near to title
    assert refusal(client.post("listings/update", json={"id": USER, "state": "closed"})) == said


@pytest.mark.parametrize("known", ["listing", "listing/created", "listing,user/deleted"])
def test_a_misspelled_event_type_finds_nothing_and_is_refused_by_a_strict_sandbox(
    client: httpx2.Client, strict: httpx2.Client, known: str
) -> None:
    assert strict.get(f"events/query?eventTypes={known}").json()["data"]
    wrong = "events/query?eventTypes=listings/created"
    assert client.get(wrong).json()["data"] == []
    said = (400, INVALID, "there are no events of the type listings/created")
    assert refusal(strict.get(wrong)) == said
    assert refusal(strict.get(f"{wrong},{known}")) == said


@pytest.mark.parametrize("query", ["", f"?id={USER}&email=user1@example.com"])
def test_a_user_is_asked_for_by_exactly_one_of_id_and_address(
    client: httpx2.Client, query: str
) -> None:
    said = (400, "validation-invalid-params", "Exactly one of id and email is required")
    assert refusal(client.get(f"users/show{query}")) == said


def test_a_key_that_is_much_too_long_is_not_compared_with_others(client: httpx2.Client) -> None:
    key = "x" * 1000
    said = refusal(client.post("listings/close", json={key: 1}))
    assert said == (400, DISALLOWED, f"Unknown key {key[:100]}…")
    error = client.post("listings/close", json={key: 1}).json()["errors"][0]
    assert error["source"]["path"] == [f"{key[:100]}…"]


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-01T00:00:00Z",
        "2020-01-01T00:00:00.000Z",
        "2020-01-01T00:00:00.000000Z",
        "2020-01-01T00:00:00+00:00",
        "2020-01-01T02:00:00.000+02:00",
        "2020-01-01T00:00Z",
    ],
)
def test_times_with_a_zone(client: httpx2.Client, strict: httpx2.Client, text: str) -> None:
    for each in (client, strict):
        assert each.get("users/query", params={"createdAtStart": text}).status_code == 200


@pytest.mark.parametrize(
    "text", ["2026-01-01T00:00:00", "2026-01-01T00:00:00.000001", "2026-01-01"]
)
def test_times_without_a_zone_are_in_utc(
    client: httpx2.Client, strict: httpx2.Client, text: str
) -> None:
    def found(end: str) -> object:
        return client.get("listings/query", params={"createdAtEnd": end}).json()

    assert found(text) == found(f"{text}Z" if "T" in text else f"{text}T00:00:00Z")
    said = (400, INVALID, "createdAtEnd is not a time with its zone")
    assert refusal(strict.get("listings/query", params={"createdAtEnd": text})) == said
    span = f",{text}"
    assert client.get("transactions/query", params={"bookingStart": span}).status_code == 200
    assert refusal(strict.get("transactions/query", params={"bookingStart": span}))[0] == 400


@pytest.mark.parametrize("text", ["2026-01-32", "20260101", "yesterday", "1767225600000", ""])
def test_words_and_numbers_are_no_times(client: httpx2.Client, text: str) -> None:
    said = (400, INVALID, "createdAtEnd is not a time with its zone")
    assert refusal(client.get("listings/query", params={"createdAtEnd": text})) == said


def test_a_plus_that_became_a_space(client: httpx2.Client) -> None:
    status, code, title = refusal(
        client.get("users/query?createdAtStart=2026-01-01T00:00:00+02:00")
    )
    assert (status, code) == (400, INVALID)
    assert title.endswith("; in a URL, the + of a zone is written %2B")


@pytest.mark.parametrize(
    ("query", "code", "title"),
    [
        ("states[]=draft&states[]=closed", INVALID, "states[] is given twice"),
        ("states[]=draft", DISALLOWED, "several values are written states=one,two"),
        ("states[0]=draft", DISALLOWED, "several values are written states=one,two"),
        ("states=draft&states=closed", INVALID, "several values are written states=one,two"),
    ],
)
def test_lists_have_commas(client: httpx2.Client, query: str, code: str, title: str) -> None:
    found = refusal(client.get(f"listings/query?{query}"))
    assert found[:2] == (400, code)
    assert title in found[2]


def test_lists_with_escaped_commas(client: httpx2.Client) -> None:
    plain = client.get("listings/query?states=published,closed").json()
    assert client.get("listings/query?states=published%2Cclosed").json() == plain


def test_snake_case(client: httpx2.Client, strict: httpx2.Client) -> None:
    assert len(client.get("listings/query?per_page=3").json()["data"]) == 3
    said = (400, DISALLOWED, "Unknown key per_page: write perPage")
    assert refusal(strict.get("listings/query?per_page=3")) == said


def test_numbers_as_strings_in_json(client: httpx2.Client, strict: httpx2.Client) -> None:
    def set_stock(client: httpx2.Client, total: object) -> httpx2.Response:
        body = {"listingId": made_listing(client)["id"], "oldTotal": None, "newTotal": total}
        return client.post("stock/compare_and_set?expand=true", json=body)

    assert set_stock(client, "5").json()["data"]["attributes"]["quantity"] == 5
    assert set_stock(strict, 5).json()["data"]["attributes"]["quantity"] == 5
    assert refusal(set_stock(strict, "5")) == (400, INVALID, "newTotal is not a whole number")


def test_an_amount_of_money_as_a_string_in_json(
    client: httpx2.Client, strict: httpx2.Client
) -> None:
    def priced(client: httpx2.Client, amount: object) -> httpx2.Response:
        price = {"amount": amount, "currency": "EUR"}
        body = {"id": made_listing(client)["id"], "price": price}
        return client.post("listings/update?expand=true", json=body)

    price = priced(client, "5").json()["data"]["attributes"]["price"]
    assert price == {"amount": 5, "currency": "EUR"}
    assert priced(strict, 5).status_code == 200
    assert refusal(priced(strict, "5"))[:2] == (400, INVALID)


def test_strings_in_a_query_are_all_there_is(strict: httpx2.Client) -> None:
    assert strict.get("transactions/query?hasBooking=true&perPage=3").status_code == 200


def titles(client: httpx2.Client, **query: str) -> list[str]:
    found = client.get("listings/query", params=query)
    assert found.status_code == 200, found.text
    return [each["attributes"]["title"] for each in found.json()["data"]]


def test_relevance_and_distance_by_name(client: httpx2.Client, strict: httpx2.Client) -> None:
    for title, lat in (("Zeppelin", -60.0), ("Zeppelin hangar", -70.0), ("Zeppelin", -80.0)):
        made_listing(client, title=title, geolocation={"lat": lat, "lng": -120.0})
    plain = titles(client, keywords="zeppelin hangar")
    assert plain[0] == "Zeppelin hangar"
    assert titles(client, keywords="zeppelin hangar", sort="keywords,-createdAt")[0] == plain[0]
    assert titles(client, keywords="zeppelin hangar", sort="-keywords")[-1] == plain[0]
    near = titles(client, origin="-70.0,-120.0")
    assert near[0] == "Zeppelin hangar"
    for name in ("origin", "location"):
        assert titles(client, origin="-70.0,-120.0", sort=name) == near
        assert titles(client, origin="-70.0,-120.0", sort=f"-{name}")[0] not in near[:3]
    said = (400, INVALID, "cannot sort by keywords")
    assert refusal(client.get("listings/query?sort=keywords")) == said
    assert refusal(strict.get("listings/query?keywords=bike&sort=keywords")) == said


@pytest.mark.parametrize(
    ("prefix", "data"),
    [
        ("pub", "publicData"),
        ("meta", "metadata"),
        ("priv", "privateData"),
        ("prot", "protectedData"),
    ],
)
def test_users_are_sorted_by_their_extended_data(
    client: httpx2.Client, prefix: str, data: str
) -> None:
    users = client.get("users/query?perPage=3").json()["data"]
    for user, weight in zip(users, (7, 30, 20), strict=True):
        body = {"id": user["id"], data: {"weight": weight}}
        assert client.post("users/update_profile", json=body).status_code == 200
    found = client.get(f"users/query?sort={prefix}_weight&perPage=3").json()["data"]
    assert [each["attributes"]["profile"][data]["weight"] for each in found] == [30, 20, 7]
