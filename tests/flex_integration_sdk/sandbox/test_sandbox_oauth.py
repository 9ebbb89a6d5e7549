"""The authentication endpoints answer wrong requests as RFC 6749, 6750 and 7009 say."""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPMessage
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex_integration_sdk.sandbox import FaultTarget, RunningSandbox, SandboxSettings, serve

CLIENT, SECRET = "the-client", "s3cret-SENTINEL & more"
KIND = "application/x-www-form-urlencoded"
SIGN_IN = {
    "grant_type": "client_credentials",
    "client_id": CLIENT,
    "client_secret": SECRET,
    "scope": "integ",
}
BASIC = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
# RFC 6749 section 5.2: what a description may consist of.
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{10,300}")


class Answer(NamedTuple):
    status: int
    headers: HTTPMessage
    body: Any


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(client_id=CLIENT, client_secret=SECRET)) as running:
        yield running


@pytest.fixture
def sandbox(shared: RunningSandbox) -> RunningSandbox:
    shared.reset()
    return shared


def post(
    sandbox: RunningSandbox,
    body: str | bytes | Mapping[str, str],
    *headers: tuple[str, str],
    kind: str | None = KIND,
    path: str = "/v1/auth/token",
) -> Answer:
    """Posts a form; what is refused is an OAuth error that names nothing secret."""
    content = body if isinstance(body, (str, bytes)) else urlencode(body)
    content = content.encode() if isinstance(content, str) else content
    with closing(http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=10)) as sent:
        sent.putrequest("POST", path)
        all_headers = [("Content-Length", str(len(content))), *headers]
        for name, value in [*all_headers, *([("Content-Type", kind)] if kind else [])]:
            sent.putheader(name, value)
        sent.endheaders(content)
        answer = sent.getresponse()
        found = Answer(answer.status, answer.headers, json.loads(answer.read()))
    if found.status != 200:
        assert set(found.body) == {"error", "error_description"}
        assert DESCRIPTION.fullmatch(found.body["error_description"])
        assert found.headers["Cache-Control"] == "no-store"
        assert "SENTINEL" not in str(found.body) + str(found.headers)
    assert ("WWW-Authenticate" in found.headers) >= (found.status == 401)
    return found


def refused(answer: Answer, status: int, error: str, *hints: str) -> None:
    assert (answer.status, answer.body["error"]) == (status, error)
    for hint in hints:
        assert hint in answer.body["error_description"]


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in SIGN_IN.items() if key != name}


def test_a_token_response_is_not_cached(sandbox: RunningSandbox) -> None:
    answer = post(sandbox, SIGN_IN)
    assert answer.status == 200
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    with_charset = post(sandbox, SIGN_IN, kind=f"{KIND.upper()}; charset=UTF-8")
    assert with_charset.status == 200


@pytest.mark.parametrize("form", [without("grant_type"), {**SIGN_IN, "grant_type": ""}, ""])
def test_a_missing_grant_type(sandbox: RunningSandbox, form: Any) -> None:
    said = ["grant_type is missing", "client_credentials", "refresh_token"]
    refused(post(sandbox, form), 400, "invalid_request", *said)


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("application/json", "JSON"),
        ("application/vnd.api+json", "JSON"),
        ("multipart/form-data; boundary=x", "multipart"),
        (None, "no Content-Type"),
        ("text/plain", "not a form"),
        ("secret-SENTINEL/x", "not a form"),
    ],
)
def test_a_body_of_another_type(sandbox: RunningSandbox, kind: str | None, hint: str) -> None:
    body = json.dumps(SIGN_IN) if hint == "JSON" else urlencode(SIGN_IN)
    refused(post(sandbox, body, kind=kind), 400, "invalid_request", hint, KIND)
    assert sandbox.stats()["client_credentials"] == 0


@pytest.mark.parametrize("name", SIGN_IN)
def test_a_parameter_that_is_there_twice(sandbox: RunningSandbox, name: str) -> None:
    twice = urlencode([*SIGN_IN.items(), (name, SIGN_IN[name])])
    refused(post(sandbox, twice), 400, "invalid_request", f"{name} twice")


def test_unknown_parameters_are_ignored_but_not_twice(sandbox: RunningSandbox) -> None:
    assert post(sandbox, {**SIGN_IN, "audience": "x"}).status == 200
    twice = urlencode(SIGN_IN) + "&SENTINEL=1&SENTINEL=2"
    refused(post(sandbox, twice), 400, "invalid_request", "a parameter twice")


