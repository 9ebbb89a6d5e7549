"""Joins the resources of a response, as programs do that keep them by type and id.

The official web template has such a helper, and many programs have a copy of it: it looks up every
relationship that a resource names, and stops with an error if the response does not have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def denormalised(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources of ``data``, each with its related resources in place of the references.

    Raises:
        LookupError: A relationship leads to a resource that the response does not have.
        ValueError: The response has a resource twice.
    """
    data = body["data"]
    roots = data if isinstance(data, list) else [data]
    entities: dict[tuple[str, Any], Mapping[str, Any]] = {}
    for each in [*roots, *body.get("included", [])]:
        if (key := (each["type"], each["id"])) in entities:
            raise ValueError(f"{key} is there twice")
        entities[key] = each
    return [_joined(entities, each) for each in roots]


def _joined(
    entities: Mapping[tuple[str, Any], Mapping[str, Any]], reference: Mapping[str, Any]
) -> dict[str, Any]:
    key = reference["type"], reference["id"]
    if key not in entities:
        raise LookupError(f"the response does not have {key}")
    found = {name: part for name, part in entities[key].items() if name != "relationships"}
    for name, relation in entities[key].get("relationships", {}).items():
        data = relation["data"]
        if isinstance(data, list):
            found[name] = [_joined(entities, each) for each in data]
        else:
            found[name] = None if data is None else _joined(entities, data)
    return found
