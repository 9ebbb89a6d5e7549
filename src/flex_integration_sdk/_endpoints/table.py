"""The endpoints of the Integration API, as data.

The methods in ``generated/`` and ``docs/endpoints.md`` come from this table: after a change run
``python tools/generate.py``. The command line reads the table for its help, and the sandbox checks
parameters by it.
"""

from __future__ import annotations

from collections.abc import Iterator

from .endpoint import Endpoint, Param, snake
from .shared_params import (
    CREATED,
    EXPAND,
    EXTENDED,
    LISTING_TEXTS,
    PAGING,
    SHAPE,
    SPAN,
    STATES,
    TRANSITION,
    id_of,
    sort_by,
)


def _command(
    resource: str,
    action: str,
    result: str,
    doc: str,
    *params: Param,
    one_of: tuple[str, ...] = (),
) -> Endpoint:
    return Endpoint(
        resource,
        action,
        "POST",
        f"{snake(resource)}/{snake(action)}",
        result,
        doc,
        params=params,
        query=EXPAND,
        one_of=one_of,
    )


def _show(resource: str, result: str, what: str) -> Endpoint:
    return Endpoint(
        resource,
        "show",
        "GET",
        f"{snake(resource)}/show",
        result,
        f"One {what}, by its id.",
        params=(id_of(what), *SHAPE),
    )


def _query(
    resource: str,
    result: str,
    doc: str,
    *params: Param,
    one_of: tuple[str, ...] = (),
    filters: bool = False,
) -> Endpoint:
    return Endpoint(
        resource,
        "query",
        "GET",
        f"{snake(resource)}/query",
        result,
        doc,
        many=True,
        params=(*params, *SHAPE),
        one_of=one_of,
        filters=filters,
    )


