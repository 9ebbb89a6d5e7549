"""``stock``, ``stock_adjustments`` and ``stock_reservations``."""

from __future__ import annotations

from typing import Any

from flex_integration_sdk.sandbox._data.database import Resource
from flex_integration_sdk.sandbox._refusal import ApiFault, conflict

from .context import Context, endpoint, ordered_span, related_id
from .pages import page
from .parameters import Arguments
from .values import MOST_WHOLE


@endpoint("stock.compareAndSet")
def compare_and_set(context: Context, asked: Arguments) -> Resource:
    listing = context.needed("listing", asked["listingId"], "listing-not-found")
    if asked["newTotal"] < 0:
        title = "newTotal must be a whole number, 0 or more"
        raise ApiFault(400, "validation-invalid-value", title, path=("newTotal",), where="body")
    stock = current(context, listing)
    total = None if stock is None else stock["attributes"]["quantity"]
    if asked["oldTotal"] != total:
        raise conflict("old-total-mismatch", f"The stock is {total}")
    if stock is not None and asked["newTotal"] == total:
        return stock  # nothing changes: one published program says that there is no adjustment
    adjust(context, listing, asked["newTotal"] - (total or 0))
    found = current(context, context.needed("listing", listing["id"]))
    assert found is not None
    return found


@endpoint("stockAdjustments.create")
def create(context: Context, asked: Arguments) -> Resource:
    listing = context.needed("listing", asked["listingId"], "listing-not-found")
    return adjust(context, listing, asked["quantity"])


@endpoint("stockAdjustments.query")
def query(context: Context, asked: Arguments) -> dict[str, Any]:
    start, end = ordered_span(asked)
    context.needed("listing", asked["listingId"], "listing-not-found")
    found = [
        each
        for each in context.db.all("stockAdjustment")
        if related_id(each, "listing") == asked["listingId"]
        and start <= each["attributes"]["at"] < end
    ]
    return page(context, found, asked)


@endpoint("stockReservations.show")
def show(context: Context, asked: Arguments) -> Resource:
    return context.shown("stockReservation", asked["id"])


def current(context: Context, listing: Resource) -> Resource | None:
    """The listing's stock; None if it was never set."""
    return context.db.get("stock", related_id(listing, "currentStock"))


def adjust(
    context: Context, listing: Resource, quantity: int, reservation: Resource | None = None
) -> Resource:
    """Adds to a listing's stock, which is never below 0.

    Raises:
        ApiFault: 409; there is not so much. 400; it would be beyond any whole number.
    """
    stock = current(context, listing)
    total = (0 if stock is None else stock["attributes"]["quantity"]) + quantity
    if total < 0:
        raise conflict("transaction-listing-insufficient-stock", "There is not enough stock")
    if total > MOST_WHOLE:
        title = f"the stock would be more than {MOST_WHOLE}"
        raise ApiFault(400, "validation-invalid-value", title, path=("quantity",), where="body")
    if stock is None:
        context.change(
            listing, relationships={"currentStock": context.add("stock", {"quantity": total})}
        )
    else:
        context.change(stock, {"quantity": total})
    adjustment = context.add(
        "stockAdjustment",
        {"at": context.now, "quantity": quantity},
        {"listing": listing, "stockReservation": reservation},
    )
    if reservation is not None:
        known = reservation["relationships"]["stockAdjustments"]["data"]
        context.change(reservation, relationships={"stockAdjustments": [*known, adjustment]})
    return adjustment
