"""Transit JSON, compact and verbose: https://github.com/cognitect/transit-format

Only what the API speaks. Reads to plain dicts and lists and the types of
:mod:`flex_integration_sdk.types`; keywords, symbols and map keys become ``str``, sets and lists
``list``. Writes dict keys as keywords.
"""

from __future__ import annotations

import json
from typing import Any

from ._reader import Reader
from ._values import MAX_VALUES, TaggedValue, TransitError
from ._writer import Writer

__all__ = ["TaggedValue", "TransitError", "dumps", "loads"]

_ENCODER = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)
_STACK = "nested too deep for what is left of the stack"


def loads(text: str | bytes) -> Any:
    """The value that a Transit text stands for. Compact and verbose are told apart by themselves.

    Tags: ``u`` gives ``uuid.UUID``, ``m`` and ``t`` an aware ``datetime`` in UTC, ``f``
    ``Decimal``, ``i`` and ``n`` ``int``, ``b`` ``bytes``, ``mn`` ``Money``, ``geo`` ``LatLng``;
    an unknown one :class:`TaggedValue`.

    Args:
        text: The document; bytes are UTF-8.

    Raises:
        TransitError: It is not JSON, not Transit, nested deeper than 200, or of more than
            4 million values.
    """
    from msgspec import MsgspecError
    from msgspec.json import decode

    if len(text) > MAX_VALUES and _most_values(text) > MAX_VALUES:
        raise TransitError(f"more than {MAX_VALUES} values")
    try:
        document = decode(text)
    except (MsgspecError, ValueError) as error:
        raise TransitError(f"not JSON: {type(error).__name__}") from None
    except RecursionError:
        raise TransitError(_STACK) from None
    try:
        return Reader().read(document)
    except RecursionError:
        raise TransitError(_STACK) from None


def _most_values(text: str | bytes) -> int:
    """How many there may be; found without decoding, which is what would fill the memory.

    Commas and brackets within texts count too: no page has so many.
    """
    if isinstance(text, str):
        return sum(map(text.count, ",[{"))
    return sum(map(text.count, (b",", b"[", b"{")))


def dumps(value: Any, *, verbose: bool = False) -> str:
    """``value`` as Transit text.

    Args:
        value: dict with ``str`` keys, list, tuple, set, str, int, float, bool, None, bytes,
            ``UUID``, aware ``datetime`` (cut to milliseconds), ``Decimal``, ``Money``, ``LatLng``,
            ``LatLngBounds`` (an ordinary map), :class:`TaggedValue`. Whole numbers beyond 2^53
            keep all digits.
        verbose: The readable form, without cache codes.

    Raises:
        TransitError: A value, or one within it, has no form in Transit, or is nested deeper
            than 200.
    """
    try:
        text = _ENCODER.encode(Writer(verbose).document(value))
        text.encode()
    except RecursionError:
        raise TransitError(_STACK) from None
    except UnicodeEncodeError:
        raise TransitError("a text with half a surrogate pair, which is not Unicode") from None
    return text
