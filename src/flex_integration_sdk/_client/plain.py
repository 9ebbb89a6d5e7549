"""Results as plain JSON values and as JSON, for task queues, caches, files and other programs."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._values.exact import exact, is_list
from flex_integration_sdk.types import FarTime, LatLng, LatLngBounds, Money, TaggedValue, TooDeep

from .auth_info import AuthInfo

Default = Callable[[Any], Any]
# Control characters of terminals, which JSON leaves as they are, and halves of surrogate pairs,
# which have no form in UTF-8.
_ESCAPED = re.compile("[\x7f-\x9f\ud800-\udfff]")


def to_plain(value: Any, *, default: Callable[[Any], Any] | None = None) -> Any:
    """Makes dicts, lists, strings, numbers, booleans and None, which ``json.dumps`` takes.

    A :class:`Response` becomes its whole body, a resource its dict. Other values get the form that
    they have in the API's JSON: UUID and Decimal become strings, times ISO 8601 with milliseconds,
    Money ``{"amount", "currency"}``, LatLng ``{"lat", "lng"}``. Bytes become Base64, a
    ``TaggedValue`` becomes ``{"tag", "value"}``. A set becomes a list in an order that depends on
    its values only. JSON lacks NaN and infinity: they become ``"NaN"``, ``"Infinity"`` and
    ``"-Infinity"``.

    To get the same types back, use :func:`flex_integration_sdk.types.json_default` instead.

    Args:
        value: A response, a resource, or any value in them.
        default: Called with a value of another type, such as one of a ``TypeHandler``. What it
            returns is made plain too.

    Raises:
        TypeError: A value has another type, and ``default`` is None.
    """
    return _whole(value, default, _number_in_words)


def to_json(
    value: Any, *, indent: int | None = None, default: Callable[[Any], Any] | None = None
) -> str:
    """The JSON of a response, a resource, a list of them, or any value in them.

    The values have the form of :func:`to_plain`. The same values give the same text, in each
    process and on each machine: keys stay in their order, sets are sorted. Letters stay as they
    are, so write it as UTF-8. Of a response it is the body: data, included and meta.

    NaN and infinity are refused, which JSON does not have.

    Args:
        value: A response, a resource, or any value in them.
        indent: How many blanks each level is indented by; None: all on one line, without blanks.
        default: Called with NaN, infinity, or a value of another type, such as one of a
            ``TypeHandler``. What it returns is written in its place; ``default=to_plain`` writes
            ``"NaN"``.

    Raises:
        TypeError: A value has another type, and ``default`` is None.
        ValueError: A number is NaN or infinite, and ``default`` is None; a number has more than
            4300 digits; or the value is nested too deeply, or within itself.
    """

    def number(found: float) -> Any:
        made = found if default is None else default(found)
        if isinstance(made, float) and not math.isfinite(made):
            raise _WrongNumberError("NaN and infinity cannot be written as JSON; pass default")
        return _plain(made, default, number)

    try:
        plain = _whole(value, default, number)
        separators = (",", ":") if indent is None else (",", ": ")
        text = json.dumps(plain, indent=indent, separators=separators, ensure_ascii=False)
    except RecursionError:
        raise ValueError("the value is nested too deeply, or within itself") from None
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class _WrongTypeError(TypeError):
    """Of ours, not of the program's ``default``."""


class _WrongNumberError(ValueError):
    """As above."""


def _whole(value: Any, default: Default | None, number: Callable[[float], Any]) -> Any:
    """As :func:`_plain`; an error says where in the value it is."""

    def fails(part: Any) -> bool:
        try:
            _plain(part, default, number)
        except (_WrongTypeError, _WrongNumberError):
            return True
        return False

    try:
        return _plain(value, default, number)
    except (_WrongTypeError, _WrongNumberError) as error:
        from flex_integration_sdk._values.where import path_to

        path, _ = path_to(value.body if isinstance(value, Response) else value, fails)
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{error} (at {path})" if path else str(error)) from None


def _plain(value: Any, default: Default | None, number: Callable[[float], Any]) -> Any:
    # A subclass, such as a member of `class State(str, Enum)`, may print itself as something else.
    found = exact(value)
    if found is None or isinstance(found, (str, bool, int)):
        return found
    if isinstance(found, float):
        return found if math.isfinite(found) else number(found)
    if isinstance(found, Response):
        return _plain(found.body, default, number)
    if isinstance(found, AuthInfo):
        return _plain(found._asdict(), default, number)
    if isinstance(found, Mapping):
        return {_key(key): _plain(item, default, number) for key, item in found.items()}
    if is_list(found):
        items = [_plain(item, default, number) for item in found]
        # The order of a set is another one in each process.
        return sorted(items, key=_order) if isinstance(found, (set, frozenset)) else items
    if isinstance(found, (Money, LatLng, LatLngBounds, TaggedValue)):
        parts = {each.name: getattr(found, each.name) for each in fields(found)}
        return _plain(parts, default, number)
    text = _text(found)
    if text is not None:
        return text
    if default is None:
        raise _WrongTypeError(
            f"a value of type {type(found).__name__} cannot be converted to plain data; pass "
            "default"
        )
    return _plain(default(found), default, number)


def _order(plain: Any) -> tuple[bool, Any, str]:
    # Numbers by their size, and all else by its text.
    is_number = isinstance(plain, (int, float))
    return not is_number, plain if is_number else 0, json.dumps(plain, sort_keys=True)


def _text(value: Any) -> str | None:
    if isinstance(value, (UUID, Decimal, FarTime)):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    return "(nested too deeply)" if isinstance(value, TooDeep) else None


def _key(key: Any) -> str:
    found = exact(key)
    if isinstance(found, str):
        return found
    if isinstance(found, bool):
        return "true" if found else "false"
    text = str(found) if isinstance(found, int) else _text(found)
    if text is None:
        raise _WrongTypeError(f"a key of type {type(found).__name__} has no plain form")
    return text


def _number_in_words(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
