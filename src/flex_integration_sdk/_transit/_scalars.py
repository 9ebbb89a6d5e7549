"""From the text after a tag, or the value under it, to a Python value.

Each function raises an ordinary error for a wrong value; the reader then makes a TaggedValue.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, SafeUUID

from flex_integration_sdk._values.far_time import FarTime, time_at, time_of
from flex_integration_sdk.types import LatLng, Money

from ._tagged import TaggedValue

_HALF = 1 << 64
_new, _put = object.__new__, object.__setattr__

# Python's own constructors also take "1_0", blanks, braces and digits of other scripts. The limit
# on digits, and what never gives back what it matched (``++``), keep reading linear.
_is_uuid = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_is_integer = re.compile(r"[+-]?[0-9]{1,4000}").fullmatch
_is_number = re.compile(r"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?").fullmatch


def _uuid(text: str) -> UUID:
    if not _is_uuid(text):
        raise ValueError
    # As UUID.__setstate__ does; the constructor counts its six arguments first, and a page of
    # listings has hundreds of ids.
    found = _new(UUID)
    _put(found, "int", int(text.replace("-", ""), 16))
    _put(found, "is_safe", SafeUUID.unknown)
    return found


def _integer(text: str) -> int:
    if not _is_integer(text):
        raise ValueError
    return int(text)


def _decimal(text: str) -> Decimal:
    if not _is_number(text):
        raise ValueError
    found = Decimal(text)
    if not found.is_finite():  # not math.isfinite, which needs a float
        raise OverflowError
    return found


def _float(text: str) -> float:
    if not _is_number(text):
        raise ValueError
    found = float(text)
    if not math.isfinite(found):
        raise OverflowError
    return found


def _milliseconds(text: str) -> datetime | FarTime:
    return time_at(_integer(text))


def _bytes(text: str) -> bytes:
    # Without validate Python skips characters that do not belong to Base64.
    return base64.b64decode(text, validate=True)


def _character(text: str) -> str:
    if len(text) != 1:
        raise ValueError
    return text


def _null(text: str) -> None:
    if text:
        raise ValueError


SCALARS: dict[str, Callable[[str], Any]] = {
    "u": _uuid,
    "m": _milliseconds,
    "t": time_of,
    "f": _decimal,
    "i": _integer,
    "n": _integer,
    "d": _float,
    "z": {"NaN": math.nan, "INF": math.inf, "-INF": -math.inf}.__getitem__,
    "b": _bytes,
    "c": _character,
    "?": {"t": True, "f": False}.__getitem__,
    "_": _null,
}
"""By the letter of ``~u…`` and so on; any other becomes a :class:`TaggedValue`."""


def _money(value: Any) -> Money:
    amount, currency = _array(value)
    return Money(amount, currency)


def _geo(value: Any) -> LatLng:
    lat, lng = _array(value)
    return LatLng(lat, lng)


def _array(value: Any) -> list[Any]:
    if type(value) is not list:
        raise TypeError
    return value


def _two_ints(value: Any) -> UUID:
    high, low = _array(value)
    for half in (high, low):
        if type(half) is not int or not -_HALF // 2 <= half < _HALF:
            raise ValueError
    return UUID(int=(high % _HALF) * _HALF + low % _HALF)


def _composite_map(value: Any) -> dict[str, Any]:
    pairs = _array(value)
    if len(pairs) % 2:
        raise ValueError
    return {key_text(pairs[i]): pairs[i + 1] for i in range(0, len(pairs), 2)}


TAGS: dict[str, Callable[[Any], Any]] = {
    "mn": _money,
    "geo": _geo,
    "set": _array,
    "list": _array,
    "cmap": _composite_map,
    "'": lambda value: value,
    "u": lambda value: _uuid(value) if isinstance(value, str) else _two_ints(value),
    "m": lambda value: _milliseconds(str(_plain_integer(value))),
}
"""By the name in ``["~#mn", …]`` and so on; any other becomes a :class:`TaggedValue`."""


def _plain_integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def key_text(value: Any) -> str:
    """A map key as text, in JavaScript's spelling: ``true``, ``null``, ``1``.

    Raises:
        TypeError: It is an array, a map or another value that has no text. (Their ``repr`` would
            do, but doubles each backslash at each level: 200 levels would fill the memory.)
    """
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        # From 1e21 on JavaScript writes an exponent.
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else str(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, (int, UUID, Decimal, FarTime)):
        return str(value)
    if isinstance(value, TaggedValue) and isinstance(value.value, str):
        return value.value
    raise TypeError
