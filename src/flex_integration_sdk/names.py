"""The API's closed sets of names, as types: states, sort keys, paths of ``include``, event types.

A type checker finds ``states=["publisched"]``, and an editor offers what is right. At run time the
SDK checks none of them: the API decides. What the types do not list is passed as
:data:`AnyName`, or with a ``cast``.
"""

from __future__ import annotations

from ._vocabulary.includes import (
    AvailabilityExceptionInclude,
    FileAttachmentInclude,
    FileInclude,
    ListingInclude,
    MessageInclude,
    StockAdjustmentInclude,
    StockReservationInclude,
    TransactionInclude,
    UserInclude,
)
from ._vocabulary.names import (
    AnyName,
    AvailabilityMode,
    AvailabilityPlanType,
    BookingState,
    DayOfWeek,
    EventFilter,
    EventSource,
    EventSubject,
    EventType,
    FileState,
    ListingSort,
    ListingState,
    NewListingState,
    Party,
    Permission,
    ReviewState,
    ReviewType,
    StockMode,
    StockReservationState,
    TransactionSort,
    UserSort,
    UserState,
)

__all__ = [
    "AnyName",
    "AvailabilityExceptionInclude",
    "AvailabilityMode",
    "AvailabilityPlanType",
    "BookingState",
    "DayOfWeek",
    "EventFilter",
    "EventSource",
    "EventSubject",
    "EventType",
    "FileAttachmentInclude",
    "FileInclude",
    "FileState",
    "ListingInclude",
    "ListingSort",
    "ListingState",
    "MessageInclude",
    "NewListingState",
    "Party",
    "Permission",
    "ReviewState",
    "ReviewType",
    "StockAdjustmentInclude",
    "StockMode",
    "StockReservationInclude",
    "StockReservationState",
    "TransactionInclude",
    "TransactionSort",
    "UserInclude",
    "UserSort",
    "UserState",
]
