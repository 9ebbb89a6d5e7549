"""What the sandbox's commands and queries do, through the SDK."""

from __future__ import annotations

import struct
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flex_integration_sdk import IntegrationSDK, LatLng, LatLngBounds, Money, create_instance
from flex_integration_sdk.errors import (
    ApiError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    RateLimitedError,
)
from flex_integration_sdk.names import AnyName, TransactionInclude
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from tests.support.since import wait_until

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 640, 480) + bytes(5)
NOBODY = UUID(int=1)
CLIENT: Any = "sandbox-client"  # a UUID on the live API, and in its types
JANUARY = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as found:
        yield found


@pytest.fixture
def sdk(running: RunningSandbox) -> Iterator[IntegrationSDK]:
    running.reset()
    with connected(running) as found:
        yield found


def connected(sandbox: RunningSandbox) -> IntegrationSDK:
    return create_instance(sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url)


def code_of(error: pytest.ExceptionInfo[ApiError]) -> str:
    found: str = error.value.errors[0]["code"]
    return found


def new_listing(sdk: IntegrationSDK, **more: Any) -> Any:
    author = sdk.users.query(per_page=1).data[0].id
    given = {"title": "New bike", "author_id": author, "state": "published", "expand": True}
    return sdk.listings.create(**{**given, **more}).data


def events_of(sdk: IntegrationSDK, **asked: Any) -> list[Any]:
    """Of what this program did; the marketplace has a history already."""
    found = [event.attributes for event in sdk.events.query(**asked).data]
    return [event for event in found if event["auditData"]["clientId"] == CLIENT]


def test_a_command_gives_a_reference_unless_it_is_to_expand(sdk: IntegrationSDK) -> None:
    listing = new_listing(sdk)
    assert sdk.listings.close(id=listing.id).data == {"id": listing.id, "type": "listing"}
    opened = sdk.listings.open(id=listing.id, expand=True, include="author")
    assert opened.data.attributes["state"] == "published"
    author = opened.data.related("author")
    assert author is not None
    assert "email" in author.attributes


def test_the_life_of_a_listing(sdk: IntegrationSDK) -> None:
    listing = new_listing(
        sdk,
        state="pendingApproval",
        price=Money(5000, "EUR"),
        geolocation=LatLng(60, 24),
        public_data={"gears": 22, "ratio": Decimal("1.50"), "gone": None},
    )
    assert listing.attributes["publicData"] == {"gears": 22, "ratio": Decimal("1.50")}
    assert sdk.listings.show(id=listing.id).data == listing
    with pytest.raises(ConflictError) as error:
        sdk.listings.open(id=listing.id)
    assert code_of(error) == "listing-invalid-state"
    sdk.listings.approve(id=listing.id)
    updated = sdk.listings.update(
        id=listing.id,
        title="City bike",
        price=None,
        public_data={"gears": None, "color": "red"},
        expand=True,
    ).data
    assert updated.attributes["title"] == "City bike"
    assert updated.attributes["price"] is None
    assert updated.attributes["geolocation"] == LatLng(60, 24)
    assert updated.attributes["publicData"] == {"ratio": Decimal("1.50"), "color": "red"}
    assert updated.attributes["state"] == "published"
    names = [event["eventType"] for event in events_of(sdk, resource_id=listing.id)]
    assert names == ["listing/created", "listing/updated", "listing/updated"]
    last = events_of(sdk, resource_id=listing.id)[-1]
    assert last["source"] == "source/integration-api"
    assert last["previousValues"]["attributes"] == {
        "title": "New bike",
        "price": Money(5000, "EUR"),
        "publicData": {"gears": 22, "color": None},
    }
    assert last["resource"]["id"] == listing.id


@pytest.mark.parametrize(
    ("arguments", "kind", "code"),
    [
        ({"author_id": NOBODY}, ConflictError, "user-not-found"),
        ({"state": "draft"}, BadRequestError, "validation-invalid-value"),
        ({"images": [NOBODY]}, ConflictError, "image-invalid"),
        ({"price": 5}, BadRequestError, "validation-invalid-value"),
        ({"something_new": 5}, BadRequestError, "validation-disallowed-key"),
        ({"title": None}, BadRequestError, "validation-invalid-value"),
        ({"public_data": {"x": "y" * 60_000}}, BadRequestError, "validation-invalid-value"),
    ],
)
def test_what_cannot_be_created(
    sdk: IntegrationSDK, arguments: dict[str, Any], kind: type[ApiError], code: str
) -> None:
    with pytest.raises(kind) as error:
        new_listing(sdk, **arguments)
    assert code_of(error) == code
    assert events_of(sdk) == []


