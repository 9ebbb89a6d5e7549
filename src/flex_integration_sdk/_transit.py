"""Transit JSON, compact and verbose: https://github.com/cognitect/transit-format

Only what the API speaks. Reads to plain dicts and lists and the types of :mod:`.types`; map keys
and keywords become ``str``, sets and lists ``list``. Writes dict keys as keywords.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from .types import LatLng, LatLngBounds, Money

_BASE = 44  # digits of a cache code
_FIRST = 48  # "0"
_CACHE_SIZE = _BASE * _BASE
_DEPTH = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT = 1 << 53  # beyond it JSON readers with doubles lose digits


class TransitError(ValueError):
    """The text is not Transit, or a value has no form in it."""


@dataclass(frozen=True, slots=True)
class TaggedValue:
    """A value with a tag that this reader does not know."""

    tag: str
    value: Any


def loads(text: str | bytes) -> Any:
    """The value that a Transit text stands for.

    Raises:
        TransitError: It is not Transit.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TransitError(f"not JSON: {type(error).__name__}") from None
    try:
        return _Reader().read(document, 0)
    except (TypeError, KeyError, IndexError, OverflowError, InvalidOperation, ValueError) as error:
        if isinstance(error, TransitError):
            raise
        raise TransitError(f"not Transit: {type(error).__name__}") from None


def dumps(value: Any, *, verbose: bool = False) -> str:
    """``value`` as Transit text.

    Args:
        value: dict, list, tuple, set, str, int, float, bool, None, bytes, ``UUID``, aware
            ``datetime``, ``Decimal``, ``Money``, ``LatLng``.
        verbose: The readable form, without cache codes.

    Raises:
        TransitError: A value, or one within it, has no form in Transit.
    """
    writer = _Writer(verbose)
    if value is None or isinstance(value, (str, bool, int, float, bytes, UUID, datetime, Decimal)):
        inner = writer.write(value, 0)
        document: Any = {"~#'": inner} if verbose else ["~#'", inner]
    else:
        document = writer.write(value, 0)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class _Reader:
    def __init__(self) -> None:
        self._cache: list[str] = []

    def read(self, node: Any, depth: int) -> Any:
        if isinstance(node, str):
            return self._string(self._cached(node, key=False))
        if isinstance(node, list):
            return self._array(node, depth)
        if isinstance(node, dict):
            return self._object(node, depth)
        return node

    def _array(self, node: list[Any], depth: int) -> Any:
        if depth > _DEPTH:
            raise TransitError(f"nested deeper than {_DEPTH}")
        if not node:
            return []
        head = node[0]
        if isinstance(head, str):
            if head == "^ ":
                return self._map(node, depth)
            head = self._cached(head, key=False)
            if head.startswith("~#"):
                if len(node) != 2:
                    raise TransitError("a tagged value has one part")
                return _tagged(head[2:], self.read(node[1], depth + 1))
            rest = [self.read(item, depth + 1) for item in node[1:]]
            return [self._string(head), *rest]
        return [self.read(item, depth + 1) for item in node]

    def _map(self, node: list[Any], depth: int) -> dict[str, Any]:
        if not len(node) % 2:
            raise TransitError("a map lacks a value")
        found: dict[str, Any] = {}
        for index in range(1, len(node), 2):
            key = self._key(node[index], depth)
            found[key] = self.read(node[index + 1], depth + 1)
        return found

    def _object(self, node: dict[str, Any], depth: int) -> Any:
        if depth > _DEPTH:
            raise TransitError(f"nested deeper than {_DEPTH}")
        if len(node) == 1:
            ((key, value),) = node.items()
            key = self._cached(key, key=True)
            if key.startswith("~#"):
                return _tagged(key[2:], self.read(value, depth + 1))
            return {str(self._string(key)): self.read(value, depth + 1)}
        return {self._key(key, depth): self.read(value, depth + 1) for key, value in node.items()}

    def _key(self, node: Any, depth: int) -> str:
        if isinstance(node, str):
            value = self._string(self._cached(node, key=True))
        else:
            value = self.read(node, depth + 1)
        return value if isinstance(value, str) else str(value)

    def _cached(self, text: str, *, key: bool) -> str:
        if text[:1] == "^" and text != "^ ":
            return self._cache[_index(text)]
        if len(text) > 3 and (key or text[:2] in ("~:", "~$", "~#")):
            if len(self._cache) == _CACHE_SIZE:
                self._cache.clear()
            self._cache.append(text)
        return text

    def _string(self, text: str) -> Any:
        if text[:1] != "~" or len(text) < 2:
            return text
        tag = text[1]
        if tag == ":" or tag == "$":  # the commonest first: keywords
            return text[2:]
        if tag in "~^`":
            return text[1:]
        if tag == "#":
            return text
        read = _SCALARS.get(tag)
        return TaggedValue(tag, text[2:]) if read is None else read(text[2:])


