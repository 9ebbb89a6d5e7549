"""An event, whose ``resource`` is one too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._attributes import EventAttributes
from ._resource import OF_EVENT, Related, Resource, resource_of


class Event(Resource[EventAttributes], kind="event"):
    """What happened to a resource; ``attributes["resource"]`` is that, as it was afterwards.

    Args:
        data: The event as the API sent it.
        related: Where its relationships lead: the API sends none.
    """

    __slots__ = ()

    def __init__(self, data: Mapping[str, Any], related: Related | None = None) -> None:
        super().__init__(data, related)
        attributes = self.get("attributes")
        if not isinstance(attributes, dict):
            return
        found = attributes.get("resource")
        if isinstance(found, dict):
            # A new dict: the response's body stays as it was decoded.
            self["attributes"] = {**attributes, "resource": resource_of(found, None, OF_EVENT)}

    def _short(self) -> str:
        from ._short import short_event

        return super()._short() + short_event(self.get("attributes"))
