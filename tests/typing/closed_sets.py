"""What a type checker says of names and of money: an error where a line ends so, else none."""

from __future__ import annotations

from typing import Any, assert_type, cast

from flex_integration_sdk import (
    AsyncIntegrationSDK,
    IntegrationSDK,
    Money,
    QueryOptions,
    Resource,
    create_instance,
    file_metadata,
    to_json,
)
from flex_integration_sdk.names import (
    AnyName,
    DayOfWeek,
    EventType,
    ListingInclude,
    ListingState,
    TransactionInclude,
)
from flex_integration_sdk.resources import (
    AvailabilityPlan,
    AvailabilityPlanEntry,
    Booking,
    Image,
    Listing,
    PermissionSet,
    Review,
    StripeAccount,
    Transaction,
    User,
)


def right(sdk: IntegrationSDK, state: str, states: list[ListingState]) -> None:
    """Nothing is wrong here."""
    found = sdk.listings.query(states=states, sort="-price", include="author.profileImage").data
    sdk.listings.query(states="closed", sort=["price", "-createdAt"], include=["author", "images"])
    sdk.listings.query(states=AnyName(state), sort=["price", AnyName("pub_gears")], pub_x="a")
    sdk.listings.query(states=[cast(ListingState, state)], include=AnyName("author,images"))
    sdk.listings.query(availability="time-full", stock_mode=AnyName("newer"))
    sdk.listings.create(title="Bike", author_id="1", state="pendingApproval")
    sdk.events.query(event_types=["listing", "user/updated", AnyName("coupon/created")])
    sdk.users.update_permissions(id="1", read="permission/deny", post_listings=AnyName("x"))
    sdk.users.show(id="1", include=["effectivePermissionSet", "stripeAccount"])
    sdk.users.show(email="joe@example.com")
    sdk.messages.query(ids=["1"])
    sdk.messages.query(transaction_id="1", include="publicFileAttachments.file")
    sdk.file_downloads.create(file_id="1")
    sdk.transactions.query(states="state/any-of-yours", last_transitions=["transition/yours"])
    for listing in found:
        if listing.attributes["state"] == "published":
            assert_type(listing.related("author"), User | None)
            assert_type(listing.related_list("images"), list[Image])
            print(listing.related(AnyName("newer")))


def options(sdk: IntegrationSDK) -> None:
    """Arguments that several queries share."""
    common: QueryOptions[ListingInclude] = {"page": 1, "include": ["author", "currentStock"]}
    common["per_page"] = 50
    sdk.listings.query(**common, states="draft")
    sdk.listings.show(id="1", **common)
    deals: QueryOptions[TransactionInclude] = {
        "include": AnyName("newer"),
        "fields": {"user": ["profile.displayName"]},
        "limit": {"messages": 1},
        "image_variant": {"small": {"w": 320}},
    }
    sdk.transactions.query(**deals)
    new: dict[str, Any] = {"newParam": 1}
    sdk.users.show(id="1", **new)
    sdk.listings.update(id="1", title="Bike", **new)
    sdk.listings.query(pub_gears=22, **new)
    sdk.files.create(**file_metadata("terms.pdf"))
    for user in sdk.users.iterate(meta_vip=True, per_page=10):
        assert_type(user, User)


def kinds(resource: Resource[object], deal: Transaction) -> str:
    """A resource of any type is of a class."""
    assert_type(deal.related("provider"), User | None)
    assert_type(deal.related("booking"), Booking | None)
    assert_type(deal.related_list("reviews"), list[Review])
    for review in deal.related_list("reviews"):
        if review.attributes["state"] == "public" and review.attributes["type"] == "ofProvider":
            return str(review.attributes["rating"])
    booking = deal.related("booking")
    if booking is not None and booking.attributes["state"] == "accepted":
        return booking.attributes["start"].isoformat()
    if isinstance(resource, User):
        assert_type(resource.related("stripeAccount"), StripeAccount | None)
        effective = resource.related("effectivePermissionSet")
        assert_type(effective, PermissionSet | None)
        if effective is not None and effective.attributes["read"] == "permission/allow":
            return resource.attributes["email"]
    return resource.type


async def awaited(sdk: AsyncIntegrationSDK) -> Listing | None:
    """The same in an asyncio program."""
    user = await sdk.users.show(email="joe@example.com", include="profileImage")
    assert_type(user.data.related("profileImage"), Image | None)
    events = await sdk.events.query(event_types="listing")
    for event in events.data:
        about = event.attributes["resource"]
        kind: EventType = event.attributes["eventType"]
        if kind == "listing/created" and isinstance(about, Listing):
            old = event.attributes["previousValues"].get("attributes", {})
            return about if old else None
    return None


