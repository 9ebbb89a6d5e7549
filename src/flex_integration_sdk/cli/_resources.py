"""The resources of a response as records: what ``flex-sdk call --output table|csv`` shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# What each resource has beside its attributes.
OWN = ("id", "type")
_RELATED = "relationships."


def records_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A record for each resource in ``data``.

    It has the id and the type of the resource, its attributes by their names, and
    ``relationships.NAME`` with the id of each resource that it refers to. What ``included`` has is
    not in it.

    Args:
        body: The body of a response, plain as ``to_plain`` makes it.
    """
    data = body.get("data")
    found = data if isinstance(data, list) else [data]
    return [_record(each) for each in found if isinstance(each, Mapping)]


def without_relationships(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same records, for a table: each id of a related resource would take half of its width."""
    return [
        {name: value for name, value in record.items() if not name.startswith(_RELATED)}
        for record in records
    ]


def pages_of(body: Mapping[str, Any], count: int) -> str | None:
    """What to say if the response has not all that was found; None: it has.

    Args:
        body: The body of a response.
        count: How many resources it has.
    """
    meta = body.get("meta")
    if not isinstance(meta, Mapping):
        return None
    page, pages, total = (meta.get(name) for name in ("page", "totalPages", "totalItems"))
    if not isinstance(pages, int) or pages < 2:
        return None
    whole = "" if total is None else f" of {total}"
    if isinstance(page, int) and page > pages:
        return f"there is no page {page}: the last of {total or 'all'} is on page {pages}"
    return f"page {page} of {pages}, {count}{whole}; page=N and per_page=N get the others"


def _record(resource: Mapping[str, Any]) -> dict[str, Any]:
    record = {name: resource[name] for name in OWN if name in resource}
    attributes = resource.get("attributes")
    if not isinstance(attributes, Mapping):
        attributes = {name: value for name, value in resource.items() if name not in OWN}
        return {**record, **attributes}
    for name, value in attributes.items():
        record[f"attributes.{name}" if name in OWN else name] = value
    return {**record, **dict(_relationships(resource.get("relationships")))}


def _relationships(found: Any) -> Iterator[tuple[str, Any]]:
    for name, each in found.items() if isinstance(found, Mapping) else ():
        data = each.get("data") if isinstance(each, Mapping) else None
        ids = [one.get("id") for one in data] if isinstance(data, list) else None
        one = data.get("id") if isinstance(data, Mapping) else None
        yield f"{_RELATED}{name}", one if ids is None else ids
