"""Async stores in sync programs, sync stores in async ones, and how both end."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    TokenLockTimeoutError,
    TokenSession,
    TokenUnavailableError,
    open_async_store,
    open_store,
)
from flex_tokenstore._concurrency.loop_thread import LoopThread
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server, stored

WAIT = 20.0  # seconds; reached by a failure alone


class AsyncStore:
    """Of the user's own, for asyncio; notes in which thread it runs."""

    def __init__(self) -> None:
        self.token: dict[str, Any] | None = None
        self.threads: set[int] = set()
        self.reading = threading.Event()
        self.blocked: asyncio.Event | None = None

    async def get_token(self) -> dict[str, Any] | None:
        self.threads.add(threading.get_ident())
        if self.blocked is not None:
            self.reading.set()
            await self.blocked.wait()
        await asyncio.sleep(0)
        return self.token

    async def set_token(self, token: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        self.token = token

    async def remove_token(self) -> None:
        self.token = None


class LockedStore(DictStore):
    """With a sync lock whose entering can be held up."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.entering = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        self.entering.set()
        self.go_on.wait(WAIT)
        if not self.lock.acquire(blocking=False):
            raise TokenLockTimeoutError("busy")
        try:
            yield None
        finally:
            self.lock.release()


def test_threads_that_are_first_at_once_share_one_loop() -> None:
    for _ in range(20):
        own = AsyncStore()
        store = open_store(own, IDENTITY, host_lock="off")
        barrier = threading.Barrier(8)

        def read(store: Any = store, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            store.get_token()

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.close()
        assert len(own.threads) == 1


def test_closing_ends_a_read_that_waits() -> None:
    own = AsyncStore()
    own.blocked = asyncio.Event()
    store = open_store(own, IDENTITY, host_lock="off")
    errors: list[BaseException] = []

    def read() -> None:
        try:
            store.get_token()
        except TokenUnavailableError as error:
            errors.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert own.reading.wait(WAIT)
    store.close()
    thread.join(WAIT)
    assert len(errors) == 1


def test_a_stopped_loop_thread_starts_anew_and_leaves_no_coroutine_behind() -> None:
    portal = LoopThread()

    async def one() -> int:
        return 1

    assert portal.run(one()) == 1
    portal.stop()
    portal.stop()
    assert portal.run(one()) == 1
    portal.stop()


def test_many_threads_that_run_while_it_is_stopped_all_come_back() -> None:
    portal = LoopThread()
    ends: list[str] = []

    async def nap() -> None:
        await asyncio.sleep(0.001)

    def work() -> None:
        for _ in range(50):
            try:
                portal.run(nap())
                ends.append("done")
            except concurrent.futures.CancelledError:
                ends.append("cancelled")

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        portal.stop()
    portal.stop()
    assert len(ends) == 400
    gc.collect()  # a coroutine that was never awaited would warn


def test_a_lock_that_is_had_after_its_caller_was_cancelled_is_freed() -> None:
    async def main() -> None:
        own = LockedStore()
        store = await open_async_store(own, IDENTITY, host_lock="off")
        own.go_on.clear()

        async def hold() -> None:
            async with store.token_lock(0, 30):
                raise AssertionError("it was cancelled")

        task = asyncio.create_task(hold())
        await asyncio.to_thread(own.entering.wait, WAIT)
        task.cancel()
        await asyncio.wait({task})
        own.go_on.set()
        async with store.token_lock(5, 30):
            pass
        await store.aclose()

    asyncio.run(main())


def test_entering_that_blocks_does_not_keep_the_holder_from_leaving() -> None:
    async def main() -> None:
        own = LockedStore()
        store = await open_async_store(own, IDENTITY, host_lock="off")
        async with store.token_lock(0, 30):
            own.go_on.clear()  # a lock of a stranger that waits, whatever it is told
            others = [asyncio.create_task(enter(store)) for _ in range(4)]
            own.entering.clear()
            await asyncio.to_thread(own.entering.wait, WAIT)
        assert not own.lock.locked()
        own.go_on.set()
        await asyncio.gather(*others)
        await store.aclose()

    async def enter(store: Any) -> None:
        async with store.token_lock(WAIT, 30):
            pass

    asyncio.run(asyncio.wait_for(main(), WAIT))


def test_a_release_that_is_cancelled_while_it_waits_for_a_thread_still_comes() -> None:
    async def main() -> None:
        own = LockedStore()
        store = await open_async_store(own, IDENTITY, host_lock="off")
        held, leave = asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            async with store.token_lock(0, 30):
                held.set()
                await leave.wait()

        task = asyncio.create_task(hold())
        await held.wait()
        leave.set()
        while own.lock.locked() and not task.done():
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait({task})
        async with store.token_lock(5, 30):
            pass
        await store.aclose()

    asyncio.run(main())


def test_a_store_that_blocks_leaves_the_loop_free() -> None:
    class Blocking(DictStore):
        def get_token(self) -> Any:
            time.sleep(0.1)
            return super().get_token()

        def set_token(self, token: dict[str, Any]) -> None:
            time.sleep(0.1)
            super().set_token(token)

    async def main() -> int:
        server, own = Server(), Blocking()
        own.token = stored(server, age=4000)
        ticks = 0

        async def heartbeat() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.002)
                ticks += 1

        beating = asyncio.create_task(heartbeat())
        store = await open_async_store(own, IDENTITY, host_lock="on")
        async with AsyncTokenSession(store, AsyncServer(server)) as session:
            tokens = await asyncio.gather(*(session.token() for _ in range(64)))
        beating.cancel()
        assert len({token.digest for token in tokens}) == 1
        assert server.calls == ["refresh"]
        return ticks

    # Two reads and a save of 0.1 s each: a blocked loop would tick once or twice in all.
    assert asyncio.run(main()) >= 20


def test_the_file_store_and_another_holder_leave_the_loop_free(tmp_path: Path) -> None:
    async def main() -> int:
        server = Server()
        config = {"name": "file", "path": str(tmp_path / "t.json")}
        first = open_store(config, IDENTITY)
        with TokenSession(first, server) as seed:
            old = seed.token()
            ticks = 0
            store = await open_async_store(config, IDENTITY)
            session = AsyncTokenSession(store, AsyncServer(server), lock_timeout=0.5)
            session._state.refused.add(old.access_token)
            with seed.store.token_lock(0, 30):
                waiting = [asyncio.create_task(session.token()) for _ in range(64)]
                while not all(task.done() for task in waiting):
                    await asyncio.sleep(0.002)
                    ticks += 1
            for task in waiting:
                assert isinstance(task.exception(), TokenLockTimeoutError)
            await session.aclose()
        return ticks

    assert asyncio.run(main()) >= 40


def test_two_loops_on_one_store_object_share_one_refresh() -> None:
    server, own = Server(), AsyncStore()
    own.token = stored(server, age=4000)
    server.before = lambda: time.sleep(0.05)
    found: list[Any] = []
    barrier = threading.Barrier(4)

    async def main() -> None:
        store = await open_async_store(own, IDENTITY, host_lock="off")
        async with AsyncTokenSession(store, AsyncServer(server)) as session:
            barrier.wait()
            found.extend(await asyncio.gather(*(session.token() for _ in range(8))))

    threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert len(found) == 32
    assert len({token.digest for token in found}) == 1
    assert server.calls == ["refresh"]


def test_an_async_lock_in_a_sync_program_lets_other_threads_work() -> None:
    class Locked(AsyncStore):
        def __init__(self) -> None:
            super().__init__()
            self.lock = asyncio.Lock()

        @asynccontextmanager
        async def token_lock(self, wait: float, lease: float) -> AsyncIterator[None]:
            try:
                async with asyncio.timeout(max(wait, 0.001)):
                    await self.lock.acquire()
            except TimeoutError:
                raise TokenLockTimeoutError("busy") from None
            try:
                yield None
            finally:
                self.lock.release()

    server, own = Server(), Locked()
    own.token = stored(server, age=4000)
    holding, leave = threading.Event(), threading.Event()
    store = open_store(own, IDENTITY, host_lock="off")

    def hold() -> None:
        with store.token_lock(0, 30):
            holding.set()
            leave.wait(WAIT)

    holder = threading.Thread(target=hold)
    holder.start()
    assert holding.wait(WAIT)
    with pytest.raises(TokenLockTimeoutError), store.token_lock(0.01, 30):
        pass
    found: list[Any] = []
    with contextlib.closing(TokenSession(store, server)) as session:
        waiter = threading.Thread(target=lambda: found.append(session.token()))
        waiter.start()
        assert store.get_token() is not None
        leave.set()
        waiter.join(WAIT)
        holder.join(WAIT)
    assert len(found) == 1
    assert server.calls == ["refresh"]


PROGRAM = """
import asyncio, sys, threading
from flex_tokenstore import (
    AsyncTokenSession, TokenSession, TokenUnavailableError, open_async_store, open_store
)
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server, stored
from tests.flex_tokenstore.concurrency.test_loops_and_threads import AsyncStore
"""

FORGOTTEN = """
server, own = Server(), AsyncStore()
session = TokenSession(open_store(own, IDENTITY, host_lock="off"), server)
session.token()
print("end", flush=True)
"""

WAITING_AT_THE_END = """
own = AsyncStore()
own.blocked = asyncio.Event()
store = open_store(own, IDENTITY, host_lock="off")
def read():
    try:
        store.get_token()
    except TokenUnavailableError:
        pass
threading.Thread(target=read, daemon=True).start()
own.reading.wait()
print("end", flush=True)
"""

LOOP_OUTLIVES_MAIN = """
server, own = Server(), DictStore()
own.token = stored(server, age=4000)
began = threading.Event()
class Late(AsyncServer):
    async def refresh(self, refresh_token):
        began.set()
        while threading.main_thread().is_alive():
            await asyncio.sleep(0.01)
        return await super().refresh(refresh_token)
async def main():
    store = await open_async_store(own, IDENTITY, host_lock="off")
    async with AsyncTokenSession(store, Late(server)) as session:
        await session.token()
        assert session.saved
    assert own.token["access_token"] == "access-2-SENTINEL"
    print("end", flush=True)
threading.Thread(target=lambda: asyncio.run(main())).start()
began.wait()
"""

SYNC_OUTLIVES_MAIN = """
server, own = Server(), DictStore()
own.token = stored(server, age=4000)
def work():
    threading.main_thread().join()
    with TokenSession(open_store(own, IDENTITY, host_lock="off"), server) as session:
        session.token()
        assert session.saved
    print("end", flush=True)
threading.Thread(target=work).start()
"""


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "program", [FORGOTTEN, WAITING_AT_THE_END, LOOP_OUTLIVES_MAIN, SYNC_OUTLIVES_MAIN]
)
def test_the_interpreter_ends(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + program],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=WAIT,
    )
    assert (done.returncode, done.stdout) == (0, "end\n"), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