def test_a_missing_key_is_named(sdk: IntegrationSDK) -> None:
    with pytest.raises(BadRequestError) as error:
        sdk._send("listings.create", {"title": "x"}, {})
    assert error.value.errors[0]["source"] == {"path": ["authorId"], "type": "body"}
    assert code_of(error) == "validation-missing-key"


def test_listings_are_found_by_place_price_stock_and_data(sdk: IntegrationSDK) -> None:
    at = LatLng(10, 10)
    here = new_listing(
        sdk, geolocation=at, price=Money(77, "EUR"), public_data={"tags": ["a", "b"]}
    )

    def found(**asked: Any) -> list[UUID]:
        return [each.id for each in sdk.listings.query(**asked).data]

    box = LatLngBounds(LatLng(11, 11), LatLng(9, 9))
    assert found(bounds=box) == [here.id]
    assert found(origin=at)[0] == here.id
    assert found(price=77) == found(price=(70, 78)) == found(price=(None, 100)) == [here.id]
    assert here.id not in found(price=(78, None))
    assert found(pub_tags="has_all:a,b") == found(pub_tags="has_any:b,c") == [here.id]
    assert found(pub_tags="has_all:a,c") == []
    assert found(min_stock=5) == found(min_stock=8)
    assert len(found(min_stock=5)) == 8
    assert len(found(min_stock=5, stock_mode="match-undefined")) == 100
    with pytest.raises(BadRequestError):
        sdk.listings.query(keywords="bike", origin=at)


def test_a_listing_is_free_unless_booked_blocked_or_not_planned(sdk: IntegrationSDK) -> None:
    plan = {
        "type": "availability-plan/day",
        "entries": [{"dayOfWeek": "mon", "seats": 2}],
    }
    listing = new_listing(sdk, availability_plan=plan, title="Planned")
    monday, tuesday = datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 3, 2, tzinfo=UTC)

    def free(start: datetime, end: datetime, **more: Any) -> bool:
        found = sdk.listings.query(ids=[listing.id], start=start, end=end, **more)
        return [each.id for each in found.data] == [listing.id]

    noon = monday + timedelta(hours=12)
    assert free(monday, noon, seats=2)
    assert not free(monday, noon, seats=3)
    assert not free(tuesday, tuesday + timedelta(hours=1))
    assert free(monday, tuesday + timedelta(days=1), availability="day-partial")
    exception = sdk.availability_exceptions.create(
        listing_id=listing.id, seats=0, start=monday, end=noon
    ).data
    assert not free(monday, noon)
    with pytest.raises(ConflictError):
        sdk.availability_exceptions.create(listing_id=listing.id, seats=1, start=monday, end=noon)
    asked: dict[str, Any] = {"listing_id": listing.id, "start": monday, "end": tuesday}
    assert [each.id for each in sdk.availability_exceptions.query(**asked).data] == [exception.id]
    sdk.availability_exceptions.delete(id=exception.id)
    assert sdk.availability_exceptions.query(**asked).data == []
    assert free(monday, noon)
    names = [each["eventType"] for each in events_of(sdk, event_types="availabilityException")]
    assert names == ["availabilityException/created", "availabilityException/deleted"]
    with pytest.raises(BadRequestError):
        free(monday, monday + timedelta(days=91))
    with pytest.raises(BadRequestError):
        sdk.availability_exceptions.query(
            listing_id=listing.id, start=monday, end=monday + timedelta(days=400)
        )


def test_stock_is_compared_set_and_adjusted(sdk: IntegrationSDK) -> None:
    listing = new_listing(sdk)
    with pytest.raises(ConflictError) as error:
        sdk.stock.compare_and_set(listing_id=listing.id, old_total=1, new_total=5)
    assert code_of(error) == "old-total-mismatch"
    stock = sdk.stock.compare_and_set(
        listing_id=listing.id, old_total=None, new_total=5, expand=True
    ).data
    assert stock.attributes == {"quantity": 5}
    adjustment = sdk.stock_adjustments.create(listing_id=listing.id, quantity=-2, expand=True).data
    assert adjustment.attributes["quantity"] == -2
    with pytest.raises(ConflictError):
        sdk.stock_adjustments.create(listing_id=listing.id, quantity=-4)
    shown = sdk.listings.show(id=listing.id, include="currentStock").data
    current = shown.related("currentStock")
    assert current is not None
    assert current.attributes == {"quantity": 3}
    now = datetime.now(UTC)
    found = sdk.stock_adjustments.query(
        listing_id=listing.id, start=now - timedelta(hours=1), end=now + timedelta(hours=1)
    )
    assert [each.attributes["quantity"] for each in found.data] == [-2, 5]


