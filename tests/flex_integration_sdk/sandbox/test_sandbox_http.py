"""What HTTP itself asks of the sandbox: errors in its forms, methods, HEAD, and large bodies."""

from __future__ import annotations

import http.client
import json
import re
import shlex
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPMessage
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk._transit import loads
from flex_integration_sdk.errors import ServerError
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from flex_integration_sdk.sandbox._endpoints.context import HANDLERS
from flex_integration_sdk.sandbox._server.issued_tokens import Tokens

API = "/v1/integration_api/"
TRANSIT = "application/transit+json"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SECRET = "s3cret-SENTINEL"
SIGN_IN = {"grant_type": "client_credentials", "client_id": "c", "client_secret": SECRET}
LISTING = "00000003-0000-4000-8000-000000000001"


class Answer(NamedTuple):
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The only error of a response in the API's form."""
        is_transit = self.headers.get_content_type() == TRANSIT
        body = loads(self.body) if is_transit else json.loads(self.body)
        (found,) = body["errors"]
        assert set(found) == {"id", "status", "code", "title"}
        assert found["status"] == self.status
        return dict(found)


Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(client_id="c", client_secret=SECRET)) as running:
        yield running


@pytest.fixture
def connection(sandbox: RunningSandbox) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=30)) as made:
        yield made


@pytest.fixture
def plain(connection: http.client.HTTPConnection) -> Ask:
    """Asks without a token; all on one connection, which must stay usable."""

    def ask(method: str, path: str, body: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        assert answer.headers.get("Connection") != "close"
        return Answer(answer.status, answer.headers, answer.read())

    return ask


@pytest.fixture
def ask(plain: Ask) -> Ask:
    """Asks with a token."""
    answer = plain("POST", "/v1/auth/token", urlencode(SIGN_IN), **FORM)
    bearer = f"Bearer {json.loads(answer.body)['access_token']}"

    def asking(method: str, path: str, body: Any = None, **headers: str) -> Answer:
        return plain(method, path, body, Authorization=bearer, **headers)

    return asking


# RFC 6750 section 3


def test_a_missing_token_is_asked_for(plain: Ask) -> None:
    answer = plain("GET", f"{API}marketplace/show")
    assert (answer.status, answer.error["code"]) == (401, "auth-missing-access-token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Integration API"'
    for path, headers, hint in (
        ("?access_token=SENTINEL", {}, "no access token from the query"),
        ("", {"Authorization": "Basic SENTINEL"}, "no client id and secret"),
        ("", {"Authorization": "Token SENTINEL"}, "not a Bearer token"),
        ("", {"Authorization": "Bearer"}, "not a Bearer token"),
    ):
        answer = plain("GET", f"{API}marketplace/show{path}", **headers)
        assert (answer.status, answer.error["code"]) == (401, "auth-missing-access-token")
        assert hint in answer.error["title"]
        assert "Authorization: Bearer" in answer.error["title"]
        assert b"SENTINEL" not in answer.body


def test_a_token_in_the_body_is_not_taken(ask: Ask, plain: Ask) -> None:
    for body, kind in (("access_token=SENTINEL", FORM["Content-Type"]), ("{}", TRANSIT)):
        answer = plain("POST", f"{API}listings/close", body, Content_Type=kind)
        assert (answer.status, answer.error["code"]) == (401, "auth-missing-access-token")
        assert "none from query or body" in answer.error["title"]


def test_a_wrong_token_is_told_apart(plain: Ask) -> None:
    answer = plain("GET", f"{API}marketplace/show", Authorization="bearer SENTINEL")
    assert (answer.status, answer.error["code"]) == (401, "auth-invalid-access-token")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert "SENTINEL" not in str(answer.headers) + str(answer.body)


def test_two_tokens_are_one_too_many(
    ask: Ask, connection: http.client.HTTPConnection, sandbox: RunningSandbox
) -> None:
    before = sandbox.stats()["unauthorized"]
    connection.putrequest("GET", f"{API}marketplace/show")
    for value in ("Bearer one", "Bearer other"):
        connection.putheader("Authorization", value)
    connection.endheaders()
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    assert (answer.status, answer.error["code"]) == (400, "bad-request")
    assert 'error="invalid_request"' in answer.headers["WWW-Authenticate"]
    assert sandbox.stats()["unauthorized"] == before + 1


def test_a_planned_401_asks_for_a_token_too(ask: Ask, sandbox: RunningSandbox) -> None:
    sandbox.fault("status", target="api", status=401)
    answer = ask("GET", f"{API}marketplace/show")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


# 404 and 405


@pytest.mark.parametrize("accept", ["application/json", TRANSIT])
@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (f"{API}nonsense/query", "no such endpoint"),
        (f"{API}marketplace/nonsense", "no such endpoint; there are marketplace/show"),
        (f"{API}listing/query", "did you mean listings/query?"),
        (f"{API}stock/compareAndSet", "did you mean stock/compare_and_set?"),
        (f"{API}listings/query/", "omit the slash at the end"),
        (API, "no such endpoint"),
        ("/v1/integration_api", "/v1/integration_api/"),
        ("/v2/integration_api/listings/query", "/v1/integration_api/"),
        ("//v1/integration_api/listings/query", "/v1/integration_api/"),
        ("/nonsense", "/v1/integration_api/"),
    ],
)
def test_what_is_not_there_is_an_error_of_the_api(
    ask: Ask, accept: str, path: str, hint: str
) -> None:
    answer = ask("GET", path, Accept=accept)
    assert answer.headers.get_content_type() == accept
    assert (answer.status, answer.error["code"]) == (404, "not-found")
    assert hint in answer.error["title"]


