"""A helper that looks up every relationship runs over every endpoint, with each ``include``.

Evidence: many programs have a copy of the official web template's helper, which stops with an error
if a response names a relationship and does not have its resource.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from flex_integration_sdk import IntegrationSDK, create_instance
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS
from flex_integration_sdk.sandbox import RunningSandbox, serve
from tests.support.denormal import denormalised

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 64, 48) + bytes(5)
SPAN = {"start": "2026-01-01T00:00:00.000Z", "end": "2026-12-30T00:00:00.000Z"}
WINTER = {"start": "2027-01-01T00:00:00.000Z", "end": "2027-03-01T00:00:00.000Z"}
LATER = {"start": "2028-01-01T00:00:00.000Z", "end": "2028-01-02T00:00:00.000Z"}


def id_of(kind: int, number: int) -> str:
    return str(UUID(f"{kind:08x}-0000-4000-8000-{number:012x}"))


USER, LISTING, ORDERED = id_of(2, 1), id_of(3, 1), id_of(3, 3)
OPEN, ACCEPTED, COMPLETED = id_of(4, 1), id_of(4, 4), id_of(4, 15)
ARGUMENTS: dict[str, dict[str, Any]] = {
    "users.show": {"id": USER},
    "listings.show": {"id": ORDERED},
    "transactions.show": {"id": COMPLETED},
    "availabilityExceptions.query": {"listingId": id_of(3, 22), **WINTER},
    "stockAdjustments.query": {"listingId": ORDERED, **SPAN},
    "stockReservations.show": {"id": id_of(8, 3)},
    "messages.query": {"transactionId": COMPLETED},
    "users.updateProfile": {"id": USER, "bio": "Changed"},
    "users.approve": {"id": id_of(2, 18)},
    "users.updatePermissions": {"id": USER, "read": "permission/deny"},
    "users.verifyEmail": {"id": id_of(2, 17), "email": "new17@example.com"},
    "listings.create": {
        "title": "New", "authorId": USER, "state": "published", "images": [id_of(12, 10)]
    },
    "listings.update": {"id": ORDERED, "title": "Changed", "images": [id_of(12, 10)]},
    "listings.approve": {"id": id_of(3, 47)},
    "listings.open": {"id": id_of(3, 25)},
    "listings.close": {"id": ORDERED},
    "transactions.transition": {"id": OPEN, "transition": "transition/decline", "params": {}},
    "transactions.transitionSpeculative": {
        "id": ACCEPTED, "transition": "transition/complete", "params": {}
    },
    "transactions.updateMetadata": {"id": COMPLETED, "metadata": {"a": 1}},
    "images.upload": {"image": PNG},
    "files.create": {"name": "a.txt", "mimeType": "text/plain", "size": 5},
    "fileUploads.create": {"fileId": id_of(10, 1)},
    "fileDownloads.create": {"fileId": id_of(10, 150)},
    "availabilityExceptions.create": {"listingId": LISTING, "seats": 0, **LATER},
    "availabilityExceptions.delete": {"id": id_of(15, 1)},
    "stockAdjustments.create": {"listingId": ORDERED, "quantity": 1},
    "stock.compareAndSet": {"listingId": LISTING, "oldTotal": None, "newTotal": 4},
}  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serve() as found:
        yield found


@pytest.fixture(scope="module")
def sdk() -> Iterator[IntegrationSDK]:
    """For what changes nothing; at a sandbox of its own, since a reset ends its session."""
    with serve() as found, connected(found) as sdk:
        yield sdk


def connected(sandbox: RunningSandbox) -> IntegrationSDK:
    return create_instance(sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url)


def paths_of(kind: str, past: tuple[str, ...] = ()) -> Iterator[str]:
    """The paths of up to three names, without a way back to a type that was passed."""
    past = (*past, kind)
    for name, relationship in RELATIONSHIPS[kind].items():
        if relationship.target not in past:
            yield name
            if len(past) < 3:
                yield from (f"{name}.{rest}" for rest in paths_of(relationship.target, past))


def asked(sdk: IntegrationSDK, running: RunningSandbox, name: str, include: str) -> Any:
    """The body of a response; each command meets a new marketplace."""
    endpoint = ENDPOINTS[name]
    arguments = ARGUMENTS.get(name, {})
    shape = {"include": include} if include else {}
    if endpoint.method == "GET":
        return sdk._send(name, {**arguments, **shape}, {}).body
    running.reset()
    with connected(running) as new:
        return new._send(name, arguments, {"expand": True, **shape} if endpoint.query else {}).body


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(each.name, marks=[pytest.mark.slow] if each.method == "POST" else [])
        for each in ENDPOINTS.values()
    ],
)
def test_every_relationship_that_is_named_is_there(
    sdk: IntegrationSDK, running: RunningSandbox, name: str
) -> None:
    plain = asked(sdk, running, name, "")
    assert denormalised(plain)
    assert "included" not in plain
    whole = plain["data"] if isinstance(plain["data"], list) else [plain["data"]]
    assert not any("relationships" in each for each in whole)
    endpoint = ENDPOINTS[name]
    if not any(param.name == "include" for param in endpoint.all_params):
        return
    paths = list(paths_of(endpoint.result_type))
    for path in paths:
        first, *rest = path.split(".")
        body = asked(sdk, running, name, path)
        assert denormalised(body)
        roots = body["data"] if isinstance(body["data"], list) else [body["data"]]
        assert all(set(each["relationships"]) == {first} for each in roots)
        for each in body["included"]:
            assert set(each.get("relationships", ())) <= set(rest)
    both = asked(sdk, running, name, ",".join(paths))
    found = denormalised(both)
    assert set(found[0]) >= set(RELATIONSHIPS[endpoint.result_type])


def test_each_relationship_leads_somewhere(sdk: IntegrationSDK, running: RunningSandbox) -> None:
    """So the test above looks up something for each of them."""
    reached = set()
    for name, endpoint in ENDPOINTS.items():
        paths = list(paths_of(endpoint.result_type)) if endpoint.method == "GET" else []
        for path in paths:
            level: list[Any] = denormalised(asked(sdk, running, name, path))
            for part in path.split("."):
                related = [(each["type"], each[part]) for each in level]
                level = [one for _, each in related for one in as_list(each)]
                reached |= {(kind, part) for kind, each in related if each}
    # To these only a way leads back to where the path came from.
    back = {("booking", "transaction"), ("review", "transaction")}
    known = {(kind, name) for kind, names in RELATIONSHIPS.items() for name in names}
    assert reached == known - back


def as_list(data: Any) -> list[Any]:
    return data if isinstance(data, list) else [data] if data else []
