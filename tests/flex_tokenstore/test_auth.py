"""``TokenAuth`` in each HTTP library: where the token goes, and what a 401 costs."""

from __future__ import annotations

import asyncio
import copy
import io
import pickle
import socket
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import httpx2
import pytest
import requests
import trio
import vcr  # type: ignore[import-untyped]  # it has no types

from flex_integration_sdk import create_instance
from flex_tokenstore import (
    AsyncioRequiredError,
    AsyncTokenSession,
    GrantError,
    Secret,
    SessionClosedError,
    Token,
    TokenIdentity,
    TokenSession,
    open_store,
)
from flex_tokenstore.auth import TokenAuth, read_token_response
from flex_tokenstore.embedding import async_store
from tests.support.oauth_server import CLIENT, PAGE, PASSWORD, Answer, OAuthServer, oauth_server

Kind = Literal["httpx2", "httpx2 async", "httpx", "httpx async", "requests"]
KINDS: tuple[Kind, ...] = ("httpx2", "httpx2 async", "httpx", "httpx async", "requests")
# What httpx does is what httpx2 does; and their sync and async flows are tested with httpx2.
each_kind = pytest.mark.parametrize(
    "kind",
    [
        pytest.param(each, marks=[pytest.mark.slow] * (each in ("httpx", "httpx async")))
        for each in KINDS
    ],
)
HTML_401 = (401, {"Content-Type": "text/html"}, PAGE)


class Grants:
    """The server's token endpoint, without a connection."""

    def __init__(self, server: OAuthServer) -> None:
        self.server = server
        self.during: Callable[[], object] = lambda: None

    def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
        return read_token_response(self._ask(form), refreshing=True)

    def sign_in(self) -> Mapping[str, Any]:
        return read_token_response(
            self._ask({"grant_type": "client_credentials"}), refreshing=False
        )

    def revoke(self, token: Token) -> None:
        raise NotImplementedError

    def _ask(self, form: dict[str, str]) -> Any:
        self.during()
        client = {"client_id": CLIENT, "client_secret": PASSWORD}
        status, headers, body = self.server.token_request({**form, **client})
        headers = {name.lower(): value for name, value in headers.items()}
        return SimpleNamespace(status_code=status, headers=headers, content=body)


class AsyncGrants:
    """The same for asyncio."""

    def __init__(self, grants: Grants) -> None:
        self.grants = grants

    async def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        return await asyncio.to_thread(self.grants.refresh, refresh_token)

    async def sign_in(self) -> Mapping[str, Any]:
        return await asyncio.to_thread(self.grants.sign_in)

    async def revoke(self, token: Token) -> None:
        raise NotImplementedError