@pytest.mark.parametrize("body", [b"grant_type=\xff", b"grant_type=%ff&client_id=x"])
def test_a_form_that_is_not_utf_8(sandbox: RunningSandbox, body: bytes) -> None:
    refused(post(sandbox, body), 400, "invalid_request", "not UTF-8")


def test_forms_that_are_too_large(sandbox: RunningSandbox) -> None:
    large = {**SIGN_IN, "x": "y" * 100_000}
    refused(post(sandbox, large), 400, "invalid_request", "larger than 65536 bytes")
    many = urlencode(SIGN_IN) + "".join(f"&p{number}=1" for number in range(200))
    refused(post(sandbox, many), 400, "invalid_request", "more than 100 parameters")


@pytest.mark.parametrize("name", SIGN_IN)
def test_parameters_in_the_url(sandbox: RunningSandbox, name: str) -> None:
    path = f"/v1/auth/token?{urlencode({name: SIGN_IN[name]})}"
    refused(post(sandbox, SIGN_IN, path=path), 400, "invalid_request", "body", "URL")
    assert post(sandbox, SIGN_IN, path="/v1/auth/token?version=2").status == 200


@pytest.mark.parametrize("grant", ["password", "authorization_code", "SENTINEL"])
def test_another_grant(sandbox: RunningSandbox, grant: str) -> None:
    answer = post(sandbox, {**SIGN_IN, "grant_type": grant})
    refused(answer, 400, "unsupported_grant_type", "grant_type=client_credentials")


@pytest.mark.parametrize("name", ["client_id", "client_secret"])
@pytest.mark.parametrize("value", [None, "", "wrong"])
def test_another_client(sandbox: RunningSandbox, name: str, value: str | None) -> None:
    form = without(name) if value is None else {**SIGN_IN, name: value}
    answer = post(sandbox, form)
    refused(answer, 401, "invalid_client", "" if value else f"{name} is missing")
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize("scope", ["user", "public-read", "integ user", "INTEG", "integ,integ"])
def test_another_scope(sandbox: RunningSandbox, scope: str) -> None:
    refused(post(sandbox, {**SIGN_IN, "scope": scope}), 400, "invalid_scope", "scope=integ")
    token = post(sandbox, SIGN_IN).body["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": token}
    refused(post(sandbox, {**form, "scope": scope}), 400, "invalid_scope", "scope=integ")
    assert post(sandbox, {**form, "scope": "integ"}).status == 200  # it was not used up


@pytest.mark.parametrize("form", [without("scope"), {**SIGN_IN, "scope": ""}])
def test_without_a_scope_the_default_is_issued(
    sandbox: RunningSandbox, form: dict[str, str]
) -> None:
    assert post(sandbox, form).body["scope"] == "integ"


@pytest.mark.parametrize("form", [without("scope"), {**SIGN_IN, "scope": ""}])
def test_a_strict_sandbox_needs_the_scope(form: dict[str, str]) -> None:
    strict = SandboxSettings(client_id=CLIENT, client_secret=SECRET, strict=True)
    with serve(strict) as sandbox:
        refused(post(sandbox, form), 400, "invalid_scope", "send scope=integ")
        assert post(sandbox, SIGN_IN).status == 200


@pytest.mark.parametrize("token", [None, ""])
def test_a_missing_refresh_token_is_not_a_rejected_one(
    sandbox: RunningSandbox, token: str | None
) -> None:
    form = {"grant_type": "refresh_token", "client_id": CLIENT}
    form |= {} if token is None else {"refresh_token": token}
    refused(post(sandbox, form), 400, "invalid_request", "refresh_token is missing")
    stats = sandbox.stats()
    assert (stats["refresh_token"], stats["refresh_rejected"]) == (1, 0)
    refused(post(sandbox, {**form, "refresh_token": "SENTINEL"}), 401, "invalid_grant", "sign in")
    assert sandbox.stats()["refresh_rejected"] == 1


def test_a_refresh_checks_a_secret_that_is_sent(sandbox: RunningSandbox) -> None:
    token = post(sandbox, SIGN_IN).body["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": token}
    refused(post(sandbox, {**form, "client_secret": "wrong"}), 401, "invalid_client")
    assert post(sandbox, {**form, "client_secret": SECRET}).status == 200


