"""Requests in the order of a sync connector and of a workflow node, over plain HTTP.

Each program is written here, after reading published ones: a connector with eight streams, a
command line with seven, dashboards, and two workflow nodes. None of them uses an SDK.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk.sandbox import serve
from tests.support.plain_http import signed_in

# How a connector writes the times that it asks for, and reads those that it is answered.
CURSOR = "%Y-%m-%dT%H:%M:%S.%fZ"
PAGE = 100
STREAMS = {
    "users": ("users/query", "data", ""),
    "marketplace": ("marketplace/show", "data", ""),
    "listings": ("listings/query", "data", ""),
    "transactions": ("transactions/query", "data", ""),
    "events": ("events/query", "data", ""),
    "messages": ("transactions/query", "included", "messages"),
    "bookings": ("transactions/query", "included", "booking"),
    "reviews": ("transactions/query", "included", "reviews"),
}
NODE = {"page": "1", "perPage": "50", "expand": "true"}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    # What a workflow node sends with each request, queries included; it names no Accept.
    headers = {"Content-Type": "application/json; charset=utf-8"}
    with serve() as sandbox, signed_in(sandbox, **headers) as client:
        yield client


def answered(response: httpx2.Response) -> Any:
    assert response.status_code == 200, (response.url, response.text)
    assert response.headers["Content-Type"].startswith("application/json")
    return response.json()


def pages(client: httpx2.Client, stream: str, since: datetime) -> Iterator[list[Any]]:
    """The records of a stream, page by page until one is not full."""
    path, member, include = STREAMS[stream]
    query = {"include": include} if include else {}
    if stream != "marketplace":
        query |= {"perPage": str(PAGE), "createdAtStart": since.strftime(CURSOR)}
    for number in range(1, 20):
        if stream != "marketplace":
            query["page"] = str(number)
        records = answered(client.get(path, params=query)).get(member) or []
        yield records if isinstance(records, list) else [records]
        if not isinstance(records, list) or len(records) < PAGE:
            return
    pytest.fail("the pages do not end")


def test_a_connector_signs_in(client: httpx2.Client) -> None:
    # Its framework calls the scope by another name, which means nothing.
    with serve() as sandbox:
        form = {
            "grant_type": "client_credentials",
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "scopes": "integ",
        }
        token = httpx2.post(f"{sandbox.base_url}/v1/auth/token", data=form, trust_env=False)
        bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
        show = f"{sandbox.base_url}/v1/integration_api/users/query"
        assert httpx2.get(show, headers=bearer, trust_env=False).status_code == 200
    assert token.json()["expires_in"] > 0


@pytest.mark.parametrize("stream", STREAMS)
def test_a_sync_connector_reads_its_streams(client: httpx2.Client, stream: str) -> None:
    # Events are kept for 90 days: the connector asks for one day less.
    days = 89 if stream == "events" else 4000
    since = datetime.now(UTC) - timedelta(days=days)
    if stream == "events":
        for each in (created(client, title="New") for _ in range(3)):
            answered(client.post("listings/close", json={"id": each}))
    found = [record for page in pages(client, stream, since) for record in page]
    assert found
    assert len({record["id"] for record in found}) == len(found)
    kinds = {record["type"] for record in found}
    assert len(kinds) == 1
    if stream == "marketplace":
        return
    if kinds == {"booking"}:  # they have no time of creation
        return
    times = [record["attributes"]["createdAt"] for record in found]
    cursor = max(datetime.strptime(text, CURSOR).replace(tzinfo=UTC) for text in times)
    assert since < cursor
    # The next sync goes on at the newest record, and reads it again if it asks for it directly.
    again = [record for page in pages(client, stream, cursor) for record in page]
    assert len(again) < len(found)
    assert again or STREAMS[stream][2]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("listings/query", "listing"),
        ("users/query", "user"),
        ("transactions/query", "transaction"),
        ("events/query", "event"),
        ("marketplace/show", "marketplace"),
        ("files/query", "file"),
        ("file_attachments/query", "fileAttachment"),
    ],
)
def test_a_command_line_in_snake_case(client: httpx2.Client, path: str, kind: str) -> None:
    paging = {} if path.endswith("show") else {"page": "1", "per_page": "100"}
    found = answered(client.get(path, params=paging))["data"]
    assert {each["type"] for each in ([found] if isinstance(found, dict) else found)} <= {kind}


@pytest.mark.parametrize("path", ["users/query", "listings/query", "transactions/query"])
def test_a_dashboard_that_reads_until_there_is_no_further_page(
    client: httpx2.Client, path: str
) -> None:
    since = datetime(2020, 1, 1, microsecond=1).isoformat()  # noqa: DTZ001 - it has no zone
    found: list[Any] = []
    answer: Any = None
    for number in range(1, 20):
        answer = answered(client.get(f"{path}?createdAtStart={since}&page={number}"))
        if int(answer["meta"]["totalPages"]) < number:
            break
        found += answer["data"]
    assert answer["data"] == []
    assert len(found) == answer["meta"]["totalItems"] > 0


def first(client: httpx2.Client, path: str, **query: str) -> Any:
    return answered(client.get(path, params={**query, **NODE}))["data"][0]["id"]


def created(client: httpx2.Client, **more: object) -> Any:
    body = {
        "title": "Boat",
        "authorId": first(client, "users/query"),
        "state": "published",
        "description": "From a workflow",
        "geolocation": {"lat": 60.1699, "lng": 24.9384},
        "price": {"amount": 5000, "currency": "EUR"},
        "images": [],
        "publicData": {"listingType": "daily-booking", "categoryLevel1": "boats"},
        "availabilityPlan": {
            "type": "availability-plan/time",
            "timezone": "Europe/Helsinki",
            "entries": [{"dayOfWeek": "mon", "startTime": "09:00", "endTime": "17:00", "seats": 1}],
        },
        **more,
    }
    return answered(client.post("listings/create", params=NODE, json=body))["data"]["id"]


def bodies(client: httpx2.Client) -> dict[str, dict[str, Any]]:
    """What a node sends with each command, by its path."""
    users = answered(client.get("users/query", params=NODE))["data"]
    pending = next(each for each in users if each["attributes"]["state"] == "pendingApproval")
    renamed = next(each for each in users if each["attributes"].get("pendingEmail"))
    user, boat = users[0]["id"], created(client)
    deal = first(client, "transactions/query", states="preauthorized")
    span = {"start": "2027-01-04T09:00:00.000Z", "end": "2027-01-04T10:00:00.000Z"}
    exception = {"listingId": boat, "seats": 0, **span}
    made = answered(client.post("availability_exceptions/create", params=NODE, json=exception))
    file = {"name": "a.pdf", "mimeType": "application/pdf", "size": 4}
    registered = answered(client.post("files/create", params=NODE, json=file))["data"]["id"]
    later = {"start": "2027-02-01T00:00:00.000Z", "end": "2027-02-02T00:00:00.000Z"}
    step = {"id": deal, "transition": "transition/accept", "params": {}}
    attached = first(client, "file_attachments/query")
    return {
        "users/update_profile": {"id": user, "bio": "Hi", "metadata": {"a": 1}},
        "users/approve": {"id": pending["id"]},
        "users/update_permissions": {"id": user, "read": "permission/allow"},
        "users/verify_email": {"id": renamed["id"], "email": renamed["attributes"]["pendingEmail"]},
        "listings/create": {"title": "Raft", "authorId": user, "state": "pendingApproval"},
        "listings/update": {"id": boat, "title": "Ship", "price": None},
        "listings/close": {"id": boat},
        "listings/open": {"id": boat},
        "listings/approve": {"id": created(client, state="pendingApproval")},
        "transactions/transition_speculative": step,
        "transactions/transition": step,
        "transactions/update_metadata": {"id": deal, "metadata": {"checked": True}},
        "availability_exceptions/create": {"listingId": boat, "seats": 1, **later},
        "availability_exceptions/delete": {"id": made["data"]["id"]},
        "stock/compare_and_set": {"listingId": boat, "oldTotal": None, "newTotal": 3},
        "stock_adjustments/create": {"listingId": boat, "quantity": -1},
        "files/create": file,
        "file_uploads/create": {"fileId": registered},
        "file_downloads/create": {"fileAttachmentId": attached},
    }


def test_a_workflow_node_runs_every_command(client: httpx2.Client) -> None:
    wanted = bodies(client)
    commands = {each.path for each in ENDPOINTS.values() if each.method == "POST"}
    assert set(wanted) == commands - {"images/upload"}
    for path, body in wanted.items():
        found = answered(client.post(path, params=NODE, json=body))["data"]
        assert ("attributes" in found) == (path != "availability_exceptions/delete"), path


def test_a_workflow_node_uploads_an_image(client: httpx2.Client) -> None:
    # It writes the parts itself, and names any media type.
    boundary = "----nodeFormBoundary1767225600000"
    head = 'Content-Disposition: form-data; name="image"; filename="image"\r\n'
    picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (2).to_bytes(4) + (3).to_bytes(4) + bytes(5)
    body = b"".join(
        [
            f"--{boundary}\r\n{head}Content-Type: application/octet-stream\r\n\r\n".encode(),
            picture,
            f"\r\n--{boundary}--\r\n".encode(),
        ]
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    sent = client.post("images/upload?expand=true", content=body, headers=headers)
    variants = answered(sent)["data"]["attributes"]["variants"]
    assert (variants["default"]["width"], variants["default"]["height"]) == (2, 3)


def queries(client: httpx2.Client) -> dict[str, list[dict[str, str]]]:
    """What a node asks for at each show and query, by its path."""
    user, boat = first(client, "users/query"), created(client)
    deal, talk = (
        first(client, "transactions/query"),
        first(client, "transactions/query", hasMessage="true"),
    )
    ordered = {"hasStockReservation": "true", "include": "stockReservation"}
    sold = answered(client.get("transactions/query", params={**ordered, **NODE}))
    reservation = next(each for each in sold["included"] if each["type"] == "stockReservation")
    span = {"start": "2026-11-01T00:00:00.000Z", "end": "2026-11-28T00:00:00.000Z"}
    fields_of_user = {"fields.user": "id,profile.firstName,profile.lastName,email"}
    parties = {"include": "customer,provider,listing,booking,reviews,messages", **fields_of_user}
    of_listing = {
        "fields.listing": "id,title,state,createdAt",
        "include": "author,images,currentStock",
    }
    return {
        "marketplace/show": [{}],
        "users/show": [
            {"id": user, **fields_of_user},
            {
                "email": "user1@example.com",
                "include": "marketplace,profileImage,stripeAccount,effectivePermissionSet",
            },
        ],
        "users/query": [
            {"createdAtStart": span["start"], "createdAtEnd": span["end"], "sort": "-createdAt"},
            {"pub_userType": "provider", "meta_verified": "true", "sort": "meta_rank,-pub_age"},
            {"priv_note": "a,b", "prot_phone": "has_any:1,2"},
        ],
        "listings/show": [{"id": boat, **of_listing, **fields_of_user}],
        "listings/query": [
            {"states": "published,closed", "sort": "price,-createdAt", **of_listing},
            {"ids": f"{boat}", "authorId": user},
            {"keywords": "boat", "pub_listingType": "daily-booking,hourly"},
            {"origin": "60.1,24.9", "bounds": "61.0,25.0,60.0,24.0", "price": "100,100000"},
            {"availability": "time-partial", "minDuration": "60", "seats": "1", **span},
            {
                "minStock": "1",
                "stockMode": "match-undefined",
                "pub_gears": "3,",
                "meta_a": "has_all:b",
            },
        ],
        "transactions/show": [{"id": deal, **parties}],
        "transactions/query": [
            {"lastTransitions": "transition/accept", "processNames": "default-booking", **parties},
            {
                "hasBooking": "true",
                "bookingStates": "accepted,pending",
                "bookingStart": f"{span['start']},",
            },
            {"hasMessage": "false", "bookingEnd": f",{span['end']}", "sort": "-lastTransitionedAt"},
            {"userId": user, "customerId": user, "providerId": user, "listingId": boat},
        ],
        "files/query": [{"ownerId": user}],
        "file_attachments/query": [{"include": "file,message"}],
        "availability_exceptions/query": [{"listingId": boat, "include": "listing", **span}],
        "events/query": [
            {
                "eventTypes": "listing/created,listing/updated",
                "fields.event": "createdAt,eventType,sequenceId",
            },
            {"startAfterSequenceId": "1", "relatedResourceId": user},
            {
                "createdAtStart": (datetime.now(UTC) - timedelta(days=1)).isoformat(
                    timespec="milliseconds"
                )
            },
        ],
        "stock_adjustments/query": [
            {
                "listingId": boat,
                "fields.stockAdjustment": "id,at,quantity",
                "include": "listing.currentStock,listing.author,stockReservation.transaction",
                **span,
            }
        ],
        "stock_reservations/show": [
            {"id": reservation["id"], "include": "listing,transaction,stockAdjustments"}
        ],
        "messages/query": [{"transactionId": talk, "include": "sender"}],
    }


def test_a_workflow_node_asks_every_query_and_show(client: httpx2.Client) -> None:
    wanted = queries(client)
    assert set(wanted) == {each.path for each in ENDPOINTS.values() if each.method == "GET"}
    for path, many in wanted.items():
        for query in many:
            # It sends an empty object as the body of each query.
            asked = client.build_request("GET", path, params={**query, **NODE}, json={})
            found = answered(client.send(asked))
            assert "data" in found
            # A page of events has 100, whatever perPage says.
            size = 100 if path == "events/query" else 50
            assert path.endswith("show") or found["meta"]["perPage"] == size
