"""Resources: plain dicts that find what is related to them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flex_integration_sdk import Response

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


def test_what_cannot_be_resolved_says_what_to_do() -> None:
    (listing,) = page().data
    with pytest.raises(KeyError, match="it has: author, images, currentStock"):
        listing.related("autor")
    with pytest.raises(TypeError, match="related_list"):
        listing.related("images")
    with pytest.raises(TypeError, match=r"related\('author'\)"):
        listing.related_list("author")
    reference = Response[Any](200, {"data": {"id": "l1", "type": "listing"}}).data
    with pytest.raises(KeyError, match="expand=True"):
        reference.related("author")


def test_data_that_is_no_resource_is_given_as_it_is() -> None:
    assert Response[Any](200, {"data": None}).data is None
    assert Response[Any](200, {}).included == []
    assert Response[Any](200, {"data": [], "meta": None}).data == []
