"""Results as plain JSON, and pickled: what a task queue does with them."""

from __future__ import annotations

import asyncio
import copy
import json
import math
import os
import pickle
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_integration_sdk import (
    AuthInfo,
    FarTime,
    LatLng,
    LatLngBounds,
    Money,
    Response,
    TypeHandler,
    create_async_instance,
    create_instance,
    file_metadata,
    to_json,
    to_plain,
)
from flex_integration_sdk._wire.interpret import interpret
from flex_integration_sdk.resources import Listing
from flex_integration_sdk.sandbox import RunningSandbox
from flex_integration_sdk.types import TaggedValue, TooDeep, json_default, json_object_hook
from flex_tokenstore import Secret, Token

ID = UUID("5f1d1a6e-0000-4000-8000-000000000001")


class Color(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (ID, str(ID)),
        (datetime(2026, 1, 2, 3, 4, 5, 6789, UTC), "2026-01-02T03:04:05.006Z"),
        (FarTime(253402300800000), "+010000-01-01T00:00:00.000Z"),
        (date(2026, 1, 2), "2026-01-02"),
        (Decimal("1.50"), "1.50"),
        (Money(150, "EUR"), {"amount": 150, "currency": "EUR"}),
        (LatLng(1.5, 2), {"lat": 1.5, "lng": 2.0}),
        (
            LatLngBounds(LatLng(1, 2), LatLng(0, 0)),
            {"ne": {"lat": 1.0, "lng": 2.0}, "sw": {"lat": 0.0, "lng": 0.0}},
        ),
        (b"hi", "aGk="),
        (TaggedValue("r", "http://x"), {"tag": "r", "value": "http://x"}),
        (TooDeep(), "(nested too deeply)"),
        ([math.inf, -math.inf], ["Infinity", "-Infinity"]),
        ((Color.RED, {1}), ["red", [1]]),
        ({ID: None, 1: True}, {str(ID): None, "1": True}),
        (
            {True: 1, Decimal("1.50"): 2, date(2026, 1, 2): 3},
            {"true": 1, "1.50": 2, "2026-01-02": 3},
        ),
        ({"b", "a", 10, 9, 0.5}, [0.5, 9, 10, "a", "b"]),
        ({Money(2, "EUR"), Money(1, "EUR")}, [{"amount": n, "currency": "EUR"} for n in (1, 2)]),
        (AuthInfo("refresh_token"), {"grant_type": "refresh_token"}),
        (
            file_metadata(b"x", name="a.pdf"),
            {"name": "a.pdf", "mime_type": "application/pdf", "size": 1},
        ),
    ],
    ids=lambda value: type(value).__name__,  # a set's text differs between processes
)
def test_the_form_that_the_api_has_in_json(value: Any, plain: Any) -> None:
    assert to_plain(value) == plain
    assert json.loads(json.dumps(to_plain([value]), allow_nan=False)) == [plain]
    assert to_plain(math.nan) == "NaN"


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.uuids(), st.decimals(),
    st.binary(), st.datetimes(timezones=st.just(UTC)), st.just(Money(1, "EUR")),
    st.just(LatLng(1, 2)), st.just(TaggedValue("x", [ID])), st.just(TooDeep()),
    st.just(FarTime(253402300800000)),
)  # fmt: skip


FINITE = VALUES.filter(lambda each: not isinstance(each, float) or math.isfinite(each))


class Opaque:
    def __init__(self, number: int) -> None:
        self.number = number


@given(st.recursive(VALUES, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=9))
def test_json_dumps_takes_whatever_an_answer_holds(value: Any) -> None:
    response: Response[Any] = Response(200, {"data": value, "meta": {}})
    text = json.dumps(to_plain(response), allow_nan=False)
    assert json.loads(text) == to_plain(response)
    assert to_plain(to_plain(response)) == to_plain(response)


@pytest.mark.parametrize("value", [object(), Secret("s3cret"), Token({"access_token": "s3cret"})])
def test_other_types_are_refused_by_name(value: Any) -> None:
    with pytest.raises(TypeError, match=type(value).__name__) as caught:
        to_plain({"x": [value]})
    assert "s3cret" not in str(caught.value)
    assert to_plain([value], default=lambda _: UUID(int=1)) == [str(UUID(int=1))]


@given(st.recursive(FINITE, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=9))
def test_json_of_it_is_read_as_the_plain_form(value: Any) -> None:
    response: Response[Any] = Response(200, {"data": value})
    text = to_json(response)
    text.encode()
    assert "\n" not in text
    for each in (text, to_json(response, indent=1), to_json(response, default=to_plain)):
        assert json.loads(each) == to_plain(response) == {"data": to_plain(value)}


def test_the_form_of_json_is_the_same_for_ever() -> None:
    listing = Listing({"id": ID, "type": "listing", "attributes": {"title": "Räd", "price": None}})
    text = f'{{"id":"{ID}","type":"listing","attributes":{{"title":"Räd","price":null}}}}'
    assert to_json(listing) == to_json(dict(listing)) == text
    assert to_json([listing]) == f"[{text}]"
    assert to_json({"a": [1, {}], "b": []}, indent=2) == (
        '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}'
    )
    assert to_json("a\ud800\u2028\x7f\x9b\xa0\n") == '"a\\ud800\u2028\\u007f\\u009b\xa0\\n"'


