"""A session over a store that is read-only here: it uses a token that another program renews."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    Event,
    Token,
    TokenCorruptError,
    TokenReadOnlyError,
    TokenSession,
    TokenUnavailableError,
    open_async_store,
    open_store,
)
from flex_tokenstore._session.flow import replica
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server, stored
from tests.support.kinds import Kind, program

KINDS: tuple[Kind, ...] = ("sync", "async")


def _token(data: dict[str, Any]) -> Token:
    return Token(data)


class Coroutines(DictStore):
    """The same as coroutines, with a lock of its own that nobody may take."""

    async def get_token(self) -> dict[str, Any] | None:  # type: ignore[override]  # a twin
        return self.token

    async def set_token(self, token: dict[str, Any]) -> None:  # type: ignore[override]  # a twin
        raise AssertionError

    async def remove_token(self) -> None:  # type: ignore[override]  # a twin
        raise AssertionError

    async def prepare_save(self, expected: str | None) -> None:
        raise AssertionError

    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[None]:
        assert wait < 0
        yield


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "WATCH", 0.3)
    monkeypatch.setattr(replica, "WATCH_REFUSED", 0.1)


def config(path: Path, *, sealed: bool = False) -> Any:
    inner: Any = {"name": "read-only", "inner": {"name": "file", "path": str(path)}}
    return {"name": "read-only", "inner": inner} if sealed else inner


def reader(path: Path, server: Server, **options: Any) -> TokenSession:
    return TokenSession(open_store(config(path), IDENTITY), server, **options)


@contextmanager
def renewer(path: Path, server: Server) -> Iterator[TokenSession]:
    store = open_store({"name": "file", "path": str(path)}, IDENTITY)
    with TokenSession(store, server) as session:
        yield session


def test_it_uses_the_token_that_another_program_obtained(path: Path, server: Server) -> None:
    with renewer(path, server) as other, reader(path, server) as session:
        token = other.token()
        assert session.token() == token
        assert session.saved
    assert server.calls == ["sign_in"]


@pytest.mark.parametrize("on_store_error", ["raise", "memory"])
def test_it_sends_nothing_when_nothing_is_stored(
    path: Path, server: Server, on_store_error: Any
) -> None:
    with reader(path, server, on_store_error=on_store_error, failure_window=60) as session:
        with pytest.raises(TokenReadOnlyError, match="start the program that renews"):
            session.token()
        before = time.monotonic()
        with pytest.raises(TokenReadOnlyError):
            session.token()
        assert time.monotonic() - before < replica.WATCH, "it waits once in a failure window"
        with renewer(path, server) as other:
            assert other.token() == session.token()
    assert server.calls == ["sign_in"]


def test_on_store_error_memory_sends_nothing_in_an_outage_either(server: Server) -> None:
    class Down(DictStore):
        def get_token(self) -> Any:
            raise TokenUnavailableError("the store is down")

    store = open_store({"name": "read-only", "inner": Down()}, IDENTITY)
    with (
        TokenSession(store, server, on_store_error="memory") as session,
        pytest.raises(TokenUnavailableError, match="is down"),
    ):
        session.token()
    assert server.calls == []


def test_it_waits_for_the_new_token_of_the_one_that_renews(
    path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find the token expired at the same moment."""
    monkeypatch.setattr(replica, "WATCH", 20.0)
    with reader(path, server) as session, renewer(path, server) as other:
        late = threading.Timer(0.1, other.token)
        late.start()
        token = session.token()
        late.join()
        assert token == other.token()
    assert server.calls == ["sign_in"]


def test_within_the_margin_it_uses_the_token_and_reports_no_failure(
    path: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="flex_tokenstore")
    events: list[Event] = []
    old = stored(server, age=server.lifetime - 5)
    with program("sync", {"name": "file", "path": str(path)}) as p:
        p.set(_token(old))
    with reader(path, server, on_event=events.append) as session:
        assert session.token().to_dict() == old
        assert session.token().to_dict() == old
        renewed = stored(server)
        with program("sync", {"name": "file", "path": str(path)}) as p:
            p.set(_token(renewed))
        session._state.held = None  # the pause between two looks is over
        assert session.token().to_dict() == renewed
    assert [event.name for event in events] == ["adopted", "adopted"]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert server.calls == []


def test_after_a_401_without_a_newer_token_the_caller_gets_the_401(
    path: Path, server: Server
) -> None:
    with renewer(path, server) as other, reader(path, server) as session:
        token = other.token()
        call = session.new_call("listings.query")
        assert call.token() == token
        assert call.refused(token) is None
        assert session.token() == token, "other endpoints go on with it"
    assert server.calls == ["sign_in"]


def test_after_a_401_it_takes_the_newer_token(path: Path, server: Server) -> None:
    with renewer(path, server) as other, reader(path, server) as session:
        token = other.token()
        assert session.token() == token
        theirs, ours = other.new_call("a"), session.new_call("a")
        assert (theirs.token(), ours.token()) == (token, token)
        new = theirs.refused(token)
        assert new is not None
        assert ours.refused(token) == new
    assert server.calls == ["sign_in", "refresh"]


@pytest.mark.parametrize("what", ["revoke", "remove"])
def test_it_neither_revokes_nor_removes(path: Path, server: Server, what: str) -> None:
    with renewer(path, server) as other, reader(path, server) as session:
        token = other.token()
        with pytest.raises(TokenReadOnlyError, match=f"cannot {what} the token"):
            getattr(session, what)()
        assert session.peek() == token
    assert server.calls == ["sign_in"]


def test_corrupt_content_is_left_where_it_is(path: Path, server: Server) -> None:
    path.write_text("{broken")
    path.chmod(0o600)
    with reader(path, server) as session, pytest.raises(TokenCorruptError):
        session.token()
    assert path.read_text() == "{broken"
    assert list(path.parent.iterdir()) == [path]


def test_in_an_asyncio_program_and_under_another_wrapper(path: Path, server: Server) -> None:
    async def main() -> None:
        store = await open_async_store(config(path, sealed=True), IDENTITY)
        async with AsyncTokenSession(store, AsyncServer(server)) as session:
            with pytest.raises(TokenReadOnlyError):
                await session.token()
            with renewer(path, server) as other:
                token = await asyncio.to_thread(other.token)
            session._state.failure = None
            assert await session.token() == token
            for change in (session.revoke, session.remove):
                with pytest.raises(TokenReadOnlyError):
                    await change()

    asyncio.run(main())
    assert server.calls == ["sign_in"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("coroutines", [False, True])
def test_a_handle_refuses_each_change_and_leaves_the_inner_lock_free(
    kind: Kind, coroutines: bool, server: Server
) -> None:
    inner: Any = Coroutines() if coroutines else DictStore()
    token = _token(stored(server))
    inner.token = token.to_dict()
    with program(kind, {"name": "read-only", "inner": inner}) as p:
        assert p.get() == token
        assert p.store.abilities.read_only
        assert p.store.layers[0] == "read-only"
        for change in (lambda: p.set(token), p.remove, p.prepare, lambda: p.lock().__enter__()):
            with pytest.raises(TokenReadOnlyError, match="only reads it") as caught:
                change()
            assert caught.value.store == "read-only"
    assert inner.token == token.to_dict()
