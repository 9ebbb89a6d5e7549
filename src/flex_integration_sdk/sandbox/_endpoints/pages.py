"""From resources to a response: pages, sparse fields, image variants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any

from flex_integration_sdk.sandbox._data.created import Created
from flex_integration_sdk.sandbox._data.database import Database, Resource
from flex_integration_sdk.sandbox._refusal import ApiFault
from flex_integration_sdk.types import Money

from .context import Context
from .image_variants import with_variants
from .includes import with_included
from .parameters import Arguments

# Both are the API's limits.
MOST_ON_A_PAGE = 100
MOST_SORT_KEYS = 3
_PAGES = {"page", "perPage"}
_SPAN = {"createdAtStart", "createdAtEnd"}
_BY_CREATION: tuple[list[str], ...] = ([], ["createdAt"], ["-createdAt"])
_EXTENDED = {
    "pub": "publicData",
    "meta": "metadata",
    "priv": "privateData",
    "prot": "protectedData",
}


def one(db: Database, resource: Resource, asked: Arguments) -> dict[str, Any]:
    """The response of a show endpoint, or of a command with ``expand``."""
    return _whole(db, [resource], asked, many=False)


def reference(resource: Resource) -> dict[str, Any]:
    """The response of a command without ``expand``."""
    return {"data": {"id": resource["id"], "type": resource["type"]}}


def page(
    context: Context, found: list[Resource] | Created, asked: Arguments, *, counted: bool = True
) -> dict[str, Any]:
    """The response of a query endpoint: one page.

    Args:
        context: Where relations are looked up, and how far the pages reach.
        found: All that the filters let through: sorted, or to be sorted by their creation.
        asked: With ``page`` and ``perPage``.
        counted: Whether the API pages through these and tells how many there are.

    Raises:
        ApiFault: 400; there are no such pages, or it is beyond those that can be requested.
    """
    size = _number(asked, "perPage", MOST_ON_A_PAGE, MOST_ON_A_PAGE)
    number = _number(asked, "page", 1, 1_000_000)
    meta: dict[str, Any] = {"page": number, "perPage": size}
    if counted:
        total = len(found)
        meta = {"totalItems": total, "totalPages": -(-total // size), **meta}
        if (last := _last_page(context.settings.page_wall, size, total, asked)) is not None:
            meta["paginationLimit"] = last
            _check_reached(number, last)
    else:
        none = {"totalItems": None, "totalPages": None}
        meta = {**none, **meta, "paginationUnsupported": True}
    first = (number - 1) * size
    if isinstance(found, Created):
        order: Any = "".join(asked.get("sort", ()))
        shown = found.page(order, first, size)
    else:
        shown = found[first : first + size]
    return {**_whole(context.db, shown, asked, many=True), "meta": meta}


def plain(context: Context, kind: str, asked: Arguments) -> Created | None:
    """What a query finds that asks for no more than a time span, and an order by creation.

    Programs that read all of a large marketplace send such queries: each reads one page of it.

    Returns:
        None: It asks for more.
    """
    more = asked.filters or set(asked.values) - {*_PAGES, *_SPAN, "sort"}
    if more or asked.get("sort", []) not in _BY_CREATION:
        return None
    return context.created(kind, asked)


def only_page(asked: Arguments) -> None:
    """Refuses another page than the first, where the API has no further ones.

    Raises:
        ApiFault: 400.
    """
    if asked.get("page", 1) != 1:
        title = "The API does not page through this query: it has page 1 only"
        raise ApiFault(400, "validation-invalid-value", title, path=("page",))


def _last_page(wall: int, size: int, total: int, asked: Arguments) -> int | None:
    """The last page that can be requested of a query that filters or sorts; None: each can."""
    shaped = asked.filters or set(asked.values) - _PAGES
    # A page that only begins before the wall cannot be had whole.
    return max(1, wall // size) if shaped and total > wall else None


def _check_reached(number: int, last: int) -> None:
    if number > last:
        title = f"page must be at most {last}: filter by createdAtStart and createdAtEnd instead"
        raise ApiFault(400, "validation-invalid-value", title, path=("page",))


def sort(
    items: list[Resource],
    asked: Arguments,
    sortable: Iterable[str],
    ranks: Mapping[str, Callable[[Resource], Any]] = MappingProxyType({}),
) -> list[Resource]:
    """Sorts as the API does: a plain key has the newest or highest first, a dash reverses it.

    Args:
        items: What to sort, in the order that ties keep.
        asked: With ``sort``.
        sortable: Names of attributes; extended data is sortable everywhere.
        ranks: What further keys sort by.
    """
    keys = asked.get("sort", [])
    if len(keys) > MOST_SORT_KEYS:
        raise _sort_fault(f"sort must have at most {MOST_SORT_KEYS} attributes")
    # Sorting is stable, so the most important key comes last.
    for key in reversed(keys):
        name = key.removeprefix("-")
        prefix, _, inner = name.partition("_")
        rank: Callable[[Resource], Any]
        if prefix in _EXTENDED:
            rank = partial(_rank, _EXTENDED[prefix], inner)
        elif name in sortable:
            rank = partial(_rank, name, "")
        elif name in ranks:
            rank = ranks[name]
        else:
            raise _sort_fault(f"cannot sort by {name}")
        items = sorted(items, key=rank, reverse=not key.startswith("-"))
    return items


def _whole(db: Database, roots: list[Resource], asked: Arguments, *, many: bool) -> dict[str, Any]:
    data, included = with_included(db, roots, asked)
    shown = [_shaped(each, asked) for each in data]
    answer: dict[str, Any] = {"data": shown if many else shown[0]}
    if asked.include:
        answer["included"] = [_shaped(each, asked) for each in included]
    return answer


def _shaped(resource: Resource, asked: Arguments) -> Resource:
    if resource["type"] == "image" and asked.image_variants:
        resource = with_variants(resource, asked.image_variants)
    names = asked.fields.get(resource["type"])
    if names is None:
        return resource
    chosen: dict[str, Any] = {}  # `none`, which no attribute is called, leaves it empty
    for name in map(str.strip, names.split(",")):
        outer, dot, inner = name.partition(".")
        value = resource["attributes"].get(outer)
        if not dot and outer in resource["attributes"]:
            chosen[outer] = value
        elif isinstance(value, dict) and inner in value:
            chosen[outer] = {**chosen.get(outer, {}), inner: value[inner]}
    return {**resource, "attributes": chosen}


def _rank(where: str, inner: str, item: Resource) -> tuple[bool, str, Any]:
    """The sort key: no value comes last in the plain order; each kind of value is apart."""
    attributes = item["attributes"]
    found = attributes.get(where)
    if inner:
        # A user's extended data is in the profile.
        found = (attributes.get("profile", attributes).get(where) or {}).get(inner)
    if isinstance(found, Money):
        found = found.amount
    if found is None:
        return False, "", ""
    if isinstance(found, (int, float, Decimal)):
        return True, "number", found
    if isinstance(found, datetime):
        return True, "time", found
    return True, "text", str(found)


def _sort_fault(title: str) -> ApiFault:
    return ApiFault(400, "validation-invalid-value", title, path=("sort",))


def _number(asked: Arguments, name: str, default: int, most: int) -> int:
    found: int = asked.get(name, default)
    if not 1 <= found <= most:
        title = f"{name} must be a whole number from 1 to {most}"
        raise ApiFault(400, "validation-invalid-value", title, path=(name,))
    return found
