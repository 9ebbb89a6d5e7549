"""``events``: what commands change, as the API tells it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, get_args

from flex_integration_sdk._vocabulary.names import EventFilter
from flex_integration_sdk.sandbox._data.database import Resource
from flex_integration_sdk.sandbox._data.event_content import KINDS, Moment, Origin, event, told
from flex_integration_sdk.sandbox._refusal import ApiFault

from .context import Context, endpoint
from .pages import page
from .parameters import Arguments

# The API returns so many at once, and has no further pages of them.
MOST = 100
# A program may ask for as far back as there are events, by a clock that differs a little.
_SLACK = timedelta(hours=1)
_FILTERS = frozenset(get_args(EventFilter))
_ALTERNATIVES = (
    ("startAfterSequenceId", "createdAtStart"),
    ("resourceId", "relatedResourceId"),
)


@endpoint("events.query")
def query(context: Context, asked: Arguments) -> dict[str, Any]:
    for one, other in _ALTERNATIVES:
        if one in asked and other in asked:
            title = f"{one} and {other} cannot be combined"
            raise ApiFault(400, "validation-invalid-params", title)
    oldest = context.now - timedelta(days=context.settings.event_days)
    if context.settings.strict and asked.get("createdAtStart", context.now) < oldest - _SLACK:
        title = f"createdAtStart is more than {context.settings.event_days} days ago"
        raise ApiFault(400, "validation-invalid-value", title, path=("createdAtStart",))
    unknown = sorted(set(asked.get("eventTypes") or ()) - _FILTERS)
    if context.settings.strict and unknown:
        # Otherwise a misspelled one finds nothing, for ever.
        title = f"there are no events of the type {unknown[0]}"
        raise ApiFault(400, "validation-invalid-value", title, path=("eventTypes",))
    # Those that are older are still there, since they are counted, but are not shown any more.
    found = [
        each
        for each in reversed(context.db.all("event"))
        if each["attributes"]["createdAt"] >= oldest and _wanted(each, asked)
    ]
    return page(context, [*map(_as_sent, found[:MOST])], asked, counted=False)


def emit(
    context: Context,
    changes: list[tuple[Resource | None, Resource | None]],
    client: str,
    *,
    effects: bool,
) -> None:
    """Adds an event for each resource that a command changed, in the order of the changes.

    Args:
        context: Of the request.
        changes: Before and after, as the database noted them.
        client: The client's id.
        effects: What changed beside a transaction was changed by its process.
    """
    first: dict[Any, Resource | None] = {}
    last: dict[Any, Resource | None] = {}
    for before, after in changes:
        about = after or before
        if about is not None and about["type"] in KINDS:
            first.setdefault(about["id"], before)
            last.pop(about["id"], None)  # the order is that of the last changes
            last[about["id"]] = after
    for id, after in last.items():
        old, new = told(first[id]), told(after)
        if old != new:
            _add(context, old, new, client, effects)


def _as_sent(event: Resource) -> Resource:
    """An event as events are now: one in the file of an earlier version may have more, or null."""
    attributes = event["attributes"]
    kind = attributes["resourceType"]
    parts = {name: told(attributes[name], kind) for name in ("resource", "previousValues")}
    parts["previousValues"] = parts["previousValues"] or {}
    return {**event, "attributes": {**attributes, **parts}}


def _add(
    context: Context, before: Resource | None, after: Resource | None, client: str, effects: bool
) -> None:
    about = after or before
    assert about is not None
    by_process = effects and about["type"] != "transaction"
    origin = Origin(
        source="source/transaction" if by_process else "source/integration-api",
        request=context.request_id,
        client=_client(client),
    )
    # Events are never removed, so their number is the last id.
    number = context.db.count("event") + 1
    market = context.db.all("marketplace")[0]["id"]
    moment = Moment(context.now, number, market)
    context.db.put(event(uuid.uuid4(), before, after, moment, origin))


def _client(text: str) -> Any:
    try:
        return uuid.UUID(text)
    except ValueError:
        # The live API has UUIDs only; the client of a sandbox can have any id.
        return text


def _wanted(event: Resource, asked: Arguments) -> bool:
    attributes = event["attributes"]
    kinds = asked.get("eventTypes")
    return (
        attributes["sequenceId"] > asked.get("startAfterSequenceId", 0)
        and ("createdAtStart" not in asked or attributes["createdAt"] >= asked["createdAtStart"])
        and ("resourceId" not in asked or attributes["resourceId"] == asked["resourceId"])
        and ("relatedResourceId" not in asked or _concerns(attributes, asked["relatedResourceId"]))
        and (
            kinds is None or attributes["eventType"] in kinds or attributes["resourceType"] in kinds
        )
    )


def _concerns(attributes: dict[str, Any], id: uuid.UUID) -> bool:
    # What was deleted is told by its previous values.
    about = attributes["resource"] or attributes["previousValues"] or {}
    relations = about.get("relationships", {})
    related = [(relation or {}).get("data") for relation in relations.values()]
    return attributes["resourceId"] == id or any(
        isinstance(each, dict) and each["id"] == id for each in related
    )
