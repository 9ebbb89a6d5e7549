"""Money is exact."""

from __future__ import annotations

from decimal import Decimal

import pytest

from flex_integration_sdk.types import Money


@pytest.mark.parametrize(
    ("money", "decimal"),
    [
        (Money(1999, "EUR"), Decimal("19.99")),
        (Money(500, "JPY"), Decimal(500)),
        (Money(1, "KWD"), Decimal("0.001")),
    ],
)
def test_minor_units_by_currency(money: Money, decimal: Decimal) -> None:
    assert money.decimal == decimal
    assert Money.from_decimal(decimal, money.currency) == money


def test_more_decimals_than_the_currency_has_are_refused() -> None:
    with pytest.raises(ValueError, match="decimals"):
        Money.from_decimal(Decimal("1.5"), "JPY")


def test_amounts_are_whole_numbers() -> None:
    with pytest.raises(TypeError):
        Money(1.5, "EUR")  # type: ignore[arg-type]  # that is the point
