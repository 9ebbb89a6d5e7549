"""Tokens: issued, rotated, revoked, expired, and what is counted."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

SECRET = "s3cret & more"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
Reply = tuple[int, dict[str, str], Any]


def send(sandbox: RunningSandbox, method: str, path: str, body: str = "", **headers: str) -> Reply:
    connection = http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, json.loads(answer.read())
    finally:
        connection.close()


def grant(sandbox: RunningSandbox, **form: str) -> Reply:
    fields = {"client_id": sandbox.client_id, **form}
    return send(sandbox, "POST", "/v1/auth/token", urlencode(fields), **FORM)


def sign_in(sandbox: RunningSandbox) -> dict[str, Any]:
    status, _, token = grant(
        sandbox, grant_type="client_credentials", client_secret=SECRET, scope="integ"
    )
    assert status == 200
    found: dict[str, Any] = token
    return found


def refresh(sandbox: RunningSandbox, refresh_token: str) -> Reply:
    return grant(sandbox, grant_type="refresh_token", refresh_token=refresh_token)


def call(sandbox: RunningSandbox, token: dict[str, Any]) -> int:
    headers = {"Authorization": f"bearer {token['access_token']}"}  # any case will do
    return send(sandbox, "GET", "/v1/integration_api/marketplace/show", **headers)[0]


def revoke(sandbox: RunningSandbox, token: dict[str, Any]) -> Reply:
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    form = urlencode({"token": token["refresh_token"]})
    return send(sandbox, "POST", "/v1/auth/revoke", form, **headers, **FORM)


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(client_secret=SECRET)) as running:
        yield running


@pytest.fixture
def sandbox(shared: RunningSandbox) -> RunningSandbox:
    shared.reset()
    return shared


def test_the_secret_gives_a_token_that_the_api_takes(sandbox: RunningSandbox) -> None:
    status, headers, token = grant(
        sandbox, scope="integ", grant_type="client_credentials", client_secret=SECRET
    )
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert set(token) >= {"access_token", "refresh_token"}
    assert (token["token_type"], token["expires_in"], token["scope"]) == ("bearer", 3600, "integ")
    assert len(token["access_token"]) > 200
    assert call(sandbox, token) == 200


@pytest.mark.parametrize("wrong", [{"client_id": "other"}, {"client_secret": "wrong"}])
def test_another_client_is_refused(sandbox: RunningSandbox, wrong: dict[str, str]) -> None:
    fields = {"grant_type": "client_credentials", "client_secret": SECRET, **wrong}
    status, _, body = grant(sandbox, **fields)
    assert (status, body["error"]) == (401, "invalid_client")
    assert sandbox.stats()["client_credentials"] == 1


def test_an_unknown_grant_is_refused(sandbox: RunningSandbox) -> None:
    status, _, body = grant(sandbox, grant_type="password")
    assert (status, body["error"]) == (400, "unsupported_grant_type")


def test_a_refresh_rotates_and_the_old_access_token_lives_on(sandbox: RunningSandbox) -> None:
    first = sign_in(sandbox)
    status, _, second = refresh(sandbox, first["refresh_token"])
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert call(sandbox, first) == call(sandbox, second) == 200
    status, _, body = refresh(sandbox, first["refresh_token"])
    assert (status, body["error"]) == (401, "invalid_grant")
    assert refresh(sandbox, second["refresh_token"])[0] == 200
    stats = sandbox.stats()
    assert (stats["refresh_token"], stats["refresh_rejected"]) == (3, 1)


def test_a_refresh_by_another_client_is_refused_and_rotates_nothing(
    sandbox: RunningSandbox,
) -> None:
    token = sign_in(sandbox)["refresh_token"]
    status, _, body = grant(
        sandbox, client_id="other", grant_type="refresh_token", refresh_token=token
    )
    assert (status, body["error"]) == (401, "invalid_client")
    assert refresh(sandbox, token)[0] == 200


def test_without_rotation_the_refresh_token_stays() -> None:
    with serve(SandboxSettings(client_secret=SECRET, rotate=False)) as sandbox:
        first = sign_in(sandbox)
        for _ in range(2):
            status, _, token = refresh(sandbox, first["refresh_token"])
            assert (status, token["refresh_token"]) == (200, first["refresh_token"])


@pytest.mark.parametrize("family", [True, False])
def test_reuse_revokes_the_family_if_asked(family: bool) -> None:
    settings = SandboxSettings(client_secret=SECRET, reuse_revokes_family=family)
    with serve(settings) as sandbox:
        stranger = sign_in(sandbox)
        first = sign_in(sandbox)
        second = refresh(sandbox, first["refresh_token"])[2]
        assert refresh(sandbox, first["refresh_token"])[0] == 401
        assert call(sandbox, second) == (401 if family else 200)
        assert refresh(sandbox, second["refresh_token"])[0] == (401 if family else 200)
        assert call(sandbox, stranger) == 200


def test_revoke_ends_both_tokens_and_needs_a_live_access_token(sandbox: RunningSandbox) -> None:
    token = sign_in(sandbox)
    assert revoke(sandbox, token)[::2] == (200, {"action": "revoked"})
    assert call(sandbox, token) == 401
    assert refresh(sandbox, token["refresh_token"])[0] == 401
    assert revoke(sandbox, token)[0] == 401
    assert (sandbox.stats()["revoke"], sandbox.stats()["unauthorized"]) == (2, 2)


def test_revoking_an_unknown_token_does_nothing(sandbox: RunningSandbox) -> None:
    token = sign_in(sandbox)
    assert revoke(sandbox, {**token, "refresh_token": "x"})[::2] == (200, {"action": "nothing"})
    assert call(sandbox, token) == 200


def test_access_tokens_expire_by_time_and_by_command(sandbox: RunningSandbox) -> None:
    token = sign_in(sandbox)
    sandbox.expire()
    assert call(sandbox, token) == 401
    assert refresh(sandbox, token["refresh_token"])[0] == 200
    with serve(SandboxSettings(client_secret=SECRET, access_ttl=0)) as short:
        assert call(short, sign_in(short)) == 401
    with serve(SandboxSettings(client_secret=SECRET, access_ttl=1.5)) as odd:
        assert sign_in(odd)["expires_in"] == 2  # a whole number on the wire


def test_reset_forgets_tokens_faults_and_counts(sandbox: RunningSandbox) -> None:
    token = sign_in(sandbox)
    sandbox.fault("status", count=5)
    sandbox.reset()
    assert set(sandbox.stats().values()) == {0}
    assert refresh(sandbox, token["refresh_token"])[0] == 401
    sign_in(sandbox)


def test_the_peak_counts_token_requests_in_flight() -> None:
    settings = SandboxSettings(client_secret=SECRET, latency_ms=250)
    with serve(settings) as sandbox:
        form = urlencode({"grant_type": "client_credentials"})
        netloc = urlsplit(sandbox.base_url).netloc
        connections = [http.client.HTTPConnection(netloc, timeout=10) for _ in range(3)]
        for connection in connections:  # sent without waiting for an answer
            connection.request("POST", "/v1/auth/token", form, FORM)
        for connection in connections:
            assert connection.getresponse().status == 401
            connection.close()
        stats = sandbox.stats()
        assert (stats["peak_token_requests_in_flight"], stats["client_credentials"]) == (3, 3)
        sandbox.reset()
        sign_in(sandbox)
        assert sandbox.stats()["peak_token_requests_in_flight"] == 1


def test_settings_refuse_nonsense_and_hide_the_secret() -> None:
    assert SECRET not in repr(SandboxSettings(client_secret=SECRET))
    assert SandboxSettings().client_secret != SandboxSettings().client_secret
    for wrong in ({"client_id": ""}, {"access_ttl": -1}, {"latency_ms": float("nan")}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            SandboxSettings(**wrong)


@pytest.mark.parametrize(
    ("form", "media_type", "body"),
    [
        ("json", "application/json", '{"error":"invalid_grant",'),
        ("text", "text/plain", "Unauthorized"),
        ("html", "text/html", "<html>"),
    ],
)
def test_401_in_three_forms(form: Any, media_type: str, body: str) -> None:
    with serve(SandboxSettings(client_secret=SECRET), auth_errors=form) as sandbox:
        token = sign_in(sandbox)
        dead = {"grant_type": "refresh_token", "refresh_token": "x"}
        status, kind, text = refused(sandbox, "token", **dead)
        assert (status, kind, text.startswith(body)) == (401, media_type, True)
        sandbox.fault("status", status=401, target="token")
        assert refused(sandbox, "token", **dead)[:2] == (401, media_type)
        assert refused(sandbox, "revoke", token="x")[:2] == (401, media_type)
        assert refused(sandbox, "token", grant_type="password")[:2] == (400, "application/json")
        assert refresh(sandbox, token["refresh_token"])[0] == 200
    with pytest.raises(ValueError, match="json, text, html"), serve(auth_errors="xml"):  # type: ignore[arg-type]  # the point
        pass


def refused(sandbox: RunningSandbox, endpoint: str, **form: str) -> tuple[int, str, str]:
    """Status, media type and the beginning of the body."""
    fields = urlencode({"client_id": sandbox.client_id, **form})
    connection = http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=10)
    try:
        connection.request("POST", f"/v1/auth/{endpoint}", fields, FORM)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    return answer.status, answer.headers.get_content_type(), text.partition("\n")[0]
