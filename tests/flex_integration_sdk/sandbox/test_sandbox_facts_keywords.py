"""In Transit the API's own names are keywords, and what users wrote are strings.

Evidence: the response in Transit on the official page about access control. The names of events
and transitions are inferred from it: the official reader makes strings of both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK, create_instance, to_plain
from flex_integration_sdk._transit import loads
from flex_integration_sdk.resources import AvailabilityPlan
from flex_integration_sdk.sandbox import RunningSandbox, serve
from tests.support.raw_client import Client

TRANSIT = "application/transit+json"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as found:
        yield found


@pytest.fixture(scope="module")
def sdk(running: RunningSandbox) -> Iterator[IntegrationSDK]:
    with create_instance(
        running.client_id, running.client_secret, base_url=running.base_url
    ) as found:
        yield found


@pytest.fixture(scope="module")
def client(running: RunningSandbox) -> Client:
    return Client(running)


def verbose(client: Client, path: str) -> Any:
    return json.loads(client.raw(path, Accept=TRANSIT, X_Transit_Verbose="true")[2])


def test_types_states_and_permissions_are_keywords(client: Client) -> None:
    path = "users/show?email=user3@example.com&include=marketplace,effectivePermissionSet"
    body = verbose(client, path)
    user = body["~:data"]
    allowed = {
        "~:postListings": "~:permission/allow",
        "~:initiateTransactions": "~:permission/allow",
        "~:read": "~:permission/allow",
    }
    assert user["~:type"] == "~:user"
    assert user["~:attributes"]["~:state"] == "~:active"
    assert user["~:attributes"]["~:permissions"] == allowed
    related = user["~:relationships"]["~:marketplace"]["~:data"]
    assert related["~:type"] == "~:marketplace"
    sets = [each for each in body["~:included"] if each["~:type"] == "~:permissionSet"]
    assert [each["~:attributes"] for each in sets] == [allowed]


def test_names_of_transitions_and_line_items_are_keywords(client: Client) -> None:
    deal = verbose(client, "transactions/query?hasBooking=true&perPage=1")["~:data"][0]
    attributes = deal["~:attributes"]
    assert attributes["~:processName"] == "~:sandbox-booking"
    assert attributes["~:lastTransition"] == attributes["~:transitions"][-1]["~:transition"]
    assert attributes["~:lastTransition"].startswith("~:transition/")
    assert attributes["~:transitions"][0]["~:by"] == "~:customer"
    line = attributes["~:lineItems"][0]
    assert line["~:code"] == "~:line-item/unit"
    assert line["~:includeFor"] == ["~:customer", "~:provider"]


OWN = {
    "state": "published",
    "type": "listing",
    "permissions": {"read": "permission/allow"},
    "transitions": [{"by": "customer"}],
    "colon": "~:published",
}


def test_what_users_wrote_are_strings(sdk: IntegrationSDK, client: Client) -> None:
    author = sdk.users.show(email="user3@example.com").data
    plan: AvailabilityPlan = {
        "type": "availability-plan/day",
        "entries": [{"dayOfWeek": "mon", "seats": 1}],
    }
    listing = sdk.listings.create(
        title="~:published",
        author_id=author.id,
        state="published",
        public_data=OWN,
        private_data=OWN,
        metadata=OWN,
        availability_plan=plan,
        expand=True,
    ).data
    assert listing.attributes["publicData"] == OWN
    found = verbose(client, f"listings/show?id={listing.id}")["~:data"]["~:attributes"]
    assert found["~:title"] == "~~:published"
    for name in ("publicData", "privateData", "metadata"):
        assert found[f"~:{name}"] == {
            "~:state": "published",
            "~:type": "listing",
            "~:permissions": {"~:read": "permission/allow"},
            "~:transitions": [{"~:by": "customer"}],
            "~:colon": "~~:published",
        }
    assert found["~:availabilityPlan"]["~:type"] == "~:availability-plan/day"
    assert found["~:availabilityPlan"]["~:entries"] == [{"~:dayOfWeek": "~:mon", "~:seats": 1}]


def test_events_have_keywords_within_their_resource_too(
    sdk: IntegrationSDK, client: Client
) -> None:
    author = sdk.users.show(email="user4@example.com").data
    listing = sdk.listings.create(
        title="x", author_id=author.id, state="published", public_data=OWN
    ).data
    sdk.listings.close(id=listing.id)
    event = verbose(client, f"events/query?resourceId={listing.id}")["~:data"][-1]
    told = event["~:attributes"]
    assert event["~:type"] == "~:event"
    assert told["~:eventType"] == "~:listing/updated"
    assert told["~:resourceType"] == told["~:resource"]["~:type"] == "~:listing"
    assert told["~:source"] == "~:source/integration-api"
    assert told["~:resource"]["~:attributes"]["~:state"] == "~:closed"
    assert told["~:resource"]["~:attributes"]["~:publicData"]["~:state"] == "published"
    assert told["~:resource"]["~:relationships"]["~:author"]["~:data"]["~:type"] == "~:user"
    assert told["~:previousValues"]["~:attributes"] == {"~:state": "~:published"}


@pytest.mark.parametrize(
    "path",
    [
        "listings/query?perPage=100&include=author,images,currentStock",
        "users/query?include=effectivePermissionSet",
        "transactions/query?include=booking,stockReservation,messages,listing.author",
        "events/query",
        "files/query",
    ],
)
def test_both_forms_of_transit_and_json_say_the_same(client: Client, path: str) -> None:
    compact = loads(client.raw(path, Accept=TRANSIT)[2])
    assert compact == loads(client.raw(path, Accept=TRANSIT, X_Transit_Verbose="true")[2])
    assert to_plain(compact) == json.loads(client.raw(path)[2])
