"""Programs that do what published ones do, with the official JavaScript SDK, against the sandbox.

Each is written here, after reading one: the examples for the Integration API, an event-listener
template, and the helper by which the web template joins resources. They make the same requests in
the same order, with the same rate limiters.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK, create_instance
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS
from flex_integration_sdk.names import NewListingState
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

MODULE = Path(sys.prefix) / "js" / "node_modules" / "sharetribe-flex-integration-sdk"
FOLDER = Path(__file__).parent / "javascript"
ID = "[0-9a-f-]{36}"
EMAIL = "user3@example.com"

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed"),
    pytest.mark.skipif(
        not MODULE.exists(),
        reason="the JavaScript SDK is not installed; `dev.py test` does it where npm can",
    ),
]


@pytest.fixture(params=["dev", pytest.param("off", marks=pytest.mark.slow)])
def sandbox(request: pytest.FixtureRequest) -> Iterator[RunningSandbox]:
    # Strict with limits: what official programs send is no question to the live API.
    with serve(SandboxSettings(limits=request.param, strict=request.param == "dev")) as running:
        yield running


def environment(sandbox: RunningSandbox) -> dict[str, str]:
    return {
        **os.environ,
        "OFFICIAL_SDK": str(MODULE),
        "SANDBOX_URL": sandbox.base_url,
        "SANDBOX_CLIENT": sandbox.client_id,
        "SANDBOX_SECRET": sandbox.client_secret,
    }


def ended(
    sandbox: RunningSandbox, program: str, *arguments: object
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["node", str(FOLDER / f"{program}.js"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(sandbox),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def run(sandbox: RunningSandbox, program: str, *arguments: object) -> list[str]:
    """The lines that a program prints; it must end with 0 and complain of nothing, such as 429."""
    done = ended(sandbox, program, *arguments)
    assert done.stderr == ""
    return done.stdout.splitlines()


def connected(sandbox: RunningSandbox) -> IntegrationSDK:
    return create_instance(sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url)


def new_listing(sdk: IntegrationSDK, title: str, state: NewListingState = "published") -> Any:
    author = sdk.users.show(email=EMAIL).data
    return sdk.listings.create(title=title, author_id=author.id, state=state).data


def test_the_name_of_the_marketplace(sandbox: RunningSandbox) -> None:
    assert run(sandbox, "marketplace_name") == ["Sandbox marketplace"]


def test_a_monthly_report(sandbox: RunningSandbox) -> None:
    with connected(sandbox) as sdk:
        new_listing(sdk, "Of this month")
    name, users, listings, deals, *states, _, new_listings, _ = json.loads(
        run(sandbox, "monthly_report")[0]
    )
    assert (name, users, listings) == ("Sandbox marketplace", 20, 251)
    assert sum(states) == listings
    assert deals > 0
    assert new_listings >= 1


@pytest.mark.slow
def test_a_mail_to_newcomers(sandbox: RunningSandbox) -> None:
    sender, receivers, *listings = run(sandbox, "newcomers_mail")
    assert sender == "from Sandbox marketplace"
    assert re.fullmatch(r"to( user\d+@example\.com)*\s*", receivers)
    assert len(listings) == 3
    assert all(re.fullmatch(rf"{ID} .+ \d+\.\d\d EUR", each) for each in listings)


def test_metadata_of_a_user(sandbox: RunningSandbox) -> None:
    (told,) = run(sandbox, "mark_verified", EMAIL)
    found = json.loads(told)
    assert set(found) == {"email", "profile"}
    assert set(found["profile"]) == {"metadata"}
    assert found["email"] == EMAIL
    assert found["profile"]["metadata"]["verified"] is True


@pytest.mark.slow
def test_a_profile_picture(sandbox: RunningSandbox, tmp_path: Path) -> None:
    picture = tmp_path / "me.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 1, 1) + bytes(5))
    included, uploaded = run(sandbox, "profile_picture", picture, EMAIL)
    assert included == f"image {uploaded}"


@pytest.mark.slow
def test_all_listings_of_a_user_are_approved(sandbox: RunningSandbox) -> None:
    with connected(sandbox) as sdk:
        run(sandbox, "approve_listings", EMAIL)  # those that the sandbox begins with
        wanted = {str(new_listing(sdk, f"Boat {n}", "pendingApproval").id): n for n in range(4)}
        told = run(sandbox, "approve_listings", EMAIL)
        assert {line.partition(" ")[0] for line in told} == set(wanted)
        assert {line.partition(" ")[2] for line in told} == {f"Boat {n}" for n in range(4)}
        assert run(sandbox, "approve_listings", EMAIL) == []
        states = {sdk.listings.show(id=id).data["attributes"]["state"] for id in wanted}
    assert states == {"published"}


@pytest.mark.slow
def test_plans_of_the_week_for_many_listings(sandbox: RunningSandbox) -> None:
    dry = run(sandbox, "weekly_plans")
    total, shown, old = map(int, dry[0].split())
    assert len(dry) == 1
    assert (total, shown) == (250, 100)
    assert 20 <= old <= 100
    changed = run(sandbox, "weekly_plans", "--for-real")
    assert changed[0] == dry[0]
    assert len(set(changed[1:])) == 20
    with connected(sandbox) as sdk:
        plan = sdk.listings.show(id=changed[1]).data["attributes"]["availabilityPlan"]
    assert plan["type"] == "availability-plan/time"
    assert len(plan["entries"]) == 7
    assert run(sandbox, "weekly_plans")[0] == f"250 100 {old - 20}"


@pytest.mark.parametrize("order", [[], pytest.param(["--at-once"], marks=pytest.mark.slow)])
@pytest.mark.slow
def test_listings_are_imported(sandbox: RunningSandbox, order: list[str]) -> None:
    with connected(sandbox) as sdk:
        author = sdk.users.show(email=EMAIL).data.id
    wanted = [f"Import {n} 10000 USD {n}" for n in range(1, 13)]
    assert run(sandbox, "import_listings", author, 12, 5, *order) == wanted
    # Who is refused waits, and is done in the end.
    sandbox.fault(status=429, target="api", count=3)
    done = ended(sandbox, "import_listings", author, 12, 5, *order)
    assert done.stdout.splitlines() == wanted
    assert done.stderr.split() == ["429"] * 3


def test_events_are_polled_and_a_restart_goes_on(sandbox: RunningSandbox, tmp_path: Path) -> None:
    state = tmp_path / "last-event"
    command = ["node", str(FOLDER / "watch_listings.js"), str(state), "20", "4"]
    with (
        connected(sandbox) as sdk,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment(sandbox)
        ) as watching,
    ):
        assert watching.stdout is not None
        assert watching.stdout.readline() == "from now on\n"
        # Its first poll: without one it would begin later than the listings.
        pending = new_listing(sdk, "Raft", "pendingApproval")
        sdk.listings.approve(id=pending.id)
        sdk.listings.update(id=pending.id, title="Raft for two")
        sdk.listings.close(id=pending.id)
        published = new_listing(sdk, "Canoe")
        told = watching.stdout.read().splitlines()
    assert watching.returncode == 0
    lines = [line.partition(" by ")[0] for line in told if not line.startswith("page of")]
    assert lines == [
        f"created pendingApproval {pending.id}",
        f"pendingApproval published {pending.id}",
        f"published closed {pending.id}",
        f"created published {published.id}",
    ]
    last = int(state.read_text())
    with connected(sandbox) as sdk:
        missed = new_listing(sdk, "Punt")
        begin, first, *_ = run(sandbox, "watch_listings", state, 5, 0)
    assert begin == f"from {last}"
    assert first.startswith(f"created published {missed.id} ")
    assert run(sandbox, "watch_listings", state, 5, 0) == [f"from {last + 1}"]


@pytest.mark.slow
def test_events_come_in_pages_of_a_hundred(flex_sandbox: RunningSandbox, tmp_path: Path) -> None:
    state = tmp_path / "last-event"
    with connected(flex_sandbox) as sdk:
        id = new_listing(sdk, "Canoe").id
        for n in range(205):
            sdk.listings.update(id=id, title=f"Canoe {n}")
        before = sdk.events.query(resource_id=id).data[0]["attributes"]["sequenceId"] - 1
    state.write_text(str(before))
    told = run(flex_sandbox, "watch_listings", state, 5, 0)
    pages = [line for line in told if line.startswith("page of")]
    assert pages == ["page of 100", "page of 100", "page of 6"]
    assert state.read_text() == str(before + 206)


@pytest.mark.slow
def test_an_event_listener_on_a_schedule(sandbox: RunningSandbox) -> None:
    types = ["listing/updated", "transaction/transitioned"]
    with connected(sandbox) as sdk:
        keeper = sdk.users.show(email="user1@example.com").data.id
        raft = new_listing(sdk, "Raft", "pendingApproval").id
        sdk.listings.approve(id=raft)
        first = run(sandbox, "event_listener", keeper, *types)
        assert first == [f"listing/updated {raft} pendingApproval published"]
        # That run has made a user/updated event of its own.
        assert run(sandbox, "event_listener", keeper, *types) == ["nothing new"]
        sdk.listings.close(id=raft)
        deal = sdk.transactions.query(states=["preauthorized"]).data[0]
        sdk.transactions.transition(id=deal.id, transition="transition/accept", params={})
        second = run(sandbox, "event_listener", keeper, *types)
        kept = sdk.users.show(id=keeper).data["attributes"]["profile"]["metadata"]
        newest = sdk.events.query().data[-1]["attributes"]
    assert second == [
        f"listing/updated {raft} published closed",
        f"transaction/transitioned {deal.id} preauthorized accepted",
    ]
    assert 0 < kept["eventSequenceId"] < newest["sequenceId"]


def calls(sdk: IntegrationSDK) -> dict[str, dict[str, Any]]:
    """What each query and show needs, by its name."""
    deal = sdk.transactions.query(has_stock_reservation=True, include="stockReservation")
    reservation = next(each for each in deal.included if each["type"] == "stockReservation")
    listing = sdk.listings.query(per_page=1).data[0].id
    span = {"listingId": str(listing), "start": "2026-01-01T00:00:00Z"}
    needed: dict[str, dict[str, Any]] = {
        "users.show": {"email": EMAIL},
        "listings.show": {"id": str(listing)},
        "transactions.show": {"id": str(deal.data[0].id)},
        "stockReservations.show": {"id": str(reservation["id"])},
        "messages.query": {"transactionId": str(with_messages(sdk))},
        "availabilityExceptions.query": {**span, "end": "2026-12-01T00:00:00Z"},
        "stockAdjustments.query": {**span, "end": "2026-12-01T00:00:00Z"},
    }
    shown = [name for name, each in ENDPOINTS.items() if each.method == "GET"]
    return {name: needed.get(name, {}) for name in shown}


def with_messages(sdk: IntegrationSDK) -> Any:
    return sdk.transactions.query(has_message=True, per_page=1).data[0].id


def paths(kind: str) -> Iterator[list[str]]:
    """Each relationship alone, all at once, and all paths of two that do not lead back."""
    direct = RELATIONSHIPS.get(kind, {})
    yield from ([name] for name in direct)
    yield list(direct)
    yield [
        f"{name}.{further}"
        for name, relation in direct.items()
        for further, target in RELATIONSHIPS.get(relation.target, {}).items()
        if target.target not in (kind, relation.target)
    ]


def test_a_client_that_joins_all_that_is_related(flex_sandbox: RunningSandbox) -> None:
    with connected(flex_sandbox) as sdk:
        new_listing(sdk, "Raft")  # an event
        needed = calls(sdk)
    wanted: list[tuple[str, list[str]]] = [
        (name, include)
        for name in needed
        for include in ([], *filter(None, paths(ENDPOINTS[name].result_type)))
    ]
    made = [
        [*name.split("."), {**needed[name], **({"include": include} if include else {})}]
        for name, include in wanted
    ]
    (told,) = run(flex_sandbox, "denormalise_all", json.dumps(made))
    for (name, include), counts in zip(wanted, json.loads(told), strict=True):
        kind = ENDPOINTS[name].result_type
        first = {f"{kind}.{path.partition('.')[0]}" for path in include}
        direct = {place for place in counts if place.count(".") == 1}
        # What was not asked for is not even named; what was is there, if only as null.
        assert direct == (first if kind in counts else set()), (name, include)
        deeper = {place for place in counts if place.count(".") > 1}
        assert bool(deeper) <= any("." in path for path in include), (name, include)
    found = {kind for counts in json.loads(told) for kind in counts if "." not in kind}
    assert found >= {"user", "listing", "transaction", "message", "event", "stockReservation"}


def test_a_client_that_joins_what_commands_return(flex_sandbox: RunningSandbox) -> None:
    with connected(flex_sandbox) as sdk:
        user, raft = sdk.users.show(email=EMAIL).data.id, new_listing(sdk, "Raft").id
        deal = sdk.transactions.query(states=["preauthorized"]).data[0].id
    commands: list[tuple[str, dict[str, Any]]] = [
        ("users.updateProfile", {"id": str(user), "bio": "Hi"}),
        ("listings.update", {"id": str(raft), "title": "Raft for two"}),
        ("listings.close", {"id": str(raft)}),
        ("stockAdjustments.create", {"listingId": str(raft), "quantity": 3}),
        ("transactions.updateMetadata", {"id": str(deal), "metadata": {"a": 1}}),
        (
            "transactions.transition",
            {"id": str(deal), "transition": "transition/accept", "params": {}},
        ),
    ]
    asked: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for name, body in commands:
        whole = list(RELATIONSHIPS[ENDPOINTS[name].result_type])
        queries: list[dict[str, Any]] = [{}, {"expand": True}, {"expand": True, "include": whole}]
        for query in queries:
            if name not in ("stockAdjustments.create", "transactions.transition") or len(query) > 1:
                asked.append((name, body, query))
    made = [[*name.split("."), body, query] for name, body, query in asked]
    (told,) = run(flex_sandbox, "denormalise_all", json.dumps(made))
    for (name, _, query), counts in zip(asked, json.loads(told), strict=True):
        kind = ENDPOINTS[name].result_type
        direct = {place.partition(".")[2] for place in counts} - {""}
        assert direct == set(query.get("include", ())), (name, query)
        assert counts[kind] == 1
