"""A request's parameters, checked against the table of endpoints.

It is as lenient as the API: strings are accepted for ids, keywords and times, arrays for sets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flex_integration_sdk._endpoints.endpoint import Endpoint, Param, snake
from flex_integration_sdk._vocabulary.relationships import follow
from flex_integration_sdk.sandbox._refusal import ApiFault
from flex_integration_sdk.types import LatLng, LatLngBounds, Money

from .tolerated import has_no_zone, is_loose, is_tolerated, known_in_query, refusal

EXTENDED = ("pub_", "meta_", "priv_", "prot_")
# Both are the API's limits.
MOST_IDS = 100
MOST_EXTENDED = 50 * 1024  # bytes of an object as JSON
_LOST_PLUS = re.compile(r"T[\d:.]+ \d\d:?\d\d$")
_SHAPE = {"fields": "fields", "limit": "limit", "imageVariant": "image_variants"}


@dataclass
class Arguments:
    """The arguments of a request."""

    values: dict[str, Any] = field(default_factory=dict)
    """By the API's names, typed."""
    filters: dict[str, str] = field(default_factory=dict)
    """Filters by extended data, such as ``pub_category``."""
    include: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    limit: dict[str, str] = field(default_factory=dict)
    image_variants: dict[str, str] = field(default_factory=dict)
    expand: bool = False
    ignored: list[str] = field(default_factory=list)
    """Names of query parameters that mean nothing here."""

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str, default: Any = None) -> Any:
        """The argument, or ``default``."""
        return self.values.get(name, default)


def read_arguments(
    endpoint: Endpoint,
    query: Mapping[str, str],
    body: Mapping[str, Any] | None,
    *,
    strict: bool = False,
) -> Arguments:
    """The arguments of one request.

    Args:
        endpoint: What the request is for.
        query: Its query parameters.
        body: Its body, for commands.
        strict: Refuse what the live API only might refuse.

    Raises:
        ApiFault: 400; a key is unknown or missing, or a value is not valid for it.
    """
    found = Arguments()
    _read_query(found, endpoint, query, strict=strict)
    if strict:
        _check_includes(endpoint, found.include)
    if endpoint.method == "POST":
        known = {param.name: param for param in endpoint.params}
        for name, value in (body or {}).items():
            if name not in known:
                raise _wrong("validation-disallowed-key", name, f"Unknown key {name}", "body")
            found.values[name] = _value(known[name], value, "body", strict=strict)
    where = "query" if endpoint.method == "GET" else "body"
    for param in endpoint.params:
        if param.required and param.name not in found.values:
            raise _wrong("validation-missing-key", param.name, f"{param.name} is missing", where)
    if endpoint.one_of and sum(name in found.values for name in endpoint.one_of) != 1:
        names = " or ".join(endpoint.one_of)
        raise ApiFault(400, "validation-invalid-params", f"Either {names} is required")
    return found


def _read_query(
    found: Arguments, endpoint: Endpoint, query: Mapping[str, str], *, strict: bool
) -> None:
    known = {param.name: param for param in known_in_query(endpoint, strict=strict)}
    # Official examples also send snake_case (`per_page`).
    spelled = {} if strict else {snake(name): name for name in known}
    for given, value in query.items():
        outer, dot, inner = given.partition(".")
        if dot and inner and outer in _SHAPE and outer in known:
            getattr(found, _SHAPE[outer])[inner] = value
        elif given.startswith(EXTENDED):
            found.filters[given] = value
        else:
            name = given if given in known else spelled.get(given, "")
            if name == "include":
                found.include = [path for each in value.split(",") if (path := each.strip())]
            elif name == "expand":
                found.expand = _boolean(known[name], value, "query")
            elif name and name not in _SHAPE:
                found.values[name] = _value(known[name], value, "query", strict=strict)
            elif not strict and is_tolerated(endpoint, given):
                found.ignored.append(given)
            else:
                raise _wrong("validation-disallowed-key", given, refusal(endpoint, given), "query")


def _check_includes(endpoint: Endpoint, paths: list[str]) -> None:
    for path in paths:
        if follow(endpoint.result_type, path) is None:
            title = f"{endpoint.result_type} has no relationship {path}"
            raise _wrong("validation-invalid-value", "include", title, "query")


def _value(param: Param, raw: Any, where: str, *, strict: bool = False) -> Any:
    if raw is None:
        if param.null:
            return None
        raise _wrong("validation-invalid-value", param.name, f"{param.name} is null", where)
    try:
        if strict and is_loose(param, raw, where):
            raise ValueError
        return _READERS[param.type](raw)
    except (ValueError, TypeError, LookupError, OverflowError):
        title = f"{param.name} is not {_KINDS[param.type]}"
        if where == "query" and isinstance(raw, str) and _LOST_PLUS.search(raw):
            title += "; in a URL, the + of a zone is written %2B"
        raise _wrong("validation-invalid-value", param.name, title, where) from None


def _boolean(param: Param, raw: Any, where: str) -> bool:
    return bool(_value(param, raw, where))


def _wrong(code: str, name: str, title: str, where: str) -> ApiFault:
    return ApiFault(400, code, title, path=(name,), where=where)


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
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else _fail()


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
        return raw
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
    if not isinstance(raw, dict) or len(json.dumps(raw, default=str)) > MOST_EXTENDED:
        raise ValueError
    return raw


def _range(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, Any]]:
    """A range: ``a,b``, ``a,`` and ``,b`` are from and below; a single value is that value only."""

    def ranged(raw: Any) -> tuple[Any, Any]:
        parts = _text(raw).split(",")
        low, high = (read(part) if part else None for part in (parts[0], parts[-1]))
        if len(parts) > 2 or (low is None and high is None):
            raise ValueError
        return low, high if len(parts) == 2 else low

    return ranged


_KINDS = {
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
_READERS: dict[str, Callable[[Any], Any]] = {
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
