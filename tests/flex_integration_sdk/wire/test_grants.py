"""Token requests: their bytes on the wire, and what each answer means."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flex_integration_sdk._client.oauth import AsyncGrants, SyncGrants
from flex_integration_sdk._transport.aio import AsyncHttp
from flex_integration_sdk._transport.exchange import ANSWER_LIMIT
from flex_integration_sdk._transport.sync import Http
from flex_integration_sdk.config import Settings, resolve
from flex_integration_sdk.errors import (
    AuthenticationError,
    MissingSecretError,
    RateLimitedError,
    ServerError,
    TransportError,
)
from flex_tokenstore import Secret, Token
from flex_tokenstore.errors import GrantError

GOOD = {"access_token": "a-1", "refresh_token": "r-1", "token_type": "Bearer", "expires_in": 600}
SECRET = "se cret+&~!*'()"
Reply = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """Answers each POST with ``reply`` and keeps what came."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.reply: Reply = answer(200, json.dumps(GOOD).encode())
        self.base_url = ""


def answer(status: int, body: bytes = b"", **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


@contextmanager
def listening() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            try:
                server.reply(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.base_url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with listening() as found:
        yield found


Run = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def grant(request: pytest.FixtureRequest, server: Server) -> Run:
    """Calls a grant of either kind, by name."""

    def call(name: str, *args: Any, secret: str | None = SECRET, limit: float = 5.0) -> Any:
        settings = resolve(
            client_id="c d", client_secret=secret, base_url=server.base_url, environ={}
        )
        if request.param == "sync":
            return sync_call(settings, limit, name, args)
        return asyncio.run(async_call(settings, limit, name, args))

    return call


def sync_call(settings: Settings, limit: float, name: str, args: Any) -> Any:
    http = Http(settings.base_url, 5.0, limit)
    try:
        return getattr(SyncGrants(settings, http), name)(*args)
    finally:
        http.close()


async def async_call(settings: Settings, limit: float, name: str, args: Any) -> Any:
    http = AsyncHttp(settings.base_url, 5.0, limit)
    try:
        return await getattr(AsyncGrants(settings, http), name)(*args)
    finally:
        await http.aclose()


def test_signing_in_on_the_wire(server: Server, grant: Run) -> None:
    assert dict(grant("sign_in")) == GOOD
    path, headers, body = server.seen[0]
    assert path == "/v1/auth/token"
    assert body == (
        b"client_id=c%20d&client_secret=se%20cret%2B%26~!*'()"
        b"&grant_type=client_credentials&scope=integ"
    )
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["accept"] == "application/json"
    assert headers["user-agent"].startswith("flex-integration-sdk-python/")
    assert "(python/3." in headers["user-agent"]
    assert "authorization" not in headers


def test_refreshing_on_the_wire(server: Server, grant: Run) -> None:
    assert dict(grant("refresh", Secret("r=0"))) == GOOD
    assert server.seen[0][2] == b"client_id=c%20d&grant_type=refresh_token&refresh_token=r%3D0"
    assert "authorization" not in server.seen[0][1]


def test_revoking_on_the_wire(server: Server, grant: Run) -> None:
    server.reply = answer(200, b'{"action":"revoked"}')
    assert grant("revoke", Token(GOOD)) is None
    path, headers, body = server.seen[0]
    assert (path, body) == ("/v1/auth/revoke", b"token=r-1")
    assert headers["authorization"] == "Bearer a-1"


def test_the_answer_does_not_print_itself(grant: Run) -> None:
    assert "a-1" not in repr(grant("sign_in"))


def test_signing_in_without_a_secret_sends_nothing(server: Server, grant: Run) -> None:
    with pytest.raises(AuthenticationError, match=r"client_secret=.*_CLIENT_SECRET_FILE") as caught:
        grant("sign_in", secret=None)
    assert caught.value.reason == "failed"
    assert server.seen == []


def test_a_missing_secret_says_why_it_is_needed() -> None:
    error = MissingSecretError(store="file", place="/x/token.json")
    assert "no usable token in the token store `file` (/x/token.json)" in str(error)
    error.why = "empty"
    assert "nothing is stored in the token store `file` (/x/token.json)" in str(error)
    error.why = "no_refresh_token"
    assert "has no refresh token" in str(error)
    error.why, error.rejected_by = "rejected", "api.example rejected the refresh token: HTTP 401"
    assert str(error).startswith("api.example rejected the refresh token: HTTP 401. It came from")
    assert "nothing is stored" not in str(error)
    error.why = "store_unavailable"
    assert "cannot be reached" in str(error)
    for text in (str(error), error.message):
        assert "client_secret=…" in text
    assert "--client-secret-file" in error.advise("use --client-secret-file FILE")
    assert "memory" not in str(error)
    assert "another store" in str(MissingSecretError(store="memory", lasting=False))
    twin = pickle.loads(pickle.dumps(copy.copy(error)))
    assert (str(twin), vars(twin)) == (str(error), vars(error))
    assert (twin.sent, twin.reason) == (False, "failed")


JSON, TEXT, HTML = "application/json", "text/plain; charset=utf-8", "text/html; charset=utf-8"
NGINX = b"<html>\r\n<head><title>401 Authorization Required</title></head></html>"


@pytest.mark.each_value
@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b'{"error":"invalid_grant"}', JSON, "rejected"),
        (b'{"errors":[]}', "application/problem+json", "rejected"),
        (b"{}", "", "rejected"),
        (b"", "", "rejected"),
        (b"", JSON, "rejected"),
        (b"Unauthorized", "", "rejected"),
        (b"Unauthorized", TEXT, "rejected"),
        (b"Unauthorized\r\n", JSON, "rejected"),  # what the type says is not what came
        (b"\xef\xbb\xbfZugriff verweigert \xc3\xbc", TEXT, "rejected"),
        (b'{"error":"invalid_client"}', JSON, "failed"),
        (NGINX, HTML, "doubtful"),
        (NGINX, "", "doubtful"),
        (NGINX, TEXT, "doubtful"),
        (NGINX, JSON, "doubtful"),
        (b"\xef\xbb\xbf \n<!DOCTYPE html><p>Sign in to the network", "", "doubtful"),
        (b"Blocked by policy\n<HTML><body>", TEXT, "doubtful"),
        (b"Unauthorized", HTML, "doubtful"),
        (b"", "application/xhtml+xml", "doubtful"),
        (b"<?xml version='1.0'?><error/>", "application/xml", "doubtful"),
        (b"Unauthorized", "application/octet-stream", "doubtful"),
        (b"GIF89a", "image/gif", "doubtful"),
        (b"\xff\xfe\x00\x01", "", "doubtful"),
        (b"U\x00n\x00a\x00u\x00t\x00h\x00", TEXT, "doubtful"),
        (b"[]", JSON, "doubtful"),
        (b'"Unauthorized"', JSON, "doubtful"),
        (b"[" * 100_000, JSON, "rejected"),  # text that no parser takes
    ],
)
def test_whose_401_it_is(
    server: Server, grant: Run, body: bytes, content_type: str, reason: str
) -> None:
    server.reply = answer(401, body, **({"Content_Type": content_type} if content_type else {}))
    with pytest.raises(AuthenticationError) as caught:
        grant("refresh", Secret("r"))
    assert caught.value.reason == reason
    assert ("firewall" in str(caught.value)) is (reason == "doubtful")
    assert ("check client_id" in str(caught.value)) is (reason == "failed")
    with pytest.raises(AuthenticationError) as caught:
        grant("sign_in")
    assert caught.value.reason == "failed"  # there is no refresh token to be in doubt of
    assert ("check client_id" in str(caught.value)) is (reason != "doubtful")
    assert ("firewall" in str(caught.value)) is (reason == "doubtful")
    with pytest.raises(AuthenticationError) as caught:
        grant("revoke", Token(GOOD))
    assert caught.value.reason == ("doubtful" if reason == "doubtful" else "rejected")
    assert ("firewall" in str(caught.value)) is (reason == "doubtful")