def test_a_booking_is_accepted_once(sdk: IntegrationSDK) -> None:
    found = sdk.transactions.query(states="preauthorized", has_booking=True, include="booking")
    deal = found.data[0]
    wanted: dict[str, Any] = {"id": deal.id, "transition": "transition/accept", "params": {}}
    tried = sdk.transactions.transition_speculative(**wanted, expand=True).data
    assert tried.attributes["state"] == "accepted"
    assert sdk.transactions.show(id=deal.id).data.attributes["state"] == "preauthorized"
    assert events_of(sdk) == []
    done = sdk.transactions.transition(
        id=deal.id,
        transition="transition/accept",
        params={"metadata": {"by": "script"}},
        expand=True,
        include="booking",
    ).data
    assert done.attributes["lastTransition"] == "transition/accept"
    assert done.attributes["metadata"] == {"by": "script"}
    booking = done.related("booking")
    assert booking is not None
    assert booking.attributes["state"] == "accepted"
    assert [(event["eventType"], event["source"]) for event in events_of(sdk)] == [
        ("booking/updated", "source/transaction"),
        ("transaction/transitioned", "source/integration-api"),
    ]
    with pytest.raises(ConflictError) as error:
        sdk.transactions.transition(**wanted)
    assert code_of(error) == "transaction-invalid-transition"
    said = "the state accepted: there are transition/cancel, transition/complete, transition/update"
    assert said in error.value.errors[0]["title"]
    declined = sdk.transactions.query(states="declined").data[0]
    with pytest.raises(ConflictError, match="declined: no transition leads on from there"):
        sdk.transactions.transition(**{**wanted, "id": declined.id})
    with pytest.raises(BadRequestError):
        sdk.transactions.transition(id=deal.id, transition="transition/complete", params={"x": 1})


def test_what_was_reserved_comes_back_when_an_order_is_declined(sdk: IntegrationSDK) -> None:
    deal = sdk.transactions.query(
        states="preauthorized",
        has_stock_reservation=True,
        include=["listing.currentStock", "stockReservation"],
    ).data[0]
    listing = deal.related("listing")
    reservation = deal.related("stockReservation")
    assert listing is not None
    assert reservation is not None
    stock = listing.related("currentStock")
    assert stock is not None
    before = stock.attributes["quantity"]
    sdk.transactions.transition(id=deal.id, transition="transition/decline", params={})
    now = sdk.listings.show(id=listing.id, include="currentStock").data.related("currentStock")
    assert now is not None
    assert now.attributes["quantity"] == before + 2
    shown = sdk.stock_reservations.show(id=reservation.id, include="stockAdjustments").data
    assert shown.attributes["state"] == "declined"
    assert [each.attributes["quantity"] for each in shown.related_list("stockAdjustments")] == [
        -2,
        2,
    ]


def test_transactions_are_found_by_who_what_and_when(sdk: IntegrationSDK) -> None:
    include: list[TransactionInclude] = ["booking", "customer", "provider"]
    deal = sdk.transactions.query(per_page=1, has_booking=True, include=include).data[0]
    customer, provider = deal.related("customer"), deal.related("provider")
    assert customer is not None
    assert provider is not None

    def ids(**asked: Any) -> list[UUID]:
        return [each.id for each in sdk.transactions.query(**asked).data]

    assert deal.id in ids(customer_id=customer.id)
    assert deal.id in ids(provider_id=provider.id)
    assert deal.id in ids(user_id=customer.id)
    assert deal.id in ids(user_id=provider.id)
    assert ids(customer_id=NOBODY) == ids(states="nothing") == []
    booking = deal.related("booking")
    assert booking is not None
    start = booking.attributes["start"]
    assert ids(booking_start=start) == [deal.id]
    assert ids(booking_start=(start, start + timedelta(days=1))) == [deal.id]
    assert deal.id not in ids(booking_start=(None, start))
    assert (
        ids(sort="-bookingStart", has_booking=True)
        == ids(sort="bookingStart", has_booking=True)[::-1]
    )
    sdk.transactions.update_metadata(id=deal.id, metadata={"flag": True})
    assert ids(meta_flag=True) == [deal.id]
    messages = sdk.messages.query(transaction_id=deal.id, include="sender").data
    assert sdk.messages.query(ids=[messages[0].id], include="sender").data == messages
    sender = messages[0].related("sender")
    assert sender is not None
    assert sender.id == customer.id


