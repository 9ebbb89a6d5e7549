"""From values to what JSON can hold."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from flex_integration_sdk._values.exact import PLAIN, exact, is_list
from flex_integration_sdk._values.exact import text as exact_text
from flex_integration_sdk.types import FarTime, LatLng, LatLngBounds, Money

from ._cache import CACHE_SIZE, CODES, is_cached
from ._tagged import ESCAPED, MAX_DEPTH, TaggedValue, TransitError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT = 1 << 53  # from here on, readers that keep numbers as doubles lose digits
_CACHED = frozenset("#:$")  # tags, and keywords and symbols, which only a server sends as values
_LONG = 1 << 63
_DIGITS_BITS = 13_000  # about 3,900 decimal digits; Python refuses to print above 4,300


class Writer:
    """Writes one document; the cache lives as long."""

    __slots__ = ("_codes", "_verbose")

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._codes: dict[str, str] = {}

    def document(self, value: Any) -> Any:
        """``value`` as a whole document: a scalar is quoted."""
        written = self.write(value, 0)
        if type(written) in (list, dict):
            return written
        return {"~#'": written} if self._verbose else ["~#'", written]

    def write(self, value: Any, depth: int) -> Any:
        """``value`` within a document."""
        kind = type(value)
        if kind not in PLAIN:
            value = _exact(value)
            kind = type(value)
        if kind is str:
            return "~" + value if value[:1] in ESCAPED else value
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if -_EXACT < value < _EXACT else _long(value)
        if kind is float:
            return _float(value)
        if depth >= MAX_DEPTH:
            raise TransitError(f"nested deeper than {MAX_DEPTH}, or within itself")
        # By type first: whether it is a Mapping takes longer to find out than all of the above.
        if kind is dict:
            return self._map(value, depth + 1)
        if kind is list:
            return [self.write(item, depth + 1) for item in value]
        if kind not in PLAIN or kind is tuple:
            if isinstance(value, Mapping):
                return self._map(value, depth + 1)
            if is_list(value):
                return [self.write(item, depth + 1) for item in value]
        return self._typed(value, depth + 1)

    def _typed(self, value: Any, depth: int) -> Any:
        if isinstance(value, UUID):
            return f"~u{value}"
        if isinstance(value, datetime):
            return self._instant(value)
        if isinstance(value, FarTime):
            return f"~t{value}" if self._verbose else f"~m{value.milliseconds}"
        if isinstance(value, Decimal):
            return _decimal(value)
        if isinstance(value, (bytes, bytearray)):
            return "~b" + base64.b64encode(value).decode("ascii")
        if isinstance(value, Money):
            return self._tag("mn", [value.amount, value.currency], depth)
        if isinstance(value, LatLng):
            return self._tag("geo", [value.lat, value.lng], depth)
        if isinstance(value, LatLngBounds):
            # The API has no tag for it; the JavaScript SDK sends this map.
            bounds = {"ne": value.ne, "sw": value.sw, "_sdkType": "LatLngBounds"}
            return self._map(bounds, depth)
        if isinstance(value, TaggedValue):
            return self._tagged(_exact(value.tag), _exact(value.value), depth)
        from flex_integration_sdk._values.advice import advice, kind_of

        raise TransitError(f"a value of type {kind_of(value)} cannot be sent; pass {advice(value)}")

    def _map(self, value: Mapping[Any, Any], depth: int) -> Any:
        if self._verbose:
            return {"~:" + _key(key): self.write(item, depth) for key, item in value.items()}
        found: list[Any] = ["^ "]
        codes = self._codes
        for key, item in value.items():
            text = "~:" + (key if type(key) is str else _key(key))
            found.append(codes.get(text) or self._new_code(text))
            # As in `write`, but without a call for each value.
            is_itself = item is None or (type(item) is str and item[:1] not in ESCAPED)
            found.append(item if is_itself else self.write(item, depth))
        return found

    def _tagged(self, tag: str, value: Any, depth: int) -> Any:
        """A ``TaggedValue`` in the form in which it was read."""
        if len(tag) > 1 or type(value) is not str:
            return self._tag(tag, value, depth)
        text = f"~{tag}{value}"
        if tag in _CACHED and not self._verbose:
            return self._codes.get(text) or self._new_code(text)
        return text

    def _tag(self, tag: str, value: Any, depth: int) -> Any:
        text = f"~#{tag}"
        if self._verbose:
            return {text: self.write(value, depth)}
        # The tag comes first on the wire, so it also comes first into the cache.
        code = self._codes.get(text) or self._new_code(text)
        return [code, self.write(value, depth)]

    def _new_code(self, text: str) -> str:
        """Returns ``text``, and gives it a cache code for the next time."""
        if len(text) > 3 or is_cached(text):
            # The reader clears its cache at the same entry.
            if len(self._codes) == CACHE_SIZE:
                self._codes.clear()
            self._codes[text] = CODES[len(self._codes)]
        return text

    def _instant(self, value: datetime) -> str:
        if value.utcoffset() is None:
            raise TransitError("a datetime without a time zone; add one: datetime(…, tzinfo=UTC)")
        try:
            moment = value.astimezone(UTC)
        except OverflowError:
            raise TransitError(
                "a datetime outside the years 1 to 9999 of UTC; pass a FarTime"
            ) from None
        if self._verbose:
            return "~t" + moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"~m{(moment - _EPOCH) // timedelta(milliseconds=1)}"


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TransitError(f"a map key must be a string, got {type(key).__name__}")
    return exact_text(key)


def _exact(value: Any) -> Any:
    try:
        return exact(value)
    except TypeError as error:
        raise TransitError(str(error)) from None


def _long(value: int) -> str:
    if value.bit_length() > _DIGITS_BITS:
        raise TransitError("a whole number of more than 3900 digits")
    # `i` has 64 bits: JavaScript's reader would cut a longer one.
    return f"~i{value}" if -_LONG <= value < _LONG else f"~n{value}"


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise TransitError(_NO_NUMBER)
    return f"~f{value}"


def _float(value: float) -> float:
    # Transit has a form for it, and JSON has none: the API stores JSON.
    if not math.isfinite(value):
        raise TransitError(_NO_NUMBER)
    return value


_NO_NUMBER = "NaN and infinity cannot be sent; pass None, or a number that is finite"