@pytest.mark.each_value
@pytest.mark.parametrize(
    ("status", "said"),
    [
        (302, "base_url"),
        (400, "firewall"),  # with invalid_grant in its text
        (403, "firewall"),
        (407, "proxy requires a user name"),
        (451, "firewall"),
        (511, "network requires that you first sign in"),
    ],
)
def test_a_page_of_something_between(server: Server, grant: Run, status: int, said: str) -> None:
    page = b"<html>the error is invalid_grant</html>"
    server.reply = answer(status, page, Content_Type="text/html")
    for call in (("refresh", Secret("r")), ("sign_in",)):
        with pytest.raises(GrantError, match=said) as caught:
            grant(*call)
        assert caught.value.reason == ("transient" if status == 511 else "failed")
        assert "check client_id" not in str(caught.value)


@pytest.mark.each_value
@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, "invalid_request", "a proxy may have changed the request"),
        (400, "invalid_scope", "of type Integration API"),
        (400, "unauthorized_client", "of type Integration API"),
        (400, "unsupported_grant_type", "of type Integration API"),
        (401, "invalid_client", "check client_id and client_secret"),
        (400, "its_own", "check client_id and client_secret"),
        (404, "not_found", "base_url may be wrong"),
        (405, "method_not_allowed", "base_url may be wrong"),
    ],
)
def test_an_oauth_error_has_its_remedy_and_not_its_description(
    server: Server, grant: Run, status: int, code: str, said: str
) -> None:
    body = {"error": code, "error_description": "the secret s3cret is wrong"}
    server.reply = answer(status, json.dumps(body).encode(), Content_Type=JSON)
    for call in (("refresh", Secret("r")), ("sign_in",)):
        with pytest.raises(AuthenticationError, match=f"HTTP {status}, {code}; .*{said}") as caught:
            grant(*call)
        assert caught.value.code == code
        assert "s3cret" not in str(caught.value)


