"""The token lock: exclusive, freed by its lease, and nobody's wall clock decides."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from flex_tokenstore import Secret, TokenLockTimeoutError, TokenUnavailableError, open_async_store
from flex_tokenstore_vault import AsyncVaultStore, Options
from tests.servers.openbao import OpenBao
from tests.support.handles import IDENTITY, Open, opener, token
from tests.support.since import Since
from vault_support import DATA, LOCK, config


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


def lock(server: OpenBao) -> dict[str, Any]:
    """Holder and lease as they are on the server."""
    found: dict[str, Any] = server.run("GET", LOCK)["data"]["data"]
    return found


def test_the_lease_is_counted_from_before_the_request(
    opened: Open, openbao_server: OpenBao
) -> None:
    store = opened(config(openbao_server))
    store.get_token()  # signs in
    before = time.monotonic()
    with store.token_lock(0, 30) as end:
        assert end is not None
        assert before + 30 <= end <= time.monotonic() + 30
        assert lock(openbao_server)["lease"] == 30
        assert lock(openbao_server)["holder"]
    assert lock(openbao_server)["holder"] == ""


def test_one_try_raises_while_another_holds_it(opened: Open, openbao_server: OpenBao) -> None:
    store, other = (opened(config(openbao_server)) for _ in range(2))
    with store.token_lock(0, 30):
        for wait in (0, 0.2):
            with pytest.raises(TokenLockTimeoutError) as caught, other.token_lock(wait, 30):
                pass
            assert caught.value.store == "vault"
    with other.token_lock(0, 30):
        pass


def test_a_waiter_has_it_after_the_lease_that_the_holder_was_given(
    opened: Open, openbao_server: OpenBao
) -> None:
    store, other = (opened(config(openbao_server)) for _ in range(2))
    late = store.token_lock(0, 0.5)
    ends = late.__enter__()
    assert ends is not None
    with other.token_lock(30, 60):
        assert time.monotonic() >= ends
        holder = lock(openbao_server)["holder"]
        late.__exit__(None, None, None)  # after its end: does nothing
        assert lock(openbao_server)["holder"] == holder


def test_slices_of_a_wait_go_on_with_what_was_seen_before(
    opened: Open, openbao_server: OpenBao
) -> None:
    store, other = (opened(config(openbao_server)) for _ in range(2))
    late = store.token_lock(0, 0.8)
    late.__enter__()
    for _ in range(100):
        with contextlib.suppress(TokenLockTimeoutError), other.token_lock(0.2, 60):
            break
    else:
        pytest.fail("it never fell free")
    late.__exit__(None, None, None)


@pytest.mark.slow
def test_a_lock_that_is_long_over_by_the_servers_clock_is_had_at_once(
    openbao_server: OpenBao,
) -> None:
    """By new handles, each of which sees it for the first time."""
    openbao_server.run("POST", LOCK, {"data": {"holder": "x", "lease": 2}})
    since = time.monotonic()
    while True:
        with opener("sync") as within:
            store = within(config(openbao_server))
            with contextlib.suppress(TokenLockTimeoutError), store.token_lock(0, 30):
                break
        assert time.monotonic() < since + 60
        time.sleep(0.2)
    assert time.monotonic() >= since + 11  # the lease, and what two nodes' clocks may differ by


@pytest.mark.parametrize("content", [{}, {"holder": 5}, {"holder": "x", "lease": "soon"}])
def test_a_lock_with_foreign_content_is_held_for_a_lease_as_our_own(
    opened: Open, openbao_server: OpenBao, content: dict[str, Any]
) -> None:
    openbao_server.run("POST", LOCK, {"data": content})
    store = opened(config(openbao_server))
    with pytest.raises(TokenLockTimeoutError), store.token_lock(0, 30):
        pass
    with store.token_lock(30, 0.3):
        pass


def test_a_lock_that_an_operator_removed_is_free(opened: Open, openbao_server: OpenBao) -> None:
    store, other = (opened(config(openbao_server)) for _ in range(2))
    manager = store.token_lock(0, 60)
    manager.__enter__()
    openbao_server.run("DELETE", LOCK.replace("data", "metadata"))
    with other.token_lock(0, 60):
        manager.__exit__(None, None, None)
        # The versions count from one again, and so the first one's release hits the second:
        # the README says so.
    openbao_server.run("DELETE", LOCK)
    with store.token_lock(0, 60):
        pass


def test_a_lock_whose_answer_was_lost_is_had_by_the_next_try(
    opened: Open, durable_openbao: OpenBao
) -> None:
    """The server gets the request, but is stopped before its answer is read."""
    store = opened(config(durable_openbao, timeout=0.5))
    store.get_token()
    durable_openbao.pause()
    try:
        with pytest.raises(TokenUnavailableError), store.token_lock(0, 60):
            pass
    finally:
        durable_openbao.resume()
    for _ in range(50):
        # On a busy machine it may take longer to come back than this store waits.
        with contextlib.suppress(TokenUnavailableError), store.token_lock(0, 60):
            return
    pytest.fail("it did not come back")


def test_it_may_be_left_in_another_thread(openbao_server: OpenBao) -> None:
    with opener("sync") as within:
        manager = within(config(openbao_server)).token_lock(0, 30)
        manager.__enter__()
        thread = threading.Thread(target=manager.__exit__, args=(None, None, None))
        thread.start()
        thread.join()
        assert lock(openbao_server)["holder"] == ""


def test_those_in_slices_are_told_when_it_passed_to_another(openbao_server: OpenBao) -> None:
    """One has it and keeps it; the others' slices end, and they find what was stored."""
    outcome: list[str] = []
    gate = threading.Event()
    with opener("sync") as within:
        holder = within(config(openbao_server))
        waiters = [within(config(openbao_server)) for _ in range(4)]

        def contend(number: int) -> None:
            while True:
                try:
                    with waiters[number].token_lock(0.25, 60):
                        outcome.append("had")
                        gate.wait(60)
                        return
                except TokenLockTimeoutError:
                    if holder.get_token() is not None:
                        outcome.append("adopted")
                        return

        threads = [threading.Thread(target=contend, args=(number,)) for number in range(4)]
        manager = holder.token_lock(0, 90)
        manager.__enter__()
        for thread in threads:
            thread.start()
        manager.__exit__(None, None, None)
        while "had" not in outcome:
            time.sleep(0.01)
        holder.set_token(token("new"))
        while len(outcome) < 4:
            time.sleep(0.01)
        gate.set()
        for thread in threads:
            thread.join()
    assert sorted(outcome) == ["adopted", "adopted", "adopted", "had"]


