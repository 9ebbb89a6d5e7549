"""Times outside the years 1 to 9999, which ``datetime`` cannot hold and the API can."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
FARTHEST = 8_640_000_000_000_000
"""Milliseconds from 1970 to the last time that JavaScript's ``Date`` can hold, in the year 275760;
the first one is as far before it."""

# The Gregorian calendar repeats itself every 400 years, so a time in any year has the month, day
# and hour of one that ``datetime`` can hold.
_YEARS = 400
_CYCLE = 146_097 * 86_400_000  # milliseconds
_ISO = re.compile(r"([+-]?[0-9]{4,6})(-[0-9]{2}-[0-9]{2}T.{1,40})")


@dataclass(frozen=True, slots=True)
class FarTime:
    """A time outside the years 1 to 9999 of UTC, which the API can return.

    ``str()`` is its ISO 8601 form, as JavaScript writes it: ``+010000-01-01T00:00:00.000Z``. It can
    be compared with others and with ``datetime``, and be sent wherever a ``datetime`` can.

    Args:
        milliseconds: Since the start of 1970 in UTC.

    Raises:
        TypeError: ``milliseconds`` is not an ``int``.
        ValueError: A ``datetime`` can hold that time, or JavaScript's ``Date`` cannot.
    """

    milliseconds: int

    def __post_init__(self) -> None:
        if type(self.milliseconds) is not int:
            kind = type(self.milliseconds).__name__
            raise TypeError(f"milliseconds must be a whole number, got {kind}")
        if _FIRST <= self.milliseconds <= _LAST:
            raise ValueError("this time is in the years 1 to 9999: use datetime")
        if abs(self.milliseconds) > FARTHEST:
            raise ValueError("this time is more than 8640000000000000 milliseconds from 1970")

    @classmethod
    def from_iso(cls, text: str) -> FarTime:
        """Makes one from its ISO 8601 form.

        Args:
            text: Such as ``+010000-01-01T00:00:00.000Z``.

        Raises:
            ValueError: ``text`` has another form, or the time is in the years 1 to 9999.
        """
        return cls(_milliseconds(text))

    def __str__(self) -> str:
        cycles, rest = divmod(self.milliseconds, _CYCLE)
        near = _EPOCH + rest * _MILLISECOND
        year = near.year + _YEARS * cycles
        # ECMAScript gives years outside 0 to 9999 a sign and six digits.
        shown = f"{year:04}" if 0 <= year <= 9999 else f"{year:+07}"
        return f"{shown}-{near:%m-%dT%H:%M:%S}.{near.microsecond // 1000:03}Z"

    def __lt__(self, other: Any) -> bool:
        found = _milliseconds_of(other)
        return NotImplemented if found is None else self.milliseconds < found

    def __gt__(self, other: Any) -> bool:
        found = _milliseconds_of(other)
        return NotImplemented if found is None else self.milliseconds > found

    def __le__(self, other: Any) -> bool:
        return True if self == other else self.__lt__(other)

    def __ge__(self, other: Any) -> bool:
        return True if self == other else self.__gt__(other)


def time_at(milliseconds: int) -> datetime | FarTime:
    """The time so many milliseconds after the start of 1970 in UTC.

    Raises:
        ValueError: JavaScript's ``Date`` cannot hold it.
    """
    if _FIRST <= milliseconds <= _LAST:
        return _EPOCH + milliseconds * _MILLISECOND
    return FarTime(milliseconds)


def time_of(text: str) -> datetime | FarTime:
    """The time of an ISO 8601 text; without a time zone it is of UTC.

    Raises:
        ValueError: It is not one.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return time_at(_milliseconds(text))


def _milliseconds(text: str) -> int:
    parts = _ISO.fullmatch(text)
    if parts is None:
        raise ValueError("this is not a time in ISO 8601")
    year = int(parts[1])
    # A year from 2000 to 2399 has the same calendar.
    near = datetime.fromisoformat(f"{2000 + year % _YEARS}{parts[2]}")
    if near.tzinfo is None:
        near = near.replace(tzinfo=UTC)
    cycles = (year - 2000) // _YEARS
    return (near - _EPOCH) // _MILLISECOND + cycles * _CYCLE


def _milliseconds_of(other: object) -> int | None:
    """Milliseconds of a value that a far time can be compared with."""
    if isinstance(other, FarTime):
        return other.milliseconds
    # Any datetime lies between the far times of both sides, so 1970 stands for all.
    return 0 if isinstance(other, datetime) else None
