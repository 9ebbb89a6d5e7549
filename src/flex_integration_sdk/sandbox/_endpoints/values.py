"""How the sandbox reads the value of an argument, by the types of the table of endpoints.

It is as lenient as the API: strings are accepted for ids, keywords and times, arrays for sets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flex_integration_sdk.types import LatLng, LatLngBounds, Money

from .image_variants import read_variant
from .tolerated import has_no_zone

__all__ = ["KINDS", "MOST_WHOLE", "READERS", "SHAPES", "fits"]

# Both are the API's limits.
MOST_IDS = 100
MOST_EXTENDED = 50 * 1024  # bytes of an object as JSON
# JavaScript has all whole numbers of so many digits; a sum of some of them too.
MOST_WHOLE = 10**15 - 1


def _id(raw: Any) -> UUID:
    return raw if isinstance(raw, UUID) else UUID(_text(raw))


def _ids(raw: Any) -> list[UUID]:
    found = [_id(each) for each in _list(raw)]
    if len(found) > MOST_IDS:
        raise ValueError
    return found


def _list(raw: Any) -> list[Any]:
    if isinstance(raw, str):
        return [part for part in raw.split(",") if part]
    if not isinstance(raw, list):
        raise TypeError
    return raw


def _names(raw: Any) -> list[str]:
    return [_text(each) for each in _list(raw)]


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError
    return raw


def _bool(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    return {"true": True, "false": False}[_text(raw)] if raw in ("true", "false") else _fail()


def _int(raw: Any) -> int:
    if isinstance(raw, str):
        return int(raw) if re.fullmatch(r"-?[0-9]{1,15}", raw) else _fail()
    if not isinstance(raw, int) or isinstance(raw, bool) or abs(raw) > MOST_WHOLE:
        raise ValueError
    return raw


def _cap(raw: str) -> int:
    return int(raw) if re.fullmatch("[0-9]{1,6}", raw) else _fail()


def _fail() -> Any:
    raise ValueError


def _moment(raw: Any) -> datetime:
    moment = raw if isinstance(raw, datetime) else datetime.fromisoformat(_text(raw))
    if moment.tzinfo is None:
        # A published Python program sends times without a zone; those of the API are in UTC.
        moment = moment.replace(tzinfo=UTC) if has_no_zone(raw) else _fail()
    return moment.astimezone(UTC)


def _money(raw: Any) -> Money:
    if isinstance(raw, Money):
        return Money(_int(raw.amount), raw.currency)
    return Money(_int(raw["amount"]), _text(raw["currency"])) if isinstance(raw, dict) else _fail()


def _point(raw: Any) -> LatLng:
    if isinstance(raw, LatLng):
        return raw
    if isinstance(raw, dict):
        return LatLng(raw["lat"], raw["lng"]) if {"lat", "lng"} <= set(raw) else _fail()
    lat, lng = (float(part) for part in _text(raw).split(","))
    return LatLng(lat, lng)


def _bounds(raw: Any) -> LatLngBounds:
    north, east, south, west = (float(part) for part in _text(raw).split(","))
    return LatLngBounds(LatLng(north, east), LatLng(south, west))


def _extended(raw: Any) -> dict[str, Any]:
    return raw if isinstance(raw, dict) and fits(raw) else _fail()


def fits(data: Mapping[str, Any]) -> bool:
    """Whether extended data is not too large."""
    return len(json.dumps(data, default=str, ensure_ascii=False).encode()) <= MOST_EXTENDED


def _range(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, Any]]:
    """A range: ``a,b``, ``a,`` and ``,b`` are from and below; a single value is that value only."""

    def ranged(raw: Any) -> tuple[Any, Any]:
        parts = _text(raw).split(",")
        low, high = (read(part) if part else None for part in (parts[0], parts[-1]))
        if len(parts) > 2 or (low is None and high is None):
            raise ValueError
        return low, high if len(parts) == 2 else low

    return ranged


SHAPES: dict[str, tuple[Callable[[str], Any], str]] = {
    "fields": (str, "names of attributes"),
    "limit": (_cap, "a whole number, 0 or more"),
    "imageVariant": (read_variant, "an image variant, such as w:320;h:240;fit:scale"),
}
KINDS = {
    "Id": "an id",
    "Ids": f"a list of at most {MOST_IDS} ids",
    "Names": "a list of names",
    "str": "a string",
    "bool": "true or false",
    "int": "a whole number",
    "datetime": "a time with its zone",
    "Money": "an amount of money: minor units and a currency",
    "LatLng": "a point: latitude and longitude",
    "LatLngBounds": "a box: latitude and longitude of north-east, then of south-west",
    "ExtendedData": f"an object of at most {MOST_EXTENDED // 1024} KB",
    "PriceRange": "a price, or from and below",
    "TimeRange": "a time, or from and below",
    "Upload": "a file",
}
READERS: dict[str, Callable[[Any], Any]] = {
    "Id": _id,
    "Ids": _ids,
    "Names": _names,
    "str": _text,
    "bool": _bool,
    "int": _int,
    "datetime": _moment,
    "Money": _money,
    "LatLng": _point,
    "LatLngBounds": _bounds,
    "ExtendedData": _extended,
    "PriceRange": _range(_int),
    "TimeRange": _range(_moment),
    "Upload": lambda raw: raw,
}