def planned(sdk: IntegrationSDK, days: list[DayOfWeek]) -> AvailabilityPlan:
    """A plan whose words are checked."""
    sdk.listings.create(
        title="Bike",
        author_id="1",
        availability_plan={
            "type": "availability-plan/time",
            "timezone": "Europe/Berlin",
            "entries": [
                {"dayOfWeek": "sat", "seats": 1, "startTime": "09:00", "endTime": "17:00"},
                {"dayOfWeek": "sun", "seats": 2, "startTime": "10:00", "endTime": "12:00"},
            ],
        },
    )
    entries: list[AvailabilityPlanEntry] = [{"dayOfWeek": day, "seats": 1} for day in days]
    sdk.listings.update(
        id="1", availability_plan={"type": "availability-plan/day", "entries": entries}
    )
    sdk.listings.update(id="1", availability_plan=None)
    old = sdk.listings.show(id="1").data.attributes["availabilityPlan"]
    sdk.listings.update(id="2", availability_plan=old)
    return {"type": "availability-plan/day", "entries": [{"dayOfWeek": "mon", "seats": 1}]}


async def mistakes(aio: AsyncIntegrationSDK, text: str, deal: Transaction) -> None:
    sdk = create_instance()
    sdk.listings.query(states=["publisched"])  # wrong
    sdk.listings.query(states=text)  # wrong
    sdk.listings.query(sort="-prize")  # wrong
    sdk.users.query(sort="price")  # wrong
    sdk.listings.query(include=["autor"])  # wrong
    sdk.transactions.show(id="1", include="listing.autor")  # wrong
    sdk.marketplace.show(include="author")  # wrong
    sdk.events.query(event_types="listing/create")  # wrong
    sdk.users.update_permissions(id="1", read="permission/allowed")  # wrong
    sdk.users.show()  # wrong
    sdk.users.show(id="1", email="joe@example.com")  # wrong
    await aio.users.show(include="profileImage")  # wrong
    sdk.messages.query(page=1)  # wrong
    sdk.file_downloads.create()  # wrong
    sdk.listings.create(title="Bike", author_id="1", state="draft")  # wrong
    sdk.listings.query(availability="time")  # wrong
    sdk.users.show(idd="1")  # wrong
    sdk.users.show(id="1", emial="x")  # wrong
    sdk.listings.update(id="1", titel="Bike")  # wrong
    sdk.listings.show(id="1", timeout=5)  # wrong
    await aio.messages.query(transaction_id="1", perpage=5)  # wrong
    sdk.files.iterate(ownr_id="1")  # wrong
    deal.related("buyer")  # wrong
    deal.related("reviews")  # wrong
    deal.related_list("messages")[0].related_list("sender")  # wrong
    listing = sdk.listings.show(id="1").data
    author = listing.related("author")
    if author is not None:
        print(author.attributes["emial"])  # wrong
        author.related("avatar")  # wrong
    if listing.attributes["state"] == "open":  # wrong
        print()
    for event in sdk.events.query().data:
        if event.attributes["eventType"] == "listing/published":  # wrong
            print()
        about = event.attributes["resource"]
        print(about.attributes)  # wrong
    wrong_key: QueryOptions[ListingInclude] = {"perPage": 5}  # wrong
    wrong_path: QueryOptions[ListingInclude] = {"include": ["customer"]}  # wrong
    of_deals: QueryOptions[TransactionInclude] = {"include": ["customer"]}
    sdk.listings.query(**of_deals)  # wrong
    print(wrong_key, wrong_path)
    plan: AvailabilityPlan = {"type": "availability-plan/week"}  # wrong
    print(plan)
    sdk.listings.update(id="1", availability_plan={"type": "day"})  # wrong
    monday: AvailabilityPlanEntry = {"dayOfWeek": "monday", "seats": 1}  # wrong
    of_none = {"dayOfWeek": "mon"}
    await aio.listings.update(id="1", availability_plan=of_none)  # wrong
    print(monday)


def of_money(price: Money, listing: Listing) -> None:
    """Money knows what it can be calculated with; a copy is a resource."""
    assert_type(price + price - 2 * price, Money)
    assert_type(listing.copy(), Listing)
    assert_type(listing | {"id": 1}, Listing)
    assert_type(to_json([listing], indent=2), str)
    print(price + 1)  # wrong
    print(price - 0.5)  # wrong
    print(price * 0.5)  # wrong
    print(price / 2)  # wrong
    print(price < 3)  # wrong
    print(price > None)  # wrong
    print(listing | [])  # wrong
