"""What events hold. Evidence: the reference of events, and the official example of a listener."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK, create_instance
from flex_integration_sdk.names import EventFilter
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from flex_integration_sdk.sandbox._data.database import Content, Database

JANUARY = datetime(2027, 1, 1, tzinfo=UTC)
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as found:
        yield found


@pytest.fixture
def sdk(running: RunningSandbox) -> Iterator[IntegrationSDK]:
    running.reset()
    with create_instance(
        running.client_id, running.client_secret, base_url=running.base_url
    ) as found:
        yield found


def last_of(sdk: IntegrationSDK, kind: EventFilter) -> Any:
    return sdk.events.query(event_types=kind).data[-1].attributes


def test_previous_values_are_an_object_even_if_there_are_none(sdk: IntegrationSDK) -> None:
    """The official example reads ``previousValues.attributes`` of every event."""
    author = sdk.users.show(email="user3@example.com").data
    sdk.listings.create(title="New", author_id=author.id, state="published")
    assert last_of(sdk, "listing/created")["previousValues"] == {}


def test_a_resource_has_its_to_one_relationships_and_a_listing_its_images(
    sdk: IntegrationSDK,
) -> None:
    picture = sdk.images.upload(image=GIF).data
    listing = sdk.listings.query(per_page=1).data[0]
    sdk.listings.update(id=listing.id, images=[picture.id])
    event = last_of(sdk, "listing/updated")
    assert set(event["resource"]["relationships"]) == {
        "marketplace", "author", "images", "currentStock"
    }  # fmt: skip
    image = {"id": picture.id, "type": "image"}
    assert event["resource"]["relationships"]["images"] == {"data": [image]}
    assert set(event["previousValues"]["relationships"]) == {"images"}
    deal = sdk.transactions.query(states="preauthorized", has_stock_reservation=True).data[0]
    sdk.transactions.transition(id=deal.id, transition="transition/decline", params={})
    for kind in ("transaction", "stockReservation"):
        event = last_of(sdk, kind)
        parts = (event["resource"], event["previousValues"])
        data = [
            relation["data"]
            for part in parts
            for relation in part.get("relationships", {}).values()
        ]
        assert data
        assert not any(isinstance(each, list) for each in data)


def test_what_is_deleted_is_told_by_its_previous_values(sdk: IntegrationSDK) -> None:
    listing = sdk.listings.query(per_page=1).data[0]
    exception = sdk.availability_exceptions.create(
        listing_id=listing.id, seats=0, start=JANUARY, end=JANUARY + timedelta(days=1)
    ).data
    sdk.availability_exceptions.delete(id=exception.id)
    event = last_of(sdk, "availabilityException/deleted")
    assert event["resource"] is None
    assert event["previousValues"]["attributes"]["seats"] == 0
    assert event["previousValues"]["relationships"]["listing"]["data"]["id"] == listing.id
    found = sdk.events.query(related_resource_id=listing.id).data
    assert found[-1].attributes["eventType"] == "availabilityException/deleted"


def test_events_of_an_earlier_version_are_told_as_those_of_today(tmp_path: Path) -> None:
    """In the files of ``--db`` from before there are to-many relationships, and null."""
    path = str(tmp_path / "sandbox.sqlite")
    with (
        serve(SandboxSettings(db=path)) as running,
        create_instance(running.client_id, running.client_secret, base_url=running.base_url) as sdk,
    ):
        deal = sdk.transactions.query(states="preauthorized").data[0]
        sdk.transactions.transition(id=deal.id, transition="transition/decline", params={})
        db = Database(path, lambda: Content(()))
        event = next(
            each
            for each in db.all("event")
            if each["attributes"]["eventType"] == "transaction/transitioned"
        )
        whole = {**event["attributes"], "resource": db.get("transaction", deal.id)}
        db.put({**event, "attributes": {**whole, "previousValues": None}})
        db.close()
        found = last_of(sdk, "transaction")
    assert found["previousValues"] == {}
    relations = found["resource"]["relationships"]
    assert "customer" in relations
    assert not relations.keys() & {"messages", "reviews"}
