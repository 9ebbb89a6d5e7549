"""``availability_exceptions``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flex_integration_sdk.sandbox._data.database import Resource
from flex_integration_sdk.sandbox._refusal import ApiFault, conflict

from .context import Context, endpoint, ordered_span, related_id
from .pages import page
from .parameters import Arguments

# The API's limit for a query of exceptions, from its changelog.
MOST_DAYS = 366


@endpoint("availabilityExceptions.query")
def query(context: Context, asked: Arguments) -> dict[str, Any]:
    start, end = ordered_span(asked, MOST_DAYS)
    context.needed("listing", asked["listingId"], "listing-not-found")
    found = [
        each
        for each in _of(context, "availabilityException", asked["listingId"])
        if _overlaps(each, start, end)
    ]
    return page(context, sorted(found, key=lambda each: each["attributes"]["start"]), asked)


@endpoint("availabilityExceptions.create")
def create(context: Context, asked: Arguments) -> Resource:
    listing = context.needed("listing", asked["listingId"], "listing-not-found")
    start, end = ordered_span(asked)
    if asked["seats"] < 0:
        title = "seats must be a whole number, 0 or more"
        raise ApiFault(400, "validation-invalid-value", title, path=("seats",), where="body")
    for each in _of(context, "availabilityException", listing["id"]):
        if _overlaps(each, start, end):
            raise conflict("conflict", "There already is an availability exception in that time")
    attributes = {"seats": asked["seats"], "start": start, "end": end}
    return context.add("availabilityException", attributes, {"listing": listing})


@endpoint("availabilityExceptions.delete")
def delete(context: Context, asked: Arguments) -> Resource:
    found = context.needed("availabilityException", asked["id"])
    context.db.remove(found)
    return found


def _of(context: Context, kind: str, listing: Any) -> list[Resource]:
    return [each for each in context.db.all(kind) if related_id(each, "listing") == listing]


def _overlaps(span: Resource, start: datetime, end: datetime) -> bool:
    return bool(span["attributes"]["start"] < end and start < span["attributes"]["end"])
