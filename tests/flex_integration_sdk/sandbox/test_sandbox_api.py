"""The Integration API's endpoints over the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID

import pytest

from flex_integration_sdk._transit import loads
from flex_integration_sdk.sandbox import serve
from flex_integration_sdk.sandbox._endpoints.context import HANDLERS
from flex_integration_sdk.sandbox._endpoints.router import BY_PATH
from flex_integration_sdk.types import LatLng, Money
from tests.support.raw_client import Client

TRANSIT = "application/transit+json"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with serve() as sandbox:
        yield Client(sandbox)


def test_json_by_default(client: Client) -> None:
    status, kind, body = client.raw("listings/query?perPage=1&sort=createdAt")
    listing = json.loads(body)["data"][0]
    assert (status, kind) == (200, "application/json")
    assert listing["attributes"]["createdAt"].endswith(".000Z")
    assert set(listing["attributes"]["price"]) == {"amount", "currency"}
    assert set(listing["attributes"]["geolocation"]) == {"lat", "lng"}
    assert str(UUID(listing["id"])) == listing["id"]


@pytest.mark.parametrize("verbose", ["true", "false"])
def test_transit_if_asked(client: Client, verbose: str) -> None:
    status, kind, body = client.raw(
        "listings/query?perPage=1", Accept=TRANSIT, X_Transit_Verbose=verbose
    )
    assert (status, kind) == (200, f"{TRANSIT};charset=UTF-8")
    assert body.startswith(b'{"~:data"' if verbose == "true" else b'["^ ","~:data"')
    listing = loads(body)["data"][0]
    assert isinstance(listing["id"], UUID)
    assert isinstance(listing["attributes"]["price"], Money)
    assert isinstance(listing["attributes"]["geolocation"], LatLng)


def test_the_marketplace_is_the_same_each_time(client: Client) -> None:
    with serve() as other:
        assert client.get("marketplace/show") == Client(other).get("marketplace/show")


@pytest.mark.parametrize("accept", [TRANSIT, "application/json"])
@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "auth-missing-access-token"),
        ("Bearer", "auth-missing-access-token"),
        ("Bearer nonsense", "auth-invalid-access-token"),
    ],
)
def test_401_says_what_is_wrong(
    client: Client, authorization: str | None, code: str, accept: str
) -> None:
    before = client.sandbox.stats()
    headers = {"Accept": accept} | ({"Authorization": authorization} if authorization else {})
    status, kind, body = client.send("GET", "/v1/integration_api/marketplace/show", "", headers)
    assert (status, loads(body)["errors"][0]["code"] if accept == TRANSIT else code) == (401, code)
    assert kind.startswith(accept)
    assert code.encode() in body
    after = client.sandbox.stats()
    assert after["unauthorized"] - before["unauthorized"] == 1
    assert after["api_calls"] - before["api_calls"] == 1


def test_users_show_by_id_and_by_email(client: Client) -> None:
    user = client.get("users/show", email="user7@example.com")["data"]
    assert client.get("users/show", id=user["id"])["data"] == user


def test_users_show_refuses(client: Client) -> None:
    nobody = str(UUID(int=1))
    assert client.refused("users/show", id=nobody) == (404, "not-found")
    assert client.refused("users/show", email="no@example.com") == (404, "not-found")
    assert client.refused("users/show", id="7") == (400, "validation-invalid-value")
    assert client.refused("users/show") == (400, "validation-invalid-params")


def test_unknown_paths_are_not_found(client: Client) -> None:
    assert client.refused("listings/nonsense") == (404, "not-found")
    assert client.raw("listings/query", "POST")[0] == 405
    assert client.send("GET", "/nonsense", "", {})[0] == 404


@pytest.mark.parametrize("name", ["perPage", "per_page"])
def test_pages_cover_every_listing_once(client: Client, name: str) -> None:
    seen = []
    for page in range(1, 5):
        answer = client.get("listings/query", page=str(page), **{name: "75"})
        assert answer["meta"] == {
            "totalItems": 250, "totalPages": 4, "page": page, "perPage": 75
        }  # fmt: skip
        seen += [listing["id"] for listing in answer["data"]]
    assert len(seen) == len(set(seen)) == 250
    assert client.get("listings/query", page="9")["data"] == []
    assert client.get("users/query")["meta"]["totalItems"] == 20


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("listings/query", {"perPage": "0"}),
        ("listings/query", {"perPage": "101"}),
        ("listings/query", {"per_page": "ten"}),
        ("listings/query", {"page": "9" * 5000}),
        ("listings/query", {"sort": "title"}),
        ("listings/query", {"sort": "--createdAt"}),
        ("users/query", {"sort": "price"}),
        ("listings/query", {"createdAtStart": "yesterday"}),
        ("listings/query", {"createdAtEnd": "2026-13-01"}),
        ("listings/query", {"ids": "1,2"}),
        ("listings/query", {"ids": ",".join(str(UUID(int=n)) for n in range(101))}),
        ("listings/query", {"authorId": "x"}),
        ("listings/query", {"states": "gone"}),
    ],
)
def test_wrong_values_are_refused(client: Client, path: str, query: dict[str, str]) -> None:
    assert client.refused(path, **query) == (400, "validation-invalid-value")


def test_filters(client: Client) -> None:
    def ids(**query: str) -> list[str]:
        return [item["id"] for item in client.get("listings/query", **query)["data"]]

    some = client.get("listings/query", perPage="3", include="author")["data"]
    wanted = [item["id"] for item in some]
    assert ids(ids=",".join(wanted)) == wanted
    author = some[0]["relationships"]["author"]["data"]["id"]
    assert wanted[0] in ids(authorId=author)
    assert wanted[1] not in ids(authorId=author)
    closed = client.get("listings/query", states="closed")["data"]
    assert {item["attributes"]["state"] for item in closed} == {"closed"}
    every = "closed,published,draft,pendingApproval"
    assert client.get("listings/query", states=every)["meta"]["totalItems"] == 250
    for state in every.split(","):
        assert 5 <= client.get("listings/query", states=state)["meta"]["totalItems"] <= 235
    kayaks = client.get("listings/query", keywords="kayak")["data"]
    assert kayaks == client.get("listings/query", pub_category="kayak")["data"] != []
    moment = some[1]["attributes"]["createdAt"]
    assert ids(createdAtStart=moment) == wanted[:2]
    assert wanted[1] not in ids(createdAtEnd=moment)
    assert ids(pub_category="nothing") == []


def test_sort(client: Client) -> None:
    newest = client.get("listings/query", sort="createdAt")["data"][0]["attributes"]
    oldest = client.get("listings/query", sort="-createdAt")["data"][0]["attributes"]
    assert newest["createdAt"] > oldest["createdAt"]
    cheap = client.get("listings/query", sort="-price")["data"][0]["attributes"]
    assert cheap["price"]["amount"] == 1010


def test_included_authors_and_sparse_fields(client: Client) -> None:
    answer = client.get(
        "listings/query",
        perPage="2",
        include="author",
        **{"fields.listing": "title", "fields.user": "profile.firstName,email"},
    )
    assert [set(item["attributes"]) for item in answer["data"]] == [{"title"}, {"title"}]
    authors = {item["relationships"]["author"]["data"]["id"] for item in answer["data"]}
    assert {user["id"] for user in answer["included"]} == authors
    assert set(answer["included"][0]["attributes"]) == {"profile", "email"}
    assert set(answer["included"][0]["attributes"]["profile"]) == {"firstName"}
    none = client.get("listings/query", perPage="1", **{"fields.listing": "none"})
    assert none["data"][0]["attributes"] == {}
    assert "included" not in none


def test_every_endpoint_of_the_table_is_answered() -> None:
    missing = {endpoint.name for endpoint in BY_PATH.values()} - {*HANDLERS}
    assert not missing, "write a function marked @endpoint, in a module that router.py imports"
    unknown = {*HANDLERS} - {endpoint.name for endpoint in BY_PATH.values()}
    assert not unknown, "an @endpoint must have a name of _endpoints/table.py"
