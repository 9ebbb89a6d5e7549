"""Values of the API that JSON has no type for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

# ISO 4217: currencies whose minor unit is not a hundredth.
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_EXPONENTS = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money in minor units (cents), as the API counts it.

    Args:
        amount: Whole number of minor units.
        currency: ISO 4217 code, such as ``"EUR"``.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.amount, bool) or not isinstance(self.amount, int):
            raise TypeError("amount is a whole number of minor units; see Money.from_decimal")
        if not isinstance(self.currency, str) or not self.currency:
            raise TypeError("currency is an ISO 4217 code such as 'EUR'")

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exactly."""
        return Decimal(self.amount).scaleb(-_exponent(self.currency))

    @classmethod
    def from_decimal(cls, value: Decimal, currency: str) -> Money:
        """From major units.

        Raises:
            ValueError: ``value`` has more decimals than the currency.
        """
        scaled = value.scaleb(_exponent(currency))
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{currency} has {_exponent(currency)} decimals, {value} has more")
        return cls(int(scaled), currency)

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"


@dataclass(frozen=True, slots=True)
class LatLng:
    """A point on the earth, in degrees."""

    lat: float
    lng: float


@dataclass(frozen=True, slots=True)
class LatLngBounds:
    """A box on the map, by its north-east and south-west corners; for queries."""

    ne: LatLng
    sw: LatLng


def _exponent(currency: str) -> int:
    return _EXPONENTS.get(currency.upper(), 2)
