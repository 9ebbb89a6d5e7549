"""What a new sandbox has: everything that a program meets, and nothing that contradicts itself."""

from __future__ import annotations

import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flex_integration_sdk import IntegrationSDK, Money, create_instance
from flex_integration_sdk._transit import loads
from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from flex_integration_sdk.sandbox._data.event_content import told
from flex_integration_sdk.sandbox._data.seed.content import seed
from flex_integration_sdk.sandbox._endpoints.plans import check_plan
from flex_integration_sdk.sandbox._endpoints.transactions import PROCESS

NAMES: tuple[Any, ...] = ("rich", "small")
FIRST = "transition/request-payment"  # of a customer; the sandbox has no endpoint for it


def resources_of(name: Any) -> dict[tuple[str, UUID], dict[str, Any]]:
    found = [loads(body) for *_, body in seed(name).resources]
    return {(each["type"], each["id"]): each for each in found}


@pytest.fixture(scope="module", params=NAMES)
def content(request: pytest.FixtureRequest) -> dict[tuple[str, UUID], dict[str, Any]]:
    return resources_of(request.param)


@pytest.fixture(scope="module", params=NAMES)
def running(request: pytest.FixtureRequest) -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(seed=request.param)) as found:
        yield found


@pytest.fixture(scope="module")
def sdk(running: RunningSandbox) -> Iterator[IntegrationSDK]:
    with connected(running) as found:
        yield found


def connected(sandbox: RunningSandbox) -> IntegrationSDK:
    return create_instance(sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url)


