"""Money is calculated with exactly, within one currency."""

from __future__ import annotations

import operator
import pickle
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_integration_sdk import Money
from flex_integration_sdk.errors import CurrencyMismatchError, FlexError

amounts = st.integers(-(10**40), 10**40)
euros = amounts.map(lambda amount: Money(amount, "EUR"))
ZERO = Money(0, "EUR")
ORDER = [operator.lt, operator.le, operator.gt, operator.ge]


@given(euros, euros, euros)
def test_it_is_a_group(a: Money, b: Money, c: Money) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + ZERO == a == +a
    assert a + -a == ZERO == a - a
    assert a - b == a + -b
    assert abs(a) in (a, -a)
    assert abs(a) >= ZERO


@given(euros, euros, st.integers(-(10**20), 10**20), st.integers(-(10**20), 10**20))
def test_products_with_whole_numbers(a: Money, b: Money, n: int, m: int) -> None:
    assert (a + b) * n == a * n + n * b
    assert a * (n * m) == (a * n) * m
    assert a * n == a * Decimal(n)
    assert type((a * n).amount) is int


@given(euros, euros)
def test_the_order_is_that_of_the_amounts(a: Money, b: Money) -> None:
    for compare in ORDER:
        assert compare(a, b) is compare(a.amount, b.amount)
    assert (hash(a) == hash(b)) or a != b
    assert max([a, b]).amount == max(a.amount, b.amount)


@given(st.lists(euros))
def test_a_sum_is_that_of_the_amounts(prices: list[Money]) -> None:
    total = sum(each.amount for each in prices)
    assert sum(prices, ZERO) == Money(total, "EUR")
    # `sum()` begins with the number 0.
    assert sum(prices) == (Money(total, "EUR") if prices else 0)


@given(
    amounts,
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9),
    st.integers(1, 28),
)
def test_a_decimal_product_is_exact_or_refused(
    amount: int, factor: Decimal, precision: int
) -> None:
    exact = Fraction(amount) * Fraction(factor)
    with localcontext() as context:
        context.prec = precision  # the program's own must not round money
        if exact.denominator == 1:
            assert (Money(amount, "EUR") * factor).amount == exact == exact.numerator
        else:
            with pytest.raises(ValueError, match="whole number of minor units; round it"):
                Money(amount, "EUR") * factor


CENT: Any = Money(1, "EUR")


@pytest.mark.parametrize(
    ("calculate", "done"),
    [
        (lambda other: CENT + other, "added"),
        (lambda other: CENT - other, "subtracted"),
        (lambda other: sum([CENT, other]), "added"),
        (lambda other: other > CENT, "compared"),
        (lambda other: other >= CENT, "compared"),
        (lambda other: other < CENT, "compared"),
        (lambda other: other <= CENT, "compared"),
        (lambda other: max(CENT, other), "compared"),
    ],
)
def test_another_currency_is_refused_by_name(calculate: Callable[[Any], object], done: str) -> None:
    with pytest.raises(CurrencyMismatchError, match=rf"(EUR|USD).*(EUR|USD).*{done}") as caught:
        calculate(Money(0, "USD"))
    assert isinstance(caught.value, FlexError)
    assert isinstance(caught.value, ValueError)
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args


def test_equality_tells_currencies_apart_without_an_error() -> None:
    assert Money(0, "EUR") != Money(0, "USD")
    assert CENT in {Money(1, "USD"), Money(1, "EUR")}
    assert CENT != 1


@pytest.mark.parametrize(
    "calculate",
    [
        lambda: CENT + 1,
        lambda: 1 + CENT,
        lambda: False + CENT,
        lambda: 0.0 + CENT,
        lambda: CENT - 0,
        lambda: 0 - CENT,
        lambda: CENT + Decimal(0),
        lambda: CENT * CENT,
        lambda: CENT * True,
        lambda: CENT * "3",
        lambda: CENT * [1],
        lambda: CENT * 1.0,
        lambda: 1.0 * CENT,
        lambda: CENT / 2,
        lambda: CENT < 2,
        lambda: CENT >= 0,
        lambda: CENT > None,
    ],
)
def test_what_is_no_money_is_refused(calculate: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        calculate()


def test_a_float_is_told_what_to_pass() -> None:
    with pytest.raises(TypeError, match=r'float.*Decimal\("0.25"\)'):
        CENT * 0.25


@pytest.mark.parametrize("factor", ["NaN", "sNaN", "Infinity", "1E+999999999"])
def test_no_factor_fills_the_memory(factor: str) -> None:
    with pytest.raises(ValueError, match="factor"):
        CENT * Decimal(factor)


def test_a_zero_is_true() -> None:
    """`if price:` asks whether there is a price: None is the API's "no price"."""
    assert ZERO


def test_it_matches_and_is_pickled_as_the_public_class() -> None:
    match Money(5, "EUR") + Money(1, "EUR"):
        case Money(amount=amount, currency="EUR"):
            assert amount == 6
        case _:
            pytest.fail("not matched")
    assert b"flex_integration_sdk.types" in pickle.dumps(CENT)
