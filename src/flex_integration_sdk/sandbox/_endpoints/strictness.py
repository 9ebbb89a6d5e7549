"""What only a strict sandbox refuses in the values of a query or a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from flex_integration_sdk._endpoints.endpoint import Endpoint
from flex_integration_sdk._vocabulary.names import BookingState, StockReservationState
from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS
from flex_integration_sdk.sandbox._refusal import ApiFault
from flex_integration_sdk.types import LatLng, LatLngBounds, Money

from .parameters import Arguments

_KEYS = {"Money": {"amount", "currency"}, "LatLng": {"lat", "lng"}}
_EARTH = "needs a latitude within 90 degrees and a longitude within 180"
_COUNTS = ("seats", "minDuration", "minStock", "startAfterSequenceId")
_WITH_A_SPAN = ("availability", "minDuration", "seats")
_STATES = {
    "bookingStates": get_args(BookingState),
    "stockReservationStates": get_args(StockReservationState),
}
_SHAPED = {
    "fields": (RELATIONSHIPS.keys(), "type"),
    "limit": ({name for each in RELATIONSHIPS.values() for name in each}, "relationship"),
}


def check_query(endpoint: Endpoint, asked: Arguments) -> None:
    """Refuses parameters of a query that the API might refuse.

    Args:
        endpoint: What the request is for.
        asked: As it was read.

    Raises:
        ApiFault: 400; a number is negative, a name is unknown, a point is not on the earth, or a
            part of a search by availability has no time span.
    """
    _check_shapes(asked)
    if endpoint.method != "GET":
        return
    for name in _COUNTS:
        if asked.get(name, 0) < 0:
            raise _invalid(name, "is negative")
    for name, known in _STATES.items():
        if unknown := sorted(set(asked.get(name) or ()) - {*known}):
            raise _invalid(name, f"has no {unknown[0]}: it must be of {', '.join(known)}")
    for name in ("origin", "bounds"):
        value = asked.get(name)
        for point in (value.ne, value.sw) if isinstance(value, LatLngBounds) else (value,):
            if isinstance(point, LatLng) and not _is_on_earth(point):
                raise _invalid(name, _EARTH)
    if endpoint.name == "listings.query" and not ("start" in asked or "end" in asked):
        for name in _WITH_A_SPAN:
            if name in asked:
                title = f"{name} needs start and end"
                raise ApiFault(400, "validation-invalid-params", title, path=(name,))


def _check_shapes(asked: Arguments) -> None:
    for parameter, given in (("fields", asked.fields), ("limit", asked.limit)):
        known, what = _SHAPED[parameter]
        for name in given:
            if name not in known:
                raise _invalid(f"{parameter}.{name}", f"is not of a known {what}")


def _invalid(name: str, what: str) -> ApiFault:
    return ApiFault(400, "validation-invalid-value", f"{name} {what}", path=(name,))


def _is_on_earth(point: LatLng) -> bool:
    return abs(point.lat) <= 90 and abs(point.lng) <= 180


def check_values(endpoint: Endpoint, body: Mapping[str, Any], asked: Arguments) -> None:
    """Refuses prices, points and titles that the API might refuse.

    Args:
        endpoint: What the request is for.
        body: As it was sent.
        asked: The same, read.

    Raises:
        ApiFault: 400; one has an unknown key, a price is negative, a point is not on the
            earth, or a title is empty.
    """
    for param in endpoint.params if endpoint.method == "POST" else ():
        raw, value = body.get(param.name), asked.get(param.name)
        for key in raw if isinstance(raw, Mapping) and param.type in _KEYS else ():
            if key not in _KEYS[param.type]:
                raise _refused("validation-disallowed-key", (param.name, key), "is not a known key")
        if isinstance(value, Money) and value.amount < 0:
            raise _refused("validation-invalid-value", (param.name,), "is negative")
        if isinstance(value, LatLng) and not _is_on_earth(value):
            raise _refused("validation-invalid-value", (param.name,), _EARTH)
        if param.name == "title" and value == "":
            raise _refused("validation-invalid-value", (param.name,), "is empty")


def _refused(code: str, path: tuple[str, ...], what: str) -> ApiFault:
    return ApiFault(400, code, f"{'.'.join(path)} {what}", path=path, where="body")
