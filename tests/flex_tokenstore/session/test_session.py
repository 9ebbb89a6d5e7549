"""The session's flow, through its public interface, with a model server."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from typing import Any

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    GrantError,
    SessionClosedError,
    Token,
    TokenCorruptError,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenSession,
    TokenUnavailableError,
    open_async_store,
    open_store,
)
from flex_tokenstore._session.flow import held_token, obtain
from flex_tokenstore._session.flow.state import Policy, State
from flex_tokenstore._session.flow.steps import Load, Lock, Reply
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server, stored
from tests.support.since import Since, wait_until


def make(store: Any, server: Server, **options: Any) -> TokenSession:
    return TokenSession(open_store(store, IDENTITY, host_lock="off"), server, **options)


def test_an_empty_store_means_one_sign_in_and_then_no_request() -> None:
    server, store = Server(), DictStore()
    with make(store, server) as session:
        first = session.token()
        reads = store.reads
        assert session.token() is first
        assert store.reads == reads, "a valid token is used without reading the store"
    assert server.calls == ["sign_in"]
    assert store.token is not None
    assert store.token["flex_tokenstore"]["identity"] == IDENTITY.key


def test_the_next_program_uses_the_stored_token() -> None:
    server, store = Server(), DictStore()
    with make(store, server) as session:
        first = session.token()
    with make(store, server) as session:
        assert session.token() == first
    assert server.calls == ["sign_in"]


def test_an_expired_token_is_refreshed_without_the_secret() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server, age=4000)
    with make(store, server) as session:
        session.token()
        assert session.saved
    assert server.calls == ["refresh"]


def test_a_refresh_answer_without_refresh_token_keeps_the_old_one() -> None:
    server, store = Server(rotate=False), DictStore()
    store.token = stored(server, age=4000)
    old = store.token["refresh_token"]
    with make(store, server) as session:
        session.token()
    assert store.token["refresh_token"] == old
    assert store.token["access_token"].startswith("access-2")


def test_a_rejected_refresh_token_leads_to_one_sign_in() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server, age=4000)
    server.live.clear()
    with make(store, server) as session:
        session.token()
    assert server.calls == ["refresh", "sign_in"]


@pytest.mark.parametrize("reason", ["failed", "transient"])
def test_a_failed_refresh_never_sends_the_secret_and_keeps_the_token(reason: Any) -> None:
    server, store = Server(), DictStore()
    store.token = before = stored(server, age=4000)
    server.failures = [GrantError("down", reason=reason), GrantError("down", reason=reason)]
    with make(store, server) as session:
        with pytest.raises(GrantError, match="down"):
            session.token()
        assert store.token == before
        tries = 2 if reason == "transient" else 1
        assert server.calls == ["refresh"] * tries
        server.failures.clear()
        with pytest.raises(GrantError, match="down"):
            session.token()  # within the failure window the server is left alone
        assert server.calls == ["refresh"] * tries


def test_within_the_failure_window_the_store_is_still_looked_at() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server, age=4000)
    server.failures = [GrantError("down")]
    with make(store, server) as session:
        with pytest.raises(GrantError):
            session.token()
        store.token = stored(server)
        assert session.token().to_dict() == store.token


def test_an_answer_that_no_token_is_made_of_is_a_typed_error() -> None:
    server, store = Server(), DictStore()
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    server.extra = {"deep": deep}
    with make(store, server) as session, pytest.raises(GrantError, match="nested too deeply"):
        session.token()
    assert store.token is None
    server.extra = {}
    store.token = {**stored(server), "deep": deep}
    with make(store, server) as session, pytest.raises(TokenCorruptError, match="too deeply"):
        session.peek()
    store.token = None  # else pytest, which may show it, would run into it


def test_a_transient_failure_is_tried_once_more() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server, age=4000)
    server.failures = [GrantError("500", reason="transient")]
    with make(store, server) as session:
        session.token()
    assert server.calls == ["refresh", "refresh"]


def test_after_401_one_adopted_one_refreshed_and_one_signed_in_token_are_tried() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server)
    with make(store, server) as session:
        call = session.new_call()
        token = call.token()
        sent = [token.digest]
        store.token = stored(server)  # another process renewed
        while (following := call.refused(token)) is not None:
            token = following
            sent.append(token.digest)
        assert len(sent) == len(set(sent)) == 4
    assert server.calls == ["refresh", "sign_in"]


def test_after_401_what_another_program_got_meanwhile_is_tried_though_one_was_adopted() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server)
    with make(store, server) as session:
        call = session.new_call()
        token: Any = call.token()
        for _ in range(3):
            store.token = stored(server)
            token = call.refused(token)
            assert token is not None
            assert token.to_dict() == store.token
        store.token = stored(server)
        assert call.refused(token) is None
    assert server.calls == []


def test_another_clients_token_is_neither_used_nor_overwritten() -> None:
    server, store = Server(), DictStore()
    store.token = foreign = stored(server)
    foreign["flex_tokenstore"]["identity"] = "someone-else"
    with make(store, server) as session, pytest.raises(TokenIdentityError, match="someone-else"):
        session.token()
    assert store.token is foreign
    assert server.calls == []


def test_an_unavailable_store_is_not_an_empty_one() -> None:
    server, store = Server(), DictStore()
    store.get_error = ConnectionError("refused")
    with make(store, server) as session, pytest.raises(TokenUnavailableError):
        session.token()
    assert server.calls == []


def test_with_on_store_error_memory_the_session_signs_in_by_itself() -> None:
    server, store = Server(), DictStore()
    store.get_error = ConnectionError("refused")
    with make(store, server, on_store_error="memory") as session:
        token = session.token()
        assert session.token() == token
        assert not session.saved
    assert server.calls == ["sign_in"]


def test_in_memory_mode_a_token_that_works_outweighs_a_failed_sign_in() -> None:
    server, store = Server(lifetime=100), DictStore()
    store.token = stored(server, age=95)  # within the margin
    with make(store, server, on_store_error="memory", failure_window=0) as session:
        server.failures = [GrantError("down")]
        token = session.token()
        store.get_error = ConnectionError("refused")
        server.failures = [GrantError("down")] * 9
        assert session.token() == token


def test_in_memory_mode_a_failed_sign_in_is_not_tried_again_at_once() -> None:
    server, store = Server(), DictStore()
    store.get_error = ConnectionError("refused")
    server.failures = [GrantError("down")] * 9
    with make(store, server, on_store_error="memory") as session:
        for _ in range(3):
            with pytest.raises(GrantError, match="down"):
                session.token()
    assert server.calls == ["sign_in"]


def test_once_the_store_is_back_the_token_in_use_counts_as_saved() -> None:
    server, store = Server(lifetime=0.0), DictStore()  # each call needs a new token
    store.get_error = ConnectionError("refused")
    with make(store, server, on_store_error="memory") as session:
        session.token()
        assert not session.saved
        store.get_error = None
        session.token()
        assert session.saved


def test_in_memory_mode_an_unsaved_token_is_replaced_by_what_came_of_it() -> None:
    server, store = Server(lifetime=0.0), DictStore()
    store.token = stored(server)
    store.set_errors = [OSError("disk full")]
    with make(store, server, on_store_error="memory") as session:
        session.token()
        store.get_error = ConnectionError("refused")
        session.token()
        store.get_error = None
        session.token()
        assert session.saved
    assert server.calls == ["refresh"] * 3, "no refresh token was sent twice"


def test_a_failed_save_keeps_the_token_in_use_and_is_tried_again_at_close() -> None:
    server, store = Server(), DictStore()
    store.set_errors = [OSError("disk full")]
    session = make(store, server)
    token = session.token()
    assert not session.saved
    assert store.token is None
    assert session.token() == token
    session.close()
    assert store.token == token.to_dict()


def test_an_idle_program_saves_its_token_once_the_store_is_back() -> None:
    server, store = Server(), DictStore()
    store.set_errors = [OSError("disk full")] * 2
    with make(store, server) as session:
        token = session.token()
        deadline = time.monotonic() + 60
        while not session.saved:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert store.token == token.to_dict()
        assert session.token() is token
    assert server.calls == ["sign_in"]


@pytest.mark.slow
def test_an_idle_asyncio_program_does_so_too() -> None:
    async def main() -> None:
        server, store = AsyncServer(Server()), DictStore()
        store.set_errors = [OSError("disk full")] * 2
        opened = await open_async_store(store, IDENTITY, host_lock="off")
        async with AsyncTokenSession(opened, server) as session:
            token = await session.token()
            async with asyncio.timeout(60):
                while not session.saved:
                    await asyncio.sleep(0.01)
            assert store.token == token.to_dict()

    asyncio.run(main())


def test_a_session_that_is_closed_tries_no_more_to_save() -> None:
    server, store = Server(), DictStore()
    store.set_errors = [OSError("disk full")] * 9
    since = Since()
    with make(store, server) as session:
        session.token()
    wait_until(lambda: not since.threads("flex-tokenstore-save"))
    assert len(store.set_errors) == 7, "one try, and one at close"

    async def main() -> None:
        opened = await open_async_store(store, IDENTITY, host_lock="off")
        session = AsyncTokenSession(opened, AsyncServer(server))
        await session.token()
        await session.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert len(store.set_errors) == 5


def test_a_token_that_ends_while_its_early_renewal_finds_the_lock_taken_is_waited_for() -> None:
    server = Server(lifetime=100)
    state = State(IDENTITY.key, compare_and_set=True, policy=Policy())
    old = Token(stored(server, age=95))
    fresh = Token(stored(server, age=0))
    state.wall = time.time()
    held_token.hold(state, old)
    flow = obtain(state)
    assert next(flow) == Load()
    assert flow.send(Reply(old, None, 0.0, state.wall)) == Lock(0.0, state.policy.lease)
    state.wall += 10
    assert flow.send(Reply(None, TokenLockTimeoutError("busy"), 10.0, state.wall)) == Load()
    with pytest.raises(StopIteration) as stop:
        flow.send(Reply(fresh, None, 10.0, state.wall))
    assert stop.value.value.token == fresh


def test_many_threads_share_one_refresh() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server, age=4000)
    start = threading.Barrier(32)
    tokens: list[Any] = []
    with make(store, server) as session:

        def work() -> None:
            start.wait(10)
            tokens.append(session.token())

        threads = [threading.Thread(target=work) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert server.calls == ["refresh"]
    assert len(tokens) == 32
    assert len({token.digest for token in tokens}) == 1


def test_waiters_share_the_error_of_the_renewal() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server, age=4000)
    entered, go = threading.Event(), threading.Event()

    def pause() -> None:
        entered.set()
        go.wait(10)

    server.before = pause
    server.failures = [GrantError("no")]
    errors: list[BaseException] = []
    with make(store, server) as session:

        def work() -> None:
            try:
                session.token()
            except GrantError as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        threads[0].start()
        assert entered.wait(10)
        for thread in threads[1:]:
            thread.start()
        go.set()
        for thread in threads:
            thread.join(30)
    assert server.calls == ["refresh"]
    assert len(errors) == 4
    assert len({id(error) for error in errors}) == 4


def test_revoke_removes_the_token_everywhere() -> None:
    server, store = Server(), DictStore()
    with make(store, server) as session:
        session.token()
        assert session.revoke() is True
        assert store.token is None
        assert session.revoke() is False
        session.token()
    assert server.calls == ["sign_in", "revoke", "sign_in"]


def test_revoke_refreshes_once_and_never_signs_in() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server)
    server.access.clear()
    with make(store, server) as session:
        assert session.revoke() is True
    assert server.calls == ["revoke", "refresh", "revoke"]
    assert store.token is None


def test_revoke_of_a_dead_pair_clears_the_store() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server)
    server.access.clear()
    server.live.clear()
    with make(store, server) as session:
        assert session.revoke() is False
    assert server.calls == ["revoke", "refresh"]
    assert store.token is None


def test_a_failed_revoke_keeps_the_token() -> None:
    server, store = Server(), DictStore()
    store.token = before = stored(server)
    server.failures = [GrantError("500", reason="transient")]
    with make(store, server) as session, pytest.raises(GrantError, match="500"):
        session.revoke()
    assert store.token is before


def test_a_revoke_that_fails_after_its_refresh_loses_no_token() -> None:
    server, store = Server(lifetime=0.0), DictStore()
    store.token = stored(server)
    server.access.clear()
    store.set_errors = [OSError("disk full")]
    server.failures = [None, None, GrantError("500", reason="transient")]
    with make(store, server) as session:
        with pytest.raises(GrantError, match="500"):
            session.revoke()
        assert not session.saved
        session.token()
    assert server.calls == ["revoke", "refresh", "revoke", "refresh"], "the secret was not needed"


def test_a_closed_session_says_so() -> None:
    session = make(DictStore(), Server())
    session.close()
    session.close()
    with pytest.raises(SessionClosedError):
        session.token()


def test_pickling_is_refused() -> None:
    with (
        make(DictStore(), Server()) as session,
        pytest.raises(TypeError, match="cannot be pickled"),
    ):
        pickle.dumps(session)


def test_async_tasks_share_one_refresh_though_callers_are_cancelled() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server, age=4000)

    async def main() -> None:
        handle = await open_async_store(store, IDENTITY, host_lock="off")
        async with AsyncTokenSession(handle, AsyncServer(server)) as session:
            tasks = [asyncio.ensure_future(session.token()) for _ in range(64)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(results[0], asyncio.CancelledError)
            tokens = {result.digest for result in results[1:]}  # type: ignore[union-attr]  # tokens
            assert len(tokens) == 1

    asyncio.run(main())
    assert server.calls == ["refresh"]


def test_sync_and_async_sessions_of_one_process_share_one_refresh() -> None:
    server, store = Server(), DictStore()
    store.token = stored(server, age=4000)
    go = threading.Barrier(2)

    def sync_part() -> None:
        with make(store, server) as session:
            go.wait(10)
            session.token()

    async def async_part() -> None:
        handle = await open_async_store(store, IDENTITY, host_lock="off")
        async with AsyncTokenSession(handle, AsyncServer(server)) as session:
            await asyncio.to_thread(go.wait, 10)
            await session.token()

    thread = threading.Thread(target=sync_part)
    thread.start()
    asyncio.run(async_part())
    thread.join(30)
    assert server.calls == ["refresh"]
