"""What happens to a token, for operators: the events and their fields.

The flow only notes what happened (:class:`Note`, plain data in the session's state); the session
hands the notes to a :class:`._reporting.Reporter`, between the flow's steps.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, get_args

EventName = Literal[
    "adopted",
    "conflict",
    "discarded",
    "quarantined",
    "refresh_rejected",
    "refreshed",
    "removed",
    "renewal_failed",
    "renewal_postponed",
    "request_failed",
    "revoked",
    "save_failed",
    "saved",
    "signed_in",
    "store_unavailable",
    "waited",
]
EVENT_NAMES: tuple[EventName, ...] = get_args(EventName)

GrantType = Literal["refresh_token", "client_credentials"]


class Note(NamedTuple):
    """What the flow noted; the fields mean the same as in :class:`Event`."""

    name: EventName
    reason: str | None = None
    digest: str | None = None
    seconds: float | None = None
    grant_type: GrantType | None = None
    secret_sent: bool = False
    error: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to a token, such as a refresh. It contains no secret.

    ``docs/events.md`` lists the events, and says what ``reason`` and ``seconds`` mean for each.
    """

    name: EventName
    """What happened; names never change their meaning."""
    store: str
    """The store's name, such as ``"file"``."""
    place: str
    """Location of the token, for people: a path, a key or an address."""
    identity_key: str
    """``TokenIdentity.key`` of the token's owner."""
    reason: str | None = None
    """Why, or with what result: one of a few words for each event."""
    digest: str | None = None
    """``Token.digest``: eight hexadecimal digits that name the access token."""
    seconds: float | None = None
    """Seconds that it took; for ``save_failed``: seconds until the next try."""
    grant_type: GrantType | None = None
    """For token requests: the grant (RFC 6749) that was used."""
    secret_sent: bool = False
    """The client secret was sent, as far as this program can know."""
    error_type: str | None = None
    """For failures: the exception's class name."""
    error: str | None = None
    """For failures: its message, if its class is one of ours; a stranger's may hold a secret."""

    def to_dict(self) -> dict[str, Any]:
        """The fields that are not None, as a dict for JSON."""
        return {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) is not None
        }
