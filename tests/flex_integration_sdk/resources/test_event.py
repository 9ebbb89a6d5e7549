"""An event: what it is about is a resource too."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from flex_integration_sdk import Response, create_instance, to_plain
from flex_integration_sdk.errors import NotIncludedError
from flex_integration_sdk.resources import Event, Listing, Resource, User
from flex_integration_sdk.sandbox import RunningSandbox

ABOUT = {
    "id": "l1",
    "type": "listing",
    "attributes": {"title": "Bike"},
    "relationships": {
        "author": {"data": {"id": "u1", "type": "user"}},
        "images": {"data": [{"id": "i1", "type": "image"}]},
        "currentStock": {"data": None},
    },
}


def event(about: Any) -> Response[Event]:
    attributes = {"sequenceId": 1, "resource": about, "previousValues": {}}
    return Response(200, {"data": {"id": "e1", "type": "event", "attributes": attributes}})


def test_its_resource_is_of_its_types_class_and_the_body_stays_plain() -> None:
    response = event(ABOUT)
    found = response.data
    about = found.attributes["resource"]
    assert type(about) is Listing
    assert about == ABOUT
    assert found["attributes"]["resource"] is about
    assert type(response.body["data"]["attributes"]["resource"]) is dict
    assert found == response.body["data"]
    assert to_plain(found)["attributes"]["resource"]["attributes"] == {"title": "Bike"}


def test_what_it_is_related_to_is_there_by_id_and_type() -> None:
    about = event(ABOUT).data.attributes["resource"]
    assert isinstance(about, Listing)
    author = about.related("author")
    assert type(author) is User
    assert author == {"id": "u1", "type": "user"}
    assert [each.id for each in about.related_list("images")] == ["i1"]
    assert about.related("currentStock") is None
    said = (
        "listing.marketplace is not in this event, which has only relationships to one resource, "
        "and a listing's images; ask for the listing itself with include=['marketplace']"
    )
    with pytest.raises(NotIncludedError) as caught:
        about.related("marketplace")
    assert str(caught.value) == said
    with pytest.raises(NotIncludedError, match=r"not in this event.*ask for the user itself"):
        author.related("profileImage")
    with pytest.raises(NotIncludedError) as caught:
        author.attributes["email"]
    assert str(caught.value) == (
        "user.attributes['email'] is not in this event, which has only the user's id and type; ask "
        "for the user itself, by its id"
    )


def test_nothing_is_changed_where_there_is_no_resource() -> None:
    assert event(None).data.attributes["resource"] is None
    for attributes in (None, {}, {"resource": "odd"}, "odd"):
        data = {"id": "e1", "type": "event", "attributes": attributes}
        found = Response[Event](200, {"data": data}).data
        assert (type(found), found) == (Event, data)
    assert not Event({"id": "e1", "type": "event"}).attributes


def test_a_copy_is_as_good_as_the_original() -> None:
    found = event(ABOUT).data
    for twin in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found)):
        about: Any = twin.attributes["resource"]
        assert (type(twin), type(about)) == (Event, Listing)
        with pytest.raises(NotIncludedError, match="not in this event"):
            about.related("marketplace")


def test_events_of_the_sandbox(flex_sandbox: RunningSandbox) -> None:
    options: Any = {"base_url": flex_sandbox.base_url, "token_store": "memory"}
    with create_instance(flex_sandbox.client_id, flex_sandbox.client_secret, **options) as sdk:
        start = datetime.now(UTC)
        changed = sdk.listings.query(per_page=1).data[0]
        sdk.listings.update(id=changed.id, title="Renamed")
        (last,) = sdk.events.query(created_at_start=start, event_types="listing/updated").data
        about = last.attributes["resource"]
        assert isinstance(last, Resource)
        assert isinstance(about, Listing)
        assert (about.id, about.attributes["title"]) == (changed.id, "Renamed")
        author = about.related("author")
        assert author is not None
        assert sdk.users.show(id=author.id).data.attributes["email"]
