"""What ``repr`` shows of resources and responses: nothing that must not be in a log."""

from __future__ import annotations

import logging
import pprint
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from flex_integration_sdk import Response
from flex_integration_sdk.resources import Event, Listing, Resource, User
from flex_integration_sdk.types import TaggedValue, TooDeep

ID = UUID("5f1d1a6e-0000-4000-8000-000000000001")
PRIVATE = "joe@example.com"
USER = {
    "id": ID,
    "type": "user",
    "attributes": {"email": PRIVATE, "profile": {"privateData": {PRIVATE: PRIVATE}}},
}
EVENT = {
    "id": ID,
    "type": "event",
    "attributes": {"eventType": "user/updated", "sequenceId": 42, "resource": USER},
}


def response(data: Any, meta: Any = None) -> Response[Any]:
    return Response(200, {"data": data, "included": [USER], "meta": meta})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (User(USER), f"<User {ID}>"),
        ([User(USER)], f"[<User {ID}>]"),
        (Event(EVENT), f"<Event {ID}, user/updated, sequenceId 42>"),
        (Event({"id": ID}), f"<Event {ID}>"),
        (Resource({"id": ID, "type": "brandNew"}), f"<Resource brandNew {ID}>"),
        (Resource({}), "<Resource without type without id>"),
        (Listing({"id": TaggedValue("u", "odd")}), "<Listing odd>"),
        (Listing({"id": object()}), "<Listing with an id of type object>"),
        (Listing({"id": "x\n\x1b[2J" + "y" * 900}), f"<Listing x\\n\\x1b[2J{'y' * 190}…>"),
        (response(USER), f"<Response 200, user {ID}>"),
        (response({"id": ID}), f"<Response 200, without type {ID}>"),
        (
            response([USER] * 3, {"page": 1, "totalPages": 250}),
            "<Response 200, 3 users, page 1 of 250>",
        ),
        (response([USER], {"page": 7, "totalPages": None}), "<Response 200, 1 user, page 7>"),
        (response([], {"totalItems": 0}), "<Response 200, 0 resources>"),
        (response([USER, EVENT]), "<Response 200, 2 resources>"),
        (response([[USER]]), "<Response 200, 1 resource>"),
        (response(PRIVATE), "<Response 200, data of type str>"),
        (response(TooDeep()), "<Response 200, data of type TooDeep>"),
        (Response[Any](204, {}), "<Response 204, no data>"),
    ],
)
def test_types_ids_and_counts(value: Any, text: str) -> None:
    assert repr(value) == text
    if not isinstance(value, list):
        assert str(value) == f"{value}" == text


@pytest.mark.parametrize("value", [User(USER), [User(USER)], Event(EVENT), response([USER])])
def test_no_way_to_show_it_shows_more(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("program").warning("got %s and %r", value, value)
    for shown in (pretty_repr(value), pprint.pformat(value), caplog.text):
        assert "joe" not in shown
        assert "Data" not in shown


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(ID) | st.just(TooDeep()),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["id", "type", "attributes", "page"]), inner)
    ),
)


@given(odd, odd)
def test_whatever_a_server_sends_has_a_short_line(data: Any, meta: Any) -> None:
    resources = [Resource(data), Event(data)] if isinstance(data, dict) else []
    for each in (response(data, meta), *resources):
        assert repr(each).isprintable()
        assert len(repr(each)) < 1000


def test_all_can_still_be_shown() -> None:
    assert repr(dict(User(USER))) == repr(USER)
