"""``listings``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args
from uuid import UUID

from flex_integration_sdk._vocabulary.names import ListingState, NewListingState, StockMode
from flex_integration_sdk.sandbox._data.database import Resource
from flex_integration_sdk.sandbox._refusal import ApiFault, conflict
from flex_integration_sdk.types import LatLng

from .context import (
    Context,
    endpoint,
    has_extended,
    merged,
    ordered_span,
    related_id,
    within,
)
from .free_time import AVAILABILITIES, Calendar, Wanted
from .keywords import relevance, words_of
from .pages import only_page, page, plain, sort
from .parameters import Arguments
from .plans import check_plan
from .users import image

STATES = frozenset(get_args(ListingState))
_NEW_STATES = get_args(NewListingState)
# The API's limit for a search by availability.
MOST_DAYS = 90
_STOCK_MODES = get_args(StockMode)
_EXTENDED = ("publicData", "privateData", "metadata")


@endpoint("listings.show")
def show(context: Context, asked: Arguments) -> Resource:
    return context.shown("listing", asked["id"])


@endpoint("listings.query")
def query(context: Context, asked: Arguments) -> dict[str, Any]:
    if "keywords" in asked and "origin" in asked:
        raise ApiFault(400, "validation-invalid-params", "keywords and origin cannot be combined")
    _check_names(asked)
    if (every := plain(context, "listing", asked)) is not None:
        return page(context, every, asked)
    # Of the four ways to search by availability, the API pages through one.
    pages = "start" not in asked or asked.get("availability", "day-full") == "day-full"
    if not pages:
        only_page(asked)
    found = [each for each in context.created("listing", asked) if _wanted(each, asked)]
    if "minStock" in asked:
        found = [each for each in found if _stocked(context, each, asked)]
    if "start" in asked or "end" in asked:
        found = _available(context, found, asked)
    ranks: dict[str, Callable[[Resource], Any]] = {}
    if words := words_of(asked.get("keywords", "")):
        relevances = {each["id"]: relevance(each["attributes"], words) for each in found}
        found = [each for each in found if any(relevances[each["id"]])]
        ranks = {"keywords": lambda each: relevances[each["id"]]}
    if "origin" in asked:
        ranks = dict.fromkeys(
            ("origin", "location"), lambda each: -_distance(each, asked["origin"])
        )
    for rank in ranks.values():
        found.sort(key=rank, reverse=True)  # the newest of equals first
    # What is asked for goes before relevance and distance, unless they are asked for by name.
    named = {} if context.settings.strict else ranks
    found = sort(found, asked, ("createdAt", "price"), named)
    return page(context, found, asked, counted=pages)


@endpoint("listings.create")
def create(context: Context, asked: Arguments) -> Resource:
    author = context.needed("user", asked["authorId"], "user-not-found")
    if author["attributes"]["state"] == "banned":
        raise conflict("user-is-banned", "The author is banned")
    if context.settings.strict and "state" not in asked:
        # Of two sources that read the reference, one says that it may be omitted.
        raise ApiFault(
            400, "validation-missing-key", "state is missing", path=("state",), where="body"
        )
    state = asked.get("state", "published")
    if state not in _NEW_STATES:
        title = f"state must be {' or '.join(_NEW_STATES)}"
        raise ApiFault(400, "validation-invalid-value", title, path=("state",), where="body")
    check_plan(asked.get("availabilityPlan"), strict=context.settings.strict)
    names = ("description", "geolocation", "price", "availabilityPlan")
    attributes = {
        "title": asked["title"],
        **{name: asked.get(name) for name in names},
        "createdAt": context.now,
        **{name: merged({}, asked.get(name, {}), name) for name in _EXTENDED},
        "state": state,
        "deleted": False,
    }
    relations: dict[str, Resource | list[Resource] | None] = {
        "marketplace": context.db.all("marketplace")[0],
        "author": author,
        "images": _images(context, asked.get("images", [])),
        "currentStock": None,
    }
    return context.add("listing", attributes, relations)


@endpoint("listings.update")
def update(context: Context, asked: Arguments) -> Resource:
    listing = context.needed("listing", asked["id"], "listing-not-found")
    check_plan(asked.get("availabilityPlan"), strict=context.settings.strict)
    given = {name: v for name, v in asked.values.items() if name not in ("id", "images")}
    for name in _EXTENDED:
        if name in given:
            given[name] = merged(listing["attributes"][name], given[name], name)
    relations: dict[str, Resource | list[Resource] | None] = {}
    if "images" in asked:
        relations["images"] = _images(context, asked["images"])
    return context.change(listing, given, relations)


@endpoint("listings.approve")
def approve(context: Context, asked: Arguments) -> Resource:
    return _moved(context, asked, ("pendingApproval",), "published")


@endpoint("listings.open")
def open_(context: Context, asked: Arguments) -> Resource:
    return _moved(context, asked, ("closed", "published"), "published")


@endpoint("listings.close")
def close(context: Context, asked: Arguments) -> Resource:
    return _moved(context, asked, ("published", "pendingApproval", "closed"), "closed")


def _check_names(asked: Arguments) -> None:
    """Refuses names that are not of the API's closed sets."""
    one_of = {"availability": AVAILABILITIES, "stockMode": _STOCK_MODES, "states": sorted(STATES)}
    for name, known in one_of.items():
        given = asked.get(name, [])
        if not {*([given] if isinstance(given, str) else given)} <= {*known}:
            title = f"{name} must be one of {', '.join(known)}"
            raise ApiFault(400, "validation-invalid-value", title, path=(name,))


