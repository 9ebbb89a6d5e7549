"""Query strings in the form that the API reads."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flex_integration_sdk._values.exact import exact, is_list
from flex_integration_sdk.errors import ParameterError
from flex_integration_sdk.types import FarTime, LatLng, LatLngBounds, TaggedValue

_EXTENDED = ("pub_", "meta_", "priv_", "prot_")
_LITERAL = "~!*'()"  # what encodeURIComponent does not encode, beside letters, digits and -_.


def query_string(params: Mapping[str, Any]) -> str:
    """``params`` as a query string, without the question mark.

    Names are turned from snake case to the API's; ``pub_…``, ``meta_…``, ``priv_…`` and
    ``prot_…`` stay as they are. None is not sent. ``fields``, ``limit`` and ``image_variant``
    take a mapping: ``fields={"listing": ["title"]}`` is ``fields.listing=title``, and
    ``image_variant={"small": {"w": 320, "fit": "scale"}}`` an image variant of your own.

    Raises:
        ParameterError: A value has no form in a query.
    """
    parts = []
    given = {name: value for name, value in params.items() if value is not None}
    for name, value in _flat(given):
        if value is not None:
            # As the official SDK. A comma separates the items of a list, also within a text.
            text = _quoted(name, _value(name, value)).replace("%2C", ",")
            parts.append(f"{_quoted(name, name)}={text}")
    return "&".join(parts)


def _quoted(name: str, text: str) -> str:
    try:
        return quote(text, safe=_LITERAL)
    except UnicodeEncodeError:
        raise ParameterError(
            f"query parameter {name!r}: a string with half a surrogate pair, which is not valid "
            "Unicode"
        ) from None


def _value(name: str, value: Any) -> str:
    try:
        return _text(f"query parameter {name!r}", value)
    except RecursionError:
        raise ParameterError(
            f"query parameter {name!r}: a list nested too deep, or within itself"
        ) from None
    except ParameterError:
        from flex_integration_sdk._values.where import path_to

        path, part = path_to(value, _is_refused, into_maps=False)
        if not path:
            raise
    return _text(f"query parameter {name!r} (at {name}{path})", part)


def _is_refused(value: Any) -> bool:
    try:
        # None in a list is an empty item.
        return value is not None and not isinstance(_text("", value), str)
    except (ParameterError, RecursionError):
        return True


def form(fields: Mapping[str, str]) -> str:
    """Writes fields as ``application/x-www-form-urlencoded``, in their order."""
    # A blank is %20 as in the official SDK, not the + of HTML forms.
    return "&".join(
        f"{quote(name, safe=_LITERAL)}={quote(value, safe=_LITERAL)}"
        for name, value in fields.items()
    )


def _flat(params: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in params.items():
        wire = wire_name(name)
        if isinstance(value, Mapping) and wire in ("fields", "limit", "imageVariant"):
            label = f"query parameter {wire!r}"
            items = [(f"{wire}.{_key(label, key)}", item) for key, item in value.items()]
            found += [(each, _variant(each, item)) for each, item in items]
        else:
            found.append((wire, value))
    return found


def object_query_string(params: Mapping[str, Any]) -> str:
    """Writes ``params`` as the API's object parameters are written: ``w:320;h:240;fit:scale``.

    It omits None. It does not percent-encode: the SDK does that when it sends the parameter.

    Args:
        params: Names and values.

    Raises:
        ParameterError: ``params`` is not a mapping, or a value cannot be used in a query, such as a
            mapping.
    """
    if not isinstance(params, Mapping):
        raise ParameterError(f"an object parameter must be a mapping, got {type(params).__name__}")
    return _object("an object parameter", params)


def _object(label: str, params: Mapping[str, Any]) -> str:
    given = ((_key(label, key), value) for key, value in params.items() if value is not None)
    return ";".join(f"{key}:{_text(f'{label}, key {key!r},', value)}" for key, value in given)


def _key(label: str, key: object) -> str:
    if not isinstance(key, str):
        raise ParameterError(f"a key of {label} must be a string, got {type(key).__name__}")
    return str.__str__(key)


def _variant(name: str, value: Any) -> Any:
    return _object(f"query parameter {name!r}", value) if isinstance(value, Mapping) else value


def wire_name(name: str) -> str:
    """A parameter's name as the API spells it; extended data's filters stay as they are."""
    name = str.__str__(name)  # whatever a subclass prints
    if name.startswith(_EXTENDED):
        return name
    # After a dot stands a name of the user's: of an image variant, of a field.
    head, dot, rest = name.partition(".")
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), head) + dot + rest


def _text(label: str, given: Any) -> str:
    value = _exact(label, given)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(label, value)
    if isinstance(value, int):
        return _whole(label, value)
    if isinstance(value, (str, UUID, FarTime)):
        return str(value)
    if isinstance(value, datetime):
        return _moment(label, value)
    if isinstance(value, LatLng):
        return f"{_number(label, value.lat)},{_number(label, value.lng)}"
    if isinstance(value, LatLngBounds):
        return f"{_text(label, value.ne)},{_text(label, value.sw)}"
    if isinstance(value, TaggedValue) and isinstance(value.value, str):
        return value.value  # such as an id that the API sent and that is not a UUID
    if is_list(value):
        # None in a list is an empty item, as in the official SDK.
        return ",".join("" if item is None else _text(label, item) for item in value)
    from flex_integration_sdk._values.advice import advice, kind_of

    raise ParameterError(
        f"{label}: a value of type {kind_of(value)} cannot be used in a query; pass {advice(value)}"
    )


def _exact(label: str, value: Any) -> Any:
    try:
        return exact(value)
    except TypeError as error:
        raise ParameterError(f"{label}: {error}") from None


def _moment(label: str, value: datetime) -> str:
    if value.utcoffset() is None:
        raise ParameterError(
            f"{label}: a time without a time zone; add one: datetime(…, tzinfo=UTC)"
        )
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        raise ParameterError(
            f"{label}: a time outside the years 1 to 9999; pass a FarTime"
        ) from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whole(label: str, value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python's limit
        raise ParameterError(f"{label}: a whole number of more than 4300 digits") from None


def _number(label: str, value: float) -> str:
    if not math.isfinite(value):
        raise ParameterError(
            f"{label}: NaN and infinity cannot be used in a query; pass None, or a number that is "
            "finite"
        )
    # As JavaScript writes it: 60, not 60.0.
    return str(int(value)) if value == int(value) and abs(value) < 1e21 else repr(value)
