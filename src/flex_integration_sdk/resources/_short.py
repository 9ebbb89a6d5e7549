"""What ``repr`` shows of resources: types, ids and counts, which are harmless in a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flex_integration_sdk._values.shown import shown
from flex_integration_sdk.types import TaggedValue


def short_id(resource: Mapping[str, Any]) -> str:
    """The id of a resource, on one line; of a program's own type of ids, only the type's name.

    Args:
        resource: The resource; its values may be of any type.
    """
    found = resource.get("id")
    if isinstance(found, TaggedValue):
        found = found.value  # what the API sent as an id, and is not a UUID
    if isinstance(found, (UUID, str, int)):
        return shown(found) or "''"
    return "without id" if found is None else f"with an id of type {type(found).__name__}"


def short_type(resource: Mapping[str, Any]) -> str:
    """The type of a resource, on one line."""
    kind = resource.get("type")
    return shown(kind) if isinstance(kind, str) else "without type"


def short_event(attributes: object) -> str:
    """Type and number of an event, after a comma; empty if they are not there."""
    if not isinstance(attributes, Mapping):
        return ""
    kind, number = attributes.get("eventType"), attributes.get("sequenceId")
    said = [shown(kind)] if isinstance(kind, str) else []
    said += [f"sequenceId {shown(number)}"] if type(number) is int else []
    return "".join(f", {each}" for each in said)


def short_data(data: object) -> str:
    """What a response has: ``listing 5f…`` or ``100 listings``.

    Args:
        data: ``data`` of the response's body.
    """
    if isinstance(data, Mapping):
        return f"{short_type(data)} {short_id(data)}"
    if not isinstance(data, Sequence) or isinstance(data, (str, bytes)):
        return "no data" if data is None else f"data of type {type(data).__name__}"
    kinds = [each.get("type") if isinstance(each, Mapping) else None for each in data]
    is_one = bool(kinds) and isinstance(kinds[0], str) and all(each == kinds[0] for each in kinds)
    word = shown(kinds[0]) if is_one else "resource"
    return f"{len(data)} {word}" + ("" if len(data) == 1 else "s")


def short_page(meta: object) -> str:
    """Which page of how many, after a comma; empty if the API did not say."""
    if not isinstance(meta, Mapping) or type(meta.get("page")) is not int:
        return ""
    pages = meta.get("totalPages")
    return f", page {shown(meta['page'])}" + (f" of {shown(pages)}" if type(pages) is int else "")
