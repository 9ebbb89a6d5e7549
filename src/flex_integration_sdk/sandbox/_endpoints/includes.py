"""What ``include`` asks for: the relationships of a response, and the resources they lead to.

What is stored has all relationships of a resource. A resource of a response has those that a path
of ``include`` names at its place, and no others, as the API's reference shows: programs look up
each relationship that a resource has among the resources of the response.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS
from flex_integration_sdk.sandbox._data.database import Database, Resource

from .parameters import Arguments
from .permissions import effective_permission_set

Key = tuple[str, Any]


def with_included(
    db: Database, roots: list[Resource], asked: Arguments
) -> tuple[list[Resource], list[Resource]]:
    """The resources of ``data`` and those of ``included``, each once.

    A resource that several paths lead to has the relationships of all of them. One that is in
    ``data`` is not in ``included`` too.

    Args:
        db: Where related resources are looked up.
        roots: The resources that the request is about.
        asked: With ``include`` and ``limit``.
    """
    answer = _Answer(db, roots, asked.limit)
    for path in asked.include:
        level = roots
        for name in path.split("."):
            level = answer.follow(level, name)
    return answer.resources()


class _Answer:
    """The resources of one response, and which relationships each has."""

    def __init__(self, db: Database, roots: list[Resource], limits: dict[str, int]) -> None:
        self._db = db
        self._limits = limits
        self._roots = roots
        self._found = {_key(each): each for each in roots}
        self._relations: dict[Key, dict[str, Any]] = {}

    def follow(self, level: list[Resource], name: str) -> list[Resource]:
        """Adds a relationship of some resources; returns those that it leads to."""
        reached: dict[Key, Resource] = {}
        for resource in level:
            named = self._relations.setdefault(_key(resource), {})
            if name not in named:
                if not _has(resource, name):
                    continue  # it may be newer than this sandbox
                named[name] = {"data": self._reference(resource, name)}
            data = named[name]["data"]
            for each in data if isinstance(data, list) else [data] if data else []:
                reached[_key(each)] = self._found[_key(each)]
        return list(reached.values())

    def resources(self) -> tuple[list[Resource], list[Resource]]:
        """The roots, then the others."""
        roots = [self._shown(each) for each in self._roots]
        own = {_key(each) for each in self._roots}
        return roots, [self._shown(each) for key, each in self._found.items() if key not in own]

    def _reference(self, resource: Resource, name: str) -> Any:
        """The value of a relationship, without resources that are gone."""
        if (resource["type"], name) == ("user", "effectivePermissionSet"):
            return self._added(effective_permission_set(resource))
        data = (resource.get("relationships", {}).get(name) or {}).get("data")
        if isinstance(data, list) or (data is None and _is_many(resource, name)):
            # Looked up one by one: what is above the limit is not included either.
            there = (each for each in data or () if self._is_there(each))
            return list(islice(there, self._limits.get(name)))
        return data if data is not None and self._is_there(data) else None

    def _is_there(self, reference: dict[str, Any]) -> bool:
        if _key(reference) in self._found:
            return True
        found = self._db.get(reference["type"], reference["id"])
        return found is not None and bool(self._added(found))

    def _added(self, resource: Resource) -> dict[str, Any]:
        self._found.setdefault(_key(resource), resource)
        return {"id": resource["id"], "type": resource["type"]}

    def _shown(self, resource: Resource) -> Resource:
        shown = {name: part for name, part in resource.items() if name != "relationships"}
        named = self._relations.get(_key(resource))
        return {**shown, "relationships": named} if named else shown


def _key(resource: Resource) -> Key:
    return resource["type"], resource["id"]


def _has(resource: Resource, name: str) -> bool:
    return name in RELATIONSHIPS.get(resource["type"], {}) or name in resource.get(
        "relationships", {}
    )


def _is_many(resource: Resource, name: str) -> bool:
    known = RELATIONSHIPS.get(resource["type"], {}).get(name)
    return known is not None and known.is_many
