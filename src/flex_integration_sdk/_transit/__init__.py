"""Transit JSON, compact and verbose: https://github.com/cognitect/transit-format

Only what the API speaks. Reads to plain dicts and lists and the types of
:mod:`flex_integration_sdk.types`; keywords, symbols and map keys become ``str``, sets and lists
``list``. Writes dict keys as keywords.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from ._reader import Reader
from ._tagged import MAX_VALUES, TaggedValue, TooDeep, TransitError
from ._writer import Writer

__all__ = ["TaggedValue", "TooDeep", "TransitError", "dumps", "loads", "loads_json"]

_MOST_DIGITS = 4000  # as of ``~i``; Python prints no whole number above 4,300
# The depth is limited, but the caller may have used most of the stack.
_STACK = "nested too deeply for the stack that is left"


def loads(text: str | bytes) -> Any:
    """The value that a Transit text stands for. Compact and verbose are told apart by themselves.

    Tags: ``u`` becomes ``uuid.UUID``, ``m`` and ``t`` an aware ``datetime`` in UTC or a
        ``FarTime``,
    ``f`` ``Decimal``, ``i`` and ``n`` ``int``, ``b`` ``bytes``, ``mn`` ``Money``, ``geo``
    ``LatLng``. What Python's type cannot hold, and an unknown tag, becomes a ``TaggedValue``; what
    is nested deeper than 200 a ``TooDeep``. So one odd value does not cost the page it stands in.

    Args:
        text: The document; bytes are UTF-8.

    Raises:
        TransitError: It is not JSON, not Transit, or of more than 4 million values.
    """
    document = loads_json(text)
    try:
        return Reader().read(document)
    except RecursionError:
        raise TransitError(_STACK) from None


def loads_json(text: str | bytes) -> Any:
    """The value of a JSON text, as :func:`loads` reads it before it looks for tags.

    Raises:
        TransitError: It is not JSON, nested too deep, or of more than 4 million values.
    """
    from msgspec import MsgspecError
    from msgspec.json import decode

    # Each value takes at least one character, so a shorter text needs no count.
    if len(text) > MAX_VALUES and _most_values(text) > MAX_VALUES:
        raise TransitError(f"more than {MAX_VALUES} values")
    try:
        return decode(text)
    except (MsgspecError, ValueError):
        pass  # it refuses half surrogate pairs, and numbers that a double cannot hold
    except RecursionError:
        raise TransitError(_STACK) from None
    try:
        return json.loads(
            text.decode() if isinstance(text, bytes) else text,
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=_refused,
        )
    except ValueError as error:
        raise TransitError(f"not JSON: {type(error).__name__}") from None
    except RecursionError:
        raise TransitError(_STACK) from None


def _whole(text: str) -> int | TaggedValue:
    return int(text) if len(text) <= _MOST_DIGITS else TaggedValue("n", text)


def _fraction(text: str) -> float | Decimal | TaggedValue:
    """JavaScript reads a number beyond the largest double as infinity; here it keeps its value."""
    found = float(text)
    if math.isfinite(found):
        return found
    try:
        return Decimal(text) if len(text) <= _MOST_DIGITS else TaggedValue("f", text)
    except InvalidOperation:
        return TaggedValue("f", text)


def _refused(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and infinity are not JSON


def _most_values(text: str | bytes) -> int:
    """An upper limit of the number of values. Decoding to count them would fill the memory.

    Commas and brackets within strings count too: no page has so many.
    """
    if isinstance(text, str):
        return sum(map(text.count, ",[{"))
    return sum(map(text.count, (b",", b"[", b"{")))


def dumps(value: Any, *, verbose: bool = False) -> str:
    """``value`` as Transit text.

    Args:
        value: dict with ``str`` keys, list, tuple, set, str, int, float, bool, None, bytes,
            ``UUID``, aware ``datetime`` (cut to milliseconds), ``FarTime``, ``Decimal``, ``Money``,
            ``LatLng``, ``LatLngBounds`` (an ordinary map), ``TaggedValue``. Whole numbers beyond
            2^53 keep all digits. A value of a subclass, such as an ``IntEnum``, is written as the
            plain value that it is.
        verbose: The readable form, without cache codes.

    Raises:
        TransitError: A value, or one within it, has no form in Transit, or is nested deeper
            than 200.
    """
    from msgspec.json import encode

    try:
        return encode(Writer(verbose).document(value)).decode()
    except RecursionError:
        raise TransitError(_STACK) from None
    except UnicodeEncodeError:
        raise TransitError(
            "a string with half a surrogate pair, which is not valid Unicode"
        ) from None
