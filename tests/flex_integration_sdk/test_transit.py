"""Transit against transit-python2 as an oracle, and against hostile input."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flex_integration_sdk._transit import TaggedValue, TransitError, dumps, loads
from flex_integration_sdk.types import LatLng, Money

EARLY, LATE = datetime(1970, 1, 2), datetime(2100, 1, 1)  # noqa: DTZ001 - as Hypothesis wants
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.uuids(),
    st.datetimes(EARLY, LATE, timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    ),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.builds(Money, st.integers(-(2**40), 2**40), st.sampled_from(["EUR", "JPY"])),
    st.builds(LatLng, st.floats(-90, 90), st.floats(-180, 180)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_what_is_written_is_read_again(value: Any, verbose: bool) -> None:
    if isinstance(value, str) and value.startswith("#"):
        return
    assert loads(dumps(value, verbose=verbose)) == value


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text("abc~^`: é", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcdef", min_size=1, max_size=8), inner, max_size=6)
    ),
    max_leaves=25,
)


@settings(max_examples=60)
@given(PLAIN, st.booleans())
def test_the_oracle_reads_what_we_write(value: Any, verbose: bool) -> None:
    from transit.reader import JsonUnmarshaler

    text = dumps([value], verbose=verbose)
    assert _plain(JsonUnmarshaler().load(io.StringIO(text))) == [value]


@settings(max_examples=60)
@given(PLAIN, st.booleans())
def test_we_read_what_the_oracle_writes(value: Any, verbose: bool) -> None:
    from transit.writer import Writer

    stream = io.StringIO()
    Writer(stream, "json_verbose" if verbose else "json").write([value])
    assert loads(stream.getvalue()) == [value]


def test_codes_start_over_when_the_cache_is_full() -> None:
    value = [{f"key-{number}": number} for number in range(2100)] * 2
    assert loads(dumps(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, '["^ "]'),
        ([], "[]"),
        ("a", '["~#\'","a"]'),
        (
            [{"title": "t1", "price": Money(1, "EUR")}, {"title": "t2", "price": Money(2, "EUR")}],
            '[["^ ","~:title","t1","~:price",["~#mn",[1,"EUR"]]],'
            '["^ ","^0","t2","^1",["^2",[2,"EUR"]]]]',
        ),
        (
            {"at": datetime(2023, 11, 14, 22, 13, 20, 123000, UTC), "ratio": Decimal("1.50")},
            '["^ ","~:at","~m1700000000123","~:ratio","~f1.50"]',
        ),
    ],
)
def test_worked_examples(value: Any, text: str) -> None:
    assert dumps(value) == text
    assert loads(text) == value


def test_a_page_with_cached_keywords() -> None:
    text = (
        '["^ ","~:data",'
        '[["^ ","~:id","~u5f1d1a6e-0000-4000-8000-000000000001","~:type","~:listing"],'
        '["^ ","^1","~u5f1d1a6e-0000-4000-8000-000000000002","^2","^3"]]]'
    )
    ids = [UUID(f"5f1d1a6e-0000-4000-8000-00000000000{n}") for n in (1, 2)]
    assert loads(text) == {"data": [{"id": each, "type": "listing"} for each in ids]}


def test_unknown_tags_are_kept() -> None:
    assert loads('["~#new",[1]]') == TaggedValue("new", [1])


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[" * 100_000, '["^5"]', '["^\u00e9"]', '["~uno-uuid"]', '["~fx"]',
        '["^ ","a"]',
        '["~#mn",[1]]', '["~#mn",["x","EUR"]]', '["~#geo",1]', '["~i' + "9" * 5000 + '"]',
        '["~m99999999999999999999"]', '["~zx"]', '["~b*"]', json.dumps(["~#set", 1]), b"\xff\xfe",
        "[" * 300 + "]" * 300,
    ],
)  # fmt: skip
def test_hostile_input_gives_a_typed_error(text: str) -> None:
    with pytest.raises(TransitError):
        loads(text)


@pytest.mark.parametrize("value", [object(), {1: 2}, datetime(2020, 1, 1), [print]])  # noqa: DTZ001
def test_what_has_no_form_is_refused(value: Any) -> None:
    with pytest.raises(TransitError):
        dumps(value)


def _plain(value: Any) -> Any:
    """The oracle's frozen types as ours."""
    from transit.transit_types import Boolean, Keyword, frozendict

    if isinstance(value, Boolean):
        return bool(value)
    if isinstance(value, Keyword):
        return value.str
    if isinstance(value, (dict, frozendict)):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
