"""Planned faults that a long job meets: with headers, at one endpoint, later, at random, cut."""

from __future__ import annotations

import http.client
import json
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from flex_integration_sdk import IntegrationSDK, create_instance
from flex_integration_sdk.errors import ApiError, TransportError
from flex_integration_sdk.sandbox import RunningSandbox

pytest_plugins = ["flex_integration_sdk.testing"]
API = "/v1/integration_api/"


@pytest.fixture
def sdk(flex_sandbox: RunningSandbox) -> Iterator[IntegrationSDK]:
    """An instance that has a token already and repeats nothing: each fault is seen."""
    with create_instance(
        flex_sandbox.client_id,
        flex_sandbox.client_secret,
        base_url=flex_sandbox.base_url,
        token_store="memory",
        max_retries=0,
    ) as sdk:
        sdk.marketplace.show()
        yield sdk


def failures(sdk: IntegrationSDK, calls: int) -> list[int]:
    """Numbers of the calls that failed."""
    found = []
    for number in range(calls):
        try:
            sdk.marketplace.show()
        except (ApiError, TransportError):
            found.append(number)
    return found


def test_status_code_and_headers(flex_sandbox: RunningSandbox, sdk: IntegrationSDK) -> None:
    flex_sandbox.fault(
        "status", target="api", status=429, code="my-own-code", headers={"Retry-After": "7"}
    )
    with pytest.raises(ApiError) as caught:
        sdk.listings.query()
    assert (caught.value.status, caught.value.errors[0]["code"]) == (429, "my-own-code")
    assert caught.value.headers["retry-after"] == "7"
    assert caught.value.retry_after == 7


def raw(
    sandbox: RunningSandbox, path: str, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_a_body_is_sent_as_it_is(flex_sandbox: RunningSandbox) -> None:
    text = "text/plain; charset=utf-8"
    bodies: list[tuple[Any, bytes, str]] = [
        ("<h1>Bad gateway</h1>", b"<h1>Bad gateway</h1>", text),
        ({"message": "no"}, b'{"message":"no"}', "application/json"),
        ([], b"[]", "application/json"),
        ("", b"", text),
    ]
    for body, sent, kind in bodies:
        flex_sandbox.fault("status", status=502, body=body)
        status, headers, found = raw(flex_sandbox, f"{API}marketplace/show")
        assert (status, found, headers["content-type"]) == (502, sent, kind)
        flex_sandbox.fault("status", status=502, body=body, headers={"Content-Type": "text/html"})
        _, headers, _ = raw(flex_sandbox, f"{API}marketplace/show")
        assert headers.get_all("content-type") == ["text/html"]


def test_an_error_code_of_a_token_request(flex_sandbox: RunningSandbox) -> None:
    flex_sandbox.fault("status", target="token", status=400, code="temporarily_unavailable")
    connection = http.client.HTTPConnection(urlsplit(flex_sandbox.base_url).netloc, timeout=10)
    connection.request("POST", "/v1/auth/token")
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["error"]) == (400, "temporarily_unavailable")
    connection.close()


def test_one_endpoint_fails(flex_sandbox: RunningSandbox, sdk: IntegrationSDK) -> None:
    flex_sandbox.fault("status", path="listings/query", status=503)
    flex_sandbox.expire()
    sdk.users.query(per_page=1)  # and the token request before it
    with pytest.raises(ApiError) as caught:
        sdk.listings.query(per_page=1)
    assert caught.value.status == 503
    sdk.listings.query(per_page=1)
    assert flex_sandbox.stats()["faults"] == 1


def test_the_first_requests_are_let_through(
    flex_sandbox: RunningSandbox, sdk: IntegrationSDK
) -> None:
    flex_sandbox.fault("status", path="marketplace/show", after=3, count=2)
    sdk.users.query(per_page=1)  # of another endpoint: does not count
    assert failures(sdk, 7) == [3, 4]


def test_the_first_fault_that_is_for_a_request_meets_it(
    flex_sandbox: RunningSandbox, sdk: IntegrationSDK
) -> None:
    flex_sandbox.fault("status", target="api", status=500, after=2)
    flex_sandbox.fault("status", target="api", status=503)
    assert [status_of(sdk) for _ in range(4)] == [503, 200, 500, 200]


def status_of(sdk: IntegrationSDK) -> int | None:
    try:
        return sdk.marketplace.show().status
    except ApiError as error:
        return error.status


