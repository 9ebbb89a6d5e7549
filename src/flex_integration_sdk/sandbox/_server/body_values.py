"""What a command's body may hold: only what can be sent again, in JSON and in Transit.

What is stored is sent with each later query. One value that has no form in a format would cost all
of them, so it is refused on arrival.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NoReturn

from flex_integration_sdk.sandbox._refusal import ApiFault
from flex_integration_sdk.types import FarTime, Money, TaggedValue, TooDeep

_LONG = 1 << 63  # a whole number of 64 bits, as Transit's `i` has it
_MOST_EXPONENT = 308  # of a double, which is what a number becomes in most readers of JSON
_ESCAPED = ("~~", "~^", "~`")
# What the reader of Transit turns into ordinary strings.
_OTHER_TEXTS = {"~$": "a symbol", "~c": "a character"}
_KEYS = "a map with keys that are not strings"


def strict_json(text: bytes) -> Any:
    """Decodes JSON (RFC 8259). A number beyond a double is infinity, for a later check to refuse.

    Raises:
        ValueError: It is not JSON or not UTF-8, holds ``NaN`` or ``Infinity``, has a key twice in
            one object, or is nested too deep to be read.
    """
    try:
        return json.loads(
            text.decode("utf-8-sig"), parse_constant=_refused, object_pairs_hook=_unique
        )
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def check_values(found: dict[str, Any], *, where: str = "body") -> None:
    """Refuses values that cannot be sent in both formats.

    Args:
        found: A decoded body, which is not nested too deep for recursion.
        where: Where the values are from, for the error.

    Raises:
        ApiFault: 400; it names the first one by its path.
    """
    for path, why in _wrong(found, ()):
        title = f"{'.'.join(path)} {why}"
        raise ApiFault(400, "validation-invalid-value", title, path=path, where=where)


def check_transit(document: Any, found: dict[str, Any]) -> None:
    """Refuses what the reader of Transit makes ordinary values of, but the API may not.

    Symbols and characters become strings, keys of other types too, and of two equal keys the last
    one stays.

    Args:
        document: The body, decoded as JSON only: a map of Transit.
        found: The same body, decoded.

    Raises:
        ApiFault: 400.
    """
    if not _is_map(document):
        raise ApiFault(400, "bad-request", "The body is not a map")
    pairs = 0
    for name, value in _pairs(document):
        for why in _odd_texts([name, value]):
            path = (name.removeprefix("~:"),) if isinstance(name, str) else ()
            title = f"{'.'.join(path) or 'The body'} holds {why}"
            raise ApiFault(400, "validation-invalid-value", title, path=path, where="body")
        pairs += 1 + sum(_size(each) for each in _inner([value]))
    if pairs != sum(len(each) for each in _inner([found]) if isinstance(each, dict)):
        raise ApiFault(400, "bad-request", "The body has a map with a key twice")


def _refused(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _wrong(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if not _is_text(key):
                yield (*path, key), "is a key that is not valid Unicode"
            yield from _wrong(item, (*path, key))
    elif type(value) is list:
        for index, item in enumerate(value):
            yield from _wrong(item, (*path, str(index)))
    elif why := _why(value):
        yield path, why


def _why(value: Any) -> str | None:
    """What is wrong with a single value."""
    if isinstance(value, str):
        return None if _is_text(value) else "is not valid Unicode"
    if isinstance(value, float):
        return None if math.isfinite(value) else "is not a finite number"
    if isinstance(value, (int, Money)):
        whole = value.amount if isinstance(value, Money) else value
        return None if -_LONG <= whole < _LONG else "is a whole number of more than 64 bits"
    if isinstance(value, Decimal):
        fits = abs(value.adjusted()) <= _MOST_EXPONENT and math.isfinite(float(value))
        return None if fits else "is a number beyond the range of a double"
    if isinstance(value, FarTime):
        return "is a time outside the years 1 to 9999"
    if isinstance(value, bytes):
        return "is bytes, which JSON has no form for"
    if isinstance(value, (TaggedValue, TooDeep)):
        return "is not a value that the API knows: its tag is unknown, or its content is wrong"
    return None


def _is_text(text: str) -> bool:
    """Whether it is Unicode text, which half a surrogate pair is not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _odd_texts(values: Iterable[Any]) -> Iterator[str]:
    for each in _inner(values):
        if isinstance(each, str):
            if each[:2] in _OTHER_TEXTS:
                yield _OTHER_TEXTS[each[:2]]
        elif _tag(each) == "~#cmap" or not all(_is_key(key) for key, _ in _pairs(each)):
            yield _KEYS


def _tag(each: Any) -> Any:
    return next(iter(each), None) if isinstance(each, (list, dict)) else None


def _is_key(key: Any) -> bool:
    return isinstance(key, str) and (key[:1] != "~" or key[:2] in ("~:", *_ESCAPED))


def _size(each: Any) -> int:
    return sum(1 for _ in _pairs(each))


def _is_map(each: Any) -> bool:
    """Whether it is how a map is written: an object, or an array that begins with ``^ ``."""
    if isinstance(each, dict):
        return not (len(each) == 1 and next(iter(each)).startswith("~#"))  # else a tagged value
    return isinstance(each, list) and each[:1] == ["^ "]


def _pairs(each: Any) -> Iterator[tuple[Any, Any]]:
    """Its keys and values if it is a map, else nothing."""
    if _is_map(each):
        yield from each.items() if type(each) is dict else zip(each[1::2], each[2::2], strict=False)


def _inner(values: Iterable[Any]) -> Iterator[Any]:
    """The values and all within them; without recursion."""
    waiting = list(values)
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
