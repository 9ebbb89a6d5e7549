"""Resources: plain dicts that find what is related to them."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest

from flex_integration_sdk import Response, resources
from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS
from flex_integration_sdk.resources import Event, Image, Listing, Resource, User

AUTHOR = {"id": "u1", "type": "user", "attributes": {"email": "a@example.com"}}
IMAGE = {"id": "i1", "type": "image", "attributes": {"variants": {}}}
LISTING = {
    "id": "l1",
    "type": "listing",
    "attributes": {"title": "Bike"},
    "relationships": {
        "author": {"data": {"id": "u1", "type": "user"}},
        "images": {"data": [{"id": "i1", "type": "image"}, {"id": "i2", "type": "image"}]},
        "currentStock": {"data": None},
    },
}


def page() -> Response[Any]:
    return Response(
        200,
        {"data": [LISTING], "included": [AUTHOR, IMAGE], "meta": {"totalItems": 1}},
    )


def test_a_resource_is_the_plain_dict_and_more() -> None:
    (listing,) = page().data
    assert listing == LISTING
    assert json.loads(json.dumps(listing)) == LISTING
    assert (listing.id, listing.type, listing.attributes) == ("l1", "listing", {"title": "Bike"})
    assert page().meta == {"totalItems": 1}


def test_relationships_are_resolved_through_what_was_included() -> None:
    (listing,) = page().data
    assert listing.related("author") == AUTHOR
    assert listing.related("currentStock") is None
    first, second = listing.related_list("images")
    assert first == IMAGE
    assert second == {"id": "i2", "type": "image"}
    assert second.attributes == {}


def test_a_related_resource_resolves_its_own_relations() -> None:
    author = {**AUTHOR, "relationships": {"profileImage": {"data": {"id": "i1", "type": "image"}}}}
    response = Response[Any](200, {"data": LISTING, "included": [author, IMAGE]})
    related = response.data.related("author")
    assert related.related("profileImage") == IMAGE
    assert response.included[0].related("profileImage") == IMAGE


def test_data_that_is_no_resource_is_given_as_it_is() -> None:
    assert Response[Any](200, {"data": None}).data is None
    assert Response[Any](200, {}).included == []
    assert Response[Any](200, {"data": [], "meta": None}).data == []


def test_each_type_has_a_class_and_an_unknown_one_is_a_plain_resource() -> None:
    for kind in RELATIONSHIPS:
        found = Response[Any](200, {"data": {"id": "x", "type": kind}}).data
        assert type(found) is getattr(resources, kind[0].upper() + kind[1:])
        assert isinstance(found, Resource)
    odd: list[Any] = ["brandNew", "", 5, ["listing"], None]
    for each in odd:
        assert type(Response[Any](200, {"data": {"id": "x", "type": each}}).data) is Resource
    assert type(Response[Any](200, {"data": {}}).data) is Resource


def test_the_class_is_that_of_the_type_wherever_a_resource_comes_from() -> None:
    response = page()
    (listing,) = response.data
    assert type(listing) is Listing
    assert type(listing.related("author")) is User
    assert [type(each) for each in listing.related_list("images")] == [Image, Image]
    assert [type(each) for each in response.included] == [User, Image]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_as_good_as_the_original(protocol: int) -> None:
    (listing,) = page().data
    dumped = pickle.dumps(listing, protocol)
    assert b"flex_integration_sdk.resources" in dumped  # not the private module of the class
    for twin in (pickle.loads(dumped), copy.copy(listing), copy.deepcopy(listing)):
        assert type(twin) is Listing
        assert twin == listing == LISTING
        assert twin.related("author") == AUTHOR
        with pytest.raises(KeyError, match="marketplace"):
            twin.related("marketplace")


COPIES: list[Callable[[Any], Any]] = [
    lambda found: found.copy(),
    copy.copy,
    copy.deepcopy,
    lambda found: pickle.loads(pickle.dumps(found)),
    lambda found: found | {},
    lambda found: {} | found,
    lambda found: found | found,
    lambda found: found.copy().copy(),
]


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_is_a_resource_and_not_the_same_one(copied: Callable[[Any], Any]) -> None:
    (listing,) = page().data
    twin = copied(listing)
    assert type(twin) is Listing
    assert twin == listing == LISTING
    assert twin.related("author") == AUTHOR
    assert [type(each) for each in twin.related_list("images")] == [Image, Image]
    author: Any = twin.related("author")
    with pytest.raises(KeyError, match=r"include=\['author.profileImage'\]"):
        author.related("profileImage")
    twin["id"] = "other"
    assert listing["id"] == "l1"


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_of_an_event_still_has_a_resource(copied: Callable[[Any], Any]) -> None:
    event = Event({"id": "e", "type": "event", "attributes": {"resource": LISTING}})
    twin = copied(event)
    assert type(twin) is Event
    assert type(twin.attributes["resource"]) is Listing
    assert twin.attributes["resource"].related("author") == {"id": "u1", "type": "user"}


def test_union_is_that_of_dicts() -> None:
    (listing,) = page().data
    more: dict[str, Any] = {"id": "l2", "more": 1}
    for found, plain in (
        (listing | more, {**LISTING, **more}),
        (more | listing, {**more, **LISTING}),
    ):
        assert type(found) is Listing
        assert list(found.items()) == list(plain.items())
        assert found.related("author") == AUTHOR
    assert listing == LISTING
    same = listing
    same |= more
    assert same is listing
    assert listing.id == "l2"
    for wrong in (None, [("id", "x")]):
        with pytest.raises(TypeError):
            listing | wrong
        with pytest.raises(TypeError):
            wrong | listing


def test_a_plain_dict_of_it_is_plain() -> None:
    (listing,) = page().data
    for plain in (dict(listing), {**listing}):
        assert type(plain) is dict
        assert plain == LISTING


def test_it_is_equal_as_a_dict_is_and_can_be_in_no_set() -> None:
    (listing,) = page().data
    (twin,) = page().data
    assert listing == twin == dict(twin)
    assert listing != {**twin, "attributes": {"title": "Other"}}
    with pytest.raises(TypeError, match="Listing"):
        set(page().data)
    assert {each.id: each for each in [listing, twin]} == {"l1": LISTING}


def test_a_pickle_of_an_older_version_is_read() -> None:
    old = Resource.__new__(Resource)
    old.update(LISTING)
    old._related = {("user", "u1"): AUTHOR}
    found = pickle.loads(pickle.dumps(old))
    assert found.related("author") == AUTHOR
    with pytest.raises(KeyError, match="a path of include that ends in 'marketplace'"):
        found.related("marketplace")


def test_a_program_can_make_one() -> None:
    listing = Listing(LISTING)
    assert listing.related("author") == {"id": "u1", "type": "user"}
    assert type(listing.related("author")) is User
    assert listing.copy() == LISTING


def test_the_types_of_attributes_can_be_read_at_run_time() -> None:
    for name in resources.__all__:
        if name.endswith("Attributes"):
            assert get_type_hints(getattr(resources, name))
