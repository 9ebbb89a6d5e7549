"""What can be exported, and which query finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that can be exported."""

    name: str
    """Such as ``"messages"``."""
    call: str
    """The API's name of the call that finds it, such as ``"transactions.query"``."""
    relation: str = ""
    """The relationship of what the call finds that leads to it; empty: it is what it finds."""
    include: tuple[str, ...] = ()
    """What the call must include for it, in the relationship."""

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint of the call."""
        # Not above: the command line has the names, and needs the table in few commands.
        from flex_integration_sdk._endpoints.table import ENDPOINTS

        return ENDPOINTS[self.call]


def _of_transactions(name: str, relation: str, *include: str) -> Kind:
    """The API has no query for these, except for messages of one transaction."""
    return Kind(name, "transactions.query", relation, include)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("listings", "listings.query"),
        Kind("users", "users.query"),
        Kind("transactions", "transactions.query"),
        _of_transactions("messages", "messages", "sender"),
        _of_transactions("bookings", "booking", "listing"),
        _of_transactions("reviews", "reviews", "author", "subject", "listing"),
        Kind("events", "events.query"),
        Kind("marketplace", "marketplace.show"),
    )
}
"""By name."""
