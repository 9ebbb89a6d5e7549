"""The endpoints of the Integration API that the sandbox has."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from flex_integration_sdk.types import LatLng, Money

from . import _data

Query = Mapping[str, str]

_MOST_IDS = 100
_STATES = frozenset({"draft", "pendingApproval", "published", "closed"})


class ApiFault(Exception):
    """An error answer.

    Args:
        status: HTTP status.
        code: ``errors[0].code``.
        title: ``errors[0].title``.
    """

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(title)
        self.status, self.code, self.title = status, code, title

    def body(self) -> dict[str, Any]:
        error = {
            "id": uuid.uuid4(), "status": self.status, "code": self.code, "title": self.title
        }  # fmt: skip
        return {"errors": [error]}


class Api:
    """Answers queries from the seeded data."""

    def __init__(self) -> None:
        self._users = _data.users()
        self._listings = _data.listings()
        self.routes: dict[str, Callable[[Query], dict[str, Any]]] = {
            "marketplace/show": self._marketplace_show,
            "users/show": self._users_show,
            "users/query": self._users_query,
            "listings/query": self._listings_query,
        }

    def _marketplace_show(self, query: Query) -> dict[str, Any]:
        return {"data": _data.marketplace()}

    def _users_show(self, query: Query) -> dict[str, Any]:
        if ("id" in query) == ("email" in query):
            raise ApiFault(400, "validation-invalid-params", "Either id or email is needed")
        wanted = _ids(query, "id")
        for user in self._users:
            if user["id"] in wanted or query.get("email") == user["attributes"]["email"]:
                return {"data": _fields(user, query)}
        raise ApiFault(404, "not-found", "Not found")

    def _users_query(self, query: Query) -> dict[str, Any]:
        return _page(_sorted(_created(self._users, query), query, ("createdAt",)), query)

    def _listings_query(self, query: Query) -> dict[str, Any]:
        found = _created(self._listings, query)
        if "ids" in query:
            ids = _ids(query, "ids")
            found = [each for each in found if each["id"] in ids]
        if "authorId" in query:
            authors = _ids(query, "authorId")
            found = [e for e in found if e["relationships"]["author"]["data"]["id"] in authors]
        if "states" in query:
            states = _states(query)
            found = [each for each in found if each["attributes"]["state"] in states]
        if "keywords" in query:
            words = query["keywords"].lower().split()
            found = [each for each in found if _mentions(each["attributes"], words)]
        for name, value in query.items():
            if name.startswith("pub_"):
                key, choices = name.removeprefix("pub_"), value.split(",")
                found = [e for e in found if _public(e, key) in choices]
        answer = _page(_sorted(found, query, ("createdAt", "price")), query)
        if "author" in query.get("include", "").split(","):
            wanted = {each["relationships"]["author"]["data"]["id"] for each in answer["data"]}
            answer["included"] = [_fields(u, query) for u in self._users if u["id"] in wanted]
        return answer


def to_json(value: Any) -> Any:
    """A value as the API writes it in plain JSON."""
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    if isinstance(value, Money):
        return {"amount": value.amount, "currency": value.currency}
    if isinstance(value, LatLng):
        return {"lat": value.lat, "lng": value.lng}
    return str(value) if isinstance(value, (uuid.UUID, Decimal)) else value


def _ids(query: Query, name: str) -> set[uuid.UUID]:
    texts = [text for text in query.get(name, "").split(",") if text]
    if len(texts) > (_MOST_IDS if name == "ids" else 1):
        raise ApiFault(400, "validation-invalid-value", f"{name} has too many values")
    try:
        return {uuid.UUID(text) for text in texts}
    except ValueError:
        raise ApiFault(400, "validation-invalid-value", f"{name} is not a UUID") from None


def _states(query: Query) -> set[str]:
    states = set(query["states"].split(","))
    if not states <= _STATES:
        known = ", ".join(sorted(_STATES))
        raise ApiFault(400, "validation-invalid-value", f"states are {known}")
    return states


def _mentions(attributes: dict[str, Any], words: list[str]) -> bool:
    text = f"{attributes['title']} {attributes['description']}".lower().split()
    return all(any(each.startswith(word) for each in text) for word in words)


def _public(item: dict[str, Any], key: str) -> str | None:
    value = item["attributes"]["publicData"].get(key)
    return None if value is None else str(value)


def _created(items: list[dict[str, Any]], query: Query) -> list[dict[str, Any]]:
    start, end = _time(query, "createdAtStart"), _time(query, "createdAtEnd")
    return [
        item
        for item in items
        if (start is None or item["attributes"]["createdAt"] >= start)
        and (end is None or item["attributes"]["createdAt"] < end)
    ]


def _time(query: Query, name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        moment = datetime.fromisoformat(query[name])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ApiFault(400, "validation-invalid-value", f"{name} is not an ISO 8601 time")
    return moment


def _sorted(
    items: list[dict[str, Any]], query: Query, sortable: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Sorted; a plain key is newest or highest first, a dash reverses it, as in the API."""
    keys = [key for key in query.get("sort", "").split(",") if key]
    if len(keys) > 3:
        raise ApiFault(400, "validation-invalid-value", "sort takes at most 3 attributes")
    for key in reversed(keys):
        name = key.removeprefix("-")
        if name not in sortable:
            raise ApiFault(400, "validation-invalid-value", f"cannot sort by {name}")

        def value(item: dict[str, Any], name: str = name) -> Any:
            found = item["attributes"].get(name)
            return found.amount if isinstance(found, Money) else found

        items = sorted(items, key=value, reverse=not key.startswith("-"))
    return items


def _page(items: list[dict[str, Any]], query: Query) -> dict[str, Any]:
    per_page = _number(query, "perPage", "per_page", default=100, most=100)
    page = _number(query, "page", "page", default=1, most=10_000)
    start = (page - 1) * per_page
    return {
        "data": [_fields(item, query) for item in items[start : start + per_page]],
        "meta": {
            "totalItems": len(items),
            "totalPages": -(-len(items) // per_page),
            "page": page,
            "perPage": per_page,
        },
    }


def _number(query: Query, name: str, other: str, *, default: int, most: int) -> int:
    text = query.get(name, query.get(other, str(default)))
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= most:
        raise ApiFault(400, "validation-invalid-value", f"{name} is a number from 1 to {most}")
    return int(text)


def _fields(item: dict[str, Any], query: Query) -> dict[str, Any]:
    """``item`` with the attributes that ``fields.<type>`` names; a dot reaches into one."""
    names = query.get(f"fields.{item['type']}")
    if names is None:
        return item
    chosen: dict[str, Any] = {}
    for name in names.split(","):
        outer, dot, inner = name.partition(".")
        value = item["attributes"].get(outer)
        if not dot and outer in item["attributes"]:
            chosen[outer] = value
        elif isinstance(value, dict) and inner in value:
            chosen[outer] = {**chosen.get(outer, {}), inner: value[inner]}
    return {**item, "attributes": chosen}