_TABLE = (
    Endpoint(
        "marketplace",
        "show",
        "GET",
        "marketplace/show",
        "Marketplace",
        "The marketplace that the client belongs to.",
        params=SHAPE,
    ),
    Endpoint(
        "users",
        "show",
        "GET",
        "users/show",
        "User",
        "One user, by id or e-mail address.",
        params=(
            Param("id", "Id", "The user's id."),
            Param("email", "str", "The user's e-mail address, in place of the id."),
            *SHAPE,
        ),
        one_of=("id", "email"),
    ),
    _query(
        "users",
        "User",
        "Users, newest first.",
        *CREATED,
        sort_by("``createdAt`` and extended data", "UserSort"),
        *PAGING,
        filters=True,
    ),
    _command(
        "users",
        "updateProfile",
        "User",
        "Changes a user's profile; what you omit stays.",
        id_of("user"),
        Param("firstName", "str", "First name."),
        Param("lastName", "str", "Last name."),
        Param("displayName", "str", "Name that others see.", null=True),
        Param("bio", "str", "Text about the user.", null=True),
        EXTENDED[0],
        Param("protectedData", "ExtendedData", "Merged key by key; the user and operators read it, "
              "and in a transaction the other party."),
        *EXTENDED[1:],
        Param("profileImageId", "Id", "Id of an uploaded image.", null=True),
    ),
    _command("users", "approve", "User", "Makes a pending user active.", id_of("user")),
    _command(
        "users",
        "updatePermissions",
        "User",
        "Changes what a user may do: ``permission/allow`` or ``permission/deny`` each.",
        id_of("user"),
        Param("postListings", "str", "Whether the user may publish listings.", names="Permission"),
        Param("initiateTransactions", "str", "Whether the user may start transactions.",
              names="Permission"),
        Param("read", "str", "Whether the user may see the marketplace's data.",
              names="Permission"),
    ),
    _command(
        "users",
        "verifyEmail",
        "User",
        "Marks a user's e-mail address as verified.",
        id_of("user"),
        Param("email", "str", "The address to verify: the user's own or pending one.",
              required=True),
    ),
    _show("listings", "Listing", "listing"),
    _query(
        "listings",
        "Listing",
        "Listings, in all states unless you pass ``states``.",
        Param("ids", "Ids", "These listings only, at most 100."),
        Param("authorId", "Id", "Of this user only."),
        Param("states", "Names", "``draft``, ``pendingApproval``, ``published``, ``closed``.",
              names="ListingState"),
        *CREATED,
        Param("keywords", "str", "Words to search for, best matches first; not with ``origin``."),
        Param("origin", "LatLng", "Nearest to this point first; not with ``keywords``."),
        Param("bounds", "LatLngBounds", "Within this box."),
        Param("price", "PriceRange", "In minor units: a price, or ``(from, below)`` with None "
              "for no limit."),
        Param("start", "datetime", "With ``end``: free in this time, at most 90 days."),
        Param("end", "datetime", "See ``start``."),
        Param("seats", "int", "Free seats needed, with ``start`` and ``end``."),
        Param("availability", "str", "``day-full`` (default), ``day-partial``, ``time-full`` or "
              "``time-partial``: all of the time or a part of it, of listings with a plan of that "
              "type.", names="AvailabilityMode"),
        Param("minDuration", "int", "Free in one piece: days with ``day-partial``, minutes with "
              "``time-partial``."),
        Param("minStock", "int", "Minimum stock."),
        Param("stockMode", "str", "``strict`` (default), or ``match-undefined``: also those "
              "without stock.", names="StockMode"),
        sort_by("``createdAt``, ``price`` and public data", "ListingSort"),
        *PAGING,
        filters=True,
    ),
    _command(
        "listings",
        "create",
        "Listing",
        "Creates a listing for a user. At most 100 a minute.",
        Param("title", "str", "Its title.", required=True),
        id_of("author", "authorId"),
        Param("state", "str", "``published`` or ``pendingApproval``.",
              names="NewListingState"),
        *LISTING_TEXTS,
    ),
    _command(
        "listings",
        "update",
        "Listing",
        "Changes a listing; what you omit stays. The state is changed by ``approve``, "
        "``open`` and ``close``.",
        id_of("listing"),
        Param("title", "str", "Its title."),
        *LISTING_TEXTS,
    ),
    _command("listings", "approve", "Listing", "Publishes a listing that waits for approval.",
             id_of("listing")),
    _command("listings", "open", "Listing", "Publishes a closed listing.", id_of("listing")),
    _command("listings", "close", "Listing", "Closes a listing.", id_of("listing")),
    _show("transactions", "Transaction", "transaction"),
    _query(
        "transactions",
        "Transaction",
        "Transactions, newest first.",
        Param("userId", "Id", "With this user, as customer or provider."),
        Param("customerId", "Id", "Of this customer."),
        Param("providerId", "Id", "Of this provider."),
        Param("listingId", "Id", "About this listing."),
        Param("states", "Names", "In these states of their process."),
        Param("lastTransitions", "Names", "With one of these last transitions."),
        Param("processNames", "Names", "Of these processes."),
        *CREATED,
        Param("hasBooking", "bool", "With or without a booking."),
        Param("hasStockReservation", "bool", "With or without a stock reservation."),
        Param("hasPayin", "bool", "With or without a payment."),
        Param("hasMessage", "bool", "With or without messages."),
        Param("bookingStates", "Names", f"Booking states: {STATES}", names="BookingState"),
        Param("stockReservationStates", "Names", f"Stock reservation states: {STATES}",
              names="StockReservationState"),
        Param("bookingStart", "TimeRange", "Booking starts in ``(from, below)``; None: no limit."),
        Param("bookingEnd", "TimeRange", "Booking ends in ``(from, below)``; None: no limit."),
        sort_by("``createdAt``, ``lastTransitionedAt``, ``lastMessageAt``, ``bookingStart``, "
              "``bookingEnd``", "TransactionSort"),
        *PAGING,
        filters=True,
    ),
    _command("transactions", "transition", "Transaction",
             "Moves a transaction on in its process.", *TRANSITION),
    _command("transactions", "transitionSpeculative", "Transaction",
             "Returns what ``transition`` would; changes nothing.", *TRANSITION),
    _command(
        "transactions",
        "updateMetadata",
        "Transaction",
        "Changes a transaction's metadata.",
        id_of("transaction"),
        Param("metadata", "ExtendedData", "Merged with the stored data, key by key.",
              required=True),
    ),
    Endpoint(
        "images",
        "upload",
        "POST",
        "images/upload",
        "Image",
        "Uploads an image, to be used in a listing or profile.",
        params=(
            Param("image", "Upload", "Path of a file, its bytes, or a file opened for reading "
                  "bytes.", required=True),
        ),
        query=EXPAND,
        multipart=True,
        label=(
            Param("name", "str", "The file's name. If omitted: the path's or the open file's."),
            Param("mimeType", "str", "Such as ``image/webp``. If omitted: by the name's ending."),
        ),
    ),
    _command(
        "files",
        "create",
        "File",
        "Registers a file that you will upload.",
        Param("name", "str", "Its name.", required=True),
        Param("mimeType", "str", "Such as ``application/pdf``.", required=True),
        Param("size", "int", "Bytes, below 1 GB.", required=True),
    ),
    _query(
        "files",
        "File",
        "Files.",
        Param("ids", "Ids", "These files only, at most 100."),
        Param("messageId", "Id", "Attached to this message."),
        Param("ownerId", "Id", "Of this user."),
        *CREATED,
        *PAGING,
    ),
    _command("fileUploads", "create", "FileUpload",
             "Makes a signed URL to upload a registered file's bytes to.", id_of("file", "fileId")),
    _command(
        "fileDownloads",
        "create",
        "FileDownload",
        "Makes a signed URL to download an ``available`` file from, by its id or an attachment's.",
        Param("fileAttachmentId", "Id", "The attachment's id."),
        Param("fileId", "Id", "The file's id."),
        one_of=("fileAttachmentId", "fileId"),
    ),
    _query(
        "fileAttachments",
        "FileAttachment",
        "Attachments of messages.",
        Param("ids", "Ids", "These attachments only, at most 100."),
        Param("fileIds", "Ids", "Of these files."),
        Param("messageId", "Id", "Of this message."),
        *PAGING,
    ),
    _query(
        "availabilityExceptions",
        "AvailabilityException",
        "A listing's availability exceptions in a time span of at most 366 days.",
        *SPAN,
        *PAGING,
    ),
    _command(
        "availabilityExceptions",
        "create",
        "AvailabilityException",
        "Sets a listing's seats in a time span, whatever its plan says.",
        SPAN[0],
        Param("seats", "int", "Seats that are free; 0: blocked.", required=True),
        *SPAN[1:],
    ),
    Endpoint(
        "availabilityExceptions",
        "delete",
        "POST",
        "availability_exceptions/delete",
        "AvailabilityException",
        "Deletes an availability exception; returns its id and type.",
        params=(id_of("availability exception"),),
    ),
    _query(
        "events",
        "Event",
        "What happened in the marketplace, oldest first, at most 100. There are no further "
        "pages: go on with ``start_after_sequence_id``.",
        Param("startAfterSequenceId", "int", "Events after this one."),
        Param("createdAtStart", "datetime", "Or: events at this time or later."),
        Param("resourceId", "Id", "About this resource."),
        Param("relatedResourceId", "Id", "Or: about this one and related resources."),
        Param("eventTypes", "Names", "Such as ``listing/updated``; ``listing``: all of listings.",
              names="EventFilter"),
    ),
    _query(
        "stockAdjustments",
        "StockAdjustment",
        "A listing's stock adjustments in a time span.",
        *SPAN,
        *PAGING,
    ),
    _command(
        "stockAdjustments",
        "create",
        "StockAdjustment",
        "Adds to a listing's stock, or takes from it.",
        id_of("listing", "listingId"),
        Param("quantity", "int", "Number to add; a negative number takes away.", required=True),
    ),
    _command(
        "stock",
        "compareAndSet",
        "Stock",
        "Sets a listing's stock if it is still the expected one.",
        id_of("listing", "listingId"),
        Param("oldTotal", "int", "Expected stock; None: stock was never set.", required=True,
              null=True),
        Param("newTotal", "int", "Stock to set.", required=True),
    ),
    _show("stockReservations", "StockReservation", "stock reservation"),
    _query(
        "messages",
        "Message",
        "Messages of a transaction.",
        Param("transactionId", "Id", "Of this transaction."),
        Param("ids", "Ids", "Or: these messages, at most 100."),
        *PAGING,
        one_of=("transactionId", "ids"),
    ),
)  # fmt: skip

ENDPOINTS = {each.name: each for each in _TABLE}
"""All of them, by ``resource.action`` as the API spells it."""


def resources() -> Iterator[tuple[str, list[Endpoint]]]:
    """The endpoints of each resource."""
    for resource in dict.fromkeys(each.resource for each in _TABLE):
        yield resource, [each for each in _TABLE if each.resource == resource]