def test_what_may_be_anything_is_not_shown(server: Server, grant: Run) -> None:
    server.reply = answer(400, json.dumps({"error": "bad\r\nWARNING forged"}).encode())
    with pytest.raises(AuthenticationError) as caught:
        grant("refresh", Secret("r"))
    assert "forged" not in str(caught.value)
    assert str(caught.value).isprintable()
    server.reply = answer(200, json.dumps({**GOOD, "token_type": "eyJhbGciOi"}).encode())
    with pytest.raises(AuthenticationError) as caught:
        grant("refresh", Secret("r"))
    assert "eyJ" not in str(caught.value)


@pytest.mark.each_value
@pytest.mark.parametrize(
    ("status", "header", "expected"),
    [
        (429, "60", 60),
        (503, "60", 60),
        (503, "9" * 400, 300),
        (503, "NaN", None),
        (500, "-1", None),
        (401, "5", 5),
        (403, "Fri, 31 Dec 2199 23:59:59 GMT", 300),
        (503, None, None),
    ],
)
def test_how_long_to_wait(
    server: Server, grant: Run, status: int, header: str | None, expected: float | None
) -> None:
    server.reply = answer(status, b"", **({} if header is None else {"Retry_After": header}))
    for call in (("refresh", Secret("r")), ("sign_in",), ("revoke", Token(GOOD))):
        with pytest.raises(GrantError) as caught:
            grant(*call)
        assert caught.value.retry_after == expected


@pytest.mark.each_value
@pytest.mark.parametrize(
    ("status", "body", "refresh", "sign_in"),
    [
        (400, b'{"error":"invalid_grant"}', "rejected", "failed"),
        (401, b"Unauthorized", "rejected", "failed"),
        (401, b"{}", "rejected", "failed"),
        (401, b'{"error":"invalid_grant"}', "rejected", "failed"),
        (401, b'{"error":"invalid_client"}', "failed", "failed"),
        (400, b'{"error":"invalid_client"}', "failed", "failed"),
        (400, b'{"error":"invalid_request"}', "failed", "failed"),
        (400, b'{"error":["invalid_grant"]}', "failed", "failed"),
        (403, b"", "failed", "failed"),
        (404, b"<html>", "failed", "failed"),
        (429, b"", "failed", "failed"),
        (500, b"", "transient", "transient"),
        (503, b'{"error":"invalid_grant"}', "transient", "transient"),
    ],
)
def test_what_a_refusal_means(
    server: Server, grant: Run, status: int, body: bytes, refresh: str, sign_in: str
) -> None:
    server.reply = answer(status, body)
    for reason, call in ((refresh, ("refresh", Secret("r"))), (sign_in, ("sign_in",))):
        with pytest.raises(GrantError) as caught:
            grant(*call)
        assert caught.value.reason == reason
        assert isinstance(caught.value, AuthenticationError) is (status < 429)
        assert isinstance(caught.value, ServerError) is (status >= 500)
        assert caught.value.status == status  # type: ignore[attr-defined]  # all of ours have it
        assert "127.0.0.1" in str(caught.value)


def test_429_is_typed_and_says_when(server: Server, grant: Run) -> None:
    server.reply = answer(429, b"", Retry_After="9")
    with pytest.raises(RateLimitedError, match="in 9 s") as caught:
        grant("sign_in")
    assert caught.value.retry_after == 9


@pytest.mark.parametrize(
    ("kind", "says"), [("mac", "mac"), (5, "a JSON value of type int"), (["x"], "type list")]
)
def test_another_token_type(server: Server, grant: Run, kind: object, says: str) -> None:
    server.reply = answer(200, json.dumps({**GOOD, "token_type": kind}).encode())
    with pytest.raises(AuthenticationError, match=f"Unknown token type: .*{says}") as caught:
        grant("sign_in")
    assert caught.value.reason == "failed"


