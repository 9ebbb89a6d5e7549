"""Which requests a call makes, in which order, and what is stored afterwards.

As the JavaScript SDK has it (version 1.14.1, watched on a local server), except, on purpose:

- A refresh that failed for another reason than a rejected token (5xx, dropped, 403, 429) never
  sends the secret. The JavaScript SDK signs in after any failure.
- Token requests that 5xx or a dropped connection ended are sent once more.
- The error is that of the last request. When nobody can sign in, that is the sign-in's, not the 401
  that came before.
- A token that is no bearer token is not saved, whichever grant gave it. There it is.
- A stored token of no type or another is sent until it is refused, and then refreshed: the call
  heals what was written by others. The JavaScript SDK fails each call until somebody removes it.
- A token that cannot be saved serves the call, and ``session.saved`` tells. The JavaScript SDK
  fails the call, or hides the store's error behind a 401.
- ``revoke`` tells whether the server revoked anything.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flex_integration_sdk import AuthInfo, IntegrationSDK, create_instance
from flex_integration_sdk.config import resolve
from flex_integration_sdk.errors import (
    AuthenticationError,
    FlexError,
    ForbiddenError,
    RateLimitedError,
    ServerError,
    TransportError,
    UnauthorizedError,
)
from flex_tokenstore import Token, TokenUnavailableError

DROP = 0  # as a status: the connection ends without an answer


class Script:
    """A server that answers from a script: statuses by kind of request, the last one repeated."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.statuses: dict[str, list[int]] = {}
        self.token: dict[str, Any] = {"token_type": "bearer", "expires_in": 600}
        self.base_url = ""
        self._issued = 0

    def answer(self, kind: str) -> tuple[int, dict[str, Any]]:
        self.order.append(kind)
        planned = self.statuses.get(kind, [200])
        status = planned.pop(0) if len(planned) > 1 else planned[0]
        if kind not in ("cc", "rt") or status != 200:
            return status, {"data": {}}
        self._issued += 1
        n = self._issued
        return status, {"access_token": f"{kind}-{n}", "refresh_token": f"r-{n}", **self.token}


class Own:
    """A store of the user's own."""

    def __init__(self) -> None:
        self.token: Any = None
        self.fail_on: str | None = None

    def get_token(self) -> Any:
        self._maybe_fail("get")
        return self.token

    def set_token(self, token: Any) -> None:
        self._maybe_fail("set")
        self.token = token

    def remove_token(self) -> None:
        self._maybe_fail("remove")
        self.token = None

    def _maybe_fail(self, what: str) -> None:
        if self.fail_on == what:
            raise OSError("the disk is full")


@pytest.fixture
def script() -> Iterator[Script]:
    found = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("api")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.endswith("/revoke"):
                self._answer("revoke")
            else:
                self._answer("cc" if b"client_credentials" in body else "rt")

        def _answer(self, kind: str) -> None:
            status, body = found.answer(kind)
            if status == DROP:
                self.close_connection = True
                return
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True  # they wait on connections that are kept alive
    found.base_url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def store() -> Own:
    return Own()


@pytest.fixture
def sdk(script: Script, store: Own) -> Iterator[IntegrationSDK]:
    made = create_instance(
        "cid",
        "s3cret",
        base_url=script.base_url,
        token_store=store,
        host_lock="off",
        max_retries=0,  # the order of one attempt is looked at
    )
    with made as found:
        yield found


def put(script: Script, store: Own, **fields: Any) -> None:
    """Stores a token that another run of the program had."""
    identity = resolve(client_id="cid", base_url=script.base_url, environ={}).identity
    token = {"access_token": "old", "token_type": "bearer", "expires_in": 600, **fields}
    store.token = Token.issued(
        token, identity_key=identity.key, obtained_at=time.time() - 1
    ).to_dict()


def access(store: Own) -> str | None:
    return None if store.token is None else str(store.token["access_token"])