def test_sets_have_one_order_in_each_process() -> None:
    program = (
        "from flex_integration_sdk import LatLng, to_json;"
        "print(to_json({'b', 'a', 'c', 3, 20, LatLng(1, 2), LatLng(0, 1)}))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    points = '{"lat":0.0,"lng":1.0},{"lat":1.0,"lng":2.0}'
    assert said == {f'[3,20,"a","b","c",{points}]\n'}


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_what_json_lacks_is_refused_and_the_error_says_where(wrong: float) -> None:
    page: Response[Any] = Response(200, {"data": [{"id": ID}, {"attributes": {"x": (1, wrong)}}]})
    with pytest.raises(
        ValueError, match=r"default \(at \['data'\]\[1\]\['attributes'\]\['x'\]\[1\]\)$"
    ):
        to_json(page)
    with pytest.raises(ValueError, match=r"JSON; pass default$"):
        to_json(wrong)
    with pytest.raises(ValueError, match="pass default"):
        to_json(wrong, default=lambda found: found)
    assert to_json([wrong], default=to_plain) == f'["{to_plain(wrong)}"]'
    assert to_json([wrong], default=lambda found: None) == "[null]"


def test_types_of_a_programs_own_in_json() -> None:
    class Key(str):
        """A string: written as one."""

    found = {Key("a"): {Color.RED, Opaque(2), Opaque(1)}}
    assert to_json(found, default=lambda each: each.number) == '{"a":[1,2,"red"]}'
    with pytest.raises(TypeError, match=r"type Opaque .*pass default \(at \['x'\]\[1\]\)"):
        to_json({"x": [1, Opaque(1)]})
    with pytest.raises(TypeError, match=r"a key of type Money .* \(at \[0\]\)"):
        to_json([{Money(1, "EUR"): 1}])


def test_an_error_of_default_is_the_programs_own() -> None:
    def fails(_: object) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        to_json([object()], default=fails)


def test_a_value_within_itself_is_refused() -> None:
    within: list[Any] = []
    within.append(within)
    with pytest.raises(ValueError, match="within itself"):
        to_json({"a": within})


def same(one: Any, other: Any) -> None:
    assert other == one
    assert other.status == 200
    author = other.data[0].related("author")
    assert author is not None
    assert author.attributes == one.data[0].related("author").attributes
    assert (other.meta, len(other.included)) == (one.meta, len(one.included))


def test_answers_become_plain_and_can_be_pickled(flex_sandbox: RunningSandbox) -> None:
    options: Any = {
        "client_id": flex_sandbox.client_id,
        "client_secret": flex_sandbox.client_secret,
        "base_url": flex_sandbox.base_url,
    }
    with create_instance(**options) as sdk:
        page = sdk.listings.query(per_page=3, include="author")
        plain = to_plain(page)
        assert json.loads(json.dumps(plain)) == plain
        assert plain["data"] == to_plain(page.data)
        assert plain["data"][0]["id"] == str(page.data[0].id)
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            same(page, pickle.loads(pickle.dumps(page, protocol)))
        same(page, copy.deepcopy(page))
        listing = pickle.loads(pickle.dumps(page.data[0]))
        assert listing.related("author") == page.data[0].related("author")

    async def main() -> Any:
        async with create_async_instance(**options) as other:
            return await other.listings.query(per_page=3, include="author")

    found = asyncio.run(main())
    assert to_plain(found) == plain
    same(found, pickle.loads(pickle.dumps(found)))


def test_types_of_a_programs_own_are_left_to_default(flex_sandbox: RunningSandbox) -> None:
    class Key:
        def __init__(self, value: UUID) -> None:
            self.value = value

    with create_instance(
        flex_sandbox.client_id,
        flex_sandbox.client_secret,
        base_url=flex_sandbox.base_url,
        type_handlers=[TypeHandler(UUID, reader=Key)],
    ) as sdk:
        page = sdk.users.query(per_page=1)
        with pytest.raises(TypeError, match=r"Key.*default"):
            to_plain(page)
        plain = to_plain(page, default=lambda key: key.value)
        assert plain["data"][0]["id"] == str(page.data[0]["id"].value)


def test_the_other_form_gives_the_same_types_back() -> None:
    value = {"a": TaggedValue("u", "x"), "b": Money(1, "EUR"), "c": [ID, Decimal("1.50")]}
    text = json.dumps(value, default=json_default)
    assert json.loads(text, object_hook=json_object_hook) == value
    assert json.dumps(FarTime(253402300800000), default=json_default) == (
        '"+010000-01-01T00:00:00.000Z"'
    )


class Answer:
    def __init__(self, content: bytes, kind: str, status: int = 200) -> None:
        self.status_code, self.content, self.headers = status, content, {"content-type": kind}


@pytest.mark.parametrize("kind", ["application/json", "application/transit+json"])
@pytest.mark.parametrize("odd", ['"\\ud800"', "1e400", "9" * 5000, "[" * 300 + "]" * 300])
def test_a_page_with_one_odd_value_is_an_answer(kind: str, odd: str) -> None:
    content = f'{{"data": [{{"id": "a"}}, {{"id": "b", "x": {odd}}}]}}'.encode()
    page = interpret(Answer(content, kind), "GET", "listings/query")
    assert [each["id"] for each in page.data] == ["a", "b"]
    assert len(json.dumps(to_plain(page.data[0]))) > 5


@pytest.mark.parametrize("text", ["x\r\nERROR: forged", "\x1b[2Jx", "\u202ex", "\x00", "y" * 9000])
def test_what_a_server_wrote_is_one_short_line_of_a_message(text: str) -> None:
    errors = {"errors": [{"code": text, "title": text}, {"code": "z"}]}
    with pytest.raises(Exception, match="failed: HTTP 400") as caught:
        interpret(
            Answer(json.dumps(errors).encode(), "application/json", 400), "GET", "listings/query"
        )
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600
    listing = Response[Any](200, {"data": {"id": 1, "type": text, "relationships": {text: {}}}})
    for look in (listing.data.related, listing.data.related_list):
        with pytest.raises(KeyError) as missing:
            look("other")
        assert missing.value.args[0].isprintable()
        assert len(missing.value.args[0]) < 600
