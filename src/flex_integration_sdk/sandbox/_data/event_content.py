"""What an event tells of a change."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, get_args
from uuid import UUID

from flex_integration_sdk._vocabulary.names import EventSubject

from .database import Resource

KINDS = frozenset(get_args(EventSubject))
"""Types that there are events of."""


class Moment(NamedTuple):
    """When it happened."""

    at: datetime
    number: int
    """``sequenceId``."""
    marketplace: UUID


class Origin(NamedTuple):
    """Who caused it."""

    source: str
    user: UUID | None = None
    admin: UUID | None = None
    request: UUID | None = None
    client: Any = None
    """A UUID; the client of a sandbox can have any id."""


def told(resource: Resource | None, kind: str | None = None) -> Resource | None:
    """A resource as events have it: with its to-one relationships, and the images of a listing.

    Args:
        resource: The resource, or what an event tells of how it was before.
        kind: Its type, if that is not among what is told.
    """
    if resource is None or "relationships" not in resource:
        return resource
    kind = kind or resource["type"]
    relations = {
        name: value
        for name, value in resource["relationships"].items()
        if not isinstance(value["data"], list) or (kind, name) == ("listing", "images")
    }
    return {**resource, "relationships": relations}


def event(
    id: UUID, before: Resource | None, after: Resource | None, moment: Moment, origin: Origin
) -> Resource:
    """The event of one change, of which both sides are as :func:`told` makes them.

    Args:
        id: Of the event.
        before: None: it is new.
        after: None: it is gone.
        moment: When.
        origin: By whom.
    """
    about = after or before
    assert about is not None
    attributes = {
        "createdAt": moment.at,
        "sequenceId": moment.number,
        "marketplaceId": moment.marketplace,
        "eventType": f"{about['type']}/{_subtype(before, after)}",
        "source": origin.source,
        "resourceId": about["id"],
        "resourceType": about["type"],
        "resource": after,
        "previousValues": _previous(before, after),
        "auditData": {
            "userId": origin.user,
            "adminId": origin.admin,
            "requestId": origin.request,
            "clientId": origin.client,
        },
    }
    return {"id": id, "type": "event", "attributes": attributes}


def _subtype(before: Resource | None, after: Resource | None) -> str:
    if after is None:
        return "deleted"
    if before is None:
        return "initiated" if after["type"] == "transaction" else "created"
    if after["type"] == "transaction":
        old, new = (each["attributes"]["transitions"] for each in (before, after))
        return "transitioned" if old != new else "updated"
    return "updated"


def _previous(before: Resource | None, after: Resource | None) -> dict[str, Any]:
    """The old values of what changed; of extended data, only the changed keys."""
    if before is None:
        return {}  # programs look into it without a question
    if after is None:
        return before
    found: dict[str, Any] = {}
    for part in ("attributes", "relationships"):
        old, new = before.get(part, {}), after.get(part, {})
        changed = {name: old.get(name) for name in new if old.get(name) != new[name]}
        if part == "attributes":
            changed = {name: _inner(old.get(name), new[name], name) for name in changed}
        if changed:
            found[part] = changed
    return found


def _inner(old: Any, new: Any, name: str) -> Any:
    by_key = name.endswith("Data") or name in ("metadata", "profile", "permissions")
    if not by_key or not isinstance(old, dict) or not isinstance(new, dict):
        return old
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return {key: _inner(old.get(key), new.get(key), key) for key in keys}