class Program:
    """One program with one of the libraries."""

    def __init__(self, kind: Kind, server: OAuthServer, store: Any = "memory") -> None:
        self.kind, self.server = kind, server
        self.grants = Grants(server)
        self.library: Any = None
        library = kind.split()[0]
        if library != "requests":
            self.library = pytest.importorskip(library)
        identity = TokenIdentity(server.url, CLIENT)
        self.session: Any
        self.runner = asyncio.Runner() if kind.endswith("async") else None
        options: dict[str, Any] = {"base_url": server.url, "follow_redirects": True, "timeout": 20}
        options["verify"] = False  # the CA certificates would be read for nothing
        if self.runner is not None:
            grants = AsyncGrants(self.grants)
            self.session = AsyncTokenSession(async_store(store, identity), grants)
            self.auth = TokenAuth(self.session)
            self.client = self.library.AsyncClient(**options, auth=self.auth)
        else:
            self.session = TokenSession(open_store(store, identity), self.grants)
            self.auth = TokenAuth(self.session)
            if self.library is None:
                self.client = requests.Session()
                self.client.auth = self.auth
            else:
                self.client = self.library.Client(**options, auth=self.auth)

    def call(self, path: str = "/orders", method: str = "GET", **more: Any) -> Any:
        """One request; the response."""
        if self.runner is not None:
            return self.runner.run(self.acall(path, method, **more))
        if self.library is None:
            more = {"data" if name == "content" else name: value for name, value in more.items()}
            return self.client.request(method, self.server.url + path, timeout=20, **more)
        return self.client.request(method, path, **more)

    async def acall(self, path: str = "/orders", method: str = "GET", **more: Any) -> Any:
        if "content" in more and not isinstance(more["content"], bytes):
            more["content"] = _async_chunks(more["content"])
        return await self.client.request(method, path, **more)

    def crowd(self, count: int) -> list[int]:
        """So many calls at once, by threads or tasks; each one's status."""
        if self.runner is not None:

            async def all_of_them() -> list[int]:
                found = await asyncio.gather(*(self.acall() for _ in range(count)))
                return [each.status_code for each in found]

            return self.runner.run(all_of_them())
        barrier = threading.Barrier(count)

        def one(_: int) -> int:
            barrier.wait()
            status: int = self.call().status_code
            return status

        with ThreadPoolExecutor(count) as threads:
            return list(threads.map(one, range(count)))

    def tokens(self) -> list[str]:
        """What the API was sent since the last look."""
        sent, self.server.sent = self.server.sent, []
        return [header for _, header in sent]

    def close(self) -> None:
        if self.runner is not None:
            self.runner.run(self.client.aclose())
            self.runner.run(self.session.aclose())
            self.runner.close()
        else:
            self.client.close()
            self.session.close()


async def _async_chunks(chunks: Any) -> Any:
    for each in chunks:
        yield each


@pytest.fixture
def server() -> Iterator[OAuthServer]:
    with oauth_server() as running:
        yield running


@contextmanager
def program(kind: Kind, server: OAuthServer) -> Iterator[Program]:
    """Such a program, which has signed in and made a call."""
    running = Program(kind, server)
    try:
        assert running.call().status_code == 200
        running.tokens()
        server.counts.clear()
        yield running
    finally:
        running.close()


@each_kind
def test_a_refused_token_is_refreshed_once_and_the_request_sent_again(
    kind: Kind, server: OAuthServer
) -> None:
    with program(kind, server) as running:
        server.expire()
        response = running.call(method="POST", content=b"an order")
        assert (response.status_code, response.json()) == (200, {"length": 8})
        assert [each.status_code for each in response.history] == [401]
        assert server.bodies[-2:] == [b"an order"] * 2
        old, new = running.tokens()
        assert old != new
        assert running.call().status_code == 200
        assert running.tokens() == [new]
        assert (server.counts["refresh_token"], server.counts["client_credentials"]) == (1, 0)


@each_kind
def test_threads_and_tasks_share_one_refresh(kind: Kind, server: OAuthServer) -> None:
    with program(kind, server) as running:
        server.latency = 0.05
        server.expire()
        count = 100 if running.runner is not None else 16
        assert running.crowd(count) == [200] * count
        assert server.counts["refresh_token"] == 1
        assert server.counts["reused"] == server.counts["client_credentials"] == 0


@each_kind
def test_a_storm_of_401s_ends_with_401s_and_few_secrets(kind: Kind, server: OAuthServer) -> None:
    with program(kind, server) as running:
        server.refuses = lambda path: path == "/orders"
        assert set(running.crowd(20)) == {401}
        # The limits of one session and identity in a minute; each of 20 calls may cause one.
        assert server.counts["refresh_token"] <= 6
        assert server.counts["client_credentials"] <= 6
        assert server.counts["api"] <= 20 * 4
        before = Counter(server.counts)
        assert [running.call().status_code for _ in range(5)] == [401] * 5
        # The first of them may find out that a sign-in does not help either.
        assert server.counts["client_credentials"] <= before["client_credentials"] + 1
        assert server.counts["refresh_token"] <= before["refresh_token"] + 1
        assert running.call("/others").status_code == 200