LOOSE: list[dict[str, Any]] = [
    {"scope": ["integ", "user:read"]},
    {"scope": []},
    {"scope": {"integ": True}},
    {"scope": None},
    {"expires_in": "3600"},
    {"expires_in": "3600.5"},
    {"expires_in": 3600.5},
    {"expires_in": None},
    {"expires_in": "soon"},
    {"token_type": "bEaReR"},
    {"token_type": " Bearer "},
    {"token_type": None},
    {"id_token": "x", "x": {"y": [1]}, "error": None},
]


@pytest.mark.parametrize("loose", LOOSE, ids=repr)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "mark"])
def test_a_response_that_is_not_quite_as_the_standard_says_is_a_token(
    server: Server, grant: Run, loose: dict[str, Any], mark: bytes
) -> None:
    """To refuse it would lose the refresh token that it brings."""
    server.reply = answer(200, mark + json.dumps({**GOOD, **loose}).encode())
    found = grant("sign_in")
    assert (found["access_token"], found["refresh_token"]) == ("a-1", "r-1")
    token = Token.issued(found, identity_key="x", obtained_at=0)
    assert Token(token.to_dict()).to_dict() == token.to_dict()


def test_a_response_without_a_token_type(server: Server, grant: Run) -> None:
    server.reply = answer(200, b'{"access_token": "a-1"}')
    assert grant("sign_in")["access_token"] == "a-1"


@pytest.mark.parametrize("code", ["x\r\nERROR: y", "eyJhbGciOi.SENTINEL", "\x1b[2J"])
def test_an_error_code_that_is_none_is_not_shown(server: Server, grant: Run, code: str) -> None:
    server.reply = answer(400, json.dumps({"error": code}).encode())
    with pytest.raises(AuthenticationError) as caught:
        grant("sign_in")
    assert caught.value.code is None
    assert code not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("body", [b"<html>Login</html>", b"", b"[1]", b"{}", b'{"access_token":1}'])
def test_a_success_that_is_no_token(server: Server, grant: Run, body: bytes) -> None:
    server.reply = answer(200, body)
    with pytest.raises(TransportError, match=r"127\.0\.0\.1.*base_url.*proxy") as caught:
        grant("sign_in")
    assert caught.value.reason == "failed"


def test_a_redirect_is_not_followed(server: Server, grant: Run) -> None:
    with listening() as elsewhere:
        server.reply = answer(307, Location=f"{elsewhere.base_url}/v1/auth/token")
        with pytest.raises(AuthenticationError, match="HTTP 307; base_url"):
            grant("sign_in")
        assert elsewhere.seen == []


def test_an_endless_answer_is_cut(server: Server, grant: Run) -> None:
    server.reply = answer(200, b" " * (ANSWER_LIMIT + 1))
    with pytest.raises(TransportError, match="a token response that is too large") as caught:
        grant("sign_in")
    assert caught.value.reason == "failed"


def test_a_dripping_answer_ends_in_time(server: Server, grant: Run) -> None:
    done = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(200):
            handler.wfile.write(b" ")
            if done.wait(0.02):
                return

    server.reply = drip
    started = time.monotonic()
    try:
        with pytest.raises(TransportError) as caught:
            grant("sign_in", limit=0.3)
    finally:
        done.set()
    assert caught.value.reason == "transient"
    assert time.monotonic() - started < 2


def test_a_silent_server_ends_in_time(server: Server, grant: Run) -> None:
    done = threading.Event()
    server.reply = lambda handler: (done.wait(5), None)[1]
    try:
        with pytest.raises(TransportError, match="in time") as caught:
            grant("sign_in", limit=0.2)
    finally:
        done.set()
    assert caught.value.reason == "transient"


def test_a_dropped_connection_keeps_no_secret(server: Server, grant: Run) -> None:
    def drop(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True

    server.reply = drop
    with pytest.raises(TransportError) as caught:
        grant("sign_in")
    assert caught.value.reason == "transient"
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__traceback__ is None
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = "".join(shown.format())
    assert "oauth.py" in frames
    assert "cret%2B" not in frames
    # This test's own frames hold the secret as text; those of the package do not.
    package = [frame for frame in shown.stack if "/src/" in frame.filename]
    assert package
    assert SECRET not in repr([frame.locals for frame in package])


def test_no_proxy_is_asked_for_this_machine(
    server: Server, grant: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert grant("sign_in")
    assert len(server.seen) == 1
