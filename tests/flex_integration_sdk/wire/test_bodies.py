"""The body of a command: what is refused, and where in a parameter it is."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_integration_sdk import LatLng, create_instance
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._transit import loads
from flex_integration_sdk._wire.requests import prepare
from flex_integration_sdk.errors import ParameterError
from flex_integration_sdk.resources import User
from flex_integration_sdk.sandbox import RunningSandbox
from flex_integration_sdk.types import TaggedValue

USER = User({"id": "u1", "type": "user", "attributes": {"email": "joe@example.com"}})


def refused(name: str, given: dict[str, Any]) -> str:
    with pytest.raises(ParameterError) as caught:
        prepare("https://x", ENDPOINTS[name], given, {})
    return str(caught.value)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, *map(Decimal, ("NaN", "-Infinity"))]
)
@pytest.mark.parametrize(
    ("around", "where"),
    [
        (lambda value: value, ""),
        (lambda value: [1, value], " (at publicData[1])"),
        (lambda value: {"a": {"b c": [(value,)]}}, " (at publicData['a']['b c'][0][0])"),
        (lambda value: {"a": {value}}, " (at publicData['a'][0])"),
        (lambda value: {"a": TaggedValue("x", value)}, " (at publicData['a'])"),
    ],
)
def test_no_number(value: Any, around: Any, where: str) -> None:
    said = refused("listings.update", {"id": "x", "title": "y", "publicData": around(value)})
    assert said.startswith(f"parameter 'publicData'{where}: NaN and infinity cannot be sent")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("abc"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
)


@given(JSON)
def test_a_body_has_no_nan_wherever_it_was(value: Any) -> None:
    given_ = {"id": "x", "publicData": value}
    if "nan" in repr(value) or "inf" in repr(value):  # no string has these letters
        assert "NaN" in refused("listings.update", given_)
        return
    content = prepare("https://x", ENDPOINTS["listings.update"], given_, {}).content
    assert content is not None
    assert loads(content)["publicData"] == value


def test_a_path_stays_short_and_on_one_line() -> None:
    deep: Any = math.nan
    for _ in range(50):
        deep = {"a": deep}
    assert "(at" not in refused("listings.update", {"id": "x", "publicData": deep})
    odd = {"\x1b[2J\n": {"k" * 5000: math.nan}}
    said = refused("listings.update", {"id": "x", "publicData": odd})
    assert said.isprintable()
    assert len(said) < 500


def test_a_resource_is_no_id() -> None:
    assert refused("listings.create", {"authorId": USER}) == (
        "parameter 'authorId': a value of type User is not an id; pass its id"
    )
    assert refused("listings.update", {"id": "x", "images": ["a", USER]}) == (
        "parameter 'images' (at images[1]): a value of type User is not an id; pass its id"
    )
    said = refused("listings.create", {"authorId": {"x": 1}})
    assert said.endswith("a value of type dict is not an id; pass a UUID or a string")


def test_a_map_is_taken_where_it_is_meant() -> None:
    given_ = {"id": "x", "publicData": USER, "images": []}
    content = prepare("https://x", ENDPOINTS["listings.update"], given_, {}).content
    assert content is not None
    assert loads(content)["publicData"] == USER


def test_nothing_is_sent(flex_sandbox: RunningSandbox) -> None:
    with create_instance(
        flex_sandbox.client_id, flex_sandbox.client_secret, base_url=flex_sandbox.base_url
    ) as sdk:
        listing = sdk.listings.query(per_page=1).data[0]
        for number in (math.nan, Decimal("Infinity")):
            with pytest.raises(ParameterError, match=r"'publicData' \(at publicData\['x'\]\)"):
                sdk.listings.update(id=listing.id, title="Other", public_data={"x": number})
        with pytest.raises(ParameterError, match="pass its id"):
            sdk.listings.update(id=listing, title="Other")  # type: ignore[arg-type]  # the mistake
        sdk.listings.update(id=listing.id, geolocation=LatLng(1, 2))
        after = sdk.listings.show(id=listing.id).data
        assert after.attributes["title"] == listing.attributes["title"]
