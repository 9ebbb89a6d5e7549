"""The two forms of a response: plain JSON, and Transit.

In Transit the API writes names of its own as keywords: types, states, permissions. What users wrote
are strings, in extended data also under the same keys.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from flex_integration_sdk.types import LatLng, Money, TaggedValue

# Attributes of any resource. Those of extended data are deeper, so they never count.
_NAMES = frozenset(
    {
        "eventType", "initiateTransactions", "lastTransition", "postListings", "processName",
        "read", "resourceType", "scope", "source", "state", "type",
    }
)  # fmt: skip
# Names within attributes that hold objects.
_NAMES_WITHIN = {
    "availabilityPlan": frozenset({"dayOfWeek", "type"}),
    "lineItems": frozenset({"code", "includeFor"}),
    "permissions": frozenset({"initiateTransactions", "postListings", "read"}),
    "transitions": frozenset({"by", "transition"}),
}
_RESOURCES = frozenset({"previousValues", "resource"})  # of an event


def to_json(value: Any) -> Any:
    """A value as the API writes it in plain JSON."""
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Money):
        return {"amount": value.amount, "currency": value.currency}
    if isinstance(value, LatLng):
        return {"lat": value.lat, "lng": value.lng}
    return str(value) if isinstance(value, (uuid.UUID, Decimal)) else value


def to_transit(body: dict[str, Any]) -> dict[str, Any]:
    """A response as the API writes it in Transit: its names are keywords."""
    parts = {"data": _resources, "included": _resources}
    return {name: _by(parts.get(name), part) for name, part in body.items()}


def _by(change: Callable[[Any], Any] | None, value: Any) -> Any:
    return value if change is None else change(value)


def _resources(found: Any) -> Any:
    return [_resource(each) for each in found] if isinstance(found, list) else _resource(found)


def _resource(found: Any) -> Any:
    """A resource; a reference to one; the parts of one that an event tells of; or nothing."""
    if not isinstance(found, dict):
        return found
    return {name: _by(_PARTS.get(name), part) for name, part in found.items()}


def _attributes(found: dict[str, Any]) -> dict[str, Any]:
    return {name: _attribute(name, value) for name, value in found.items()}


def _attribute(name: str, value: Any) -> Any:
    if name in _NAMES:
        return _keyword(value)
    if name in _RESOURCES:
        return _resource(value)
    return _within(value, _NAMES_WITHIN[name]) if name in _NAMES_WITHIN else value


def _relationships(found: dict[str, Any]) -> dict[str, Any]:
    return {name: {"data": _resources(value["data"])} for name, value in found.items()}


def _within(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_within(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _keyword(item) if key in names else _within(item, names) for key, item in value.items()
    }


def _keyword(value: Any) -> Any:
    if isinstance(value, list):
        return [_keyword(each) for each in value]
    return _tagged(value) if isinstance(value, str) and value else value


@lru_cache(maxsize=1024)
def _tagged(name: str) -> TaggedValue:
    return TaggedValue(":", name)


_PARTS: dict[str, Callable[[Any], Any]] = {
    "type": _keyword,
    "attributes": _attributes,
    "relationships": _relationships,
}
