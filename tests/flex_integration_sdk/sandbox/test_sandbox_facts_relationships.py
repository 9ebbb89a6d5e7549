"""A response names the relationships that ``include`` asks for, and no others.

Evidence: the API's reference shows responses without ``relationships``; the helper of the official
web template (``denormalisedResponseEntities``) stops at a relationship that is not included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from flex_integration_sdk import IntegrationSDK, create_instance
from flex_integration_sdk.errors import BadRequestError
from flex_integration_sdk.names import AnyName
from flex_integration_sdk.sandbox import RunningSandbox, serve
from tests.support.denormal import denormalised


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as found:
        yield found


@pytest.fixture
def sdk(running: RunningSandbox) -> Iterator[IntegrationSDK]:
    running.reset()
    with create_instance(
        running.client_id, running.client_secret, base_url=running.base_url
    ) as found:
        yield found


def user_id(number: int) -> UUID:
    return UUID(f"00000002-0000-4000-8000-{number:012x}")


def listing_id(number: int) -> UUID:
    return UUID(f"00000003-0000-4000-8000-{number:012x}")


def deal_id(number: int) -> UUID:
    return UUID(f"00000004-0000-4000-8000-{number:012x}")


def types_of(included: list[Any]) -> set[str]:
    return {each["type"] for each in included}


def test_without_include_there_are_none(sdk: IntegrationSDK) -> None:
    def bare(resource: Any, body: Any) -> bool:
        return "relationships" not in resource and "included" not in body

    shown = sdk.listings.show(id=listing_id(1))
    assert bare(shown.data, shown.body)
    found = sdk.users.query(per_page=2)
    assert all(bare(each, found.body) for each in found.data)
    closed = sdk.listings.close(id=listing_id(1), expand=True)
    assert bare(closed.data, closed.body)
    reference = sdk.listings.close(id=listing_id(1), include="author")
    assert reference.data == {"id": listing_id(1), "type": "listing"}
    assert bare(reference.data, reference.body)


def test_only_what_a_path_names(sdk: IntegrationSDK) -> None:
    body = sdk.transactions.show(id=deal_id(1), include=["listing.author", "booking"])
    assert set(body.data["relationships"]) == {"listing", "booking"}
    named = {each["type"]: set(each.get("relationships", ())) for each in body.included}
    assert named == {"listing": {"author"}, "user": set(), "booking": set()}
    done = sdk.listings.close(id=listing_id(1), expand=True, include="author")
    assert set(done.data["relationships"]) == {"author"}
    assert types_of(done.included) == {"user"}


def test_a_resource_that_several_paths_lead_to_has_the_relationships_of_all(
    sdk: IntegrationSDK,
) -> None:
    body = sdk.transactions.show(
        id=deal_id(1),
        include=["listing.currentStock", "booking.listing.author", "provider"],
    )
    (listing,) = (each for each in body.included if each["type"] == "listing")
    assert set(listing["relationships"]) == {"currentStock", "author"}
    people = [each for each in body.included if each["type"] == "user"]
    assert [each["id"] for each in people] == [body.data["relationships"]["provider"]["data"]["id"]]
    assert denormalised(body.body)[0]["booking"]["listing"]["author"]["id"] == people[0]["id"]


def test_what_is_in_data_is_not_included_too(sdk: IntegrationSDK) -> None:
    body = sdk.transactions.show(id=deal_id(1), include=AnyName("messages.transaction.customer"))
    assert types_of(body.included) == {"message", "user"}
    assert set(body.data["relationships"]) == {"messages", "customer"}
    (message,) = (each for each in body.included if each["type"] == "message")
    assert message["relationships"]["transaction"]["data"]["id"] == body.data["id"]


@pytest.mark.parametrize(
    "include",
    [
        "author,author",
        " author , author ",
        ",author,,",
        "author.,author",
        ["author", "author.profileImage", "author"],
    ],
)
def test_include_is_read_leniently(sdk: IntegrationSDK, include: Any) -> None:
    body = sdk.listings.query(per_page=100, include=include)
    assert all(set(each["relationships"]) == {"author"} for each in body.data)
    people = [each["id"] for each in body.included if each["type"] == "user"]
    assert len(people) == len(set(people)) == 17
    denormalised(body.body)


def test_nothing_is_related_by_null_or_an_empty_list(sdk: IntegrationSDK) -> None:
    body = sdk.listings.show(
        id=listing_id(250), include=["currentStock", "images", AnyName("newRelation")]
    )
    assert body.data["relationships"] == {"currentStock": {"data": None}, "images": {"data": []}}
    assert body.body["included"] == []


def test_a_limit_cuts_what_is_included(sdk: IntegrationSDK) -> None:
    pictures = [sdk.images.upload(image=GIF).data.id for _ in range(3)]
    sdk.listings.update(id=listing_id(1), images=pictures)
    for limit, expected in ((0, 0), (2, 2), (99, 3)):
        body = sdk.listings.show(id=listing_id(1), include="images", limit={"images": limit})
        shown = [each["id"] for each in body.data["relationships"]["images"]["data"]]
        assert shown == pictures[:expected]
        assert [each["id"] for each in body.included] == shown
    with pytest.raises(BadRequestError, match=r"limit\.images is not a whole number"):
        sdk.listings.show(id=listing_id(1), limit={"images": -1})


GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00"


def test_sparse_fields_of_what_is_included(sdk: IntegrationSDK) -> None:
    body = sdk.listings.query(
        per_page=3, include="author", fields={"user": "email", "listing": "none"}
    )
    assert [each["attributes"] for each in body.data] == [{}, {}, {}]
    assert all(set(each["attributes"]) == {"email"} for each in body.included)
    denormalised(body.body)


def test_what_a_user_may_do_follows_the_permissions(sdk: IntegrationSDK) -> None:
    """Evidence: the page on access control; there, a pending user may read, and no more."""

    def effective(number: int) -> Any:
        body = sdk.users.show(id=user_id(number), include="effectivePermissionSet")
        assert set(body.data["relationships"]) == {"effectivePermissionSet"}
        (found,) = body.included
        assert found["type"] == "permissionSet"
        assert found["id"] != body.data["id"]
        return found

    before = effective(3)
    assert set(before["attributes"].values()) == {"permission/allow"}
    sdk.users.update_permissions(id=user_id(3), post_listings="permission/deny")
    after = effective(3)
    assert after["id"] == before["id"]
    assert after["attributes"] == {**before["attributes"], "postListings": "permission/deny"}
    assert effective(18)["attributes"] == {
        "postListings": "permission/deny",
        "initiateTransactions": "permission/deny",
        "read": "permission/allow",
    }
    sdk.users.approve(id=user_id(18))
    assert set(effective(18)["attributes"].values()) == {"permission/allow"}
    assert set(effective(19)["attributes"].values()) == {"permission/deny"}


def test_who_receives_money_has_a_stripe_account(sdk: IntegrationSDK) -> None:
    """Inferred: the reference names the relationship, and ``stripeConnected``."""
    for number, is_connected in ((1, True), (10, False)):
        user = sdk.users.show(id=user_id(number), include=["stripeAccount"]).data
        assert user.attributes["stripeConnected"] == is_connected
        account = user.related("stripeAccount")
        assert (account is not None) == is_connected
        if account is not None:
            assert account.attributes["stripeAccountId"].startswith("acct_")
