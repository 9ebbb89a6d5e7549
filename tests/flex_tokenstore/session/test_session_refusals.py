"""What 401 answers of the API may cost: token requests, and above all sign-ins with the secret."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    GrantError,
    Secret,
    SessionClosedError,
    TokenSession,
    file_store,
    open_async_store,
    open_store,
)
from flex_tokenstore._session.flow import refusals
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server, stored

Accepts = Callable[[str, str], bool]


class Api:
    """An API that takes a token on an endpoint or answers 401; counts what it is sent."""

    def __init__(self, accepts: Accepts) -> None:
        self.accepts = accepts
        self.sent = 0

    def call(self, session: TokenSession, endpoint: str = "x") -> int:
        """One API call as the SDK makes it; returns the status."""
        call = session.new_call(endpoint)
        token = call.token()
        while True:
            self.sent += 1
            if self.accepts(endpoint, token.access_token.reveal()):
                call.accepted()
                return 200
            another = call.refused(token)
            if another is None:
                return 401
            token = another

    async def async_call(self, session: AsyncTokenSession, endpoint: str = "x") -> int:
        """The same for asyncio."""
        call = session.new_call(endpoint)
        token = await call.token()
        while True:
            self.sent += 1
            if self.accepts(endpoint, token.access_token.reveal()):
                call.accepted()
                return 200
            another = await call.refused(token)
            if another is None:
                return 401
            token = another


class Repeating(Server):
    """Answers each grant with the same access token; perhaps with the same refresh token."""

    def __init__(self, refresh: str) -> None:
        super().__init__()
        self.kind = refresh

    def _issue(self) -> dict[str, Any]:
        answer = super()._issue()
        answer["access_token"] = "access-same-SENTINEL"
        if self.kind == "none":
            del answer["refresh_token"]
        elif self.kind == "same":
            answer["refresh_token"] = "refresh-same-SENTINEL"
            self.live.add("refresh-same-SENTINEL")
        return answer

    def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        answer = super().refresh(refresh_token)
        if self.kind == "same":
            self.live.add("refresh-same-SENTINEL")
        return answer


def nothing(endpoint: str, token: str) -> bool:
    return False


def all_but_x(endpoint: str, token: str) -> bool:
    return endpoint != "x"


def make(store: Any, server: Any, **options: Any) -> TokenSession:
    return TokenSession(open_store(store, IDENTITY, host_lock="off"), server, **options)


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("refresh", ["rotating", "same", "none"])
@pytest.mark.parametrize("first", ["empty", "stored"])
def test_a_server_that_repeats_an_access_token_gets_few_requests(
    kind: str, refresh: str, first: str
) -> None:
    server, store, api = Repeating(refresh), DictStore(), Api(nothing)
    if first == "stored":
        store.token = stored(server)

    async def main() -> int:
        opened = await open_async_store(store, IDENTITY, host_lock="off")
        async with AsyncTokenSession(opened, AsyncServer(server)) as session:
            return await api.async_call(session)

    if kind == "async":
        assert asyncio.run(asyncio.wait_for(main(), 20)) == 401
    else:
        with make(store, server) as session:
            assert api.call(session) == 401
    assert server.calls.count("sign_in") <= 2
    assert server.calls.count("refresh") <= 2
    assert api.sent <= 4


def test_the_repeated_token_is_kept_for_other_endpoints_and_other_programs() -> None:
    server, store, api = Repeating("rotating"), DictStore(), Api(all_but_x)
    store.token = stored(server)
    with make(store, server) as session:
        assert api.call(session, "x") == 401
        requests = len(server.calls)
        assert api.call(session, "y") == 200
    assert len(server.calls) == requests
    assert store.token["refresh_token"] in server.live, "a rotated refresh token was not lost"


def test_one_endpoint_that_refuses_costs_one_sign_in_and_leaves_the_others_alone() -> None:
    server, store, api = Server(), DictStore(), Api(all_but_x)
    store.token = stored(server)
    with make(store, server) as session:
        for _ in range(20):
            assert api.call(session, "x") == 401
            assert api.call(session, "y") == 200
    assert server.calls == ["refresh", "sign_in"]


def test_after_a_minute_the_endpoint_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server, store, api = Server(), DictStore(), Api(all_but_x)
    store.token = stored(server)
    real, ahead = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: real() + ahead[0])
    with make(store, server) as session:
        assert api.call(session, "x") == 401
        ahead[0] = 61.0
        assert api.call(session, "x") == 401
        assert api.call(session, "x") == 401
    assert server.calls == ["refresh", "sign_in"] * 2


def test_an_answer_ends_the_belief_in_an_endpoints_401() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server)
    refuses = [True]
    api = Api(lambda endpoint, token: not refuses[0] and token in server.access)
    with make(store, server) as session:
        assert api.call(session) == 401
        refuses[0] = False
        assert api.call(session) == 200
        server.access.clear()  # revoked, or expired before its time
        assert api.call(session) == 200
    assert server.calls == ["refresh", "sign_in", "refresh"]


def test_another_token_in_the_store_ends_the_belief() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server)
    better: list[str] = []
    api = Api(lambda endpoint, token: token in better)
    with make(store, server) as session:
        assert api.call(session) == 401
        requests = len(server.calls)
        store.token = stored(server)
        better.append(store.token["access_token"])
        assert api.call(session) == 200
        assert len(server.calls) == requests
        store.token = stored(server)  # refused, but its refresh token brings one that is taken
        better[:] = [f"access-{server._count + 1}-SENTINEL"]
        assert api.call(session) == 200
    assert server.calls[requests:] == ["refresh"]


def test_a_call_that_tried_three_more_tokens_tries_no_fifth() -> None:
    """Although another call believes the 401 meanwhile, and the store has another token again."""
    api, store, server = Api(all_but_x), DictStore(), Server()
    with make(store, server) as session:
        call = session.new_call("x")
        token = call.token()
        for _ in range(3):
            store.token = stored(server)
            another = call.refused(token)
            assert another is not None
            token = another
        assert api.call(session) == 401  # it refreshes and signs in, and believes the 401
        store.token = stored(server)
        assert call.refused(token) is None


def test_an_api_that_refuses_all_costs_six_sign_ins_a_minute_however_many_endpoints() -> None:
    server, store, api = Server(), DictStore(), Api(nothing)
    store.token = stored(server)
    with make(store, server) as session:
        for number in range(40):
            assert api.call(session, f"endpoint {number}") == 401
    assert server.calls.count("sign_in") <= 6
    assert server.calls.count("refresh") <= 40


@pytest.mark.parametrize("kind", ["one process", "a process each"])
def test_all_programs_of_a_token_keep_within_one_bound(tmp_path: Path, kind: str) -> None:
    """Those of other processes are known by what is stored, those of this one without it."""
    server, api = Server(), Api(nothing)
    config = file_store(path=str(tmp_path / "t.json"))
    open_store(config, IDENTITY).set_token(token_of(server))
    for number in range(12):
        with TokenSession(open_store(config, IDENTITY), server) as session:
            if kind == "a process each":
                session._state.sign_ins = []  # another process has no part in this one's
                session._gate.sign_ins.clear()
            for each in range(3):
                assert api.call(session, f"endpoint {number} {each}") == 401
    assert server.calls.count("sign_in") == 6


def test_many_threads_with_many_endpoints_keep_within_the_bound() -> None:
    server, store, api = Server(), DictStore(), Api(nothing)
    store.token = stored(server)
    statuses: list[int] = []
    with make(store, server) as session:

        def work(number: int) -> None:
            for each in range(5):
                statuses.append(api.call(session, f"{number} {each}"))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert statuses == [401] * 80
    assert server.calls.count("sign_in") <= 6


def test_first_sign_ins_do_not_count() -> None:
    server, store, api = Server(), DictStore(), Api(lambda endpoint, token: True)
    with make(store, server) as session:
        for _ in range(10):
            assert api.call(session) == 200
            session.remove()
    assert server.calls == ["sign_in"] * 10
    assert store.token is None


def test_a_rejected_refresh_token_and_no_secret_is_said_and_the_token_still_serves() -> None:
    class NoSecret(Server):
        def sign_in(self) -> Mapping[str, Any]:
            error = GrantError("no client secret")
            error.sent = False
            raise error

    server, store = NoSecret(), DictStore()
    store.token = stored(server)
    server.live.clear()
    api = Api(all_but_x)
    with make(store, server, failure_window=0) as session:
        with pytest.raises(GrantError, match="no client secret") as caught:
            api.call(session, "x")
        assert caught.value.why == "rejected"
        assert "rejected" in str(caught.value.rejected_by)
        assert api.call(session, "y") == 200


def test_without_a_secret_a_healthy_token_that_one_endpoint_refuses_still_serves_the_others() -> (
    None
):
    class NoSecret(Server):
        def sign_in(self) -> Mapping[str, Any]:
            error = GrantError("no client secret")
            error.sent = False
            raise error

    server, store, api = NoSecret(), DictStore(), Api(all_but_x)
    store.token = stored(server)
    with make(store, server, failure_window=0) as session:
        for _ in range(5):
            assert api.call(session, "x") == 401
            assert api.call(session, "y") == 200
    assert server.calls == ["refresh"]


class NoSignIn(Server):
    """Its sign-ins fail."""

    def __init__(self, failure: GrantError) -> None:
        super().__init__()
        self.failure = failure

    def sign_in(self) -> Mapping[str, Any]:
        self.calls.append("sign_in")
        raise self.failure


def asks_to_wait() -> GrantError:
    error = GrantError("429")
    error.retry_after = 300.0
    return error


@pytest.mark.parametrize(
    "failure", [GrantError("invalid_client"), GrantError("503", reason="transient"), asks_to_wait()]
)
def test_a_sign_in_that_fails_takes_no_token_from_the_other_endpoints(failure: GrantError) -> None:
    server, store, api = NoSignIn(failure), DictStore(), Api(all_but_x)
    store.token = stored(server)
    with make(store, server) as session:
        for _ in range(5):
            with pytest.raises(GrantError):
                api.call(session, "x")
            for _ in range(3):
                assert api.call(session, "y") == 200
    assert server.calls.count("sign_in") <= 2


def test_a_refresh_that_fails_takes_no_token_from_the_other_endpoints() -> None:
    server, store, api = Server(), DictStore(), Api(all_but_x)
    store.token = stored(server)
    server.failures = [asks_to_wait()]
    with make(store, server) as session:
        for _ in range(5):
            with pytest.raises(GrantError):
                api.call(session, "x")
            assert api.call(session, "y") == 200
    assert server.calls == ["refresh"]


def test_sign_ins_that_were_not_sent_do_not_count() -> None:
    unsent = GrantError("no client secret is configured")
    unsent.sent = False
    server, store, api = NoSignIn(unsent), DictStore(), Api(nothing)
    store.token = stored(server)
    server.live.clear()
    with make(store, server, failure_window=0) as session:
        for number in range(10):
            with pytest.raises(GrantError, match="no client secret"):
                api.call(session, f"endpoint {number}")


def test_without_the_store_the_bound_holds_for_the_process() -> None:
    server, store, api = Repeating("none"), DictStore(), Api(nothing)
    store.get_error = OSError("down")
    with make(store, server, on_store_error="memory") as session:
        for number in range(30):
            assert api.call(session, f"endpoint {number}") == 401
    assert server.calls.count("sign_in") <= 7, "the first one, and six"


def test_a_used_up_refresh_token_is_not_sent_again_after_a_save_that_failed() -> None:
    sent: list[str] = []

    class Noting(Server):
        def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
            sent.append(refresh_token.reveal())
            return super().refresh(refresh_token)

    server, store, api = Noting(), DictStore(), Api(nothing)
    store.token = stored(server)
    store.set_errors = [OSError("down")]
    with make(store, server) as session:
        assert api.call(session) == 401
    assert len(sent) == len(set(sent)) == 1


def test_hosts_whose_clocks_differ_keep_within_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, api = Server(), Api(nothing)
    config = file_store(path=str(tmp_path / "t.json"))
    open_store(config, IDENTITY).set_token(token_of(server))
    real, behind = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() - behind[0])
    for number in range(16):
        behind[0] = 2.0 * (number % 8)
        with TokenSession(open_store(config, IDENTITY), server) as session:
            session._gate.sign_ins.clear()  # another process has no part in this one's
            assert api.call(session, f"endpoint {number}") == 401
    assert server.calls.count("sign_in") <= 6


def test_one_bad_minute_does_not_cost_a_secret_at_each_later_expiry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that has one refresh token for each client, and does not rotate it."""

    class OneForAll(Server):
        def _issue(self) -> dict[str, Any]:
            answer = super()._issue()
            answer["refresh_token"] = "refresh-SENTINEL"
            return answer

        def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
            self.calls.append("refresh")
            return self._issue()

    refuses = [True]
    server, store = OneForAll(), DictStore()
    store.token = stored(server)
    api = Api(lambda endpoint, token: not refuses[0])
    wall, monotonic, ahead = time.time, time.monotonic, [0.0]
    monkeypatch.setattr(time, "time", lambda: wall() + ahead[0])
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + ahead[0])
    with make(store, server) as session:
        assert api.call(session) == 401
        refuses[0] = False
        secrets = server.calls.count("sign_in")
        for _ in range(5):
            ahead[0] += 3700
            assert api.call(session) == 200
    assert server.calls.count("sign_in") == secrets


