"""From the resources that a query finds to the rows of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flex_integration_sdk._client.plain import to_plain
from flex_integration_sdk.resources import Resource

from .kinds import Kind

Row = dict[str, Any]
# The API's largest page: a list of related resources that is as long may not be all of them.
_MANY = 100


def row_of(resource: Resource[Any], paths: Iterable[str] = ()) -> Row:
    """A resource as plain values; what ``paths`` lead to is in place of its reference.

    Args:
        resource: The resource, with what is related to it.
        paths: Those of ``include``, such as ``"author.profileImage"``.
    """
    row: Row = to_plain(resource)
    deeper: dict[str, set[str]] = {}
    for path in paths:
        first, _, rest = path.partition(".")
        deeper.setdefault(first, set()).update({rest} - {""})
    for name, inner in deeper.items():
        found = (resource.get("relationships") or {}).get(name)
        data = found.get("data") if isinstance(found, dict) else None
        if isinstance(data, list):
            each = [row_of(one, inner) for one in resource.related_list(name)]
            row["relationships"][name]["data"] = each
        elif data is not None and (one := resource.related(name)) is not None:
            row["relationships"][name]["data"] = row_of(one, inner)
    return row


def rows_of(
    kind: Kind,
    resource: Resource[Any],
    paths: Iterable[str],
    messages_of: Callable[[Any], Iterable[Resource[Any]]],
) -> Iterator[Row]:
    """The rows that one resource of the query gives.

    Args:
        kind: What is exported.
        resource: What the query found.
        paths: Those of ``include`` that the user asked for, from what the query finds.
        messages_of: Asks for all messages of a transaction, by its id.
    """
    if not kind.relation:
        yield row_of(resource, paths)
        return
    inner = f"{kind.relation}."
    within = [path.removeprefix(inner) for path in paths if path.startswith(inner)]
    for each in _related(kind, resource, messages_of):
        row = row_of(each, within)
        # The API could be asked for it, but the whole transaction would come with it.
        reference = {"id": to_plain(resource["id"]), "type": resource["type"]}
        others = row.get("relationships") or {}
        yield {**row, "relationships": {**others, "transaction": {"data": reference}}}


def _related(
    kind: Kind,
    resource: Resource[Any],
    messages_of: Callable[[Any], Iterable[Resource[Any]]],
) -> Iterable[Resource[Any]]:
    relation: Any = (resource.get("relationships") or {}).get(kind.relation) or {}
    data = relation.get("data")
    if not isinstance(data, list):
        one = None if data is None else resource.related(kind.relation)
        return [] if one is None else [one]
    if kind.name == "messages" and len(data) >= _MANY:
        return messages_of(resource["id"])
    return resource.related_list(kind.relation)
