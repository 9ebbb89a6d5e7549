"""The token lock: exclusive, freed by its lease, and waiters that are woken."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from flex_tokenstore import Secret, TokenLockTimeoutError, open_async_store
from flex_tokenstore_redis import AsyncRedisStore, Options
from redis_support import KEY, redis_config
from tests.servers.valkey import Valkey, wait_until
from tests.support.handles import IDENTITY, Open, opener, token
from tests.support.since import Since

LOCK = f"{KEY}:lock"


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


def test_the_lease_is_counted_from_before_the_request(opened: Open, valkey_server: Valkey) -> None:
    store = opened(redis_config(valkey_server.url))
    before = time.monotonic()
    with store.token_lock(0, 30) as end:
        assert end is not None
        assert before + 30 <= end <= time.monotonic() + 30
        # The server frees it no earlier than we were told.
        left = int(valkey_server.run("PTTL", LOCK)) / 1000
        assert time.monotonic() + left >= end - 0.002  # whole milliseconds
    assert valkey_server.run("EXISTS", LOCK) == 0


def test_a_lock_falls_free_when_its_lease_ends(opened: Open, valkey_server: Valkey) -> None:
    store, other = (opened(redis_config(valkey_server.url)) for _ in range(2))
    with store.token_lock(0, 0.3), other.token_lock(20, 30):
        assert valkey_server.run("EXISTS", LOCK) == 1
        value = valkey_server.run("GET", LOCK)
    # The first one, left after its lease ended, did nothing to the second.
    assert value is not None


def test_leaving_after_the_lease_ended_does_not_touch_anothers_lock(
    opened: Open, valkey_server: Valkey
) -> None:
    store, other = (opened(redis_config(valkey_server.url)) for _ in range(2))
    late = store.token_lock(0, 0.2)
    late.__enter__()
    with other.token_lock(20, 30):
        late.__exit__(None, None, None)
        assert valkey_server.run("EXISTS", LOCK) == 1


def test_a_release_does_not_touch_a_lock_that_others_took_meanwhile(
    opened: Open, valkey_server: Valkey
) -> None:
    with opened(redis_config(valkey_server.url)).token_lock(0, 30):
        valkey_server.run("SET", LOCK, "another holder's, after a fail-over")
    assert valkey_server.run("GET", LOCK) == b"another holder's, after a fail-over"


def test_it_may_be_left_in_another_thread(valkey_server: Valkey) -> None:
    with opener("sync") as within:
        manager = within(redis_config(valkey_server.url)).token_lock(0, 30)
        manager.__enter__()
        thread = threading.Thread(target=manager.__exit__, args=(None, None, None))
        thread.start()
        thread.join()
        assert valkey_server.run("EXISTS", LOCK) == 0


def test_one_try_asks_once(opened: Open, valkey_server: Valkey) -> None:
    store, other = (opened(redis_config(valkey_server.url)) for _ in range(2))
    with store.token_lock(0, 30):
        valkey_server.run("CONFIG", "RESETSTAT")
        with pytest.raises(TokenLockTimeoutError) as caught, other.token_lock(0, 30):
            pass
        assert caught.value.store == "redis"
        assert valkey_server.calls("set") == 1
        assert valkey_server.calls("xread") == 0


def test_a_waiter_asks_only_when_it_is_woken(valkey_server: Valkey) -> None:
    """By counters, not by time: one try before the wait, one after the release."""
    order: list[str] = []
    with opener("sync") as within:
        store, other = (within(redis_config(valkey_server.url)) for _ in range(2))

        def wait() -> None:
            with other.token_lock(60, 30):
                order.append("had")

        with store.token_lock(0, 90):
            valkey_server.run("CONFIG", "RESETSTAT")
            thread = threading.Thread(target=wait)
            thread.start()
            wait_until(lambda: blocked(valkey_server) == 1)
            tries = valkey_server.calls("set")
            order.append("released")
        thread.join()
    assert order == ["released", "had"]
    assert tries == 1
    # At most one look for each second that the machine let pass in between.
    assert valkey_server.calls("set") <= 1 + valkey_server.calls("xread")


def test_a_release_between_try_and_wait_is_not_missed(valkey_server: Valkey) -> None:
    woken: list[object] = []
    with opener("sync") as within:
        manager = within(redis_config(valkey_server.url)).token_lock(0, 60)
        manager.__enter__()

        class Meddler(redis.Redis):
            """Has the lock released after it was asked for and before it is waited for."""

            def execute_command(self, *args: Any, **options: Any) -> Any:
                send: Any = super().execute_command
                if args[0] != "XREAD":
                    return send(*args, **options)
                manager.__exit__(None, None, None)
                woken.append(send(*args, **options))
                return woken[-1]

        client = Meddler(port=valkey_server.port)
        with client, within({"name": "redis", "client": client}).token_lock(60, 30):
            pass
    assert len(woken) == 1
    assert woken[0], "it waited until nobody had woken it"


@pytest.mark.parametrize("wait", [0.25, 30.0])
def test_of_many_who_are_woken_those_in_slices_are_told_at_once(
    valkey_server: Valkey, wait: float
) -> None:
    outcome: list[str] = []
    with opener("sync") as within:
        holder = within(redis_config(valkey_server.url))
        waiters = [within(redis_config(valkey_server.url)) for _ in range(4)]
        gate = threading.Event()

        def contend(number: int) -> None:
            while True:
                try:
                    with waiters[number].token_lock(wait, 60):
                        outcome.append("had")
                        if wait < 1:
                            gate.wait(60)  # until the others were told
                        return
                except TokenLockTimeoutError:
                    if holder.get_token() is not None:
                        outcome.append("adopted")
                        return

        threads = [threading.Thread(target=contend, args=(number,)) for number in range(4)]
        with holder.token_lock(0, 90):
            for thread in threads:
                thread.start()
            wait_until(lambda: blocked(valkey_server) == 4)
            holder.set_token(token("new"))
        if wait < 1:
            wait_until(lambda: len(outcome) == 4)
        gate.set()
        for thread in threads:
            thread.join()
    expected = ["adopted", "adopted", "adopted", "had"] if wait < 1 else ["had"] * 4
    assert sorted(outcome) == expected


def test_a_waiter_with_nobody_to_wake_it_ends_in_time(opened: Open, valkey_server: Valkey) -> None:
    valkey_server.run("SET", LOCK, "left by an operator, without a lease")
    store = opened(redis_config(valkey_server.url))
    with pytest.raises(TokenLockTimeoutError), store.token_lock(0.3, 30):
        pass
    valkey_server.run("DEL", LOCK)
    with store.token_lock(0, 30):
        pass


def test_a_lock_that_an_operator_removed_is_seen_without_a_wake_up(valkey_server: Valkey) -> None:
    valkey_server.run("SET", LOCK, "held", "PX", 600_000)
    with opener("sync") as within:
        store = within(redis_config(valkey_server.url))
        thread = threading.Thread(target=lambda: _hold_once(store))
        thread.start()
        wait_until(lambda: blocked(valkey_server) == 1)
        valkey_server.run("DEL", LOCK)
        thread.join(60)
        assert not thread.is_alive()


def test_a_cancelled_waiter_leaves_nothing_behind(valkey_server: Valkey) -> None:
    async def main() -> None:
        async with await open_async_store(redis_config(valkey_server.url), IDENTITY) as store:
            valkey_server.run("SET", LOCK, "held", "PX", 600_000)
            waiting = asyncio.create_task(_enter(store))
            while blocked(valkey_server) != 1:
                await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            valkey_server.run("DEL", LOCK)
            await store.set_token(token("a"))
            assert await store.get_token() is not None
            async with store.token_lock(0, 30):
                pass

    asyncio.run(main())


def test_many_tasks_wait_without_threads(valkey_server: Valkey) -> None:
    async def main() -> None:
        inside = 0
        since = Since()
        store = AsyncRedisStore(Options(url=Secret(valkey_server.url)), IDENTITY)

        async def one() -> None:
            nonlocal inside
            async with store.token_lock(60, 30):
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(one() for _ in range(32)))
        assert since.threads() == []
        await store.close()

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_shares_no_connection_and_frees_no_lock(valkey_server: Valkey) -> None:
    with opener("sync") as within:
        store = within(redis_config(valkey_server.url))
        store.set_token(token("a"), None)
        manager = store.token_lock(0, 60)
        manager.__enter__()
        ours = ids(valkey_server)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                assert store.get_token() is not None
                assert ids(valkey_server) - ours, "it has a connection of its own"
                manager.__exit__(None, None, None)
                store.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        assert valkey_server.run("EXISTS", LOCK) == 1
        assert store.get_token() is not None
        assert ours <= ids(valkey_server), "the parent's connections were left alone"
        manager.__exit__(None, None, None)
        assert valkey_server.run("EXISTS", LOCK) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_an_async_handle_works_in_a_forked_child(valkey_server: Valkey) -> None:
    store = AsyncRedisStore(Options(url=Secret(valkey_server.url)), IDENTITY)

    async def save_and_read() -> bool:
        await store.set_token(token("a").to_dict(), "*")
        return await store.get_token() is not None

    runner = asyncio.Runner()
    assert runner.run(save_and_read())
    ours = ids(valkey_server)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if asyncio.run(save_and_read()) else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert ours <= ids(valkey_server)
    assert runner.run(save_and_read())
    runner.run(store.close())
    runner.close()


def blocked(server: Valkey) -> int:
    """How many connections wait to be woken."""
    return int(server.run("INFO", "clients")["blocked_clients"])


def ids(server: Valkey) -> set[str]:
    """The server's ids of its connections, but for the one that asks."""
    with server.client() as client:
        own = str(client.client_id())
        return {entry["id"] for entry in client.client_list()} - {own}


def _hold_once(store: object) -> None:
    with store.token_lock(120, 30):  # type: ignore[attr-defined]  # a Handle
        pass


async def _enter(store: object) -> None:
    async with store.token_lock(60, 30):  # type: ignore[attr-defined]  # an AsyncTokenStore
        pass
