"""Planned faults, and that a faulted request is counted."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from flex_integration_sdk.sandbox import RunningSandbox

pytest_plugins = ["flex_integration_sdk.testing"]


def post(sandbox: RunningSandbox, path: str, **form: str) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=10)
    try:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, urlencode(form), kind)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def sign_in(sandbox: RunningSandbox) -> tuple[int, str, bytes]:
    return post(
        sandbox,
        "/v1/auth/token",
        grant_type="client_credentials",
        client_id=sandbox.client_id,
        client_secret=sandbox.client_secret,
    )


def refresh(sandbox: RunningSandbox, token: str) -> tuple[int, str, bytes]:
    return post(
        sandbox,
        "/v1/auth/token",
        grant_type="refresh_token",
        client_id=sandbox.client_id,
        refresh_token=token,
    )


def test_the_next_n_requests_fail_and_are_counted(flex_sandbox: RunningSandbox) -> None:
    flex_sandbox.fault("status", target="token", count=2, status=503)
    assert [sign_in(flex_sandbox)[0] for _ in range(3)] == [503, 503, 200]
    assert flex_sandbox.stats()["client_credentials"] == 3


def test_a_fault_meets_its_target_alone(flex_sandbox: RunningSandbox) -> None:
    flex_sandbox.fault("status", target="revoke", status=500)
    assert sign_in(flex_sandbox)[0] == 200
    assert post(flex_sandbox, "/v1/auth/revoke")[0] == 500
    assert post(flex_sandbox, "/v1/auth/revoke")[0] == 401
    flex_sandbox.fault("status", target="api", status=429)
    assert sign_in(flex_sandbox)[0] == 200
    status, _, body = post(flex_sandbox, "/v1/integration_api/x")
    assert (status, json.loads(body)["errors"][0]["code"]) == (429, "too-many-requests")
    assert flex_sandbox.stats()["api_calls"] == 1
    assert flex_sandbox.stats()["unauthorized"] == 1  # the 401 of revoke; planned ones never


def test_a_dropped_request_did_nothing(flex_sandbox: RunningSandbox) -> None:
    token = json.loads(sign_in(flex_sandbox)[2])["refresh_token"]
    flex_sandbox.fault("drop", target="token")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        refresh(flex_sandbox, token)
    assert refresh(flex_sandbox, token)[0] == 200
    assert flex_sandbox.stats()["refresh_token"] == 2


def test_a_lost_answer_has_rotated(flex_sandbox: RunningSandbox) -> None:
    token = json.loads(sign_in(flex_sandbox)[2])["refresh_token"]
    flex_sandbox.fault("lose_answer", target="token")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        refresh(flex_sandbox, token)
    assert refresh(flex_sandbox, token)[0] == 401


def test_a_dropped_connection_logs_nothing(
    flex_sandbox: RunningSandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    flex_sandbox.fault("drop")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        sign_in(flex_sandbox)
    flex_sandbox.stats()  # by now the server is done with it
    assert capfd.readouterr() == ("", "")


def test_a_delayed_request_is_answered_late(flex_sandbox: RunningSandbox) -> None:
    flex_sandbox.fault("delay", target="token", seconds=0.2)
    start = time.monotonic()
    assert sign_in(flex_sandbox)[0] == 200
    assert time.monotonic() - start >= 0.19


def test_html_and_another_token_type(flex_sandbox: RunningSandbox) -> None:
    flex_sandbox.fault("html", target="any")
    status, kind, body = sign_in(flex_sandbox)
    assert (status, kind.partition(";")[0], body[:6]) == (200, "text/html", b"<html>")
    flex_sandbox.fault("token_type", target="token")
    assert json.loads(sign_in(flex_sandbox)[2])["token_type"] == "mac"
    flex_sandbox.fault("token_type", target="token")
    assert refresh(flex_sandbox, "unknown")[0] == 401


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"kind": "flood"}, "kind must be one of"),
    ({"target": "moon"}, "target must be one of"),
    ({"kind": "token_type"}, "needs target token"),
    ({"count": 0}, "count"),
    ({"count": True}, "count"),
    ({"status": 200}, "status"),
    ({"seconds": -1}, "seconds"),
    ({"seconds": "1"}, "seconds"),
]


def test_what_is_no_fault_is_refused(flex_sandbox: RunningSandbox) -> None:
    for wrong, why in WRONG:
        with pytest.raises(ValueError, match=why):
            flex_sandbox.fault(**wrong)
    assert sign_in(flex_sandbox)[0] == 200


def test_a_malformed_plan_is_refused(flex_sandbox: RunningSandbox) -> None:
    connection = http.client.HTTPConnection(urlsplit(flex_sandbox.base_url).netloc, timeout=10)
    for body in ("", "[]", "{", '{"unknown": 1}'):
        connection.request("POST", "/_sandbox/faults", body)
        answer = connection.getresponse()
        assert (answer.status, list(json.loads(answer.read()))) == (400, ["error"])
    connection.close()
