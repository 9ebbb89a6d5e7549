"""Results as plain JSON values, for task queues, caches, logs and other programs."""

from __future__ import annotations

import base64
import math
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


def to_plain(value: Any, *, default: Callable[[Any], Any] | None = None) -> Any:
    """Makes dicts, lists, strings, numbers, booleans and None, which ``json.dumps`` takes.

    A :class:`Response` becomes its whole body, a resource its dict. Other values get the form that
    they have in the API's JSON: UUID and Decimal become strings, times ISO 8601 with milliseconds,
    Money ``{"amount", "currency"}``, LatLng ``{"lat", "lng"}``. Bytes become Base64, a
    ``TaggedValue`` becomes ``{"tag", "value"}``. JSON lacks NaN and infinity: they become
    ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``.

    To get the same types back, use :func:`flex_integration_sdk.types.json_default` instead.

    Args:
        value: A response, a resource, or any value in them.
        default: Called with a value of another type, such as one of a ``TypeHandler``. What it
            returns is made plain too.

    Raises:
        TypeError: A value has another type, and ``default`` is None.
    """
    # A subclass, such as a member of `class State(str, Enum)`, may print itself as something else.
    found = exact(value)
    if found is None or isinstance(found, (str, bool, int)):
        return found
    if isinstance(found, float):
        return _number(found)
    if isinstance(found, Response):
        return to_plain(found.body, default=default)
    if isinstance(found, AuthInfo):
        return to_plain(found._asdict(), default=default)
    if isinstance(found, Mapping):
        return {_key(key): to_plain(item, default=default) for key, item in found.items()}
    if is_list(found):
        return [to_plain(item, default=default) for item in found]
    if isinstance(found, (Money, LatLng, LatLngBounds, TaggedValue)):
        parts = {each.name: getattr(found, each.name) for each in fields(found)}
        return to_plain(parts, default=default)
    text = _text(found)
    if text is not None:
        return text
    if default is None:
        raise TypeError(
            f"a value of type {type(found).__name__} cannot be converted to plain data; pass "
            "default"
        )
    return to_plain(default(found), default=default)


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
    if isinstance(found, (bool, int, UUID)):
        return str(found)
    raise TypeError(f"a key of type {type(found).__name__} has no plain form")


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
