"""What the API returns: resources as dicts with typed attributes that find what is related to them.

The names and types are those of the API's reference. If the API sends more, that is there
too. If a ``fields`` argument omits an attribute, it is missing, whatever the type says.

Each type of resource has a class: ``isinstance(found, Listing)`` tells what it is.
"""

from __future__ import annotations

from ._attributes import (
    AuditData,
    AvailabilityExceptionAttributes,
    AvailabilityPlan,
    AvailabilityPlanEntry,
    BookingAttributes,
    EventAttributes,
    FileAttachmentAttributes,
    FileAttributes,
    FileDownloadAttributes,
    FileUploadAttributes,
    ImageAttributes,
    ImageVariant,
    LineItem,
    ListingAttributes,
    MarketplaceAttributes,
    MessageAttributes,
    PermissionAttributes,
    PermissionSetAttributes,
    ProfileAttributes,
    ReviewAttributes,
    StockAdjustmentAttributes,
    StockAttributes,
    StockReservationAttributes,
    StripeAccountAttributes,
    TransactionAttributes,
    Transition,
    UserAttributes,
)
from ._event import Event
from ._kinds import (
    AvailabilityException,
    Booking,
    File,
    FileAttachment,
    FileDownload,
    FileUpload,
    Image,
    Listing,
    Marketplace,
    Message,
    PermissionSet,
    Review,
    Stock,
    StockAdjustment,
    StockReservation,
    StripeAccount,
    Transaction,
    User,
)
from ._resource import Resource

__all__ = [
    "AuditData",
    "AvailabilityException",
    "AvailabilityExceptionAttributes",
    "AvailabilityPlan",
    "AvailabilityPlanEntry",
    "Booking",
    "BookingAttributes",
    "Event",
    "EventAttributes",
    "File",
    "FileAttachment",
    "FileAttachmentAttributes",
    "FileAttributes",
    "FileDownload",
    "FileDownloadAttributes",
    "FileUpload",
    "FileUploadAttributes",
    "Image",
    "ImageAttributes",
    "ImageVariant",
    "LineItem",
    "Listing",
    "ListingAttributes",
    "Marketplace",
    "MarketplaceAttributes",
    "Message",
    "MessageAttributes",
    "PermissionAttributes",
    "PermissionSet",
    "PermissionSetAttributes",
    "ProfileAttributes",
    "Resource",
    "Review",
    "ReviewAttributes",
    "Stock",
    "StockAdjustment",
    "StockAdjustmentAttributes",
    "StockAttributes",
    "StockReservation",
    "StockReservationAttributes",
    "StripeAccount",
    "StripeAccountAttributes",
    "Transaction",
    "TransactionAttributes",
    "Transition",
    "User",
    "UserAttributes",
]

# A pickle names the class of a resource by where programs import it from, whatever the modules are.
for _each in (Resource, *Resource.__subclasses__()):
    _each.__module__ = __name__