@each_kind
def test_a_page_of_a_gateway_says_nothing_about_the_token(kind: Kind, server: OAuthServer) -> None:
    with program(kind, server) as running:
        bare: Answer = (401, {}, b"\xef\xbb\xbf\n<html><body>who are you</body></html>")
        for answer in (HTML_401, bare):
            server.answers = [answer]
            response = running.call()
            assert (response.status_code, response.content) == (401, answer[2])
        assert running.call().status_code == 200
        assert len(set(running.tokens())) == 1
        assert server.counts["refresh_token"] == server.counts["client_credentials"] == 0


@each_kind
def test_plain_and_empty_refusals_count(kind: Kind, server: OAuthServer) -> None:
    with program(kind, server) as running:
        for body in (b"Unauthorized", b""):
            server.answers = [(401, {}, body)]
            assert running.call().status_code == 200
        assert server.counts["refresh_token"] == 2


@each_kind
@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_to_another_host_has_no_token(
    kind: Kind, status: int, server: OAuthServer
) -> None:
    with oauth_server() as other, program(kind, server) as running:
        other.access = server.access  # so that it would take the token
        target = f"/redirect?status={status}&to={other.url}/stolen"
        response = running.call(target)
        assert response.status_code == 401
        assert other.sent == [("/stolen", "")]
        assert other.counts["api"] == 1
        assert server.counts["refresh_token"] == server.counts["client_credentials"] == 0
        assert running.call().status_code == 200


@each_kind
def test_a_redirect_within_the_host_keeps_the_token(kind: Kind, server: OAuthServer) -> None:
    with program(kind, server) as running:
        server.expire()
        response = running.call(f"/redirect?to={server.url}/orders")
        assert response.status_code == 200
        assert server.counts["refresh_token"] == 1
        first, *_, last = running.tokens()
        assert first != last


@each_kind
def test_a_redirect_after_a_refresh_has_the_newer_token(kind: Kind, server: OAuthServer) -> None:
    with program(kind, server) as running:
        server.expire()
        server.answers = [(401, {}, b"{}")]
        assert running.call(f"/redirect?to={server.url}/orders").status_code == 200
        first, second, third = running.tokens()
        assert first != second == third
        assert server.counts["refresh_token"] == 1


def once(chunks: list[bytes]) -> Iterator[bytes]:
    yield from chunks


@each_kind
def test_a_body_that_cannot_be_sent_again_is_not(kind: Kind, server: OAuthServer) -> None:
    with program(kind, server) as running:
        server.expire()
        response = running.call(method="POST", content=once([b"an ", b"order"]))
        assert response.status_code == 401
        assert response.json() == {"error": "invalid_token"}
        assert len(running.tokens()) == 1
        assert server.counts["refresh_token"] == 1
        assert running.call(method="POST", content=once([b"an ", b"order"])).status_code == 200
        assert server.bodies[-1] == b"an order"
        assert server.counts["refresh_token"] == 1


@each_kind
def test_its_401_is_returned_also_if_no_newer_token_can_be_obtained(
    kind: Kind, server: OAuthServer
) -> None:
    with program(kind, server) as running:
        server.expire()
        server.token_answers = [(503, {}, b"")] * 2
        assert running.call(method="POST", content=once([b"x"])).status_code == 401
        with pytest.raises(GrantError, match="HTTP 503"):
            running.call()


@each_kind
def test_files_of_a_form_are_sent_again(kind: Kind, server: OAuthServer) -> None:
    with program(kind, server) as running:
        server.expire()
        file = io.BytesIO(b"the file")
        assert running.call(method="POST", files={"file": file}).status_code == 200
        assert [b"the file" in body for body in server.bodies[-2:]] == [True, True]


def test_requests_sends_a_file_again_from_where_it_was(server: OAuthServer) -> None:
    with program("requests", server) as running:
        server.expire()
        file = io.BytesIO(b"a head, the file")
        file.seek(8)
        assert running.call(method="POST", data=file).json() == {"length": 8}
        assert server.bodies[-2:] == [b"the file"] * 2


def test_a_prepared_request_can_be_sent_many_times(server: OAuthServer) -> None:
    with program("requests", server) as running:
        request = requests.Request("GET", f"{server.url}/orders")
        prepared = running.client.prepare_request(request)
        for number in range(1, 4):
            server.expire()
            assert running.client.send(prepared).status_code == 200
            assert server.counts["refresh_token"] == number
        assert server.counts["client_credentials"] == 0


