"""A caller leaves a token request when its time is over; the request goes on."""

from __future__ import annotations

import threading
import time

import pytest

from flex_tokenstore import TokenSession, open_store
from flex_tokenstore.embedding import WaitEnded, waiting_until
from tests.support.fakes import IDENTITY, DictStore, Server


def held(release: threading.Event) -> None:
    release.wait(30)


def test_the_caller_leaves_and_the_token_is_saved() -> None:
    server, store, release = Server(), DictStore(), threading.Event()
    server.before = lambda: held(release)
    with TokenSession(open_store(store, IDENTITY, host_lock="off"), server) as session:
        began = time.monotonic()
        with waiting_until(began + 0.2), pytest.raises(WaitEnded):
            session.token()
        assert 0.1 < time.monotonic() - began < 5
        assert not store.token
        release.set()
        token = session.token()  # the one that was under way
        assert server.calls == ["sign_in"]
        assert store.token is not None
        assert store.token["access_token"] == token.access_token.reveal()


def test_a_time_that_is_over_needs_no_wait_for_a_token_in_memory() -> None:
    server = Server()
    with TokenSession(open_store(DictStore(), IDENTITY, host_lock="off"), server) as session:
        first = session.token()
        with waiting_until(time.monotonic() - 1):
            assert session.token() is first


def test_nobody_who_waits_without_an_end_is_disturbed() -> None:
    server, release = Server(), threading.Event()
    server.before = lambda: held(release)
    found: list[str] = []
    with TokenSession(open_store(DictStore(), IDENTITY, host_lock="off"), server) as session:
        waiting = threading.Thread(
            target=lambda: found.append(session.token().access_token.reveal())
        )
        waiting.start()
        with waiting_until(time.monotonic() + 0.1), pytest.raises(WaitEnded):
            session.token()
        release.set()
        waiting.join(30)
    assert len(found) == 1
    assert server.calls == ["sign_in"]
