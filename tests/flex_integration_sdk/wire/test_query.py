"""Query strings, byte for byte as the JavaScript SDK writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_integration_sdk import (
    LatLng,
    LatLngBounds,
    Money,
    create_instance,
    object_query_string,
)
from flex_integration_sdk._wire.query import form, query_string
from flex_integration_sdk.errors import ParameterError
from flex_integration_sdk.sandbox import RunningSandbox

ID = UUID("0e0b60fe-d9a2-11e6-bf26-cec0c932ce01")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, ""),
        ({"id": ID}, f"id={ID}"),
        ({"origin": LatLng(60.0, 24.5)}, "origin=60,24.5"),
        ({"bounds": LatLngBounds(LatLng(1, 2), LatLng(-3.25, 4))}, "bounds=1,2,-3.25,4"),
        ({"start": datetime(1970, 1, 1, tzinfo=UTC)}, "start=1970-01-01T00%3A00%3A00.000Z"),
        ({"start": datetime(33, 1, 1, tzinfo=UTC)}, "start=0033-01-01T00%3A00%3A00.000Z"),
        (
            {"start": datetime(2020, 1, 1, 1, 0, 0, 7999, timezone(timedelta(hours=2)))},
            "start=2019-12-31T23%3A00%3A00.007Z",
        ),
        ({"ids": [ID, "x"]}, f"ids={ID},x"),
        ({"x": [1, [2, 3]]}, "x=1,2,3"),
        ({"x": [1, None, 2]}, "x=1,,2"),
        ({"x": None}, ""),
        ({"a": "", "b": [], "c": False, "d": 0, "e": True}, "a=&b=&c=false&d=0&e=true"),
        ({"per_page": 10, "created_at_start": None}, "perPage=10"),
        ({"pub_room_type": "a b", "meta_x_y": 1}, "pub_room_type=a%20b&meta_x_y=1"),
        ({"priv_a_b": 1, "prot_a_b": 1}, "priv_a_b=1&prot_a_b=1"),
        ({"fields": {"listing": ["title", "price"]}}, "fields.listing=title,price"),
        ({"limit": {"images": 1}}, "limit.images=1"),
        (
            {"image_variant": {"s": {"w": 320, "fit": "scale"}}},
            "imageVariant.s=w%3A320%3Bfit%3Ascale",
        ),
        ({"image_variant": {"s": "w:320"}}, "imageVariant.s=w%3A320"),
        ({"fields.user": "none"}, "fields.user=none"),
        ({"keywords": "~*'()! a+b,c;d"}, "keywords=~*'()!%20a%2Bb,c%3Bd"),
        ({"keywords": "ä€"}, "keywords=%C3%A4%E2%82%AC"),
        ({"length": 3, "page": 1}, "length=3&page=1"),
    ],
)
def test_the_wire_form(params: dict[str, Any], expected: str) -> None:
    assert query_string(params) == expected


@pytest.mark.parametrize(
    "value",
    [Money(1, "EUR"), Decimal("1.5"), {"a": 1}, object(), datetime(2020, 1, 1), date(2020, 1, 1)],  # noqa: DTZ001 - that is the test
)
def test_what_has_no_form_names_its_parameter(value: object) -> None:
    with pytest.raises(TypeError, match="'price'"):
        query_string({"price": value})


WITHIN_ITSELF: list[Any] = []
WITHIN_ITSELF.append(WITHIN_ITSELF)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"pub_a": "\ud800"}, r"'pub_a': a string with half a surrogate pair"),
        ({"ids": ["a", "b\udfff"]}, r"'ids': a string with half a surrogate pair"),
        ({"fields": {"user": ["\ud83d"]}}, r"'fields\.user': a string with half"),
        ({"fields": {"\ud83d": ["a"]}}, r"'fields\.\\ud83d': a string with half"),
        ({"image_variant": {"a": {"\ud83d": 1}}}, r"'imageVariant\.a': a string with half"),
        ({"pub_\ud800": 1}, r"'pub_\\ud800': a string with half"),
        ({"ids": WITHIN_ITSELF}, r"'ids': a list nested too deep, or within itself"),
    ],
)
def test_what_no_url_can_hold(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        query_string(params)


BEYOND = datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), BEYOND])
def test_no_number_and_no_time(value: object) -> None:
    with pytest.raises(ValueError, match="'price'"):
        query_string({"price": value})


text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(st.dictionaries(st.from_regex(r"[a-z]+", fullmatch=True), text, min_size=1))
def test_a_server_reads_what_was_meant(params: dict[str, str]) -> None:
    assert parse_qs(query_string(params)) == {key: [value] for key, value in params.items()}


@given(text)
def test_no_text_leaves_its_field(value: str) -> None:
    assert parse_qs(form({"a": value, "b": "1"})) == {"a": [value], "b": ["1"]}


def test_object_query_string() -> None:
    params = {"w": 640, "fit": "scale", "on": True, "ids": ["a", "b"], "none": None, "empty": []}
    assert object_query_string(params) == "w:640;fit:scale;on:true;ids:a,b;empty:"
    assert object_query_string({}) == ""


@pytest.mark.parametrize("params", ["text", None, [], {"inner": {"a": 1}}, {"x": object()}])
def test_object_query_string_of_what_has_no_form(params: Any) -> None:
    with pytest.raises(TypeError):
        object_query_string(params)


@pytest.mark.parametrize("names", [("per_page", "perPage"), ("perPage", "per_page")])
def test_a_parameter_by_both_its_names_is_refused(
    flex_sandbox: RunningSandbox, names: tuple[str, str]
) -> None:
    both: dict[str, Any] = dict.fromkeys(names, 2)
    with (
        create_instance(
            flex_sandbox.client_id, flex_sandbox.client_secret, base_url=flex_sandbox.base_url
        ) as sdk,
        pytest.raises(ParameterError, match="'perPage' is given twice, once as 'perPage'"),
    ):
        sdk.listings.query(**both)
