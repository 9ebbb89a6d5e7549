"""The API's closed sets of names, as types: states, sort keys, event types and the like.

The paths of ``include`` are in :mod:`.includes`. Transaction processes, with their states and
transitions, are the marketplace's own, so that they have no set here.
"""

from __future__ import annotations

from typing import Literal, NewType

AnyName = NewType("AnyName", str)
"""A name that the types do not list: one of your own extended data, or newer than this SDK.

Each argument that takes a closed set takes it too: ``sort=AnyName("pub_gears")``.
"""

ListingState = Literal["draft", "pendingApproval", "published", "closed"]
"""State of a listing."""
NewListingState = Literal["published", "pendingApproval"]
"""State that ``listings.create`` takes."""
UserState = Literal["active", "pendingApproval", "banned"]
"""State of a user."""
BookingState = Literal["pending", "proposed", "accepted", "declined", "cancelled"]
"""State of a booking."""
StockReservationState = Literal["pending", "proposed", "accepted", "declined", "cancelled"]
"""State of a stock reservation."""
ReviewState = Literal["public", "pending"]
"""State of a review: it is public after both have written theirs, or when their time is over."""
ReviewType = Literal["ofProvider", "ofCustomer"]
"""Whom a review is about."""
FileState = Literal["pendingUpload", "pendingVerification", "available", "verificationFailed"]
"""State of a file."""
Permission = Literal["permission/allow", "permission/deny"]
"""Whether a user may do something."""
Party = Literal["customer", "provider"]
"""A side of a transaction."""

AvailabilityMode = Literal["day-full", "day-partial", "time-full", "time-partial"]
"""How ``listings.query`` searches between ``start`` and ``end``."""
AvailabilityPlanType = Literal["availability-plan/day", "availability-plan/time"]
"""Whether a listing is available by whole days or by times of day."""
DayOfWeek = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""Day of an entry of an availability plan."""
StockMode = Literal["strict", "match-undefined"]
"""Whether ``min_stock`` of ``listings.query`` also finds listings without stock."""

ListingSort = Literal["createdAt", "-createdAt", "price", "-price"]
"""Sort key of ``listings.query``; ``-`` reverses it: ``createdAt`` has the newest first."""
UserSort = Literal["createdAt", "-createdAt"]
"""Sort key of ``users.query``."""
TransactionSort = Literal[
    "createdAt", "-createdAt",
    "lastTransitionedAt", "-lastTransitionedAt",
    "lastMessageAt", "-lastMessageAt",
    "bookingStart", "-bookingStart",
    "bookingEnd", "-bookingEnd",
]  # fmt: skip
"""Sort key of ``transactions.query``."""

EventSubject = Literal[
    "availabilityException",
    "booking",
    "listing",
    "message",
    "review",
    "stockAdjustment",
    "stockReservation",
    "transaction",
    "user",
]
"""Type of a resource that events are about."""
EventType = Literal[
    "availabilityException/created",
    "availabilityException/updated",
    "availabilityException/deleted",
    "booking/created",
    "booking/updated",
    "booking/deleted",
    "listing/created",
    "listing/updated",
    "listing/deleted",
    "message/created",
    "message/updated",
    "message/deleted",
    "review/created",
    "review/updated",
    "review/deleted",
    "stockAdjustment/created",
    "stockAdjustment/updated",
    "stockAdjustment/deleted",
    "stockReservation/created",
    "stockReservation/updated",
    "stockReservation/deleted",
    "transaction/initiated",
    "transaction/transitioned",
    "transaction/updated",
    "transaction/deleted",
    "user/created",
    "user/updated",
    "user/deleted",
]
"""What happened. The API may get new ones: a program passes over those that it does not know."""
EventFilter = Literal[EventType, EventSubject]
"""What ``events.query`` takes: a type of event, or a type of resource for all of its events."""
EventSource = Literal[
    "source/marketplace-api",
    "source/integration-api",
    "source/transaction",
    "source/console",
    "source/admin",
]
"""Where an event comes from."""
