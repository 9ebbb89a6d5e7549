"""Callers that leave, loops that stop and sessions that are closed while a token is renewed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    Secret,
    SessionClosedError,
    Token,
    TokenConflictError,
    TokenLockTimeoutError,
    TokenSession,
    open_async_store,
    open_store,
)
from flex_tokenstore._session.flow import held_token, refusals
from flex_tokenstore._values.token import ANY_REVISION, revision_of
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server, stored


class ComparingStore(DictStore):
    """Promises compare-and-set."""

    def set_token(self, token: dict[str, Any], expected: str | None = None) -> None:
        found = None if self.token is None else revision_of(self.token)
        if expected not in (ANY_REVISION, found):
            raise TokenConflictError("changed")
        super().set_token(token)

    def remove_token(self, expected: str | None = None) -> None:
        super().remove_token()


class SlowServer(AsyncServer):
    """Its refresh answers when told."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        found = await super().refresh(refresh_token)
        self.asked.set()
        await self.answer.wait()
        return found


async def make(store: Any, server: Any) -> AsyncTokenSession:
    return AsyncTokenSession(await open_async_store(store, IDENTITY, host_lock="off"), server)


def expired(server: Server) -> dict[str, Any]:
    return stored(server, age=4000)


def test_a_token_in_hand_is_saved_though_all_have_left_and_the_store_has_changed() -> None:
    async def main() -> None:
        server, store = Server(), ComparingStore()
        store.token = expired(server)
        slow = SlowServer(server)
        session = await make(store, slow)
        caller = asyncio.create_task(session.token())
        await slow.asked.wait()
        caller.cancel()
        await asyncio.wait({caller})
        store.token = expired(server)  # another program's, no better than the one before
        slow.answer.set()
        await session.aclose()
        assert store.token["access_token"] == "access-2-SENTINEL"
        assert server.calls == ["refresh"]

    asyncio.run(main())


def test_a_sync_session_does_not_wait_for_a_loop_that_stands_still() -> None:
    server, store = Server(), DictStore()
    store.token = expired(server)
    loop = asyncio.new_event_loop()
    slow = SlowServer(server)

    async def begin() -> AsyncTokenSession:
        session = await make(store, slow)
        caller = asyncio.create_task(session.token())
        await slow.asked.wait()
        caller.cancel()
        return session

    session = loop.run_until_complete(begin())
    try:
        with TokenSession(open_store(store, IDENTITY, host_lock="off"), server) as sync:
            assert sync.token() is not None
        slow.answer.set()
        loop.run_until_complete(session.aclose())
        assert store.token["refresh_token"] in server.live
    finally:
        loop.close()


def test_the_end_of_another_sessions_loop_is_not_a_sync_callers_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gc.collect()  # what other tests left may complain now
    caplog.clear()
    server, store = Server(), DictStore()
    store.token = expired(server)
    begun, joined = threading.Event(), threading.Event()

    async def main() -> None:
        slow = SlowServer(server)
        session = await make(store, slow)
        caller = asyncio.create_task(session.token())
        await slow.asked.wait()
        begun.set()
        await asyncio.to_thread(joined.wait, 10)
        caller.cancel()
        # The loop's end waits for the request that was sent, so that its token is not lost.
        asyncio.get_running_loop().call_later(0.1, slow.answer.set)

    def loop_of_its_own() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(main())

    found: list[Any] = []
    other = threading.Thread(target=loop_of_its_own)
    other.start()
    assert begun.wait(10)
    with TokenSession(open_store(store, IDENTITY, host_lock="off"), server) as sync:
        waiter = threading.Thread(target=lambda: found.append(sync.token()))
        waiter.start()
        flight = sync._gate._latest
        while len(flight._waiting) < 2:
            assert waiter.is_alive()
        joined.set()
        waiter.join(20)
        other.join(20)
    assert len(found) == 1
    assert store.token["refresh_token"] in server.live
    gc.collect()
    assert "never retrieved" not in caplog.text


def test_no_renewal_begins_once_a_session_is_being_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    server, store = Server(), DictStore()
    store.token = expired(server)
    session = TokenSession(open_store(store, IDENTITY, host_lock="off"), server)
    errors: list[BaseException] = []
    look = session._gate.current

    def call() -> None:
        try:
            session.token()
        except SessionClosedError as error:
            errors.append(error)

    def look_and_be_late(owner: object) -> Any:
        found = look(owner)
        late = threading.Thread(target=call)  # its renewal would find the store closed
        late.start()
        late.join(10)
        return found

    monkeypatch.setattr(session._gate, "current", look_and_be_late)
    session.close()
    assert len(errors) == 1
    assert server.calls == []


def test_a_401_in_another_thread_while_it_is_renewed_early_makes_it_wait_for_the_lock() -> None:
    server = Server()

    class Busy(DictStore):
        """Another program holds its lock, and has saved a token at the third try."""

        tries = 0

        def get_token(self) -> dict[str, Any] | None:
            if self.tries == 0:
                refusals.refuse(session._state, old, "adopted", 0.0, 0.0)  # as another thread does
            return super().get_token()

        def token_lock(self, wait: float, lease: float) -> Any:
            self.tries += 1
            if self.tries == 3:
                self.token = stored(server)
            raise TokenLockTimeoutError("busy")

    store = Busy()
    store.token = stored(server, age=3595)  # works for five seconds more
    with TokenSession(open_store(store, IDENTITY), server, lock_timeout=5) as session:
        old = Token(store.token)
        session._state.monotonic, session._state.wall = time.monotonic(), time.time()
        held_token.hold(session._state, old)
        assert session.token().digest != old.digest
    assert server.calls == []


