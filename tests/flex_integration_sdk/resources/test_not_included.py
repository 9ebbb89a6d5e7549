"""What is not in a response: the error says what to ask for."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from flex_integration_sdk import Response, to_plain
from flex_integration_sdk.errors import FlexError, NotIncludedError
from flex_integration_sdk.resources import Listing

USER = {"id": "u1", "type": "user", "attributes": {"email": "a@example.com"}}
LISTING: dict[str, Any] = {"id": "l1", "type": "listing", "attributes": {"title": "Bike"}}
REFERENCE = {"data": {"id": "u1", "type": "user"}}


def response(data: Any, *included: Any) -> Response[Any]:
    return Response(200, {"data": data, "included": list(included)})


def said(resource: Any, name: str) -> str:
    with pytest.raises(NotIncludedError) as caught:
        resource.related(name)
    return str(caught.value)


@pytest.mark.parametrize("relationships", [{}, {"relationships": {}}, {"relationships": None}])
def test_it_says_what_to_ask_for(relationships: dict[str, Any]) -> None:
    found = response({**LISTING, **relationships})
    expected = "listing.author is not in this response; ask with include=['author']"
    assert said(found.data, "author") == expected
    assert said(response([LISTING]).data[0], "author") == expected
    with pytest.raises(NotIncludedError, match=r"ask with include=\['images'\]"):
        found.data.related_list("images")


def test_it_says_so_although_something_else_was_included() -> None:
    listing = {**LISTING, "relationships": {"author": REFERENCE}}
    assert "include=['currentStock']" in said(response(listing, USER).data, "currentStock")


def test_below_a_related_resource_it_says_the_whole_path() -> None:
    deal = {
        "id": "t1",
        "type": "transaction",
        "attributes": {},
        "relationships": {
            "listing": {"data": {"id": "l1", "type": "listing"}},
            "reviews": {"data": [{"id": "r1", "type": "review"}]},
        },
    }
    listing = {**LISTING, "relationships": {"author": REFERENCE}}
    found = response(deal, listing, USER)
    author = found.data.related("listing").related("author")
    expected = "is not in this response; ask with include=['listing.author.profileImage']"
    assert said(author, "profileImage") == f"user.profileImage {expected}"
    assert "['reviews.subject']" in said(found.data.related_list("reviews")[0], "subject")


def test_where_no_path_is_known_it_says_how_the_path_ends() -> None:
    listing = {**LISTING, "relationships": {"author": REFERENCE}}
    found = response({"id": "s1", "type": "stock", "attributes": {}}, listing, USER)
    expected = "is not in this response; ask with a path of include that ends in 'profileImage'"
    for user in (found.included[1], found.included[0].related("author")):
        assert said(user, "profileImage") == f"user.profileImage {expected}"


def test_of_a_command_it_says_that_the_whole_resource_must_be_asked_for() -> None:
    found = response({"id": "l1", "type": "listing"}).data
    assert said(found, "author") == (
        "listing.author is not in this response, which has only the listing's id and type; ask "
        "with expand=True and include=['author']"
    )


def test_an_attribute_of_a_reference_says_what_to_ask_for() -> None:
    reference = {"id": "l1", "type": "listing"}
    found = response(reference).data
    only = "this response, which has only the listing's id and type"
    with pytest.raises(NotIncludedError) as caught:
        found.attributes["title"]
    assert (
        str(caught.value) == f"listing.attributes['title'] is not in {only}; ask with expand=True"
    )
    with pytest.raises(KeyError, match=f"listing.attributes is not in {only}; ask with expand"):
        found["attributes"]["title"]
    with pytest.raises(KeyError, match=r"^'relationships'$"):
        found["relationships"]
    review = {"id": "r1", "type": "review", "relationships": {"listing": {"data": reference}}}
    related = response(review).data.related("listing")
    with pytest.raises(NotIncludedError, match=r"ask with include=\['listing'\]$"):
        related.attributes["title"]
    with pytest.raises(NotIncludedError, match="ask for the listing itself, or with a path"):
        Listing(reference).attributes["title"]


def test_the_attributes_of_a_reference_are_an_empty_dict() -> None:
    found = response({"id": "l1", "type": "listing"}).data
    assert (found, to_plain(found)) == ({"id": "l1", "type": "listing"},) * 2
    absent = found.attributes
    assert (absent, to_plain(absent), json.dumps(absent), repr(absent)) == ({}, {}, "{}", "{}")
    assert not absent
    assert absent.get("title", "none") == "none"
    for twin in (pickle.loads(pickle.dumps(absent)), copy.copy(absent), copy.deepcopy(absent)):
        assert (type(twin), twin) == (dict, {})
    with pytest.raises(NotIncludedError, match="expand=True"):
        pickle.loads(pickle.dumps(found)).attributes["title"]
    # What is there but empty is no reference: `fields` asked for nothing.
    with pytest.raises(KeyError, match=r"^'title'$"):
        response({**LISTING, "attributes": {}}).data.attributes["title"]


def test_an_unknown_name_gets_the_known_ones_and_the_nearest() -> None:
    found = response(LISTING).data
    assert said(found, "autor") == (
        "listing has no relationship 'autor' (it has: author, currentStock, images, marketplace). "
        "Did you mean 'author'?"
    )
    assert said(found, "owner").endswith("(it has: author, currentStock, images, marketplace)")
    assert said(response({"id": "i1", "type": "image"}).data, "listing").endswith("(it has: none)")
    with pytest.raises(NotIncludedError, match="Did you mean 'images'"):
        found.related_list("image")


def test_a_path_and_an_attribute_are_told_from_a_relationship() -> None:
    found = response(LISTING).data
    step = "Go one step at a time: 'author', and of that 'profileImage'"
    assert said(found, "author.profileImage").endswith(f"marketplace). {step}")
    assert said(found, "nothing.profileImage").endswith("marketplace)")
    event = {"id": "e1", "type": "event", "attributes": {"resource": None}}
    assert said(response(event).data, "resource") == (
        "event has no relationship 'resource' (it has: none). It is an attribute: "
        "attributes['resource']"
    )
    assert said(response(event).data, "listing") == (
        "event has no relationship 'listing' (it has: none). The resource that it is about is an "
        "attribute: attributes['resource']"
    )


def test_what_this_version_does_not_know_is_used_if_it_is_there() -> None:
    newer = {**LISTING, "relationships": {"coAuthor": REFERENCE}}
    found = response(newer, USER).data
    assert found.related("coAuthor") == USER
    assert "Did you mean 'coAuthor'?" in said(found, "coauthor")
    unknown = response({"id": "w1", "type": "widget", "attributes": {}}).data
    assert said(unknown, "owner") == (
        "widget.owner is not in this response; ask with include=['owner']"
    )


def test_one_and_many_are_told_apart_whether_they_were_included_or_not() -> None:
    whole = {"author": REFERENCE, "images": {"data": []}}
    for found in (response(LISTING).data, response({**LISTING, "relationships": whole}).data):
        with pytest.raises(
            TypeError, match=r"listing.images is a list: use related_list\('images'"
        ):
            found.related("images")
        with pytest.raises(TypeError, match=r"author is not a list: use related\('author'\)"):
            found.related_list("author")


def test_it_is_a_key_error_that_reads_like_any_other() -> None:
    error = NotIncludedError("listing.author is not here")
    assert isinstance(error, FlexError)
    assert isinstance(error, KeyError)
    for each in (error, copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(each) is NotIncludedError
        assert str(each) == "listing.author is not here"


def test_what_the_server_says_is_shown_in_one_short_line() -> None:
    evil = {"id": "x", "type": "a\n\x1b[2Jb" + "c" * 1000, "relationships": {"d\n\x1b[2Je": None}}
    for text in (
        said(response(evil).data, "owner"),
        said(response({**evil, "type": "listing"}).data, "owner"),
        said(response({**evil, "type": "listing"}).data, "d\n\x1b[2J"),
        said(response({**evil, "attributes": {}}).included or response(evil).data, "owner"),
    ):
        assert text.isprintable()
        assert len(text) < 700