def of(content: dict[tuple[str, UUID], dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for (found, _), each in content.items() if found == kind]


def values(content: Any, kind: str, name: str) -> set[Any]:
    return {each["attributes"][name] for each in of(content, kind)}


def to(resource: dict[str, Any], name: str) -> Any:
    data = resource["relationships"][name]["data"]
    return None if data is None else (data["type"], data["id"])


def test_how_much_there_is() -> None:
    rich = Counter(kind for kind, _ in resources_of("rich"))
    small = Counter(kind for kind, _ in resources_of("small"))
    assert (rich["user"], rich["listing"], small["user"], small["listing"]) == (20, 250, 10, 12)
    made = {"fileUpload", "fileDownload", "permissionSet"}  # these are made when asked for
    assert set(rich) == set(RELATIONSHIPS) - made
    assert set(small) == set(RELATIONSHIPS) - made - {"event"}
    assert sum(small.values()) < 120


def test_ids_titles_and_prices_stay() -> None:
    listing = resources_of("rich")["listing", UUID("00000003-0000-4000-8000-000000000007")]
    assert listing["attributes"]["title"] == "Kayak 7"
    assert listing["attributes"]["price"] == Money(1070, "EUR")


def test_each_reference_leads_to_a_resource_of_its_type(content: Any) -> None:
    for (kind, _), each in content.items():
        for name, relation in each.get("relationships", {}).items():
            data = relation["data"]
            known = RELATIONSHIPS[kind][name]
            assert isinstance(data, list) == known.is_many
            for one in data if isinstance(data, list) else [data] if data else []:
                assert one["type"] == known.target
                assert (one["type"], one["id"]) in content


def test_all_states_are_there(content: Any) -> None:
    assert values(content, "user", "state") == {"active", "pendingApproval", "banned"}
    assert values(content, "user", "emailVerified") == {True, False}
    assert values(content, "user", "stripeConnected") == {True, False}
    states = {"draft", "pendingApproval", "published", "closed"}
    assert values(content, "listing", "state") == states
    steps = {"preauthorized", "accepted", "declined", "cancelled", "completed"}
    assert values(content, "transaction", "state") == steps
    assert values(content, "file", "state") == {
        "pendingUpload", "pendingVerification", "available", "verificationFailed"
    }  # fmt: skip
    denied = {
        tuple(name for name, value in each["attributes"]["permissions"].items() if "deny" in value)
        for each in of(content, "user")
    }
    every = ("postListings", "initiateTransactions", "read")
    assert denied == {(), every, *((name,) for name in every)}
    kinds = {
        (each["attributes"]["type"], each["attributes"]["state"]) for each in of(content, "review")
    }
    assert {("ofProvider", "public"), ("ofCustomer", "public"), ("ofProvider", "pending")} <= kinds
    plans = [each["attributes"]["availabilityPlan"] for each in of(content, "listing")]
    assert {plan and plan["type"] for plan in plans} == {
        None, "availability-plan/day", "availability-plan/time"
    }  # fmt: skip
    for plan in plans:
        check_plan(plan, strict=True)


def test_transactions_went_through_the_process(content: Any) -> None:
    for deal in of(content, "transaction"):
        attributes = deal["attributes"]
        first, *taken = attributes["transitions"]
        assert first["transition"] == FIRST
        state, effect = "preauthorized", "pending"
        for each in taken:
            step = PROCESS[each["transition"]]
            assert step.source == state
            state, effect = step.target, step.effect or effect
        assert attributes["state"] == state
        last = attributes["transitions"][-1]
        assert attributes["lastTransition"] == last["transition"]
        assert attributes["lastTransitionedAt"] == last["createdAt"]
        moments = [each["createdAt"] for each in attributes["transitions"]]
        assert moments == sorted(moments)
        assert attributes["createdAt"] == moments[0]
        held = [content[key] for name in ("booking", "stockReservation") if (key := to(deal, name))]
        assert [each["attributes"]["state"] for each in held] == [effect]
        assert to(held[0], "transaction") == ("transaction", deal["id"])
        assert to(deal, "customer") != to(deal, "provider")
        assert to(content[to(deal, "listing")], "author") == to(deal, "provider")
        assert content[to(deal, "listing")]["attributes"]["state"] == "published"


def test_stock_is_the_sum_of_its_adjustments(content: Any) -> None:
    sums: dict[Any, int] = defaultdict(int)
    for each in of(content, "stockAdjustment"):
        sums[to(each, "listing")] += each["attributes"]["quantity"]
    stocked = {
        ("listing", each["id"]): content[key]["attributes"]["quantity"]
        for each in of(content, "listing")
        if (key := to(each, "currentStock"))
    }
    assert stocked == sums != {}


def test_nothing_is_done_with_a_listing_before_it_is_there(content: Any) -> None:
    done = [(each, "createdAt") for each in of(content, "transaction")]
    done += [(each, "at") for each in of(content, "stockAdjustment")]
    for each, name in done:
        listing = content[to(each, "listing")]
        assert each["attributes"][name] > listing["attributes"]["createdAt"], each["id"]


def test_messages_and_reviews_are_of_the_parties(content: Any) -> None:
    for kind, name, back in (
        ("message", "sender", "messages"),
        ("review", "author", "reviews"),
        ("review", "subject", "reviews"),
    ):
        for each in of(content, kind):
            deal = content[to(each, "transaction")]
            assert to(each, name) in (to(deal, "customer"), to(deal, "provider"))
            listed = deal["relationships"][back]["data"]
            assert {"id": each["id"], "type": kind} in listed
            if kind == "review":
                assert deal["attributes"]["state"] == "completed"
                is_of_provider = to(each, "subject") == to(deal, "provider")
                wanted = "ofProvider" if is_of_provider else "ofCustomer"
                assert each["attributes"]["type"] == wanted
    for each in of(content, "fileAttachment"):
        message = content[to(each, "message")]
        listed = message["relationships"]["publicFileAttachments"]["data"]
        assert {"id": each["id"], "type": "fileAttachment"} in listed
        assert to(content[to(each, "file")], "owner") == to(message, "sender")


def test_something_happened_in_the_last_days_and_nothing_later(content: Any) -> None:
    now = datetime.now(UTC)
    for kind in ("user", "listing", "transaction", "message", "review"):
        moments = [each["attributes"]["createdAt"] for each in of(content, kind)]
        assert now - timedelta(days=7) < max(moments) <= now
        assert min(moments) < now - timedelta(days=7)
        if kind in ("user", "listing", "transaction"):  # the newest first, as queries have them
            assert moments == sorted(moments)
    starts = [each["attributes"]["start"] for each in of(content, "booking")]
    assert min(starts) < now < max(starts)
    soon = [each["attributes"]["start"] for each in of(content, "availabilityException")]
    assert any(now < start < now + timedelta(days=8) for start in soon)


def test_events_tell_what_is_new() -> None:
    content = resources_of("rich")
    events = [each["attributes"] for each in of(content, "event")]
    assert [each["sequenceId"] for each in events] == list(range(1, len(events) + 1))
    moments = [each["createdAt"] for each in events]
    assert moments == sorted(moments)
    assert datetime.now(UTC) - timedelta(days=7) < moments[0] <= moments[-1] <= datetime.now(UTC)
    assert {each["eventType"] for each in events} >= {
        "user/created", "user/updated", "listing/created", "listing/updated", "booking/created",
        "booking/updated", "transaction/initiated", "transaction/transitioned", "message/created",
        "review/created", "stockAdjustment/created", "stockReservation/created",
    }  # fmt: skip
    last = {(each["resourceType"], each["resourceId"]): each for each in events}
    for key, each in last.items():
        assert each["resource"] == told(content[key])
    for each in events:
        is_new = each["eventType"].endswith(("/created", "/initiated"))
        assert (each["previousValues"] == {}) == is_new
    approved = [each for each in events if each["eventType"] == "listing/updated"]
    assert {each["source"] for each in approved} == {"source/console"}
    assert approved[0]["previousValues"] == {"attributes": {"state": "pendingApproval"}}


def test_no_listing_is_created_in_a_state_that_comes_later() -> None:
    events = [each["attributes"] for each in of(resources_of("rich"), "event")]
    created = [each for each in events if each["eventType"] == "listing/created"]
    states = {each["resource"]["attributes"]["state"] for each in created}
    assert states == {"draft", "pendingApproval"}


def test_a_poller_goes_on_after_the_events_of_the_seed() -> None:
    with serve() as sandbox, connected(sandbox) as sdk:
        old = [each.attributes["sequenceId"] for each in sdk.events.query().data]
        assert old
        listing = sdk.listings.query(states="draft", per_page=1).data[0]
        sdk.listings.update(id=listing.id, title="Changed")
        (event,) = sdk.events.query(start_after_sequence_id=old[-1]).data
        assert event.attributes["sequenceId"] == old[-1] + 1
        assert event.attributes["resourceId"] == listing.id


def test_a_small_one_has_no_events_yet() -> None:
    with serve(SandboxSettings(seed="small")) as sandbox, connected(sandbox) as sdk:
        assert sdk.events.query().data == []
        sdk.listings.update(id=sdk.listings.query(per_page=1).data[0].id, title="Changed")
        assert [each.attributes["sequenceId"] for each in sdk.events.query().data] == [1]


def test_images_are_there(sdk: IntegrationSDK, running: RunningSandbox) -> None:
    body = sdk.listings.query(include=["images", "author.profileImage"], per_page=100)
    images = [each for each in body.included if each["type"] == "image"]
    assert images
    for each in images:
        (variant,) = each["attributes"]["variants"].values()
        assert variant["url"].startswith(f"{running.base_url}/_sandbox/images/")
        with urllib.request.urlopen(variant["url"], timeout=10) as answer:
            content = answer.read()
        assert content.startswith(b"\x89PNG")
        assert int.from_bytes(content[16:20]) == variant["width"] == 320


def test_attached_files_can_be_downloaded(sdk: IntegrationSDK) -> None:
    attachments = sdk.file_attachments.query(include="file").data
    assert attachments
    for each in attachments:
        file = each.related("file")
        assert file is not None
        link = sdk.file_downloads.create(file_attachment_id=each.id, expand=True).data.attributes
        with urllib.request.urlopen(link["url"], timeout=10) as answer:
            assert len(answer.read()) == file.attributes["size"]
            assert answer.headers.get_content_type() == file.attributes["mimeType"]


def test_images_of_a_kept_database_follow_the_address(tmp_path: Path) -> None:
    path = str(tmp_path / "sandbox.sqlite")
    for _ in range(2):
        settings = SandboxSettings(db=path, seed="small")
        with serve(settings) as sandbox, connected(sandbox) as sdk:
            listing = sdk.listings.show(id="00000003-0000-4000-8000-000000000007", include="images")
            url = listing.included[0].attributes["variants"]["default"]["url"]
            assert url.startswith(sandbox.base_url)


def test_a_reset_gives_what_a_new_one_has(sdk: IntegrationSDK, running: RunningSandbox) -> None:
    before = sdk.listings.query(per_page=100).data
    sdk.listings.close(id=before[0].id)
    sdk.listings.update(id=before[1].id, title="Changed")
    running.reset()
    ids = [each.id for each in sdk.listings.query(per_page=100).data]
    assert ids == [each.id for each in before]
    assert sdk.listings.show(id=before[1].id).data.attributes["title"] != "Changed"


def test_an_unknown_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="seed must be one of rich, small"):
        SandboxSettings(seed="large")  # type: ignore[arg-type]  # that is the test


