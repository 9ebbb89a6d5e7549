"""What a web page in a browser of this machine cannot do to a sandbox."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk.errors import AuthenticationError
from flex_integration_sdk.sandbox import (
    RunningSandbox,
    SandboxSettings,
    create_app,
    serve,
)

ELSEWHERE = "http://evil.example"
SETTINGS = SandboxSettings(client_id="c", client_secret="s", allow_hosts=("Sandbox", "10.1.2.3"))
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SIGN_IN = "grant_type=client_credentials&client_id=c&client_secret=s&scope=integ"


class Answer(NamedTuple):
    status: int
    body: bytes


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with serve(SETTINGS) as running:
        yield running


def ask(
    sandbox: RunningSandbox, method: str, path: str, body: Any = None, **headers: str | None
) -> Answer:
    """One request; a header of None is left out, ``_`` in a name is a dash."""
    address = urlsplit(sandbox.base_url)
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)) as c:
        c.putrequest(method, path, skip_host=True)
        content = body.encode() if isinstance(body, str) else body or b""
        given = {"Host": address.netloc, "Content-Length": str(len(content)), **headers}
        for name, value in given.items():
            if value is not None:
                c.putheader(name.replace("_", "-"), value)
        c.endheaders(content)
        response = c.getresponse()
        return Answer(response.status, response.read())


def port(sandbox: RunningSandbox) -> str:
    return sandbox.base_url.rpartition(":")[2]


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost.", "api.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "sandbox",
     "SANDBOX", "10.1.2.3"],
)  # fmt: skip
def test_names_of_this_machine_are_answered(sandbox: RunningSandbox, host: str) -> None:
    for each in (host, f"{host}:{port(sandbox)}"):
        origin = f"http://{each}"
        assert ask(sandbox, "GET", "/_sandbox/stats", Host=each).status == 200
        assert ask(sandbox, "POST", "/_sandbox/expire", Host=each, Origin=origin).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "notlocalhost", "192.168.1.5",
     "sandbox.evil.example", "localhost@evil.example", "0.0.0.0", "[::2]", "", "::1", "a b",
     "2130706433"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/_sandbox/stats", "/v1/auth/token"])
def test_other_names_are_refused(
    sandbox: RunningSandbox, capfd: pytest.CaptureFixture[str], host: str, path: str
) -> None:
    before = sandbox.stats()
    assert ask(sandbox, "GET", path, Host=host).status in (400, 403)
    assert ask(sandbox, "POST", path, SIGN_IN, Host=host, **FORM).status in (400, 403)
    assert sandbox.stats() == before


def test_the_refusal_says_what_to_do(
    sandbox: RunningSandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = ask(sandbox, "GET", "/_sandbox/stats", Host="build-7:8080")
    assert b"--allow-host build-7" in answer.body
    assert b"evil" not in ask(sandbox, "GET", "/_sandbox/stats", Origin=ELSEWHERE).body
    ask(sandbox, "GET", "/_sandbox/stats", Host="build-7:8080")
    assert capfd.readouterr().err.count("--allow-host build-7") == 1


@pytest.mark.sample(8)
@pytest.mark.parametrize("path", ["faults", "reset", "expire"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": ELSEWHERE},
        {"Origin": "null"},
        {"Origin": "http://localhost"},  # another port
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of this machine
    ],
)
def test_a_page_of_another_origin_changes_nothing(
    sandbox: RunningSandbox,
    capfd: pytest.CaptureFixture[str],
    path: str,
    headers: dict[str, str],
) -> None:
    sandbox.reset()
    plan = '{"kind": "status", "target": "any"}'
    simple = {"Content-Type": "text/plain", **headers}  # such as needs no preflight
    assert ask(sandbox, "POST", f"/_sandbox/{path}", plan, **simple).status == 403
    status = ask(sandbox, "POST", "/v1/auth/token", SIGN_IN, **FORM).status
    assert status == 200  # no fault was planned


def test_no_origin_may_read_an_answer(
    sandbox: RunningSandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = ask(sandbox, "OPTIONS", "/v1/auth/token", Origin=ELSEWHERE)
    assert answer.status == 403
    assert ask(sandbox, "GET", "/_sandbox/stats", Origin=ELSEWHERE).status == 403


def test_a_wildcard_answers_for_the_address_that_was_connected_to() -> None:
    with serve(host="0.0.0.0") as running:
        assert ask(running, "GET", "/_sandbox/stats").status == 200
        assert ask(running, "GET", "/_sandbox/stats", Host="192.168.1.5").status == 403


def test_the_application_alone_is_guarded_too() -> None:
    import asyncio

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/_sandbox/stats",
        "scheme": "http",
        "query_string": b"",
    }
    for host in (b"evil.example", b"sandbox"):
        headers = {"headers": [(b"host", host)]}
        asyncio.run(create_app(SETTINGS)({**scope, **headers}, receive, send))
    assert [each["status"] for each in sent if "status" in each] == [403, 200]


def test_the_client_of_a_refused_request_is_told_where_to_look(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a proxy, it gets a request that was sent to a name that is not its own.
    monkeypatch.setenv("HTTP_PROXY", sandbox.base_url)
    monkeypatch.delenv("http_proxy", raising=False)
    with (
        create_instance("c", "s", base_url="http://backend.example", allow_http=True) as sdk,
        pytest.raises(AuthenticationError, match="--allow-host") as refused,
    ):
        sdk.marketplace.show()
    assert "client_secret" not in str(refused.value)
