"""The closed sets: each is named, used by the table, and what the sandbox compares with."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from flex_integration_sdk import IntegrationSDK, Response, create_instance, names, resources
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS, follow
from flex_integration_sdk.errors import BadRequestError
from flex_integration_sdk.names import AnyName
from flex_integration_sdk.sandbox import RunningSandbox

SETS: dict[str, tuple[str, ...]] = {
    name: get_args(getattr(names, name)) for name in names.__all__ if name != "AnyName"
}
INCLUDES = {name: members for name, members in SETS.items() if name.endswith("Include")}


@pytest.fixture
def sdk(flex_sandbox: RunningSandbox) -> IntegrationSDK:
    options: Any = {"base_url": flex_sandbox.base_url, "token_store": "memory"}
    return create_instance(flex_sandbox.client_id, flex_sandbox.client_secret, **options)


def test_each_set_has_names_and_none_twice() -> None:
    assert sorted(names.__all__) == list(names.__all__)
    for name, members in SETS.items():
        assert len(members) == len(set(members)) > 1, name
        assert all(isinstance(each, str) for each in members)


def test_each_set_that_the_table_names_is_there() -> None:
    named = {each.set_of(param) for each in ENDPOINTS.values() for param in each.all_params}
    assert named - {""} <= {*SETS}
    assert {*INCLUDES} <= named
    assert ENDPOINTS["marketplace.show"].set_of(ENDPOINTS["marketplace.show"].params[0]) == ""


@pytest.mark.parametrize("name", INCLUDES)
def test_each_path_leads_somewhere_and_not_back(name: str) -> None:
    start = name[0].lower() + name.removesuffix("Include")[1:]
    for path in INCLUDES[name]:
        parts = path.split(".")
        assert len(parts) <= 3
        passed = [start, *(follow(start, ".".join(parts[: n + 1])) for n in range(len(parts)))]
        assert None not in passed
        assert len(set(passed)) == len(passed)
        assert "marketplace" not in parts[1:]
    assert {*RELATIONSHIPS[start]} <= {*INCLUDES[name]}


def test_the_paths_of_a_listing() -> None:
    assert INCLUDES["ListingInclude"] == (
        "marketplace", "author", "author.profileImage", "author.stripeAccount",
        "author.effectivePermissionSet", "images", "currentStock",
    )  # fmt: skip


def test_types_of_events_are_of_the_resources_that_they_are_about() -> None:
    subjects = {each.partition("/")[0] for each in SETS["EventType"]}
    assert subjects == {*SETS["EventSubject"]} <= {*RELATIONSHIPS}
    assert {*SETS["EventFilter"]} == {*SETS["EventType"], *SETS["EventSubject"]}


def test_another_name_is_the_string_itself() -> None:
    assert type(AnyName("pub_gears")) is str


def test_the_sandbox_takes_each_name_and_refuses_others(sdk: IntegrationSDK) -> None:
    with sdk:
        for each in SETS["ListingState"]:
            sdk.listings.query(states=AnyName(each), per_page=1)
        for each in SETS["ListingSort"]:
            sdk.listings.query(sort=AnyName(each), per_page=1)
        for each in SETS["UserSort"]:
            sdk.users.query(sort=AnyName(each), per_page=1)
        for each in SETS["TransactionSort"]:
            sdk.transactions.query(sort=AnyName(each), per_page=1)
        for each in SETS["EventFilter"]:
            sdk.events.query(event_types=AnyName(each))
        for path in SETS["TransactionInclude"]:
            sdk.transactions.query(include=AnyName(path), per_page=1)
        user = sdk.users.query(per_page=1).data[0].id
        for each in SETS["Permission"]:
            sdk.users.update_permissions(id=user, read=AnyName(each))
        for each in SETS["NewListingState"]:
            sdk.listings.create(title="Bike", author_id=user, state=AnyName(each))
        odd = AnyName("odd")
        for refused in (
            lambda: sdk.listings.query(states=odd),
            lambda: sdk.listings.query(sort=odd),
            lambda: sdk.users.update_permissions(id=user, read=odd),
            lambda: sdk.listings.create(title="Bike", author_id=user, state=odd),
        ):
            with pytest.raises(BadRequestError):
                refused()


def test_a_call_imports_no_paths_of_include() -> None:
    program = (
        "import sys\n"
        "from flex_integration_sdk import create_instance\n"
        "with create_instance('id', token_store='memory') as sdk:\n"
        "    assert sdk.listings and sdk.transactions and sdk.events\n"
        "import flex_integration_sdk.resources\n"
        "print([n for n in sys.modules if '_vocabulary.' in n or n.endswith('sdk.names')])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "['flex_integration_sdk._vocabulary.names']"


def test_what_the_sandbox_sends_is_of_the_sets(sdk: IntegrationSDK) -> None:
    """Each attribute that the types say is of a closed set, of each resource it sends."""
    with sdk:
        pages: list[Response[Any]] = [
            sdk.users.query(include=["effectivePermissionSet"]),
            sdk.listings.query(include=["images"]),
            sdk.transactions.query(include=["booking", "stockReservation", "reviews"]),
            sdk.files.query(),
            sdk.events.query(),
        ]
    seen: set[tuple[str, str]] = set()
    for each in (one for page in pages for one in [*page.data, *page.included]):
        kind = each.type[0].upper() + each.type[1:]
        for name, hint in get_type_hints(getattr(resources, f"{kind}Attributes")).items():
            if get_origin(hint) is Literal:
                assert each.attributes[name] in get_args(hint), (each.type, name)
                seen.add((each.type, name))
    assert seen == {
        ("user", "state"), ("listing", "state"), ("booking", "state"), ("file", "state"),
        ("stockReservation", "state"), ("review", "state"), ("review", "type"),
        ("event", "eventType"), ("event", "source"), ("event", "resourceType"),
        ("permissionSet", "read"), ("permissionSet", "postListings"),
        ("permissionSet", "initiateTransactions"),
    }  # fmt: skip