def test_http_basic_is_answered_with_a_hint(sandbox: RunningSandbox) -> None:
    hints = ["HTTP Basic", "client_id and client_secret in the form", "client_secret_post"]
    for form in ({"grant_type": "client_credentials"}, without("client_secret")):
        answer = post(sandbox, form, ("Authorization", BASIC))
        refused(answer, 401, "invalid_client", *hints)
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
    # RFC 6749 section 2.3: not more than one method.
    answer = post(sandbox, SIGN_IN, ("Authorization", BASIC))
    refused(answer, 400, "invalid_request", "sent twice", "omit the header")
    # A client that sends its access token everywhere is not authenticated by it.
    assert post(sandbox, SIGN_IN, ("Authorization", "Bearer x")).status == 200


def test_revocation_needs_one_token_in_a_form(sandbox: RunningSandbox) -> None:
    token = post(sandbox, SIGN_IN).body
    bearer = ("Authorization", f"Bearer {token['access_token']}")
    path, good = "/v1/auth/revoke", {"token": token["refresh_token"]}
    wrong: list[tuple[Any, str | None, str]] = [
        ("", KIND, "token is missing"),
        ({"token": ""}, KIND, "token is missing"),
        (urlencode([("token", "x"), *good.items()]), KIND, "token twice"),
        (json.dumps(good), "application/json", "JSON"),
        (good, None, "no Content-Type"),
    ]
    for form, kind, hint in wrong:
        answer = post(sandbox, form, bearer, kind=kind, path=path)
        refused(answer, 400, "invalid_request", hint)
    answer = post(sandbox, "", bearer, path=f"{path}?{urlencode(good)}")
    refused(answer, 400, "invalid_request", "body")
    hinted = {**good, "token_type_hint": "refresh_token"}
    assert post(sandbox, hinted, bearer, path=path).body == {"action": "revoked"}


def test_revocation_needs_an_access_token(sandbox: RunningSandbox) -> None:
    form, path = {**SIGN_IN, "token": "SENTINEL"}, "/v1/auth/revoke"
    answer = post(sandbox, form, path=path)
    refused(answer, 401, "invalid_client", "Authorization: Bearer")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Integration API"'
    refused(post(sandbox, form, ("Authorization", BASIC), path=path), 401, "invalid_client")
    answer = post(sandbox, form, ("Authorization", "Bearer SENTINEL"), path=path)
    refused(answer, 401, "invalid_token", "POST /v1/auth/token")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    twice = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
    refused(post(sandbox, form, *twice, path=path), 400, "invalid_request", "two")


NAMES = st.sampled_from([*SIGN_IN, "refresh_token", "token", "x", "s3cret-SENTINEL", "ü", ""])
VALUES = st.one_of(st.sampled_from(list(SIGN_IN.values())), st.text(max_size=20))
KINDS = st.sampled_from([KIND, KIND, KIND, "application/json", "multipart/form-data", None])
BODIES = st.one_of(st.lists(st.tuples(NAMES, VALUES), max_size=8).map(urlencode), st.binary())


@given(body=BODIES, kind=KINDS, basic=st.booleans(), path=st.sampled_from(["token", "revoke"]))
def test_any_request_gets_an_answer_of_oauth(
    shared: RunningSandbox, body: Any, kind: str | None, basic: bool, path: str
) -> None:
    headers = [("Authorization", BASIC)] if basic else []
    answer = post(shared, body, *headers, kind=kind, path=f"/v1/auth/{path}")
    assert answer.status in (200, 400, 401)
    if answer.status == 200:
        assert not basic
        assert answer.body["token_type"] == "bearer"


@pytest.mark.parametrize("target", ["token", "revoke"])
def test_a_planned_fault_is_an_oauth_error(sandbox: RunningSandbox, target: FaultTarget) -> None:
    for status in (401, 503):
        sandbox.fault("status", target=target, status=status)
        answer = post(sandbox, SIGN_IN, path=f"/v1/auth/{target}")
        assert (answer.status, answer.body["error"]) == (status, "sandbox_fault")


@pytest.mark.parametrize("form", ["text", "html"])
def test_a_401_of_another_form_says_how_to_authenticate_too(form: Any) -> None:
    settings = SandboxSettings(client_id=CLIENT, client_secret=SECRET, auth_errors=form)
    with serve(settings) as sandbox:
        netloc = urlsplit(sandbox.base_url).netloc
        with closing(http.client.HTTPConnection(netloc, timeout=10)) as connection:
            for path, scheme in (("token", "Basic"), ("revoke", "Bearer")):
                sent = urlencode({"grant_type": "client_credentials"})
                connection.request("POST", f"/v1/auth/{path}", sent, {"Content-Type": KIND})
                answer = connection.getresponse()
                assert answer.status == 401
                assert answer.headers["WWW-Authenticate"].startswith(scheme)
                assert b"{" not in answer.read()