@pytest.mark.parametrize(
    ("stored", "statuses", "order", "kept"),
    [
        (None, {}, "cc api", "cc-1"),
        ("r-0", {}, "api", "old"),
        ("r-0", {"api": [401, 200]}, "api rt api", "rt-1"),
        ("r-0", {"api": [401, 200], "rt": [401]}, "api rt cc api", "cc-1"),
        ("", {"api": [401, 200]}, "api cc api", "cc-1"),
        ("r-0", {"api": [401, 401, 200]}, "api rt api cc api", "cc-2"),
        # 5xx and a dropped connection say nothing about the token: once more, no secret.
        ("r-0", {"api": [401, 200], "rt": [500, 200]}, "api rt rt api", "rt-1"),
        ("r-0", {"api": [401, 200], "rt": [DROP, 200]}, "api rt rt api", "rt-1"),
        (None, {"cc": [503, 200]}, "cc cc api", "cc-1"),
    ],
)
def test_calls_that_succeed(
    script: Script,
    store: Own,
    sdk: IntegrationSDK,
    stored: str | None,
    statuses: dict[str, list[int]],
    order: str,
    kept: str,
) -> None:
    if stored is not None:
        put(script, store, refresh_token=stored)
    script.statuses = statuses
    assert sdk.marketplace.show().status == 200
    assert script.order == order.split()
    assert access(store) == kept


@pytest.mark.parametrize(
    ("stored", "statuses", "order", "expected", "kept"),
    [
        ("r-0", {"api": [401]}, "api rt api cc api", UnauthorizedError, "cc-2"),
        (None, {"api": [401]}, "cc api rt api cc api", UnauthorizedError, "cc-3"),
        ("r-0", {"api": [401], "rt": [401], "cc": [401]}, "api rt cc", AuthenticationError, "old"),
        (None, {"cc": [401]}, "cc", AuthenticationError, None),
        (None, {"cc": [429]}, "cc", RateLimitedError, None),
        (None, {"cc": [DROP]}, "cc cc", TransportError, None),
        ("r-0", {"api": [403]}, "api", ForbiddenError, "old"),
        ("r-0", {"api": [429]}, "api", RateLimitedError, "old"),
        ("r-0", {"api": [500]}, "api", ServerError, "old"),
        ("r-0", {"api": [DROP]}, "api", TransportError, "old"),
        ("r-0", {"api": [401], "rt": [500]}, "api rt rt", ServerError, "old"),
        ("r-0", {"api": [401], "rt": [DROP]}, "api rt rt", TransportError, "old"),
        ("r-0", {"api": [401], "rt": [403]}, "api rt", AuthenticationError, "old"),
        ("r-0", {"api": [401], "rt": [429]}, "api rt", RateLimitedError, "old"),
    ],
)
def test_calls_that_fail(
    script: Script,
    store: Own,
    sdk: IntegrationSDK,
    stored: str | None,
    statuses: dict[str, list[int]],
    order: str,
    expected: type[Exception],
    kept: str | None,
) -> None:
    if stored is not None:
        put(script, store, refresh_token=stored)
    script.statuses = statuses
    with pytest.raises(expected):
        sdk.marketplace.show()
    assert script.order == order.split()
    assert access(store) == kept


def test_another_token_type_is_not_saved(script: Script, store: Own, sdk: IntegrationSDK) -> None:
    script.token["token_type"] = "mac"
    with pytest.raises(AuthenticationError, match="Unknown token type: mac"):
        sdk.marketplace.show()
    assert script.order == ["cc"]
    assert store.token is None


@pytest.mark.parametrize("kind", [None, "mac"])
def test_a_stored_token_of_no_type_or_another_heals(
    script: Script, store: Own, sdk: IntegrationSDK, kind: str | None
) -> None:
    put(script, store, refresh_token="r-0")
    store.token["token_type"] = kind
    if kind is None:
        del store.token["token_type"]
    script.statuses = {"api": [401, 200]}
    assert sdk.marketplace.show().status == 200
    assert script.order == ["api", "rt", "api"]
    assert store.token["token_type"] == "bearer"


