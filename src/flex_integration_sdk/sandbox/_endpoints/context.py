"""What the endpoints of the sandbox work with, and what they share."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from flex_integration_sdk.sandbox._data.created import Created
from flex_integration_sdk.sandbox._data.database import Database, Resource
from flex_integration_sdk.sandbox._refusal import ApiFault, conflict, not_found
from flex_integration_sdk.sandbox._settings import SandboxSettings

from .parameters import Arguments
from .values import KINDS, fits

Handler = Callable[["Context", Arguments], Any]
"""An endpoint: returns a resource, or for queries a response."""

H = TypeVar("H", bound=Handler)

HANDLERS: dict[str, Handler] = {}


def endpoint(name: str) -> Callable[[H], H]:
    """Registers a function for ``resource.action``."""

    def register(handler: H) -> H:
        HANDLERS[name] = handler
        return handler

    return register


class Context:
    """The database and the clock, for one request.

    Args:
        db: The resources.
        base_url: Address that signed URLs begin with.
        sign: Gives the signature of a text.
        settings: The sandbox's rules.
        request_id: What events tell of the request.
    """

    def __init__(
        self,
        db: Database,
        base_url: str,
        sign: Callable[[str], str],
        settings: SandboxSettings,
        request_id: uuid.UUID,
    ) -> None:
        self.db = db
        self.base_url = base_url
        self.sign = sign
        self.settings = settings
        self.request_id = request_id
        # Transit has milliseconds: what is stored must equal what a client was sent.
        self.now = _milliseconds(datetime.now(UTC))

    def shown(self, kind: str, id: uuid.UUID | None) -> Resource:
        """The resource to show; 404 if there is none."""
        found = self.db.get(kind, id)
        if found is None:
            raise not_found(f"There is no such {kind}")
        return found

    def created(self, kind: str, asked: Arguments) -> Created:
        """The resources of a type that were created in the requested time span."""
        return self.db.created(kind, asked.get("createdAtStart"), asked.get("createdAtEnd"))

    def needed(self, kind: str, id: uuid.UUID | None, code: str = "conflict") -> Resource:
        """A resource that a command is about; 409 if there is none: 404 is for show endpoints."""
        found = self.db.get(kind, id)
        if found is None:
            raise conflict(code, f"There is no such {kind}")
        return found

    def add(
        self,
        kind: str,
        attributes: dict[str, Any],
        relationships: Mapping[str, Resource | list[Resource] | None] | None = None,
    ) -> Resource:
        """A new resource."""
        return self.db.put(resource(uuid.uuid4(), kind, attributes, relationships or {}))

    def change(
        self,
        found: Resource,
        attributes: Mapping[str, Any] | None = None,
        relationships: Mapping[str, Resource | list[Resource] | None] | None = None,
    ) -> Resource:
        """The resource with some attributes and relationships replaced."""
        changed = {
            **found,
            "attributes": {**found["attributes"], **(attributes or {})},
            "relationships": {**found.get("relationships", {}), **_related(relationships or {})},
        }
        return found if changed == found else self.db.put(changed)


def resource(
    id: uuid.UUID,
    kind: str,
    attributes: dict[str, Any],
    relationships: Mapping[str, Resource | list[Resource] | None],
) -> Resource:
    """A resource in the API's form."""
    return {
        "id": id,
        "type": kind,
        "attributes": attributes,
        "relationships": _related(relationships),
    }


def _related(relationships: Mapping[str, Resource | list[Resource] | None]) -> dict[str, Any]:
    return {name: {"data": _reference(value)} for name, value in relationships.items()}


def _reference(value: Resource | list[Resource] | None) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_reference(each) for each in value]
    return {"id": value["id"], "type": value["type"]}


def related_id(found: Resource, name: str) -> uuid.UUID | None:
    """The id that a to-one relationship refers to."""
    data = (found.get("relationships", {}).get(name) or {}).get("data")
    return None if data is None else data["id"]


def merged(before: Mapping[str, Any], given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Extended data after an update: merged at the top level; null removes a key.

    Raises:
        ApiFault: 400; with what was there before it would be too large.
    """
    found = {key: value for key, value in {**before, **given}.items() if value is not None}
    if not fits(found):
        title = f"{name} would be {KINDS['ExtendedData'].replace('at most', 'more than')}"
        raise ApiFault(400, "validation-invalid-value", title, path=(name,), where="body")
    return found


def within(value: Any, span: tuple[Any, Any]) -> bool:
    """Whether a value is in the range, which includes its start and not its end; or is equal."""
    low, high = span
    if value is None:
        return False
    exactly = low is not None and value == low == high
    return exactly or bool((low is None or value >= low) and (high is None or value < high))


def ordered_span(asked: Arguments, most_days: int | None = None) -> tuple[datetime, datetime]:
    """``start`` and ``end`` of a request, checked."""
    start, end = asked["start"], asked["end"]
    if end <= start:
        raise ApiFault(400, "validation-invalid-params", "end is not after start", path=("end",))
    if most_days is not None and (end - start).total_seconds() > most_days * 86400:
        title = f"The time span is longer than {most_days} days"
        raise ApiFault(400, "validation-invalid-params", title, path=("end",))
    return start, end


def has_extended(data: Mapping[str, Mapping[str, Any]], filters: Mapping[str, str]) -> bool:
    """Whether extended data passes the filters ``pub_…``, ``meta_…``, ``priv_…``, ``prot_…``.

    Args:
        data: Extended data by those prefixes.
        filters: Wanted values: several by comma, ``from,below`` for numbers, ``has_all:`` and
            ``has_any:`` for lists.
    """
    for name, wanted in filters.items():
        prefix, _, key = name.partition("_")
        if not _passes((data.get(prefix) or {}).get(key), wanted):
            return False
    return True


def _passes(value: Any, wanted: str) -> bool:
    mode, colon, rest = wanted.partition(":")
    if isinstance(value, list):
        choices = set((rest if colon and mode in ("has_all", "has_any") else wanted).split(","))
        held = set(map(str, value))
        # The API's page on the listing search calls ``has_all`` the default.
        return bool(choices & held) if colon and mode == "has_any" else choices <= held
    if isinstance(value, bool):
        return str(value).lower() in wanted.split(",")
    if isinstance(value, (int, float)) and "," in wanted:
        low, _, high = wanted.partition(",")
        try:
            return (not low or value >= float(low)) and (not high or value < float(high))
        except ValueError:
            return False  # a list of strings, and a number is not a string
    return value is not None and str(value) in wanted.split(",")


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
