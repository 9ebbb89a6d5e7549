"""Money: whole minor units of one currency, and exact arithmetic on them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal

from ._values.exact import exact, text
from .errors import CurrencyMismatchError

# ISO 4217: currencies whose minor unit is not a hundredth.
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_EXPONENTS = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
# The program's own decimal context may round, by default to 28 digits; money must not.
_UNROUNDED = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_LARGEST = 30  # power of ten; int() of Decimal("1E+999999999") would fill the memory


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money in minor units (cents), as the API counts it.

    Amounts of one currency are added, subtracted and compared, exactly; ``sum(prices,
    Money(0, "EUR"))`` adds a list of them. ``-``, ``abs`` and ``*`` with an ``int`` work too, and
    ``*`` with a ``Decimal`` if the result is a whole number of minor units. Nothing is rounded, and
    a ``float`` is refused. A zero amount is true, as any other: compare ``amount``.

    Args:
        amount: Whole number of minor units; negative for what is taken off.
        currency: ISO 4217 code: three capital letters, such as ``"EUR"``.

    Raises:
        TypeError: ``amount`` is not an ``int``, or ``currency`` not a string.
        ValueError: ``currency`` is not three capital letters.

    Arithmetic and order (``<``, ``<=``, ``>``, ``>=``) raise
    :class:`~flex_integration_sdk.errors.CurrencyMismatchError` for two currencies; ``==`` is False.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.amount, bool) or not isinstance(self.amount, int):
            raise TypeError(
                f"amount must be a whole number of minor units, got {type(self.amount).__name__}; "
                "from major units: Money.from_decimal"
            )
        _check_currency(self.currency)
        # A subclass, such as an IntEnum, may print itself as something else.
        if type(self.amount) is not int or type(self.currency) is not str:
            object.__setattr__(self, "amount", exact(self.amount))
            object.__setattr__(self, "currency", text(self.currency))

    @property
    def decimal(self) -> Decimal:
        """The amount in major units (euros), exactly, with the currency's decimals."""
        return Decimal(self.amount).scaleb(-_exponent(self.currency), _UNROUNDED)

    @classmethod
    def from_decimal(cls, value: Decimal | int, currency: str) -> Money:
        """Makes one from major units (euros): ``Money.from_decimal(Decimal("19.99"), "EUR")``.

        Args:
            value: Amount in major units; negative for what is taken off.
            currency: ISO 4217 code: three capital letters, such as ``"EUR"``.

        Raises:
            TypeError: ``value`` is a ``float``, which is rarely the amount that was meant, or
                something else that is not a ``Decimal`` or ``int``.
            ValueError: ``value`` has more decimals than the currency, is not finite, or is 10^31
                or more; or ``currency`` is not three capital letters.
        """
        if isinstance(value, bool) or not isinstance(value, (Decimal, int)):
            raise TypeError(
                f'value must be a Decimal, such as Decimal("19.99"), got {type(value).__name__}'
            )
        _check_currency(currency)
        value = Decimal(exact(value))
        # Before any arithmetic, which would be done on all these digits.
        if not value.is_finite() or value.adjusted() > _LARGEST:
            raise ValueError("value is not finite, or too large for an amount of money")
        scaled = value.scaleb(_exponent(currency), _UNROUNDED)
        whole = scaled.to_integral_value(context=_UNROUNDED)
        if scaled != whole:
            raise ValueError(f"{currency} has {_exponent(currency)} decimals, {value} has more")
        return cls(int(whole), currency)

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        _check_same(self, other, "added")
        return Money(self.amount + other.amount, self.currency)

    def __radd__(self, other: int) -> Money:
        # `sum()` begins with 0. Any other number has no currency.
        return self if type(other) is int and other == 0 else NotImplemented

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        _check_same(self, other, "subtracted")
        return Money(self.amount - other.amount, self.currency)

    def __mul__(self, factor: int | Decimal) -> Money:
        if isinstance(factor, float):
            raise TypeError(
                "Money cannot be multiplied by a float, which is rarely the number that was meant; "
                'pass an int, or a Decimal such as Decimal("0.25")'
            )
        if isinstance(factor, bool) or not isinstance(factor, (int, Decimal)):
            return NotImplemented
        return Money(_product(self.amount, exact(factor)), self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __pos__(self) -> Money:
        return self

    def __abs__(self) -> Money:
        return Money(abs(self.amount), self.currency)

    # Not by `dataclass(order=True)`, which would put EUR before USD.
    def __lt__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        _check_same(self, other, "compared")
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        _check_same(self, other, "compared")
        return self.amount <= other.amount

    def __gt__(self, other: Money) -> bool:
        return NotImplemented if not isinstance(other, Money) else other < self

    def __ge__(self, other: Money) -> bool:
        return NotImplemented if not isinstance(other, Money) else other <= self


# Where programs import it from, and an older version reads its pickles.
Money.__module__ = "flex_integration_sdk.types"


def _check_same(one: Money, other: Money, done: str) -> None:
    if one.currency != other.currency:
        raise CurrencyMismatchError(
            f"Money in {one.currency} and in {other.currency} cannot be {done}; convert one of "
            "them first, at a rate of your own"
        )


def _product(amount: int, factor: int | Decimal) -> int:
    if isinstance(factor, int):
        return amount * factor
    # Before any arithmetic, which would be done on all these digits.
    if not factor.is_finite() or factor.adjusted() > _LARGEST:
        raise ValueError("the factor is not finite, or too large for an amount of money")
    product = _UNROUNDED.multiply(Decimal(amount), factor)
    whole = product.to_integral_value(context=_UNROUNDED)
    if product != whole:
        raise ValueError(
            "the product is not a whole number of minor units; round it as your program must: "
            "Money(round(money.amount * factor), money.currency)"
        )
    return int(whole)


def _check_currency(currency: object) -> None:
    if not isinstance(currency, str):
        raise TypeError(f"currency must be a string such as 'EUR', got {type(currency).__name__}")
    currency = text(currency)
    if not (
        len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()
    ):
        raise ValueError(
            "currency must be an ISO 4217 code of three capital letters, such as 'EUR'"
        )


def _exponent(currency: str) -> int:
    return _EXPONENTS.get(text(currency), 2)
