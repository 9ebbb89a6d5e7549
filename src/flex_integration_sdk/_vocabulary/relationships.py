"""The relationships of the API's resources, which ``include`` asks for."""

from __future__ import annotations

from typing import Final, NamedTuple


class Relationship(NamedTuple):
    """One relationship of a type."""

    target: str
    """Type of the related resource, such as ``"user"``."""
    is_many: bool = False
    """A list of resources, not one or none."""


_MARKET = Relationship("marketplace")
_USER = Relationship("user")
_LISTING = Relationship("listing")
_TRANSACTION = Relationship("transaction")

RELATIONSHIPS: Final[dict[str, dict[str, Relationship]]] = {
    "availabilityException": {"listing": _LISTING},
    "booking": {"listing": _LISTING, "transaction": _TRANSACTION},
    "event": {},
    "file": {"marketplace": _MARKET, "owner": _USER},
    "fileAttachment": {"file": Relationship("file"), "message": Relationship("message")},
    "fileDownload": {},
    "fileUpload": {},
    "image": {},
    "listing": {
        "marketplace": _MARKET,
        "author": _USER,
        "images": Relationship("image", is_many=True),
        "currentStock": Relationship("stock"),
    },
    "marketplace": {},
    "message": {
        "sender": _USER,
        "transaction": _TRANSACTION,
        "publicFileAttachments": Relationship("fileAttachment", is_many=True),
    },
    "permissionSet": {},
    "review": {
        "author": _USER,
        "listing": _LISTING,
        "subject": _USER,
        "transaction": _TRANSACTION,
    },
    "stock": {},
    "stockAdjustment": {
        "listing": _LISTING,
        "stockReservation": Relationship("stockReservation"),
    },
    "stockReservation": {
        "listing": _LISTING,
        "transaction": _TRANSACTION,
        "stockAdjustments": Relationship("stockAdjustment", is_many=True),
    },
    "stripeAccount": {},
    "transaction": {
        "marketplace": _MARKET,
        "listing": _LISTING,
        "provider": _USER,
        "customer": _USER,
        "booking": Relationship("booking"),
        "stockReservation": Relationship("stockReservation"),
        "reviews": Relationship("review", is_many=True),
        "messages": Relationship("message", is_many=True),
    },
    "user": {
        "marketplace": _MARKET,
        "profileImage": Relationship("image"),
        "stripeAccount": Relationship("stripeAccount"),
        "effectivePermissionSet": Relationship("permissionSet"),
    },
}
"""By type and name, as the API's reference and its changelog to 2025-06-09 list them."""


def follow(kind: str, path: str) -> str | None:
    """The type that a path of ``include`` ends at, such as ``"listing.author"``.

    Args:
        kind: Type of the resource that it starts from.
        path: Names of relationships, joined by dots.

    Returns:
        None if the table has no such relationship.
    """
    for name in path.split("."):
        found = RELATIONSHIPS.get(kind, {}).get(name)
        if found is None:
            return None
        kind = found.target
    return kind