def test_many_tasks_wait_without_threads_and_have_it_one_by_one(openbao_server: OpenBao) -> None:
    async def main() -> None:
        inside = 0
        store = AsyncVaultStore(
            Options(address=openbao_server.url, token=Secret(openbao_server.root_token)), IDENTITY
        )
        since = Since()

        async def one() -> None:
            nonlocal inside
            async with store.token_lock(100, 30):
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(one() for _ in range(8)))
        assert since.threads() == []
        await store.close()

    asyncio.run(main())


def test_a_cancelled_waiter_leaves_nothing_behind(openbao_server: OpenBao) -> None:
    async def main() -> None:
        async with await open_async_store(config(openbao_server), IDENTITY) as store:
            openbao_server.run("POST", LOCK, {"data": {"holder": "x", "lease": 600}})
            waiting = asyncio.create_task(_enter(store))
            await asyncio.sleep(0.3)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            openbao_server.run("DELETE", LOCK)
            await store.set_token(token("a"))
            assert await store.get_token() is not None
            async with store.token_lock(0, 30):
                pass

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_frees_no_lock_and_ends_no_sign_in_of_its_parent(
    openbao_server: OpenBao,
) -> None:
    role = openbao_server.login_role(token_policies=["root-like"])
    openbao_server.run("PUT", "sys/policies/acl/root-like", {"policy": _ALL})
    with opener("sync") as within:
        store = within(config(openbao_server, auth="approle", **role))
        store.set_token(token("a"), None)
        manager = store.token_lock(0, 60)
        manager.__enter__()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                assert store.get_token() is not None
                manager.__exit__(None, None, None)
                store.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        assert lock(openbao_server)["holder"] != ""
        assert store.get_token() is not None
        manager.__exit__(None, None, None)
        assert lock(openbao_server)["holder"] == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_an_async_handle_works_in_a_forked_child(openbao_server: OpenBao) -> None:
    options = Options(address=openbao_server.url, token=Secret(openbao_server.root_token))
    store = AsyncVaultStore(options, IDENTITY)

    async def save_and_read() -> bool:
        await store.set_token(token("a").to_dict(), "*")
        return await store.get_token() is not None

    runner = asyncio.Runner()
    assert runner.run(save_and_read())
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if asyncio.run(save_and_read()) else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert runner.run(save_and_read())
    runner.run(store.close())
    runner.close()
    assert openbao_server.run("GET", DATA)["data"]["metadata"]["version"] == 3


_ALL = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }'


async def _enter(store: object) -> None:
    async with store.token_lock(60, 30):  # type: ignore[attr-defined]  # an AsyncTokenStore
        pass
