"""The attributes of each type of resource.

The names and types are those of the API's reference. If the API sends more, that is there
too. If a ``fields`` argument omits an attribute, it is missing, whatever the type says.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict
from uuid import UUID

from flex_integration_sdk._vocabulary.names import (
    AvailabilityPlanType,
    BookingState,
    DayOfWeek,
    EventSource,
    EventSubject,
    EventType,
    FileState,
    ListingState,
    Party,
    Permission,
    ReviewState,
    ReviewType,
    StockReservationState,
    UserState,
)
from flex_integration_sdk.types import LatLng, Money

from ._resource import Resource


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
    """What a user may do; of a :class:`PermissionSet` too."""

    postListings: Permission
    initiateTransactions: Permission
    read: Permission


class MarketplaceAttributes(TypedDict):
    """Of a :class:`Marketplace`."""

    name: str
    description: str | None


class UserAttributes(TypedDict):
    """Of a :class:`User`."""

    banned: bool
    deleted: bool
    state: UserState
    createdAt: datetime
    email: str
    emailVerified: bool
    pendingEmail: str | None
    stripeConnected: bool
    identityProviders: list[dict[str, Any]]
    profile: ProfileAttributes
    permissions: PermissionAttributes


class AvailabilityPlanEntry(TypedDict):
    """The seats of one day of the week, or of a time of it."""

    dayOfWeek: DayOfWeek
    seats: int
    startTime: NotRequired[str]
    """``"09:00"``; of a plan by times of day."""
    endTime: NotRequired[str]


class AvailabilityPlan(TypedDict):
    """When a listing is available, week by week."""

    type: AvailabilityPlanType
    timezone: NotRequired[str]
    """Such as ``"Europe/Berlin"``; of a plan by times of day."""
    entries: NotRequired[list[AvailabilityPlanEntry]]


class ListingAttributes(TypedDict):
    """Of a :class:`Listing`."""

    title: str
    description: str | None
    geolocation: LatLng | None
    createdAt: datetime
    price: Money | None
    availabilityPlan: AvailabilityPlan | None
    publicData: dict[str, Any]
    privateData: dict[str, Any]
    metadata: dict[str, Any]
    state: ListingState
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
    includeFor: list[Party]


class Transition(TypedDict):
    """One step that a transaction took."""

    transition: str
    createdAt: datetime
    by: str


class TransactionAttributes(TypedDict):
    """Of a :class:`Transaction`."""

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
    """Of an :class:`Image`."""

    variants: dict[str, ImageVariant]


class FileAttributes(TypedDict):
    """Of a :class:`File`."""

    name: str
    mimeType: str
    size: int
    state: FileState
    deleted: bool
    createdAt: datetime


class FileUploadAttributes(TypedDict):
    """Of a :class:`FileUpload`: where to send the bytes."""

    fileId: UUID
    url: str
    method: str
    headers: dict[str, str]
    expiresAt: datetime


class FileDownloadAttributes(TypedDict):
    """Of a :class:`FileDownload`: where to get the bytes."""

    fileId: UUID
    url: str
    expiresAt: datetime


class FileAttachmentAttributes(TypedDict):
    """Of a :class:`FileAttachment`."""

    scope: str
    deleted: bool


class AvailabilityExceptionAttributes(TypedDict):
    """Of an :class:`AvailabilityException`."""

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
    """Of an :class:`Event`."""

    createdAt: datetime
    sequenceId: int
    marketplaceId: UUID
    eventType: EventType
    source: EventSource
    resourceId: UUID
    resourceType: EventSubject
    resource: Resource[Any] | None
    """As it was after the event, with relationships to one resource and a listing's images; None
    if it was deleted."""
    previousValues: dict[str, Any]
    """What the event changed, as it was before, in the form of a resource; empty for a new one."""
    auditData: AuditData


class StockAttributes(TypedDict):
    """Of a :class:`Stock`."""

    quantity: int


class StockAdjustmentAttributes(TypedDict):
    """Of a :class:`StockAdjustment`."""

    at: datetime
    quantity: int


class StockReservationAttributes(TypedDict):
    """Of a :class:`StockReservation`."""

    quantity: int
    state: StockReservationState


class MessageAttributes(TypedDict):
    """Of a :class:`Message`."""

    content: str | None
    createdAt: datetime
    deleted: bool


class ReviewAttributes(TypedDict):
    """Of a :class:`Review`."""

    type: ReviewType
    state: ReviewState
    rating: int
    content: str | None
    createdAt: datetime
    deleted: bool


class BookingAttributes(TypedDict):
    """Of a :class:`Booking`; the ``display`` times are what users see, if they differ."""

    seats: int
    start: datetime
    end: datetime
    displayStart: datetime
    displayEnd: datetime
    state: BookingState


class StripeAccountAttributes(TypedDict):
    """Of a :class:`StripeAccount`."""

    stripeAccountId: str
    """As Stripe has it, such as ``"acct_…"``."""


class PermissionSetAttributes(PermissionAttributes):
    """Of a :class:`PermissionSet`: what the user may do in effect, not as set for the user."""