def test_cookies_of_a_401_are_kept(server: OAuthServer) -> None:
    with program("requests", server) as running:
        server.answers = [(401, {"Set-Cookie": "node=7"}, b"")]
        assert running.call().request.headers["Cookie"] == "node=7"


@each_kind
def test_a_streamed_response_is_left_to_the_program(kind: Kind, server: OAuthServer) -> None:
    with program(kind, server) as running:
        server.expire()
        if running.runner is not None:

            async def read() -> bytes:
                async with running.client.stream("GET", "/orders") as response:
                    assert response.status_code == 200
                    return b"".join([each async for each in response.aiter_raw()])

            assert running.runner.run(read()) == b'{"length": 0}'
        elif running.library is not None:
            with running.client.stream("GET", "/orders") as response:
                assert b"".join(response.iter_raw()) == b'{"length": 0}'
        else:
            with running.call(stream=True) as response:
                assert response.raw.read() == b'{"length": 0}'


@each_kind
def test_a_closed_session_says_so_itself(kind: Kind, server: OAuthServer) -> None:
    with program(kind, server) as running:
        if running.runner is not None:
            running.runner.run(running.session.aclose())
        else:
            running.session.close()
        with pytest.raises(SessionClosedError):
            running.call()
        assert running.tokens() == []


