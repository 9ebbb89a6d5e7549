"""Values of the API that JSON has no type for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from ._money import Money
from ._values.exact import exact
from ._values.far_time import FarTime

__all__ = [
    "AsyncReadable",
    "FarTime",
    "LatLng",
    "LatLngBounds",
    "Money",
    "Readable",
    "TaggedValue",
    "TooDeep",
    "json_default",
    "json_object_hook",
]


@dataclass(frozen=True, slots=True)
class LatLng:
    """A point on the earth, in degrees (WGS 84).

    The range is not checked: a map that is dragged across the date line gives longitudes beyond
    180, and the API answers for itself.

    Args:
        lat: Latitude, north positive.
        lng: Longitude, east positive.

    Raises:
        TypeError: One is not a number.
        ValueError: One is not finite.
    """

    lat: float
    lng: float

    def __post_init__(self) -> None:
        for name, value in (("lat", self.lat), ("lng", self.lng)):
            if type(value) is not float or not math.isfinite(value):
                object.__setattr__(self, name, _degrees(name, value))


@dataclass(frozen=True, slots=True)
class LatLngBounds:
    """A box on the map, for queries.

    Args:
        ne: Its north-east corner.
        sw: Its south-west corner.

    Raises:
        TypeError: One is not a :class:`LatLng`.
    """

    ne: LatLng
    sw: LatLng

    def __post_init__(self) -> None:
        for name, corner in (("ne", self.ne), ("sw", self.sw)):
            if not isinstance(corner, LatLng):
                raise TypeError(f"{name} must be a LatLng, got {type(corner).__name__}")


@dataclass(frozen=True, slots=True)
class TaggedValue:
    """A value of the wire that Python has no better form for. Sent again, it is the same Transit.

    Either its Transit tag is not known, such as ``r`` of a URI, or what follows a known tag is not
    of that type, such as an id that is not a UUID.

    Args:
        tag: The tag without ``~`` and ``#``.
        value: What it stands before, already read.
    """

    tag: str
    value: Any


@dataclass(frozen=True, slots=True)
class TooDeep:
    """Stands for a value that is nested deeper than 200 arrays and maps. It cannot be sent."""


def json_default(value: Any) -> Any:
    """For ``json.dumps(…, default=json_default)``: the API's types in the JavaScript SDK's form.

    Such as ``{"_sdkType": "Money", "amount": 1, "currency": "EUR"}``; a time as ISO 8601.
    (:func:`flex_integration_sdk.to_plain` gives the form that the API has in JSON.)

    Raises:
        TypeError: It is another type.
    """
    value = exact(value)
    if isinstance(value, UUID):
        return {"_sdkType": "UUID", "uuid": str(value)}
    if isinstance(value, Money):
        return {"_sdkType": "Money", "amount": value.amount, "currency": value.currency}
    if isinstance(value, LatLng):
        return {"_sdkType": "LatLng", "lat": value.lat, "lng": value.lng}
    if isinstance(value, LatLngBounds):
        return {"_sdkType": "LatLngBounds", "ne": value.ne, "sw": value.sw}
    if isinstance(value, Decimal):
        return {"_sdkType": "BigDecimal", "value": str(value)}
    if isinstance(value, TaggedValue):
        return {"_sdkType": "TaggedValue", "tag": value.tag, "value": value.value}
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, FarTime):
        return str(value)
    raise TypeError(f"a value of type {type(value).__name__} has no form in JSON")


def json_object_hook(found: dict[str, Any]) -> Any:
    """For ``json.loads(…, object_hook=json_object_hook)``: what :func:`json_default` wrote.

    Also what the JavaScript SDK wrote. An object without ``_sdkType``, or with one that is not
    known, stays as it is.

    Raises:
        KeyError, TypeError, ValueError: A part of the value is missing or wrong.
    """
    kind = found.get("_sdkType")
    if kind == "UUID":
        return UUID(found["uuid"])
    if kind == "Money":
        return Money(found["amount"], found["currency"])
    if kind == "LatLng":
        return LatLng(found["lat"], found["lng"])
    if kind == "LatLngBounds":
        return LatLngBounds(found["ne"], found["sw"])
    if kind == "TaggedValue":
        return TaggedValue(found["tag"], found["value"])
    return Decimal(found["value"]) if kind == "BigDecimal" else found


def _degrees(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of degrees, got {type(value).__name__}")
    try:
        degrees = float(exact(value))
    except OverflowError:
        degrees = math.inf
    if not math.isfinite(degrees):
        raise ValueError(f"{name} is not a finite number")
    return degrees


class Readable(Protocol):
    """An open file or a stream that can be uploaded."""

    def read(self, size: int, /) -> bytes:
        """Returns at most ``size`` bytes, and none at the end."""
        ...


class AsyncReadable(Protocol):
    """A file or a stream of asyncio programs that can be uploaded."""

    async def read(self, size: int, /) -> bytes:
        """Returns at most ``size`` bytes, and none at the end."""
        ...
