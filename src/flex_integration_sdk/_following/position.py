"""Where a program is in the events: what a cursor keeps between two runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from flex_integration_sdk.errors import CursorError

FORMAT = 1
_MOST = 1000  # characters; ours has about 150
_REMEDY = "Restore it, or remove it to begin with the events from now on, or from `since`"


@dataclass(frozen=True, slots=True)
class Position:
    """All events up to here are handled; or, at first, all before a moment count as handled."""

    since: datetime | None = None
    """The moment; None once there was an event."""
    after: int | None = None
    """``sequenceId`` of the last event."""
    event: str | None = None
    """Its id, by which the same number of another marketplace is told from it."""
    at: str | None = None
    """When it happened, for people."""

    @classmethod
    def of(cls, event: Any) -> Position:
        """The position behind an event."""
        attributes = event["attributes"]
        return cls(
            after=attributes["sequenceId"],
            event=str(event["id"]),
            at=shown(attributes.get("createdAt")),
        )

    @property
    def arguments(self) -> dict[str, Any]:
        """What a query says to get the events behind it."""
        if self.after is None:
            return {"createdAtStart": self.since}
        return {"startAfterSequenceId": self.after}

    def is_behind(self, other: Position) -> bool:
        """Whether ``other`` is further on."""
        if other.after is not None:
            return self.after is None or other.after > self.after
        if self.since is None or other.since is None:
            return False
        return other.since > self.since

    def text(self) -> str:
        """As a cursor keeps it."""
        kept = {"since": shown(self.since), "after": self.after, "event": self.event, "at": self.at}
        return json.dumps(
            {"format": FORMAT, **{name: value for name, value in kept.items() if value is not None}}
        )


def shown(moment: Any) -> str | None:
    """ISO 8601, with milliseconds as the API has them."""
    if not isinstance(moment, datetime):
        return None if moment is None else str(moment)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(text: Any, where: str) -> Position:
    """The position that a cursor has kept.

    Args:
        text: What it has returned.
        where: What to call the cursor in a message.

    Raises:
        CursorError: It is not a position; it is left as it is.
    """
    if not isinstance(text, str):
        raise CursorError(
            f"{where} must return a string or None, got a value of type {type(text).__name__}"
        )
    try:
        kept = json.loads(text) if len(text) <= _MOST else None
    except (ValueError, RecursionError):
        kept = None
    if not isinstance(kept, dict) or not isinstance(kept.get("format"), int):
        raise CursorError(f"{where} does not hold a position; nothing was changed. {_REMEDY}")
    if kept["format"] > FORMAT:
        raise CursorError(
            f"{where} was written by a newer version of this package (format {kept['format']}); "
            "nothing was changed. Use that version"
        )
    found = _position(kept)
    if found is None:
        raise CursorError(f"{where} holds a damaged position; nothing was changed. {_REMEDY}")
    return found


def _position(kept: dict[str, Any]) -> Position | None:
    after, since = kept.get("after"), kept.get("since")
    event, at = kept.get("event"), kept.get("at")
    if isinstance(after, int) and not isinstance(after, bool) and after >= 0:
        return Position(after=after, event=event and str(event), at=at and str(at))
    if not isinstance(since, str):
        return None
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        return None
    return Position(since=moment) if moment.tzinfo else None


def behind(event: Any) -> Position:
    """The position behind an event.

    Raises:
        CursorError: Its number was not asked for.
    """
    try:
        return Position.of(event)
    except KeyError as error:
        raise CursorError(
            f"an event came without {error.args[0]}, by which the position is kept: add it to "
            "fields"
        ) from None


def moment_of(response: Any) -> datetime | None:
    """When the API has responded, by its own clock; None if that is not known."""
    try:
        return parsedate_to_datetime(response.headers.get("date", "")).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