def _moved(context: Context, asked: Arguments, allowed: tuple[str, ...], state: str) -> Resource:
    listing = context.needed("listing", asked["id"], "listing-not-found")
    if listing["attributes"]["state"] not in allowed:
        now = listing["attributes"]["state"]
        raise conflict("listing-invalid-state", f"The listing is {now}")
    return context.change(listing, {"state": state})


def _images(context: Context, wanted: list[UUID]) -> list[Resource]:
    return [image(context, each) for each in wanted]


def _wanted(listing: Resource, asked: Arguments) -> bool:
    attributes = listing["attributes"]
    price, at = attributes["price"], attributes["geolocation"]
    return bool(
        ("ids" not in asked or listing["id"] in asked["ids"])
        and ("authorId" not in asked or related_id(listing, "author") == asked["authorId"])
        and ("states" not in asked or attributes["state"] in asked["states"])
        and ("price" not in asked or within(price and price.amount, asked["price"]))
        and ("bounds" not in asked or _inside(at, asked["bounds"]))
        and ("origin" not in asked or at is not None)
        and has_extended(
            {
                "pub": attributes["publicData"],
                "meta": attributes["metadata"],
                "priv": attributes["privateData"],
            },
            asked.filters,
        )
    )


def _inside(at: LatLng | None, bounds: Any) -> bool:
    if at is None or not bounds.sw.lat <= at.lat <= bounds.ne.lat:
        return False
    west, east = bounds.sw.lng, bounds.ne.lng
    # A box across the date line has its west beyond its east.
    return bool(west <= at.lng <= east if west <= east else at.lng >= west or at.lng <= east)


def _distance(listing: Resource, origin: LatLng) -> float:
    at = listing["attributes"]["geolocation"]
    one, two = (math.radians(point.lat) for point in (at, origin))
    apart = math.sin((two - one) / 2) ** 2 + math.cos(one) * math.cos(two) * (
        math.sin(math.radians(origin.lng - at.lng) / 2) ** 2
    )
    # Rounding can give a little more than 1, which asin refuses.
    return math.asin(min(1.0, math.sqrt(apart)))


def _stocked(context: Context, listing: Resource, asked: Arguments) -> bool:
    stock = context.db.get("stock", related_id(listing, "currentStock"))
    if stock is None:
        return bool(asked.get("stockMode") == "match-undefined")
    return bool(stock["attributes"]["quantity"] >= asked["minStock"])


def _available(context: Context, found: list[Resource], asked: Arguments) -> list[Resource]:
    if "start" not in asked or "end" not in asked:
        raise ApiFault(400, "validation-invalid-params", "start and end are both required")
    start, end = ordered_span(asked, MOST_DAYS)
    availability = asked.get("availability", "day-full")
    if context.settings.strict and "minDuration" in asked and availability.endswith("-full"):
        title = "minDuration is of day-partial and time-partial only"
        raise ApiFault(400, "validation-invalid-params", title, path=("minDuration",))
    shortest = asked.get("minDuration", 0)
    wanted = Wanted(start, end, asked.get("seats", 1), availability, shortest)
    calendar = Calendar(context.db)
    return [each for each in found if calendar.is_free(each, wanted)]