@each_kind
def test_no_token_is_shown(
    kind: Kind, server: OAuthServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with program(kind, server) as running:
        server.expire()
        response = running.call()
        texts = [repr(running.auth), str(running.auth), repr(response.request), repr(response)]
        texts += [repr(each.request.headers) for each in (response, *response.history)]
        server.expire()
        server.token_answers = [(503, {}, b"")] * 2
        with pytest.raises(GrantError) as caught:
            running.call()
        found = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        texts += [*found.format(), caplog.text]
        assert "SENTINEL" not in "".join(texts)


def test_a_pickled_response_has_no_token(server: OAuthServer) -> None:
    with program("requests", server) as running:
        server.expire()
        saved = pickle.dumps(running.call())
        assert b"SENTINEL" not in saved
        assert pickle.loads(saved).json() == {"length": 0}
        assert b"SENTINEL" not in pickle.dumps(copy.deepcopy(running.call()).history)


@each_kind
def test_grants_that_use_this_client_do_not_wait_for_themselves(
    kind: Kind, server: OAuthServer
) -> None:
    with program(kind, server) as running:
        server.expire()
        if running.runner is not None:

            async def refresh(refresh_token: Secret[str]) -> Mapping[str, Any]:
                await running.acall("/token")
                raise AssertionError("it was sent")

            running.session._grants.refresh = refresh
        else:
            running.grants.during = lambda: running.call("/token")
        with pytest.raises(RuntimeError, match="a client of their own"):
            running.call()


@each_kind
def test_the_wrong_kind_of_session_is_refused(kind: Kind, server: OAuthServer) -> None:
    with program(kind, server) as running:
        other: Kind = "httpx2" if running.runner is not None else "httpx2 async"
        with program(other, server) as wrong:
            running.client.auth = wrong.auth
            with pytest.raises(TypeError, match=r"needs a TokenSession|AsyncTokenSession"):
                running.call()
        assert running.tokens() == []


def test_what_is_not_a_session_is_refused(server: OAuthServer) -> None:
    with (
        create_instance("id", "secret", base_url=server.url) as sdk,
        pytest.raises(TypeError, match="got IntegrationSDK"),
    ):
        TokenAuth(sdk)  # type: ignore[arg-type]  # wrong on purpose


def test_the_session_of_an_sdk_instance_can_be_used(server: OAuthServer) -> None:
    with create_instance("id", "secret", base_url=server.url) as sdk:
        assert "memory" in repr(TokenAuth(sdk.session))


def test_it_is_called_for_requests_only(server: OAuthServer) -> None:
    with program("httpx2", server) as running, pytest.raises(TypeError, match="PreparedRequest"):
        running.auth(httpx2.Request("GET", server.url))


@pytest.mark.parametrize("name", ["httpx2.Auth", "httpx.Auth", "requests.auth.AuthBase"])
def test_each_library_takes_it_for_its_own(name: str, server: OAuthServer) -> None:
    pytest.importorskip(name.split(".")[0])
    module, _, base = name.rpartition(".")
    with program("requests", server) as running:
        assert isinstance(running.auth, getattr(import_module(module), base))
        assert isinstance(running.auth, TokenAuth)
        assert type(running.auth) is TokenAuth


def test_a_task_may_leave_while_the_token_is_refreshed(server: OAuthServer) -> None:
    with program("httpx2 async", server) as running:
        server.expire()
        let_go = threading.Event()
        running.grants.during = let_go.wait
        assert running.runner is not None

        async def leave() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await running.acall()
            let_go.set()
            assert (await running.acall()).status_code == 200

        running.runner.run(leave())
        assert (server.counts["refresh_token"], server.counts["client_credentials"]) == (1, 0)


@each_kind
def test_a_401_from_one_endpoint_says_nothing_about_the_others(
    kind: Kind, server: OAuthServer
) -> None:
    with program(kind, server) as running:
        server.refuses = lambda path: path == "/orders"
        assert running.call("/orders?page=1").status_code == 401
        before = Counter(server.counts)
        assert running.call("/orders?page=2").status_code == 401  # it is believed
        server.expire()
        assert running.call("/others").status_code == 200
        assert server.counts["refresh_token"] == before["refresh_token"] + 1
        assert server.counts["client_credentials"] == before["client_credentials"]


def test_other_responses_end_the_belief_in_a_401(server: OAuthServer) -> None:
    with program("requests", server) as running:
        server.refuses = lambda path: True
        assert running.call().status_code == 401
        server.refuses = lambda path: False
        assert running.call().status_code == 200
        server.expire()
        assert running.call().status_code == 200


@pytest.mark.parametrize("kind", ["httpx2", "httpx2 async", "requests"])
def test_a_request_that_times_out_shows_no_token(kind: Kind, server: OAuthServer) -> None:
    with program(kind, server) as running, socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/orders"
        run = running.runner.run if running.runner is not None else lambda found: found
        with pytest.raises((httpx2.ReadTimeout, requests.ReadTimeout)) as caught:
            run(running.client.get(url, timeout=0.05))
        found = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert "SENTINEL" not in "".join(found.format())


@pytest.mark.parametrize("stream", [False, True])
def test_grants_can_use_the_only_connection(stream: bool, server: OAuthServer) -> None:
    with program("httpx2", server) as running:
        limits = httpx2.Limits(max_connections=1)
        with httpx2.Client(limits=limits, timeout=httpx2.Timeout(20, pool=1)) as only:
            running.grants.during = lambda: only.get(f"{server.url}/others", auth=None)
            server.expire()
            request = only.build_request("GET", f"{server.url}/orders")
            response = only.send(request, auth=running.auth, stream=stream)
            assert response.status_code == 200
            response.close()


def test_under_trio_it_says_what_to_do(server: OAuthServer) -> None:
    with program("httpx2 async", server) as running:

        async def call() -> None:
            async with httpx2.AsyncClient(auth=running.auth, verify=False) as client:
                with pytest.raises(AsyncioRequiredError):
                    await client.get(f"{server.url}/orders")

        server.expire()
        trio.run(call)


def test_a_recorded_request_has_no_token(server: OAuthServer, tmp_path: Path) -> None:
    with program("requests", server) as running:
        cassette = tmp_path / "cassette.yaml"
        for _ in range(2):
            with vcr.use_cassette(str(cassette), record_mode="once"):
                assert running.call().status_code == 200
        assert server.counts["api"] == 1
        text = cassette.read_text(encoding="utf-8")
        assert "Bearer ****" in text
        assert "SENTINEL" not in text