def test_with_compare_and_set_a_failed_save_is_tried_again_though_the_lock_is_held() -> None:
    class Outage(ComparingStore):
        """Its lock stays taken after the outage: the release did not reach it."""

        taken = False

        def token_lock(self, wait: float, lease: float) -> Any:
            if self.taken:
                raise TokenLockTimeoutError("busy")
            self.taken = True
            return contextlib.nullcontext(time.monotonic() + lease)

    server, store = Server(), Outage()
    store.token = expired(server)
    store.set_errors = [OSError("down")]
    with TokenSession(open_store(store, IDENTITY), server) as session:
        token = session.token()
        assert not session.saved
    assert store.token == token.to_dict()
    assert server.calls == ["refresh"]


def test_closing_twice_and_from_many_threads_closes_the_store_once() -> None:
    closed: list[bool] = []

    class Closable(DictStore):
        def close(self) -> None:
            closed.append(True)

    session = TokenSession(open_store(Closable(), IDENTITY, host_lock="off"), Server())
    session.close()
    session.close()
    assert closed == [True]
    session = TokenSession(open_store(Closable(), IDENTITY, host_lock="off"), Server())
    threads = [threading.Thread(target=session.close) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(closed) == 2


def test_closing_that_was_cancelled_while_it_saved_can_be_done_once_more() -> None:
    class Down(DictStore):
        """Fails, and then its lock takes as long as it is told to."""

        asked: asyncio.Event | None = None
        answer = asyncio.Event()

        @contextlib.asynccontextmanager
        async def token_lock(self, wait: float, lease: float) -> AsyncIterator[None]:
            if self.asked is not None:
                self.asked.set()
                await self.answer.wait()
            yield None

    async def main() -> tuple[Server, Down]:
        server, store = Server(), Down()
        store.token = stored(server, age=4000)
        store.set_errors = [OSError("disk full")]
        session = await make(store, AsyncServer(server))
        await session.token()
        assert not session.saved
        store.asked = asyncio.Event()
        closing = asyncio.create_task(session.aclose())
        await store.asked.wait()
        closing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await closing
        store.asked = None
        store.answer.set()
        await session.aclose()
        return server, store

    server, store = asyncio.run(main())
    assert store.token is not None
    assert store.token["refresh_token"] in server.live
    assert server.calls == ["refresh"]


@pytest.mark.parametrize("call", ["token", "revoke"])
def test_a_renewal_that_is_cancelled_before_it_begins_is_begun_again(call: str) -> None:
    async def main() -> tuple[Any, list[str]]:
        server = Server()
        store = DictStore()
        store.token = stored(server, age=3601) if call == "token" else stored(server)
        session = await make(store, AsyncServer(server))
        calling = asyncio.create_task(getattr(session, call)())
        await asyncio.sleep(0)  # it has made the renewal's task, which has not run yet
        renewals = [task for task in asyncio.all_tasks() if "renewal" in task.get_name()]
        for each in renewals:
            each.cancel()
        assert len(renewals) == 1
        outcome = await asyncio.wait_for(calling, 10)
        await session.aclose()
        return outcome, server.calls

    outcome, calls = asyncio.run(main())
    assert outcome
    assert calls == ["refresh" if call == "token" else "revoke"]


def test_a_sync_call_in_the_loop_that_renews_is_refused_not_blocked_for_ever() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server, age=3601)

    async def main() -> tuple[Token, Token]:
        slow = SlowServer(server)
        session = await make(store, slow)
        other = TokenSession(open_store(store, IDENTITY, host_lock="off"), server)
        renewing = asyncio.create_task(session.token())
        await slow.asked.wait()
        with pytest.raises(SessionClosedError, match="to_thread"):
            other.token()
        with pytest.raises(SessionClosedError, match="to_thread"):
            other.revoke()
        waiting = asyncio.create_task(asyncio.to_thread(other.token))
        slow.answer.set()
        tokens = await renewing, await waiting
        assert other.token() == tokens[0]
        await session.aclose()
        other.close()
        return tokens

    first, second = asyncio.run(main())
    assert first == second
    assert server.calls == ["refresh"]


class Taken(DictStore):
    """Another program holds its lock."""

    def __init__(self) -> None:
        super().__init__()
        self.tried = threading.Event()

    def token_lock(self, wait: float, lease: float) -> Any:
        self.tried.set()
        raise TokenLockTimeoutError("busy")


def test_closing_does_not_wait_for_another_program() -> None:
    server, store = Server(), Taken()
    store.token = expired(server)
    session = TokenSession(open_store(store, IDENTITY), server, lock_timeout=300)
    errors: list[Exception] = []

    def call() -> None:
        try:
            session.token()
        except SessionClosedError as error:
            errors.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    assert store.tried.wait(20)
    began = time.monotonic()
    session.close()
    caller.join(20)
    assert time.monotonic() - began < 20
    assert len(errors) == 1
    assert server.calls == []


def test_closing_an_async_session_does_not_wait_for_another_program() -> None:
    async def main() -> None:
        server, store = Server(), Taken()
        store.token = expired(server)
        opened = await open_async_store(store, IDENTITY)
        session = AsyncTokenSession(opened, AsyncServer(server), lock_timeout=300)
        caller = asyncio.create_task(session.token())
        await asyncio.to_thread(store.tried.wait, 20)
        await asyncio.wait_for(session.aclose(), 20)
        with pytest.raises(SessionClosedError):
            await asyncio.wait_for(caller, 20)
        assert server.calls == []

    asyncio.run(main())