def token_of(server: Server) -> Any:
    from flex_tokenstore import Token

    return Token(stored(server))


def test_what_is_believed_no_more_is_forgotten() -> None:
    session = TokenSession(open_store("memory", IDENTITY), Server())
    state = session._state
    for number in range(100):
        refusals.believe(state, f"GET /orders/{number}", 1000.0 + number)
    assert len(state.believed) == 60  # a minute's
    assert not refusals.believes(state, "GET /orders/7", 1100.0)
    session.close()


@pytest.mark.parametrize("ask", ["token", "new_call"])
def test_a_closed_session_hands_out_no_token(ask: str) -> None:
    session = TokenSession(open_store("memory", IDENTITY), Server())
    session.token()
    session.close()
    with pytest.raises(SessionClosedError, match="this session is closed"):
        session.token() if ask == "token" else session.new_call().token()


@pytest.mark.parametrize("ask", ["token", "new_call"])
def test_a_closed_async_session_hands_out_no_token(ask: str) -> None:
    async def scenario() -> None:
        store = await open_async_store("memory", IDENTITY)
        session = AsyncTokenSession(store, AsyncServer(Server()))
        await session.token()
        await session.aclose()
        with pytest.raises(SessionClosedError, match="this session is closed"):
            await (session.token() if ask == "token" else session.new_call().token())

    asyncio.run(scenario())