def test_users_are_changed(sdk: IntegrationSDK) -> None:
    user = sdk.users.query(per_page=1).data[0]
    changed = sdk.users.update_profile(
        id=user.id, first_name="Ada", display_name=None, bio="Hi", metadata={"vip": 1}, expand=True
    ).data.attributes["profile"]
    assert (changed["firstName"], changed["displayName"]) == ("Ada", "Ada E")
    assert (changed["bio"], changed["metadata"]) == ("Hi", {"vip": 1})
    assert [each.id for each in sdk.users.query(meta_vip=1).data] == [user.id]
    pending = next(u for u in sdk.users.query().data if u.attributes["state"] == "pendingApproval")
    assert sdk.users.approve(id=pending.id, expand=True).data.attributes["state"] == "active"
    banned = next(u for u in sdk.users.query().data if u.attributes["state"] == "banned")
    with pytest.raises(ConflictError) as error:
        sdk.users.approve(id=banned.id)
    assert code_of(error) == "user-is-banned"
    permissions = sdk.users.update_permissions(
        id=user.id, post_listings="permission/deny", expand=True
    ).data.attributes["permissions"]
    assert permissions["postListings"] == "permission/deny"
    assert permissions["read"] == "permission/allow"
    with pytest.raises(BadRequestError):
        sdk.users.update_permissions(id=user.id, read=AnyName("no"))


def test_an_email_address_is_verified(sdk: IntegrationSDK) -> None:
    user = next(u for u in sdk.users.query().data if u.attributes["pendingEmail"])
    with pytest.raises(ConflictError) as error:
        sdk.users.verify_email(id=user.id, email="other@example.com")
    assert code_of(error) == "email-not-found"
    pending = user.attributes["pendingEmail"]
    assert pending is not None
    done = sdk.users.verify_email(id=user.id, email=pending, expand=True).data.attributes
    assert (done["email"], done["pendingEmail"], done["emailVerified"]) == (pending, None, True)
    with pytest.raises(ConflictError) as error:
        sdk.users.verify_email(id=user.id, email=pending)
    assert code_of(error) == "email-already-verified"


def test_an_image_is_uploaded_used_and_fetched(sdk: IntegrationSDK, tmp_path: Path) -> None:
    path = tmp_path / "bike.png"
    path.write_bytes(PNG)
    image = sdk.images.upload(
        image=path, expand=True, image_variant={"small": {"w": 320, "h": 320, "fit": "scale"}}
    ).data
    variants = image.attributes["variants"]
    assert (variants["default"]["width"], variants["default"]["height"]) == (640, 480)
    assert (variants["small"]["width"], variants["small"]["height"]) == (320, 240)
    with urllib.request.urlopen(variants["default"]["url"], timeout=10) as answer:
        assert answer.read() == PNG
        assert answer.headers["Content-Type"] == "image/png"
    listing = new_listing(sdk, images=[image.id], include="images", limit={"images": 1})
    assert [each.id for each in listing.related_list("images")] == [image.id]
    user = sdk.users.query(per_page=1).data[0]
    shown = sdk.users.update_profile(
        id=user.id, profile_image_id=image.id, expand=True, include="profileImage"
    ).data.related("profileImage")
    assert shown is not None
    assert shown.id == image.id
    with pytest.raises(BadRequestError) as error:
        sdk.images.upload(image=b"no image")
    assert code_of(error) == "image-invalid-content"


def test_an_upload_is_sent_again_after_a_401(sdk: IntegrationSDK, running: RunningSandbox) -> None:
    sdk.marketplace.show()
    running.expire()
    assert sdk.images.upload(image=PNG).data["type"] == "image"


