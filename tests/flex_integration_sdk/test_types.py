"""Money is exact; wrong parts are refused."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_integration_sdk.types import FarTime, LatLng, LatLngBounds, Money, TaggedValue

POINT = LatLng(60.17, 24.94)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(1999, "EUR"), "19.99"),
        (Money(1900, "EUR"), "19.00"),
        (Money(-5, "EUR"), "-0.05"),
        (Money(500, "JPY"), "500"),
        (Money(1, "KWD"), "0.001"),
        (Money(12345, "CLF"), "1.2345"),
    ],
)
def test_minor_units_by_currency(money: Money, text: str) -> None:
    assert str(money.decimal) == text
    assert str(money) == f"{text} {money.currency}"
    assert Money.from_decimal(Decimal(text), money.currency) == money


@given(
    st.integers(-(10**30), 10**30),
    st.sampled_from(["EUR", "JPY", "KWD", "UYW"]),
    st.integers(1, 28),
)
def test_no_decimal_context_rounds_money(amount: int, currency: str, precision: int) -> None:
    money = Money(amount, currency)
    with localcontext() as context:
        context.prec = precision
        assert Money.from_decimal(money.decimal, currency).amount == amount


def test_whole_major_units() -> None:
    assert Money.from_decimal(20, "EUR") == Money(2000, "EUR")
    assert Money.from_decimal(Decimal("2E+1"), "EUR") == Money(2000, "EUR")
    assert Money.from_decimal(Decimal("1.000"), "JPY") == Money(1, "JPY")


@pytest.mark.parametrize(
    "value", ["0.001", "1E-999999999", "1E+999999999", "NaN", "sNaN", "Infinity"]
)
def test_what_is_no_amount_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"decimals|finite"):
        Money.from_decimal(Decimal(value), "EUR")


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Money.from_decimal(19.99, "EUR"), TypeError),  # type: ignore[arg-type]  # the point
        (lambda: Money(1.5, "EUR"), TypeError),  # type: ignore[arg-type]  # the point
        (lambda: Money(True, "EUR"), TypeError),
        (lambda: Money(1, None), TypeError),  # type: ignore[arg-type]  # the point
        (lambda: Money(1, "eur"), ValueError),
        (lambda: Money(1, "€"), ValueError),
        (lambda: Money.from_decimal(Decimal(1), "euro"), ValueError),
        (lambda: LatLng("60", 1), TypeError),  # type: ignore[arg-type]  # the point
        (lambda: LatLng(1, True), TypeError),
        (lambda: LatLng(float("nan"), 1), ValueError),
        (lambda: LatLng(1, 10**400), ValueError),
        (lambda: LatLngBounds(POINT, (1, 2)), TypeError),  # type: ignore[arg-type]  # the point
    ],
)
def test_wrong_parts_are_refused(make: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error):
        make()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Money(1999, "EUR"), "Money(amount=1999, currency='EUR')"),
        (LatLng(60, 24.94), "LatLng(lat=60.0, lng=24.94)"),
        (
            LatLngBounds(POINT, POINT),
            "LatLngBounds(ne=LatLng(lat=60.17, lng=24.94), sw=LatLng(lat=60.17, lng=24.94))",
        ),
    ],
)
def test_they_are_frozen_values(value: Any, text: str) -> None:
    assert repr(value) == text
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
    assert len({value, copy.deepcopy(value)}) == 1
    assert not hasattr(value, "__dict__")
    for name in value.__match_args__:
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, 1)


ID = UUID("5f1d1a6e-0000-4000-8000-000000000001")
numbers = st.floats(-90, 90) | st.integers(-90, 90) | st.just(-0.0)
points = st.builds(LatLng, numbers, numbers)
VALUES = (
    points
    | st.builds(LatLngBounds, points, points)
    | st.builds(Money, st.integers(-2, 2), st.sampled_from(["EUR", "USD"]))
    | st.builds(FarTime, st.sampled_from([253402300800000, 253402300800001]))
    | st.builds(TaggedValue, st.sampled_from("ur"), st.sampled_from("ab"))
    | st.sampled_from([ID, UUID(int=1)])
)


@given(st.lists(VALUES))
def test_equal_values_are_one_in_a_set_and_as_a_key(values: list[Any]) -> None:
    one_of_each: list[Any] = []
    for value in values:
        if value not in one_of_each:
            one_of_each.append(value)
    assert len(set(values)) == len(one_of_each)
    keys = dict.fromkeys(values, 1)
    assert list(keys) == one_of_each
    for twin in pickle.loads(pickle.dumps(values)):
        assert twin in keys
