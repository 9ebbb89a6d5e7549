"""Nested relationships of ``include``.

Evidence: the API's changelog up to 2025-06-09 (bookings and stock adjustments got theirs then), and
the pages on files (``publicFileAttachments.file``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK
from flex_integration_sdk.names import AnyName
from flex_integration_sdk.sandbox import RunningSandbox, serve

from .test_sandbox_commands import PNG, connected


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as found:
        yield found


@pytest.fixture(scope="module")
def sdk(running: RunningSandbox) -> Iterator[IntegrationSDK]:
    """Every author has a profile image, and every listing that was sold an image."""
    with connected(running) as found:
        image = found.images.upload(image=PNG).data.id
        for deal in found.transactions.query(include=["listing.author"]).data:
            listing: Any = deal.related("listing")
            found.listings.update(id=listing.id, images=[image])
            found.users.update_profile(id=listing.related("author").id, profile_image_id=image)
        yield found


def reached(resource: Any, path: str) -> list[Any]:
    """What a path leads to; each step must be included."""
    level = [resource]
    for name in path.split("."):
        following: list[Any] = []
        for each in level:
            data = each["relationships"][name]["data"]
            found = each.related_list(name) if isinstance(data, list) else [each.related(name)]
            following += [one for one in found if one is not None]
        level = following
    return level


TRANSACTION = [
    ("listing.author.profileImage", "image"),
    ("listing.images", "image"),
    ("listing.marketplace", "marketplace"),
    ("provider.profileImage", "image"),
    ("customer.marketplace", "marketplace"),
    ("messages.sender", "user"),
    ("messages.transaction.listing", "listing"),
]
BOOKING = [
    ("booking.transaction.listing", "listing"),
    ("booking.transaction.listing.author", "user"),
    ("booking.transaction.customer", "user"),
    ("booking.listing.author.profileImage", "image"),
]
RESERVATION = [
    ("stockReservation.stockAdjustments", "stockAdjustment"),
    ("stockReservation.stockAdjustments.listing", "listing"),
    ("stockReservation.transaction.listing", "listing"),
    ("stockReservation.listing.currentStock", "stock"),
    ("listing.currentStock", "stock"),
]


@pytest.mark.parametrize(("path", "kind"), TRANSACTION + BOOKING + RESERVATION)
def test_of_a_transaction(sdk: IntegrationSDK, path: str, kind: str) -> None:
    about: dict[str, Any] = {}
    if (path, kind) not in TRANSACTION:
        is_booking = (path, kind) in BOOKING
        about = {"has_booking": is_booking, "has_stock_reservation": not is_booking}
    for deal in sdk.transactions.query(include=AnyName(path), **about).data:
        shown = sdk.transactions.show(id=deal.id, include=AnyName(path)).data
        for each in (deal, shown):
            found = reached(each, path)
            assert {one["type"] for one in found} <= {kind}
            if "messages" not in path:
                assert found
            assert all(one["attributes"] for one in found)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("listing.author", "user"),
        ("stockReservation.transaction.listing", "listing"),
        ("stockReservation.transaction.customer.profileImage", "image"),
        ("stockReservation.listing.images", "image"),
    ],
)
def test_of_a_stock_adjustment(sdk: IntegrationSDK, path: str, kind: str) -> None:
    deal = sdk.transactions.query(has_stock_reservation=True, include=["listing"]).data[-1]
    listing: Any = deal.related("listing")
    customer = sdk.transactions.show(id=deal.id, include=["customer"]).data.related("customer")
    assert customer is not None
    image = listing_image(sdk, listing.id)
    sdk.users.update_profile(id=customer.id, profile_image_id=image)
    found = sdk.stock_adjustments.query(
        listing_id=listing.id,
        start=datetime(2000, 1, 1, tzinfo=UTC),
        end=datetime(2100, 1, 1, tzinfo=UTC),
        include=AnyName(path),
    ).data
    ends = [reached(each, path) for each in found]
    # One that added stock by hand has no reservation.
    assert [bool(end) for end in ends].count(True) == len(
        [each for each in found if path.startswith("listing") or has_reservation(each)]
    )
    assert any(ends)
    assert {one["type"] for end in ends for one in end} == {kind}


def listing_image(sdk: IntegrationSDK, id: Any) -> Any:
    return sdk.listings.show(id=id, include=["images"]).data.related_list("images")[0].id


def has_reservation(adjustment: Any) -> bool:
    return adjustment["relationships"]["stockReservation"]["data"] is not None


def test_several_paths_that_share_their_beginning(sdk: IntegrationSDK) -> None:
    paths = ["listing.author.profileImage", "listing.images", "booking", "booking.transaction"]
    deal = sdk.transactions.query(has_booking=True, include=list(map(AnyName, paths))).data[0]
    for path in paths:
        assert reached(deal, path)
    (again,) = reached(deal, "booking.transaction")
    assert again.id == deal.id
