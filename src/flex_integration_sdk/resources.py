"""What the API returns: resources as dicts with typed attributes that find what is related to them.

The names and types are those of the API's reference. If the API sends more, that is there
too. If a ``fields`` argument omits an attribute, it is missing, whatever the type says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, NotRequired, TypedDict, TypeVar, cast
from uuid import UUID

from ._values.shown import shown
from .types import LatLng, Money

A = TypeVar("A")

__all__ = [
    "AvailabilityException",
    "Event",
    "File",
    "FileAttachment",
    "FileDownload",
    "FileUpload",
    "Image",
    "Listing",
    "Marketplace",
    "Message",
    "Resource",
    "Stock",
    "StockAdjustment",
    "StockReservation",
    "Transaction",
    "User",
]


class Resource(dict[str, Any], Generic[A]):
    """One resource of a response: the plain dict that the API sent, with properties.

    ``resource["attributes"]`` and ``resource.attributes`` are the same.
    """

    __slots__ = ("_related",)

    _related: Mapping[tuple[str, Any], dict[str, Any]]

    def __init__(
        self,
        data: Mapping[str, Any],
        related: Mapping[tuple[str, Any], dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(data)
        self._related = related or {}

    @property
    def id(self) -> UUID:
        """Its id, a ``UUID``."""
        return cast(UUID, self["id"])

    @property
    def type(self) -> str:
        """Its type, such as ``"listing"``."""
        return cast(str, self["type"])

    @property
    def attributes(self) -> A:
        """Its attributes; an empty dict if the API sent only a reference."""
        return cast(A, self.get("attributes") or {})

    def related(self, name: str) -> Resource[Any] | None:
        """The resource of a to-one relationship; None if there is none.

        It has only its id and type if the call did not ask for it with ``include``.

        Args:
            name: Name of the relationship, such as ``"author"``.

        Raises:
            KeyError: This resource has no such relationship.
            TypeError: It is a to-many relationship: use :meth:`related_list`.
        """
        data = self._relationship(name)
        if isinstance(data, list):
            raise TypeError(f"{shown(self.type)}.{name} is a list: use related_list({name!r})")
        return None if data is None else self._resolved(data)

    def related_list(self, name: str) -> list[Resource[Any]]:
        """The resources of a to-many relationship.

        They have only their ids and types if the call did not ask for them with ``include``.

        Args:
            name: Name of the relationship, such as ``"images"``.

        Raises:
            KeyError: This resource has no such relationship.
            TypeError: It is a to-one relationship: use :meth:`related`.
        """
        data = self._relationship(name)
        if not isinstance(data, list):
            raise TypeError(f"{shown(self.type)}.{name} is not a list: use related({name!r})")
        return [self._resolved(each) for each in data]

    def _relationship(self, name: str) -> Any:
        relationships = self.get("relationships") or {}
        # Without `include` the API sends no relationships, or empty ones.
        if name not in relationships:
            known = shown(", ".join(relationships)) or (
                "none, since this is only a reference; use expand=True"
            )
            raise KeyError(f"{shown(self.type)} has no relationship {name!r} (it has: {known})")
        return (relationships[name] or {}).get("data")

    def _resolved(self, reference: dict[str, Any]) -> Resource[Any]:
        return Resource(self._related.get(key_of(reference), reference), self._related)


def key_of(resource: Mapping[str, Any]) -> tuple[str, Any]:
    """What tells a resource from the others of an answer."""
    found = resource.get("id")
    try:
        hash(found)
    except TypeError:  # a program's own type of ids; equal ones of an answer are one object
        found = ("id", id(found))
    return resource.get("type", ""), found


class ProfileAttributes(TypedDict):
    """A user's profile."""

    firstName: str
    lastName: str
    displayName: str
    abbreviatedName: str
    bio: str | None
    publicData: dict[str, Any]
    protectedData: dict[str, Any]
    privateData: dict[str, Any]
    metadata: dict[str, Any]


class PermissionAttributes(TypedDict):
    """What a user may do: ``permission/allow`` or ``permission/deny``."""

    postListings: str
    initiateTransactions: str
    read: str


class MarketplaceAttributes(TypedDict):
    """Of a :data:`Marketplace`."""

    name: str
    description: str | None


class UserAttributes(TypedDict):
    """Of a :data:`User`."""

    banned: bool
    deleted: bool
    state: str
    createdAt: datetime
    email: str
    emailVerified: bool
    pendingEmail: str | None
    stripeConnected: bool
    identityProviders: list[dict[str, Any]]
    profile: ProfileAttributes
    permissions: PermissionAttributes