class _Writer:
    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._codes: dict[str, str] = {}

    def write(self, value: Any, depth: int) -> Any:
        if depth > _DEPTH:
            raise TransitError(f"nested deeper than {_DEPTH}, or within itself")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return "~" + value if value[:1] in ("~", "^", "`") and value else value
        if isinstance(value, int):
            return value if -_EXACT < value < _EXACT else f"~i{value}"
        if isinstance(value, float):
            return _float(value)
        if isinstance(value, Mapping):
            return self._map(value, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.write(item, depth + 1) for item in value]
        return self._typed(value, depth)

    def _typed(self, value: Any, depth: int) -> Any:
        if isinstance(value, UUID):
            return f"~u{value}"
        if isinstance(value, datetime):
            return self._instant(value)
        if isinstance(value, Decimal):
            return f"~f{value}"
        if isinstance(value, bytes):
            return "~b" + base64.b64encode(value).decode()
        if isinstance(value, Money):
            return self._tag("mn", [value.amount, value.currency])
        if isinstance(value, LatLng):
            return self._tag("geo", [value.lat, value.lng])
        if isinstance(value, LatLngBounds):
            return self._map({"ne": value.ne, "sw": value.sw}, depth)
        raise TransitError(f"a value of type {type(value).__name__} has no form in Transit")

    def _map(self, value: Mapping[Any, Any], depth: int) -> Any:
        for key in value:
            if not isinstance(key, str):
                raise TransitError(f"a map key must be a text, got {type(key).__name__}")
        if self._verbose:
            return {f"~:{key}": self.write(item, depth + 1) for key, item in value.items()}
        found: list[Any] = ["^ "]
        for key, item in value.items():
            found.append(self._code(f"~:{key}"))
            found.append(self.write(item, depth + 1))
        return found

    def _tag(self, tag: str, parts: list[Any]) -> Any:
        if self._verbose:
            return {f"~#{tag}": parts}
        return [self._code(f"~#{tag}"), parts]

    def _code(self, text: str) -> str:
        if len(text) <= 3:
            return text
        code = self._codes.get(text)
        if code is not None:
            return code
        if len(self._codes) == _CACHE_SIZE:
            self._codes.clear()
        index = len(self._codes)
        low = chr(index % _BASE + _FIRST)
        self._codes[text] = f"^{low}" if index < _BASE else f"^{chr(index // _BASE + _FIRST)}{low}"
        return text

    def _instant(self, value: datetime) -> str:
        if value.tzinfo is None:
            raise TransitError("a datetime without a time zone; give it one, such as UTC")
        moment = value.astimezone(UTC)
        if self._verbose:
            return f"~t{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
        return f"~m{(moment - _EPOCH) // timedelta(milliseconds=1)}"


def _float(value: float) -> Any:
    if math.isnan(value):
        return "~zNaN"
    if math.isinf(value):
        return "~zINF" if value > 0 else "~z-INF"
    return value


def _index(code: str) -> int:
    digits = [ord(letter) - _FIRST for letter in code[1:]]
    if not 1 <= len(digits) <= 2 or not all(0 <= digit < _BASE for digit in digits):
        raise TransitError("a wrong cache code")
    return digits[0] if len(digits) == 1 else digits[0] * _BASE + digits[1]


def _tagged(tag: str, value: Any) -> Any:
    if tag == "mn":
        amount, currency = value
        return Money(amount, currency)
    if tag == "geo":
        lat, lng = value
        return LatLng(float(lat), float(lng))
    if tag in ("set", "list"):
        if not isinstance(value, list):
            raise TransitError(f"a {tag} is written as an array")
        return value
    if tag == "'":
        return value
    if tag == "cmap":
        return {str(value[i]): value[i + 1] for i in range(0, len(value), 2)}
    if tag == "u" and isinstance(value, list):
        high, low = value
        return UUID(int=((high & (1 << 64) - 1) << 64) | (low & (1 << 64) - 1))
    if tag == "m" and isinstance(value, int):
        return _milliseconds(value)
    return TaggedValue(tag, value)


def _milliseconds(text: str | int) -> datetime:
    return _EPOCH + timedelta(milliseconds=_integer(text))


def _integer(text: str | int) -> int:
    if isinstance(text, str) and len(text) > 4000:
        raise TransitError("a number of more than 4000 digits")
    return int(text)


def _iso(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


_SPECIAL = {"NaN": math.nan, "INF": math.inf, "-INF": -math.inf}
_SCALARS: dict[str, Callable[[str], Any]] = {
    "u": UUID,
    "m": _milliseconds,
    "t": _iso,
    "f": Decimal,
    "i": _integer,
    "n": _integer,
    "d": float,
    "z": _SPECIAL.__getitem__,
    "b": lambda text: base64.b64decode(text, validate=True),
    "c": str,
    "?": {"t": True, "f": False}.__getitem__,
    "_": lambda text: None,
}
