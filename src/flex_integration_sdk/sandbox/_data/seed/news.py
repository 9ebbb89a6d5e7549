"""What happened, in order, and the events that tell it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from flex_integration_sdk.sandbox._data.database import Resource
from flex_integration_sdk.sandbox._data.event_content import KINDS, Moment, Origin, event, told

from .parts import identifier


class Change(NamedTuple):
    """Resources that are new or changed at one moment."""

    at: datetime
    resources: tuple[Resource, ...]
    origin: Origin


class News:
    """Changes, in any order; told in that of their times."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    def add(self, at: datetime, resources: Iterable[Resource], origin: Origin) -> None:
        """Something that happened."""
        self._changes.append(Change(at, tuple(resources), origin))

    def resources(self, *, has_events: bool) -> Iterator[Resource]:
        """The resources as they are in the end, oldest first, then the events."""
        last: dict[Any, Resource] = {}
        events: list[Resource] = []
        for at, resources, origin in sorted(self._changes, key=lambda change: change.at):
            for each in resources:
                old, new = (
                    None if side is None else told(side) for side in (last.get(each["id"]), each)
                )
                last[each["id"]] = each
                if each["type"] in KINDS and old != new:
                    number = len(events) + 1
                    moment = Moment(at, number, identifier("marketplace", 1))
                    cause = _cause(each, origin)
                    events.append(event(identifier("event", number), old, new, moment, cause))
        yield from last.values()
        if has_events:
            yield from events


def _cause(resource: Resource, origin: Origin) -> Origin:
    """What changes beside a transaction is changed by its process."""
    is_by_process = resource["type"] in ("booking", "review", "stockAdjustment", "stockReservation")
    return origin._replace(source="source/transaction") if is_by_process else origin
