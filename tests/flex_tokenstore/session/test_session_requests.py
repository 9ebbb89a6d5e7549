"""What the answers to token requests mean: doubtful refusals, waits that the server asks for."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    Event,
    GrantError,
    Secret,
    TokenSession,
    TokenUnavailableError,
    open_async_store,
    open_store,
)
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server, stored


class Clock:
    """Both clocks, which the test moves on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        monotonic, wall = time.monotonic, time.time
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + self.ahead)
        monkeypatch.setattr(time, "time", lambda: wall() + self.ahead)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@contextmanager
def session_of(store: Any, server: Server, **options: Any) -> Iterator[TokenSession]:
    with TokenSession(open_store(store, IDENTITY, host_lock="off"), server, **options) as session:
        yield session


def doubtful() -> GrantError:
    return GrantError("a page with 401", reason="doubtful")


def waiting(seconds: float, reason: Any = "transient") -> GrantError:
    error = GrantError("too many requests", reason=reason)
    error.retry_after = seconds
    return error


def expired(server: Server) -> DictStore:
    store = DictStore()
    store.token = stored(server, age=4000)
    return store


def test_a_gateways_401_is_no_rejection(clock: Clock) -> None:
    server = Server()
    store = expired(server)
    with session_of(store, server) as session:
        server.failures = [doubtful()]
        with pytest.raises(GrantError, match="a page"):
            session.token()
        assert server.calls == ["refresh"], "it is not repeated at once"
        clock.ahead = 5.1
        session.token()
    assert server.calls == ["refresh", "refresh"]


def test_nothing_but_such_401s_for_a_minute_and_three_tries_is_one(clock: Clock) -> None:
    server = Server()
    store = expired(server)
    with session_of(store, server) as session:
        for ahead in (0.0, 30.0, 59.0):
            clock.ahead = ahead
            server.failures = [doubtful()]
            with pytest.raises(GrantError, match="a page"):
                session.token()
        clock.ahead = 65.0
        server.failures = [doubtful()]
        session.token()
    assert server.calls == ["refresh"] * 4 + ["sign_in"]


def test_too_few_tries_are_not_enough_however_long_it_lasts(clock: Clock) -> None:
    server = Server()
    store = expired(server)
    with session_of(store, server) as session:
        for ahead in (0.0, 600.0):
            clock.ahead = ahead
            server.failures = [doubtful()]
            with pytest.raises(GrantError, match="a page"):
                session.token()
    assert "sign_in" not in server.calls


def test_any_other_answer_begins_the_minute_anew(clock: Clock) -> None:
    server = Server()
    store = expired(server)
    with session_of(store, server) as session:
        for number, ahead in enumerate((0.0, 10.0, 20.0, 30.0, 62.0, 80.0)):
            clock.ahead = ahead
            other = GrantError("503", reason="transient")
            server.failures = [other, other] if number == 3 else [doubtful()]
            with pytest.raises(GrantError):
                session.token()
    assert "sign_in" not in server.calls


@pytest.mark.parametrize("reason", ["transient", "failed"])
def test_a_wait_that_the_server_asks_for_is_kept(clock: Clock, reason: str) -> None:
    server = Server()
    store = expired(server)
    with session_of(store, server) as session:
        server.failures = [waiting(60, reason)]
        for ahead in (0.0, 6.0, 30.0, 59.0):
            clock.ahead = ahead
            with pytest.raises(GrantError, match="too many"):
                session.token()
        assert server.calls == ["refresh"]
        clock.ahead = 61.0
        session.token()
    assert server.calls == ["refresh", "refresh"]


@pytest.mark.parametrize("seconds", [1e400, 1e9, 301.0])
def test_no_server_makes_us_wait_for_ever(clock: Clock, seconds: float) -> None:
    server = Server()
    store = expired(server)
    with session_of(store, server) as session:
        server.failures = [waiting(seconds)]
        with pytest.raises(GrantError):
            session.token()
        clock.ahead = 300.5
        session.token()


def test_a_token_that_still_works_serves_while_the_server_wants_no_request(clock: Clock) -> None:
    server, store = Server(), DictStore()
    store.token = stored(server, age=3580)  # within the margin
    with session_of(store, server) as session:
        server.failures = [waiting(60)]
        for ahead in (0.0, 6.0, 15.0):
            clock.ahead = ahead
            assert session.token().to_dict() == store.token
    assert server.calls == ["refresh"]


def test_a_refresh_that_nobody_waits_for_makes_no_second_try() -> None:
    async def main() -> list[str]:
        server = Server()
        slow = Slow(server)
        server.failures = [GrantError("no answer", reason="transient")] * 2
        opened = await open_async_store(expired(server), IDENTITY, host_lock="off")
        session = AsyncTokenSession(opened, slow)
        caller = asyncio.create_task(session.token())
        await slow.asked.wait()
        caller.cancel()
        await asyncio.wait([caller])
        slow.answer.set()
        await session.aclose()
        return server.calls

    assert asyncio.run(main()) == ["refresh"]


class Slow(AsyncServer):
    """Answers when told."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    async def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        self.asked.set()
        await self.answer.wait()
        return await super().refresh(refresh_token)


class Prepared(DictStore):
    """Its saves are refused for good."""

    def __init__(self, refuses: bool) -> None:
        super().__init__()
        self.refuses = refuses
        self.asked: list[str | None] = []

    def prepare_save(self, expected: str | None) -> None:
        self.asked.append(expected)
        if self.refuses:
            raise TokenUnavailableError("the folder is read-only")


@pytest.mark.parametrize("first", ["empty", "expired"])
def test_what_cannot_be_saved_is_not_asked_for(first: str) -> None:
    server, store = Server(), Prepared(refuses=True)
    if first == "expired":
        store.token = stored(server, age=4000)
    with session_of(store, server, failure_window=0) as session:
        for _ in range(3):
            with pytest.raises(TokenUnavailableError, match="read-only"):
                session.token()
        assert server.calls == []
        store.refuses = False
        session.token()
    assert server.calls == ["sign_in" if first == "empty" else "refresh"]


def test_a_token_that_exists_nowhere_else_is_saved_soon_after_the_store_is_back() -> None:
    events: list[Event] = []
    server = Server()
    store = expired(server)
    store.set_errors = [OSError("down")] * 4
    saved = threading.Event()

    def note(event: Event) -> None:
        events.append(event)
        if event.name == "saved":
            saved.set()

    with session_of(store, server, on_event=note) as session:
        token = session.token()
        began = time.monotonic()
        assert saved.wait(20)
        assert time.monotonic() - began < 15, "four tries, at most a second apart"
        assert store.token == token.to_dict()
    assert [event.name for event in events].count("save_failed") < 4, "it is not said each time"
