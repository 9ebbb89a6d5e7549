"""Threads at every structure that they share, switched after each few instructions."""

from __future__ import annotations

import asyncio
import gc
import itertools
import linecache
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import flex_tokenstore
from flex_integration_sdk import RateLimiter, create_async_instance, create_instance
from flex_integration_sdk._transport.sync import Http
from flex_tokenstore import (
    Secret,
    StoreLoadError,
    Token,
    TokenConflictError,
    TokenLockTimeoutError,
    file_store,
    list_stores,
    open_async_store,
    open_store,
)
from flex_tokenstore._concurrency import hook_threads
from flex_tokenstore._concurrency.loop_thread import LoopThread
from flex_tokenstore._events import metrics as _metrics
from flex_tokenstore._events.event import Event
from flex_tokenstore._host.host_lock import HostLock
from flex_tokenstore._session import single_flight
from flex_tokenstore._session.flow.state import Digests
from flex_tokenstore._values import redaction
from tests.support.handles import IDENTITY, token
from tests.support.plugins import install
from tests.support.since import Since

THREADS = 16
SECONDS = 0.1
LONG = 0.6  # in the slow job


@pytest.fixture(
    autouse=True,
    params=[SECONDS, pytest.param(LONG, marks=pytest.mark.slow)],
    ids=lambda seconds: f"{seconds} s",
)
def quick_switches(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setattr(f"{__name__}.SECONDS", request.param)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def hammer(*works: Callable[[], object], seconds: float | None = None) -> int:
    """Has each work done over and over by several threads; raises what any of them raised."""
    errors: list[BaseException] = []
    counts: list[int] = []
    barrier = threading.Barrier(THREADS)

    def run(work: Callable[[], object]) -> None:
        count = 0
        barrier.wait()
        end = time.monotonic() + (SECONDS if seconds is None else seconds)
        try:
            while not count or (time.monotonic() < end and not errors):
                work()  # once at least: a machine may be so busy that this began after the end
                count += 1
        except BaseException as error:  # raised below, in the test's own thread
            errors.append(error)
        counts.append(count)

    threads = [
        threading.Thread(target=run, args=(works[number % len(works)],))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    assert all(counts)
    return sum(counts)


def test_the_memory_store_loses_no_save() -> None:
    store = open_store("memory", IDENTITY)
    saved: list[str] = []

    def save() -> None:
        found = store.get_token()
        new = token(f"{threading.get_ident()}-{time.monotonic_ns()}")
        try:
            store.set_token(new, None if found is None else found.revision)
        except TokenConflictError:
            return
        saved.append(new.revision)

    hammer(save, store.get_token)
    last = store.get_token()
    assert last is not None
    assert last.revision in saved
    assert len(set(saved)) == len(saved)


def test_readers_of_a_file_store_see_whole_tokens(tmp_path: Path) -> None:
    store = open_store(file_store(path=str(tmp_path / "token.json")), IDENTITY)
    tokens = [token(f"{number}" * 50) for number in range(8)]
    store.set_token(tokens[0])

    def read() -> None:
        assert store.get_token() in tokens

    hammer(read, read, read, lambda: store.set_token(tokens[time.monotonic_ns() % 8]))
    store.close()


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    inside: list[int] = []
    store = open_store("memory", IDENTITY)

    def hold(context: Any) -> None:
        try:
            with context:
                inside.append(1)
                assert len(inside) == 1
                inside.pop()
        except TokenLockTimeoutError:
            pass

    hammer(lambda: hold(store.token_lock(0.01, 5)))
    path = tmp_path / "x.lock"
    shared = HostLock(path)
    hammer(lambda: hold(HostLock(path).hold(0.01)), lambda: hold(shared.hold(0.01)))
    assert not inside


def test_one_gate_for_one_key() -> None:
    keys = [f"key-{number}" for number in range(4)]

    def join() -> None:
        key = keys[time.monotonic_ns() % 4]
        one, two = single_flight.gate_for(key), single_flight.gate_for(key)
        assert one is two
        with one.joined(object()) as (flight, _):
            assert flight is not None
        del one, two

    hammer(join, join, join, gc.collect)


def test_a_rate_limiter_gives_no_place_twice() -> None:
    limiter = RateLimiter(burst=1_000_000, seconds=1e6)
    taken = hammer(limiter.reserve)
    assert abs(limiter._now().left - (1_000_000 - taken)) < 1e-3
    hammer(limiter.reserve, limiter.give_back)


def test_the_registry_is_read_by_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "stress-one", "stress-bad = stress_one:Class", stress_one="raise KeyError(1)")
    monkeypatch.syspath_prepend(str(tmp_path))

    def select() -> None:
        with pytest.raises(StoreLoadError):
            open_store("stress-bad", IDENTITY)

    def look() -> None:
        found = {info.name: info.status for info in list_stores(check=True)}
        assert (found["stress-bad"], found["file"]) == ("broken", "ok")

    # What Python keeps of sources is shared, and has no lock.
    hammer(select, look, linecache.clearcache)


def test_stores_are_opened_and_closed_by_many() -> None:
    class Own:
        async def get_token(self) -> None:
            return None

        async def set_token(self, token: Any) -> None:
            """Forgets it."""

        async def remove_token(self) -> None:
            """There is none."""

    def life() -> None:
        with open_store(Own(), IDENTITY) as store:
            assert store.get_token() is None
        with open_store("memory", IDENTITY) as store:
            store.set_token(token("x"))

    hammer(life)


def test_a_loop_thread_is_used_and_stopped_by_many() -> None:
    portal = LoopThread()

    async def one() -> int:
        return 1

    hammer(lambda: portal.run(one()))
    portal.stop()


def test_threads_share_one_executor() -> None:
    used = set[int]()
    for each in hook_threads._executors.values():
        each.take()

    def use() -> None:
        assert hook_threads.submit("io", lambda: 1).result() == 1
        assert hook_threads.submit("lock", lambda: 2).result() == 2
        used.update(id(each.get()) for each in hook_threads._executors.values())

    hammer(use)
    assert len(used) == 2


def test_events_and_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry import metrics

    assert metrics
    monkeypatch.setattr(_metrics, "_made", None)
    event = Event(name="saved", store="s", place="p", identity_key="k")
    hammer(lambda: _metrics.count(event))


def test_a_redactor_masks_while_tokens_go_through() -> None:
    redactor = redaction.Redactor()
    tokens = [token(f"{number}") for number in range(64)]

    def note() -> None:
        each = tokens[time.monotonic_ns() % 64]
        redactor.note(each)

    hammer(note, lambda: redactor.text("x" * 100), redaction.watch_loggers)
    redactor.note(tokens[0])
    assert "SENTINEL" not in redactor.text(tokens[0].access_token.reveal())


def test_http_clients_are_made_once() -> None:
    http = Http("http://127.0.0.1:1", 1.0, 1.0)
    found: set[int] = set()
    hammer(lambda: found.add(id(http._shared())))
    assert len(found) == 1
    http.close()


def test_names_are_imported_by_many() -> None:
    names = list(flex_tokenstore._LAZY)

    def look() -> None:
        for name in names:
            vars(flex_tokenstore).pop(name, None)
            assert getattr(flex_tokenstore, name) is not None

    hammer(look)
    assert flex_tokenstore.Token is Token


def test_instances_are_made_and_closed_by_many() -> None:
    def life() -> None:
        options: Any = {"base_url": "http://127.0.0.1:1", "token_store": "memory"}
        create_instance("c", "s", **options).close()
        asyncio.run(create_async_instance("c", "s", **options).aclose())

    hammer(life)


@pytest.mark.slow
def test_a_thousand_async_stores_share_a_few_threads(tmp_path: Path) -> None:
    sys.setswitchinterval(0.005)  # a measurement, not a race
    since = Since()

    async def main() -> int:
        stores = []
        for number in range(1000):
            config = file_store(path=str(tmp_path / f"{number}" / "token.json"))
            stores.append(await open_async_store(config, IDENTITY))
        most = 0

        async def use(store: Any) -> None:
            nonlocal most
            async with store.token_lock(30, 30):
                await store.set_token(token("x"))
                assert await store.get_token() is not None
            most = max(most, len(since.threads()))

        await asyncio.gather(*map(use, stores))
        await stores[0].aclose()  # the others go on
        assert await stores[1].get_token() is not None
        for store in stores:
            await store.aclose()
        return most

    most = asyncio.run(main())
    assert most <= hook_threads.IO_THREADS + hook_threads.LOCK_THREADS


def test_a_lock_that_blocks_keeps_no_save_from_its_thread() -> None:
    release = threading.Event()
    entered = threading.Semaphore(0)

    class Blocks:
        """Whatever it is told, its lock waits."""

        token: Any = None

        def get_token(self) -> Any:
            return self.token

        def set_token(self, token: Any) -> None:
            self.token = token

        def remove_token(self) -> None:
            self.token = None

        @contextmanager
        def token_lock(self, wait: float, lease: float) -> Iterator[None]:
            entered.release()
            if release.wait(20):
                raise TokenLockTimeoutError("busy")
            yield

    async def lock(store: Any) -> None:
        async with store.token_lock(0, 5):
            pass

    async def main() -> None:
        stores = [await open_async_store(Blocks(), IDENTITY) for _ in range(40)]
        waiting = [asyncio.ensure_future(lock(store)) for store in stores]
        for _ in range(hook_threads.LOCK_THREADS):
            await asyncio.to_thread(entered.acquire)
        async with asyncio.timeout(10):
            other = await open_async_store("file", IDENTITY)
            await other.set_token(token("x"))
        release.set()
        for task in waiting:
            with pytest.raises(TokenLockTimeoutError):
                await task

    asyncio.run(main())


def test_refused_tokens_are_remembered_by_many() -> None:
    digests = Digests()
    numbers = itertools.count()

    def refuse() -> None:
        secret = Secret(f"token-{next(numbers)}")
        digests.add(secret)
        assert Secret("never") not in digests

    hammer(refuse)
    last: Secret[str] = Secret("last")
    digests.add(last)
    assert last in digests
