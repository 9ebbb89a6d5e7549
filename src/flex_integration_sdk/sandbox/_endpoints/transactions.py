"""``transactions`` and ``messages``.

The process is a small one: a transaction starts as ``preauthorized``; an operator accepts or
declines it, and completes or cancels what was accepted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from flex_integration_sdk.sandbox._data.database import Resource
from flex_integration_sdk.sandbox._refusal import ApiFault, conflict

from .context import (
    Context,
    endpoint,
    has_extended,
    merged,
    related_id,
    within,
)
from .pages import page, plain, sort
from .parameters import Arguments
from .stock import adjust

# The API's limit for one transaction.
MOST_TRANSITIONS = 100
_MOST_OF_A_NAME = 100  # characters
_SORTABLE = ("createdAt", "lastTransitionedAt", "lastMessageAt", "bookingStart", "bookingEnd")


class Transition(NamedTuple):
    """One step of the process."""

    source: str
    target: str
    effect: str | None
    """State that the booking or the stock reservation goes to."""


PROCESS = {
    "transition/accept": Transition("preauthorized", "accepted", "accepted"),
    "transition/decline": Transition("preauthorized", "declined", "declined"),
    "transition/cancel": Transition("accepted", "cancelled", "cancelled"),
    "transition/complete": Transition("accepted", "completed", None),
    "transition/update-details": Transition("accepted", "accepted", None),
}


@endpoint("transactions.show")
def show(context: Context, asked: Arguments) -> Resource:
    return context.shown("transaction", asked["id"])


@endpoint("transactions.query")
def query(context: Context, asked: Arguments) -> dict[str, Any]:
    if (every := plain(context, "transaction", asked)) is not None:
        return page(context, every, asked)
    created = context.created("transaction", asked)
    found = [each for each in created if _wanted(context, each, asked)]
    found = sort([_with_times(context, each) for each in found], asked, _SORTABLE)
    return page(context, [context.shown("transaction", each["id"]) for each in found], asked)


@endpoint("transactions.transition")
def transition(context: Context, asked: Arguments) -> Resource:
    found = context.needed("transaction", asked["id"], "transaction-not-found")
    step = PROCESS.get(asked["transition"])
    attributes = found["attributes"]
    if step is None or step.source != attributes["state"]:
        title = _no_transition(asked["transition"], attributes["state"])
        raise conflict("transaction-invalid-transition", title)
    if len(attributes["transitions"]) >= MOST_TRANSITIONS:
        raise conflict("transaction-invalid-transition", "The transaction has too many transitions")
    params = _checked(asked["params"])
    if step.effect is not None:
        _settle(context, found, step.effect)
    taken = {"transition": asked["transition"], "createdAt": context.now, "by": "operator"}
    return context.change(
        found,
        {
            "state": step.target,
            "lastTransition": asked["transition"],
            "lastTransitionedAt": context.now,
            "transitions": [*attributes["transitions"], taken],
            **{name: merged(attributes[name], data, name) for name, data in params.items()},
        },
    )


@endpoint("transactions.transitionSpeculative")
def transition_speculative(context: Context, asked: Arguments) -> Resource:
    return transition(context, asked)  # whoever calls it keeps nothing of it


@endpoint("transactions.updateMetadata")
def update_metadata(context: Context, asked: Arguments) -> Resource:
    found = context.needed("transaction", asked["id"], "transaction-not-found")
    metadata = merged(found["attributes"]["metadata"], asked["metadata"], "metadata")
    return context.change(found, {"metadata": metadata})


@endpoint("messages.query")
def messages(context: Context, asked: Arguments) -> dict[str, Any]:
    found = context.db.all("message")
    if "ids" in asked:
        found = [each for each in found if each["id"] in asked["ids"]]
    else:
        wanted = asked["transactionId"]
        found = [each for each in found if related_id(each, "transaction") == wanted]
    return page(context, found, asked)


def _no_transition(wanted: str, state: str) -> str:
    possible = [name for name, step in PROCESS.items() if step.source == state]
    return f"{wanted[:_MOST_OF_A_NAME]} is not a transition from the state {state}: " + (
        f"there are {', '.join(possible)}" if possible else "no transition leads on from there"
    )


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """Checks the parameters of a transition, which may only be extended data."""
    for name, value in given.items():
        code, title = "validation-disallowed-key", f"Unknown key {name[:_MOST_OF_A_NAME]}"
        if name in ("protectedData", "metadata"):
            if isinstance(value, dict):
                continue
            code, title = "validation-invalid-value", f"{name} is not an object"
        raise ApiFault(400, code, title, path=("params", name), where="body")
    return given


def _settle(context: Context, found: Resource, state: str) -> None:
    """Changes the booking or the stock reservation as the transition says."""
    booking = context.db.get("booking", related_id(found, "booking"))
    if booking is not None:
        context.change(booking, {"state": state})
    reservation = context.db.get("stockReservation", related_id(found, "stockReservation"))
    if reservation is not None:
        context.change(reservation, {"state": state})
        if state != "accepted":  # what was reserved comes back
            listing = context.needed("listing", related_id(found, "listing"), "listing-not-found")
            reservation = context.needed("stockReservation", reservation["id"])
            adjust(context, listing, reservation["attributes"]["quantity"], reservation)


def _wanted(context: Context, found: Resource, asked: Arguments) -> bool:
    attributes = found["attributes"]
    extended = {"prot": attributes["protectedData"], "meta": attributes["metadata"]}
    return (
        _is_about(found, asked)
        and _is_one_of(asked, "states", attributes["state"])
        and _is_one_of(asked, "lastTransitions", attributes["lastTransition"])
        and _is_one_of(asked, "processNames", attributes["processName"])
        and _is(asked, "hasPayin", attributes["payinTotal"] is not None)
        and _is(asked, "hasMessage", bool(found["relationships"]["messages"]["data"]))
        and _is_for(context, found, asked)
        and has_extended(extended, asked.filters)
    )


def _is_about(found: Resource, asked: Arguments) -> bool:
    customer, provider = related_id(found, "customer"), related_id(found, "provider")
    return (
        ("userId" not in asked or asked["userId"] in (customer, provider))
        and _is(asked, "customerId", customer)
        and _is(asked, "providerId", provider)
        and _is(asked, "listingId", related_id(found, "listing"))
    )


def _is_for(context: Context, found: Resource, asked: Arguments) -> bool:
    booking = context.db.get("booking", related_id(found, "booking"))
    reservation = context.db.get("stockReservation", related_id(found, "stockReservation"))
    return (
        _is(asked, "hasBooking", booking is not None)
        and _is(asked, "hasStockReservation", reservation is not None)
        and _in_state(asked, "bookingStates", booking)
        and _in_state(asked, "stockReservationStates", reservation)
        and _in_span(asked, "bookingStart", booking, "start")
        and _in_span(asked, "bookingEnd", booking, "end")
    )


def _is_one_of(asked: Arguments, name: str, value: str) -> bool:
    return name not in asked or value in asked[name]


def _is(asked: Arguments, name: str, value: Any) -> bool:
    return name not in asked or bool(asked[name] == value)


def _in_state(asked: Arguments, name: str, found: Resource | None) -> bool:
    return name not in asked or (found is not None and found["attributes"]["state"] in asked[name])


def _in_span(asked: Arguments, name: str, booking: Resource | None, attribute: str) -> bool:
    if name not in asked:
        return True
    return booking is not None and within(booking["attributes"][attribute], asked[name])


def _with_times(context: Context, found: Resource) -> Resource:
    """Adds the times to sort by that are not attributes of the transaction."""
    booking = context.db.get("booking", related_id(found, "booking"))
    span = {} if booking is None else booking["attributes"]
    times = [
        message["attributes"]["createdAt"]
        for each in found["relationships"]["messages"]["data"]
        if (message := context.db.get("message", each["id"])) is not None
    ]
    more = {
        "lastMessageAt": max(times, default=None),
        "bookingStart": span.get("start"),
        "bookingEnd": span.get("end"),
    }
    return {**found, "attributes": {**found["attributes"], **more}}