def test_one_in_so_many_fails_at_random_and_the_same_again(
    flex_sandbox: RunningSandbox, sdk: IntegrationSDK
) -> None:
    runs = []
    for seed in (1, 1, 2):
        flex_sandbox.fault("status", target="api", status=429, every=10, seed=seed)
        runs.append(failures(sdk, 100))
        flex_sandbox.clear_faults()
    assert runs[0] == runs[1] != runs[2]
    assert all(3 <= len(run) <= 25 for run in runs)
    assert flex_sandbox.stats()["faults"] == sum(map(len, runs))
    assert failures(sdk, 20) == []  # none is planned any more


def test_two_random_faults_do_not_strike_together(
    flex_sandbox: RunningSandbox, sdk: IntegrationSDK
) -> None:
    """If both drew the same numbers, the first strike of one would be followed by the other's."""
    runs = []
    for status in (429, 503):
        flex_sandbox.fault("status", target="api", status=status, every=10)
        runs.append(failures(sdk, 100))
        flex_sandbox.clear_faults()
    assert runs[0] != runs[1]


def test_random_faults_can_have_an_end(flex_sandbox: RunningSandbox, sdk: IntegrationSDK) -> None:
    flex_sandbox.fault("drop", target="api", every=2, count=3)
    assert len(failures(sdk, 60)) == 3


def test_a_response_is_cut_in_the_middle(flex_sandbox: RunningSandbox) -> None:
    token = access_token(flex_sandbox)

    def users() -> bytes:
        status, _, body = raw(flex_sandbox, f"{API}users/query", Authorization=f"Bearer {token}")
        assert status == 200
        return body

    whole = users()
    flex_sandbox.fault("cut", target="api")
    with pytest.raises(http.client.IncompleteRead) as caught:
        users()
    assert caught.value.partial == whole[: len(whole) // 2]
    assert len(caught.value.partial) + (caught.value.expected or 0) == len(whole)
    assert users() == whole


def access_token(sandbox: RunningSandbox) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
    }
    with urllib.request.urlopen(
        f"{sandbox.base_url}/v1/auth/token", urlencode(form).encode()
    ) as it:
        return str(json.load(it)["access_token"])


def test_what_is_cut_was_done(flex_sandbox: RunningSandbox, sdk: IntegrationSDK) -> None:
    author = sdk.users.query(per_page=1).data[0].id
    before = sdk.listings.query(per_page=1).meta["totalItems"]
    flex_sandbox.fault("cut", path="listings/create")
    with pytest.raises(TransportError):
        sdk.listings.create(title="Cut", author_id=author, state="published")
    assert sdk.listings.query(per_page=1).meta["totalItems"] == (before or 0) + 1


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"path": "listing/query"}, "did you mean listings/query"),
    ({"path": 7}, "is not an endpoint"),
    ({"path": "listings/query", "target": "token"}, "path needs target api"),
    ({"after": -1}, "after"),
    ({"after": True}, "after"),
    ({"every": 0}, "every"),
    ({"every": 1.5}, "every"),
    ({"seed": "x"}, "seed"),
    ({"code": ""}, "code must be a string"),
    ({"code": "a", "body": {}}, "cannot be combined"),
    ({"kind": "drop", "code": "a"}, "need kind status"),
    ({"kind": "cut", "body": "a"}, "need kind status"),
    ({"headers": {"a b": "c"}}, "cannot be set"),
    ({"headers": {"Content-Length": "1"}}, "cannot be set"),
    ({"headers": {"a": "b\r\nc: d"}}, "printable ASCII"),
    ({"headers": {"a": 1}}, "printable ASCII"),
    ({"kind": ["status"]}, "kind must be one of"),
]


def test_what_is_no_fault_is_refused(flex_sandbox: RunningSandbox, sdk: IntegrationSDK) -> None:
    for wrong, why in WRONG:
        with pytest.raises(ValueError, match=why):
            flex_sandbox.fault(**wrong)
    sdk.marketplace.show()


def test_each_response_has_a_request_id_and_events_tell_it(
    flex_sandbox: RunningSandbox, sdk: IntegrationSDK
) -> None:
    last = sdk.events.query().data[-1].attributes["sequenceId"]
    author = sdk.users.query(per_page=1).data[0].id
    made = sdk.listings.create(title="Told", author_id=author, state="published")
    (event,) = sdk.events.query(start_after_sequence_id=last).data
    assert made.request_id
    assert str(event.attributes["auditData"]["requestId"]) == made.request_id
    assert sdk.users.query(per_page=1).request_id not in (None, made.request_id)
    with pytest.raises(ApiError) as caught:
        sdk.users.query(page=0)
    assert caught.value.request_id
    status, headers, _ = raw(flex_sandbox, f"{API}nothing/here")
    assert status == 401
    assert headers["x-request-id"]
    flex_sandbox.fault("status", target="api", headers={"X-Request-Id": "mine"})
    with pytest.raises(ApiError) as caught:
        sdk.marketplace.show()
    assert caught.value.request_id == "mine"