def test_the_numbers_that_the_documentation_names() -> None:
    """See docs/sandbox.md: what it starts with."""
    content = resources_of("rich")

    def numbers(kind: str, **wanted: Any) -> list[int]:
        return [
            each["id"].int & 0xFFFF
            for each in of(content, kind)
            if all(each["attributes"][name] == value for name, value in wanted.items())
        ]

    assert numbers("user", emailVerified=False) == [17]
    assert numbers("user", state="pendingApproval") == [18]
    assert numbers("user", state="banned", banned=True) == [19]
    assert numbers("user", stripeConnected=True) == [1, 2, 3, 4, 5, 6]
    denied = {
        each["id"].int & 0xFFFF: {name for name, value in permissions.items() if "deny" in value}
        for each in of(content, "user")
        if "permission/deny" in (permissions := each["attributes"]["permissions"]).values()
    }
    assert denied == {
        13: {"postListings", "initiateTransactions", "read"},
        14: {"postListings"},
        15: {"initiateTransactions"},
        16: {"read"},
    }
    assert numbers("listing", state="draft") == [43, 93, 143, 193, 245]
    assert numbers("listing", state="pendingApproval") == [47, 97, 147, 197, 244]
    assert numbers("listing", state="closed") == list(range(25, 251, 25))
    assert numbers("transaction", state="declined") == [13, 18, 23]
    assert numbers("transaction", state="cancelled") == [14, 19]
    assert numbers("transaction", state="completed") == [15, 16, 17, 21]
    listings = {each["id"].int & 0xFFFF: each for each in of(content, "listing")}
    plans = {number: each["attributes"]["availabilityPlan"] for number, each in listings.items()}
    assert {number: plan["type"][-4:] for number, plan in plans.items() if plan} == {
        22: "/day", 23: "/day", 24: "time", 29: "time"
    }  # fmt: skip
    stocked = [number for number, each in listings.items() if to(each, "currentStock")]
    assert stocked == [3, 6, 9, 12, 17, 18, 19, 34]
    pictured = [n for n, each in listings.items() if each["relationships"]["images"]["data"]]
    assert pictured == list(range(1, 251, 10))
    week = datetime.now(UTC) - timedelta(days=7)
    for kind, expected in (
        ("user", [18, 19, 20]),
        ("listing", list(range(241, 251))),
        ("transaction", [21, 22, 23, 24, 25]),
    ):
        new = [each for each in of(content, kind) if each["attributes"]["createdAt"] > week]
        assert [each["id"].int & 0xFFFF for each in new] == expected