def test_a_file_is_uploaded_and_downloaded_by_signed_urls(sdk: IntegrationSDK) -> None:
    content = b"%PDF-1.7 hello"
    file = sdk.files.create(name="a.pdf", mime_type="application/pdf", size=len(content)).data
    with pytest.raises(ConflictError):
        sdk.file_downloads.create(file_id=file.id)
    upload = sdk.file_uploads.create(file_id=file.id, expand=True).data.attributes
    assert upload["method"] == "PUT"

    def put(url: str, body: bytes) -> int:
        request = urllib.request.Request(url, body, upload["headers"], method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    assert put(upload["url"].replace("signature=", "signature=0"), content) == 403
    assert put(upload["url"], content + b"more") == 400
    assert put(upload["url"], content) == 200
    assert put(upload["url"], content) == 409
    wait_until(lambda: sdk.files.query(ids=[file.id]).data[0].attributes["state"] == "available")
    download = sdk.file_downloads.create(file_id=file.id, expand=True).data.attributes
    with urllib.request.urlopen(download["url"], timeout=10) as answer:
        assert answer.read() == content
    assert sdk.file_attachments.query(file_ids=[file.id]).data == []
    with pytest.raises(BadRequestError):
        sdk.files.create(name="a.exe", mime_type="application/x-msdownload", size=1)


def test_events_go_on_where_one_left_off(sdk: IntegrationSDK) -> None:
    before = sdk.events.query().data[-1].attributes["sequenceId"]
    first, second = new_listing(sdk, include="author"), new_listing(sdk)
    sdk.listings.close(id=first.id)
    page = sdk.events.query(start_after_sequence_id=before)
    assert page.meta["paginationUnsupported"] is True
    assert page.meta["totalItems"] is None
    numbers = [event.attributes["sequenceId"] for event in page.data]
    assert numbers == sorted(numbers)
    assert len(numbers) == 3
    rest = sdk.events.query(start_after_sequence_id=numbers[0]).data
    assert [event.attributes["resourceId"] for event in rest] == [second.id, first.id]
    mine: dict[str, Any] = {"start_after_sequence_id": before}
    assert len(sdk.events.query(event_types=["listing/updated"], **mine).data) == 1
    author = first["relationships"]["author"]["data"]["id"]
    assert len(sdk.events.query(related_resource_id=author, **mine).data) == 3
    with pytest.raises(BadRequestError):
        sdk.events.query(start_after_sequence_id=1, created_at_start=JANUARY)


@pytest.mark.parametrize("resource", ["listings", "transactions", "stock_reservations", "users"])
def test_404_is_for_show_alone(sdk: IntegrationSDK, resource: str) -> None:
    with pytest.raises(NotFoundError):
        getattr(sdk, resource).show(id=NOBODY)


def test_commands_answer_409_for_what_is_not_there(sdk: IntegrationSDK) -> None:
    with pytest.raises(ConflictError) as error:
        sdk.listings.update(id=NOBODY, title="x")
    assert code_of(error) == "listing-not-found"
    with pytest.raises(ConflictError):
        sdk.availability_exceptions.delete(id=NOBODY)


def test_a_file_keeps_the_data(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "sandbox.sqlite")
    for expected in (250, 251):
        with serve(SandboxSettings(db=path)) as sandbox, connected(sandbox) as sdk:
            assert sdk.listings.query(per_page=1).meta["totalItems"] == expected
            new_listing(sdk)
    assert capfd.readouterr().err == ""
    with serve(SandboxSettings(db=path, seed="small")) as sandbox:
        (line,) = capfd.readouterr().err.splitlines()
        assert f"{path} has data already, made with the seed rich" in line
        assert "the seed small is not used; POST /_sandbox/reset" in line
        sandbox.reset()
    with serve(SandboxSettings(db=path, seed="small")) as sandbox, connected(sandbox) as sdk:
        assert sdk.listings.query(per_page=1).meta["totalItems"] == 12
    assert capfd.readouterr().err == ""


def test_limits() -> None:
    with serve(SandboxSettings(limits="dev")) as sandbox, connected(sandbox) as whole:
        sdk = whole.with_options(max_retries=0)
        repeat(sdk, 200)
        with pytest.raises(RateLimitedError) as error:
            repeat(sdk, 80)  # one more is allowed for each second that has passed
        assert code_of(error) == "too-many-requests"
        sdk.users.approve(id=sdk_id(18))
        sandbox.reset()
        sdk.marketplace.show()
    with serve(SandboxSettings(limits="live")) as sandbox, connected(sandbox) as sdk:
        repeat(sdk, 290)


def repeat(sdk: IntegrationSDK, count: int) -> None:
    for _ in range(count):
        sdk.marketplace.show()


def sdk_id(number: int) -> UUID:
    return UUID(f"00000002-0000-4000-8000-{number:012x}")


def test_unknown_limits_are_refused() -> None:
    with pytest.raises(ValueError, match="dev, live, off"):
        SandboxSettings(limits="test")  # type: ignore[arg-type]  # that is the test