def test_a_refresh_that_gives_another_token_type_is_an_error(
    script: Script, store: Own, sdk: IntegrationSDK
) -> None:
    put(script, store, refresh_token="r-0")
    script.statuses = {"api": [401]}
    script.token["token_type"] = "mac"
    with pytest.raises(AuthenticationError, match="Unknown token type: mac"):
        sdk.marketplace.show()
    assert script.order == ["api", "rt"]
    assert access(store) == "old"


def test_a_refreshed_token_that_cannot_be_saved_serves_the_call(
    script: Script, store: Own, sdk: IntegrationSDK
) -> None:
    put(script, store, refresh_token="r-0")
    script.statuses = {"api": [401, 200]}
    store.fail_on = "set"
    assert sdk.marketplace.show().status == 200
    assert script.order == ["api", "rt", "api"]
    assert access(store) == "old"
    assert sdk.session.saved is False
    store.fail_on = None
    sdk.marketplace.show()
    assert script.order == ["api", "rt", "api", "api"]


def test_a_token_that_cannot_be_removed_after_its_revocation(
    script: Script, store: Own, sdk: IntegrationSDK
) -> None:
    put(script, store, refresh_token="r-0")
    store.fail_on = "remove"
    with pytest.raises(TokenUnavailableError):
        sdk.revoke()
    assert script.order == ["revoke"]


def test_a_store_that_cannot_be_read(script: Script, store: Own, sdk: IntegrationSDK) -> None:
    store.fail_on = "get"
    with pytest.raises(TokenUnavailableError):
        sdk.marketplace.show()
    assert script.order == []


def test_a_store_that_cannot_save(script: Script, store: Own, sdk: IntegrationSDK) -> None:
    store.fail_on = "set"
    assert sdk.marketplace.show().status == 200
    assert script.order == ["cc", "api"]
    assert sdk.session.saved is False


@pytest.mark.parametrize(
    ("stored", "statuses", "order", "expected", "kept"),
    [
        (None, {}, "", False, None),
        ("", {}, "", False, None),
        ("r-0", {}, "revoke", True, None),
        ("r-0", {"revoke": [401, 200]}, "revoke rt revoke", True, None),
        ("r-0", {"revoke": [401], "rt": [401]}, "revoke rt", False, None),
        ("r-0", {"revoke": [401], "rt": [403]}, "revoke rt", AuthenticationError, "old"),
        ("r-0", {"revoke": [401], "rt": [400]}, "revoke rt", AuthenticationError, "old"),
        ("r-0", {"revoke": [401], "rt": [500]}, "revoke rt rt", AuthenticationError, "old"),
        ("r-0", {"revoke": [401], "rt": [DROP]}, "revoke rt rt", AuthenticationError, "old"),
        ("r-0", {"revoke": [401]}, "revoke rt revoke", AuthenticationError, "rt-1"),
        ("r-0", {"revoke": [500]}, "revoke", ServerError, "old"),
    ],
)
def test_revoking(
    script: Script,
    store: Own,
    sdk: IntegrationSDK,
    stored: str | None,
    statuses: dict[str, list[int]],
    order: str,
    expected: Any,
    kept: str | None,
) -> None:
    if stored is not None:
        put(script, store, refresh_token=stored)
    script.statuses = statuses
    if isinstance(expected, bool):
        assert sdk.revoke() is expected
    else:
        with pytest.raises(expected) as caught:
            sdk.revoke()
        assert isinstance(caught.value, FlexError)
    assert script.order == order.split()
    assert access(store) == kept


@pytest.mark.parametrize(
    ("stored", "expected"),
    [(None, None), ("r-0", "refresh_token"), ("", "client_credentials")],
)
def test_auth_info_asks_no_server(
    script: Script, store: Own, sdk: IntegrationSDK, stored: str | None, expected: str | None
) -> None:
    if stored is not None:
        put(script, store, refresh_token=stored)
    assert sdk.auth_info() == AuthInfo(expected)
    assert script.order == []