class ListingAttributes(TypedDict):
    """Of a :data:`Listing`."""

    title: str
    description: str | None
    geolocation: LatLng | None
    createdAt: datetime
    price: Money | None
    availabilityPlan: dict[str, Any] | None
    publicData: dict[str, Any]
    privateData: dict[str, Any]
    metadata: dict[str, Any]
    state: str
    deleted: bool


class LineItem(TypedDict):
    """One line of a transaction's price. Numbers may come as ``Decimal`` or ``int``."""

    code: str
    unitPrice: Money
    quantity: Any
    units: NotRequired[Any]
    seats: NotRequired[Any]
    percentage: NotRequired[Any]
    lineTotal: Money
    reversal: bool
    includeFor: list[str]


class Transition(TypedDict):
    """One step that a transaction took."""

    transition: str
    createdAt: datetime
    by: str


class TransactionAttributes(TypedDict):
    """Of a :data:`Transaction`."""

    createdAt: datetime
    processName: str
    processVersion: int
    lastTransition: str
    lastTransitionedAt: datetime
    state: str
    lineItems: list[LineItem]
    payinTotal: Money | None
    payoutTotal: Money | None
    protectedData: dict[str, Any]
    metadata: dict[str, Any]
    transitions: list[Transition]


class ImageVariant(TypedDict):
    """One size of an image."""

    name: str
    width: int
    height: int
    url: str


class ImageAttributes(TypedDict):
    """Of an :data:`Image`."""

    variants: dict[str, ImageVariant]


class FileAttributes(TypedDict):
    """Of a :data:`File`; ``state``: ``pendingUpload``, ``pendingVerification``, ``available`` or
    ``verificationFailed``."""

    name: str
    mimeType: str
    size: int
    state: str
    deleted: bool
    createdAt: datetime


class FileUploadAttributes(TypedDict):
    """Of a :data:`FileUpload`: where to send the bytes."""

    fileId: UUID
    url: str
    method: str
    headers: dict[str, str]
    expiresAt: datetime


class FileDownloadAttributes(TypedDict):
    """Of a :data:`FileDownload`: where to get the bytes."""

    fileId: UUID
    url: str
    expiresAt: datetime


class FileAttachmentAttributes(TypedDict):
    """Of a :data:`FileAttachment`."""

    scope: str
    deleted: bool


class AvailabilityExceptionAttributes(TypedDict):
    """Of an :data:`AvailabilityException`."""

    seats: int
    start: datetime
    end: datetime


class AuditData(TypedDict):
    """Who caused an event."""

    userId: UUID | None
    adminId: UUID | None
    requestId: UUID | None
    clientId: UUID | None


class EventAttributes(TypedDict):
    """Of an :data:`Event`; ``resource`` is as after it, ``previousValues`` what it changed."""

    createdAt: datetime
    sequenceId: int
    marketplaceId: UUID
    eventType: str
    source: str
    resourceId: UUID
    resourceType: str
    resource: dict[str, Any] | None
    previousValues: dict[str, Any] | None
    auditData: AuditData


class StockAttributes(TypedDict):
    """Of a :data:`Stock`."""

    quantity: int


class StockAdjustmentAttributes(TypedDict):
    """Of a :data:`StockAdjustment`."""

    at: datetime
    quantity: int


class StockReservationAttributes(TypedDict):
    """Of a :data:`StockReservation`."""

    quantity: int
    state: str


class MessageAttributes(TypedDict):
    """Of a :data:`Message`."""

    content: str | None
    createdAt: datetime
    deleted: bool


Marketplace = Resource[MarketplaceAttributes]
User = Resource[UserAttributes]
Listing = Resource[ListingAttributes]
Transaction = Resource[TransactionAttributes]
Image = Resource[ImageAttributes]
File = Resource[FileAttributes]
FileUpload = Resource[FileUploadAttributes]
FileDownload = Resource[FileDownloadAttributes]
FileAttachment = Resource[FileAttachmentAttributes]
AvailabilityException = Resource[AvailabilityExceptionAttributes]
Event = Resource[EventAttributes]
Stock = Resource[StockAttributes]
StockAdjustment = Resource[StockAdjustmentAttributes]
StockReservation = Resource[StockReservationAttributes]
Message = Resource[MessageAttributes]