@pytest.mark.parametrize("path", ["/v1/auth/token/", "/v1/auth/details", "/_sandbox/nonsense"])
def test_what_is_not_there_is_an_error_of_oauth(plain: Ask, path: str) -> None:
    answer = plain("POST", path, urlencode(SIGN_IN), **FORM)
    body = json.loads(answer.body)
    assert (answer.status, body["error"]) == (404, "not_found")
    assert ("slash" in body["error_description"]) is path.endswith("/")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "listings/update", "OPTIONS, POST"),
        ("HEAD", "listings/update", "OPTIONS, POST"),
        ("POST", "listings/query", "GET, HEAD, OPTIONS"),
        ("DELETE", "listings/query", "GET, HEAD, OPTIONS"),
        ("PUT", "listings/update", "OPTIONS, POST"),
        ("PATCH", "users/update_profile", "OPTIONS, POST"),
        ("TRACE", "listings/query", "GET, HEAD, OPTIONS"),
        ("FOO", "listings/update", "OPTIONS, POST"),
    ],
)
def test_a_wrong_method_is_an_error_of_the_api(
    ask: Ask, method: str, path: str, allowed: str
) -> None:
    answer = ask(method, API + path, Content_Type="application/json")
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)
    if method != "HEAD":
        assert answer.error["code"] == "method-not-allowed"
        assert f"send {'POST' if 'POST' in allowed else 'GET'}" in answer.error["title"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/auth/token", "OPTIONS, POST"),
        ("PUT", "/v1/auth/revoke", "OPTIONS, POST"),
        ("GET", "/_sandbox/reset", "OPTIONS, POST"),
        ("POST", "/_sandbox/stats", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_is_an_error_of_oauth(
    plain: Ask, method: str, path: str, allowed: str
) -> None:
    answer = plain(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)
    body = json.loads(answer.body)
    assert body["error"] == "method_not_allowed"
    assert allowed in body["error_description"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (f"{API}listings/query", "GET, HEAD, OPTIONS"),
        (f"{API}listings/update", "OPTIONS, POST"),
        ("/v1/auth/token", "OPTIONS, POST"),
        ("/_sandbox/stats", "GET, HEAD, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_says_which_methods_there_are(
    plain: Ask, sandbox: RunningSandbox, path: str, allowed: str
) -> None:
    before = sandbox.stats()
    answer = plain("OPTIONS", path)
    assert (answer.status, answer.headers["Allow"], answer.body) == (204, allowed, b"")
    assert sandbox.stats() == before
    assert plain("OPTIONS", f"{API}nonsense").status == 404


@pytest.mark.parametrize("path", [f"{API}listings/show?id={LISTING}", "/", "/_sandbox/stats"])
def test_head_is_get_without_a_body(ask: Ask, path: str) -> None:
    got, headed = ask("GET", path), ask("HEAD", path)
    assert (got.status, headed.status, headed.body) == (200, 200, b"")
    assert headed.headers["Content-Type"] == got.headers["Content-Type"]
    if path != "/_sandbox/stats":
        assert headed.headers["Content-Length"] == str(len(got.body))
    assert ask("HEAD", f"{API}listings/show?id={UUID(int=0)}").status == 404
    assert ask("HEAD", f"{API}nonsense").status == 404


# Large bodies


def test_a_body_that_is_too_large_is_413(ask: Ask, connection: http.client.HTTPConnection) -> None:
    title = json.dumps({"id": LISTING, "title": "x" * 65 * 1024 * 1024})
    answer = ask("POST", f"{API}listings/update", title, Content_Type="application/json")
    assert (answer.status, answer.error["code"]) == (413, "request-upload-over-limit")
    assert ask("GET", f"{API}listings/show?id={LISTING}").status == 200


def test_a_body_that_is_far_too_large_is_refused_unread(
    ask: Ask, connection: http.client.HTTPConnection
) -> None:
    ask("GET", f"{API}marketplace/show")
    connection.putrequest("POST", "/v1/auth/token")
    for name, value in {**FORM, "Content-Length": "1000000000000"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["error"]) == (400, "invalid_request")


def test_a_client_that_goes_away_while_it_sends_is_no_fault(
    ask: Ask, sandbox: RunningSandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    address = urlsplit(sandbox.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as gone:
        headers = {"Host": address.netloc, "Content-Length": "100", **FORM}
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        head = "POST /v1/auth/token HTTP/1.1\r\n" + "".join(lines)
        gone.sendall(f"{head}\r\ngrant_type=".encode())
    assert ask("GET", f"{API}marketplace/show").status == 200
    assert capfd.readouterr() == ("", "")


# Faults of the sandbox


@pytest.mark.parametrize("accept", ["application/json", TRANSIT])
def test_a_fault_of_the_sandbox_is_an_error_of_the_api(
    ask: Ask,
    accept: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("SENTINEL of a user")

    monkeypatch.setitem(HANDLERS, "listings.update", broken)
    body = json.dumps({"id": LISTING, "title": "SENTINEL"})
    answer = ask(
        "POST", f"{API}listings/update?expand=true", body, Content_Type="application/json",
        Accept=accept,
    )  # fmt: skip
    assert answer.headers.get_content_type() == accept
    assert (answer.status, answer.error["code"]) == (500, "server-error")
    assert "KeyError at router.py, line " in answer.error["title"]
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"flex-sdk sandbox: POST {API}listings/update failed: KeyError at ")
    assert "SENTINEL" not in line + str(answer.body)
    monkeypatch.undo()
    assert ask("GET", f"{API}listings/show?id={LISTING}").status == 200  # the same connection


def test_a_fault_of_the_sandbox_is_an_error_of_oauth(
    plain: Ask, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(self: Tokens) -> Any:
        raise ValueError(f"SENTINEL {SECRET}")

    monkeypatch.setattr(Tokens, "sign_in", broken)
    answer = plain("POST", "/v1/auth/token", urlencode(SIGN_IN), **FORM)
    body = json.loads(answer.body)
    assert (answer.status, body["error"]) == (500, "server_error")
    assert "ValueError at oauth.py, line " in body["error_description"]
    (line,) = capfd.readouterr().err.splitlines()
    assert "SENTINEL" not in line + str(body)
    monkeypatch.undo()
    assert plain("POST", "/v1/auth/token", urlencode(SIGN_IN), **FORM).status == 200


def test_the_sdk_says_what_the_sandbox_says(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], sandbox: RunningSandbox
) -> None:
    monkeypatch.delitem(HANDLERS, "marketplace.show")
    with (
        create_instance("c", SECRET, base_url=sandbox.base_url) as sdk,
        pytest.raises(ServerError, match=r"HTTP 500, server-error, The sandbox failed: KeyError"),
    ):
        sdk.marketplace.show()
    assert "please report it" in capfd.readouterr().err


def test_the_front_page_says_what_this_is(plain: Ask, sandbox: RunningSandbox) -> None:
    answer = plain("GET", "/", Accept="text/html")
    assert (answer.status, answer.headers.get_content_type()) == (200, "text/html")
    for said in (
        b"flex-sdk sandbox",
        b"/v1/auth/token",
        b"/v1/integration_api/",
        b"docs/sandbox",
        b"--seed",
    ):
        assert said in answer.body
    assert SECRET.encode() not in answer.body
    (line,) = re.findall("<pre>(.+)</pre>", answer.body.decode())
    line = line.replace("CLIENT_ID", "c").replace("CLIENT_SECRET", SECRET)
    curl, *form, url = (each for each in shlex.split(line) if each != "-d")
    assert (curl, url) == ("curl", f"{sandbox.base_url}/v1/auth/token")
    assert plain("POST", "/v1/auth/token", "&".join(form), **FORM).status == 200
