"""The lock beside all else that goes on: the other kind of program, closing, reading, waiting."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import TokenConflictError, TokenLockTimeoutError, TokenStore

from ._bench import PROMPT, Bench, ContractFixtures, start, within
from ._handles import KINDS, AsyncHandle, Handle
from ._locks import LEASE, check_taken
from ._tokens import new_token

_BUSY = 0.6  # of a core; a wait that polls every 10 ms takes less than half of that
_READ = 0.5  # seconds; a read takes milliseconds, also on a busy machine at least once in three

_EVENTS = {
    "close": "closing another handle",
    "close after a failed try": "closing another handle that had tried to acquire it",
    "collect": "the end of another handle that nobody closed",
    "open": "opening another handle",
    "get": "get_token of another handle",
    "set": "set_token of another handle",
    "remove": "remove_token of another handle",
}


class LockConductTests(ContractFixtures):
    """Also for stores without a lock of their own."""

    def test_sync_and_async_programs_exclude_each_other(self, bench: Bench) -> None:
        other = bench.second(next(kind for kind in KINDS if kind != bench.kind))
        with bench.handle.lock(PROMPT, LEASE):
            _check_excluded(other, f"the {bench.kind} class holds the lock")
            # Where a lock may be entered twice, that must not be the same as being free.
            _check_excluded(other, f"the {bench.kind} class holds the lock, at a second try")
        with other.lock(PROMPT, LEASE):
            _check_excluded(bench.handle, f"the {other.kind} class holds the lock")
        if bench.handle.store._opened.binding.lock_id is not None:
            assert bench.handle.hook("lock_id") == other.hook("lock_id"), (
                "the sync and the async class have different lock_ids on one token"
            )

    @pytest.mark.parametrize("event", _EVENTS)
    def test_nothing_but_its_holder_frees_the_lock(self, bench: Bench, event: str) -> None:
        other = bench.second()
        bench.handle.set(new_token(bench.identity))
        with bench.handle.lock(PROMPT, LEASE):
            _do(bench, other, event)
            try:
                # A fresh one: a handle may remember that somebody holds the lock.
                with bench.open().lock(0.0, LEASE):
                    pass
            except TokenLockTimeoutError:
                return
            pytest.fail(f"{_EVENTS[event]} freed the lock that this handle holds")

    def test_reading_does_not_wait_for_the_lock(self, bench: Bench) -> None:
        second = bench.second()
        bench.handle.set(new_token(bench.identity))
        second.get()
        with bench.handle.lock(PROMPT, LEASE):
            for handle in (second, bench.handle):
                took = min(_seconds(handle.get) for _ in range(3))
                assert took < _READ, f"a read took {took:.1f} s while the lock was held"

    def test_saving_under_the_lock_does_not_wait_for_it(self, bench: Bench) -> None:
        """That is what it is for: its holder saves the new token."""
        token = new_token(bench.identity, 1)
        bench.handle.set(token)
        with bench.handle.lock(PROMPT, LEASE):
            save = new_token(bench.identity, 2)
            for name, call in (
                ("set_token", lambda: bench.handle.set(save, token.revision)),
                ("remove_token", bench.handle.remove),
            ):
                thread, result = start(call)
                thread.join(PROMPT)
                if thread.is_alive():
                    pytest.fail(f"{name} waits for the lock that its caller holds")
                result()

    def test_waiting_for_the_lock_leaves_the_processor_idle(self, bench: Bench) -> None:
        second = bench.second()
        with bench.handle.lock(PROMPT, LEASE):
            check_taken(second)
            shares = []
            for _ in range(3):  # other threads of the test process may have been at work
                meter = _Meter()
                check_taken(second, wait=0.4)
                shares.append(meter.share())
                if shares[-1] < _BUSY:
                    return
        pytest.fail(
            f"waiting for the lock keeps {min(shares):.0%} of a processor core busy: pause "
            "between two tries, longer the longer it waits"
        )

    @pytest.mark.parametrize("kind", ["async"], indirect=True)
    def test_a_cancelled_wait_leaves_the_lock_to_others(self, bench: Bench) -> None:
        second = bench.second()
        with bench.handle.lock(PROMPT, LEASE):
            second.run(_cancelled_wait(second.store))
        try:
            for _ in range(10):  # a thread that still waits tries only now and then
                with bench.open().lock(self.shortest_lease, LEASE):
                    pass
                time.sleep(0.02)
        except TokenLockTimeoutError:
            pytest.fail("a task that was cancelled while it waited for the lock holds it now")

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, asyncio.CancelledError])
    def test_whatever_is_raised_under_the_lock_frees_it(
        self, bench: Bench, error: type[BaseException]
    ) -> None:
        """For its ``token_lock`` by itself: the framework does not pass the error on."""
        if bench.handle.store._opened.binding.token_lock is None:
            pytest.skip("it has no token_lock of its own")
        assert _passed_on(bench.handle, error), f"its token_lock swallowed {error.__name__}"
        try:
            with bench.handle.lock(0.0, LEASE):
                pass
        except TokenLockTimeoutError:
            pytest.fail(f"{error.__name__} under the lock left it held: release it in `finally`")


def _passed_on(handle: Handle, error: type[BaseException]) -> bool:
    """Raises in a ``with`` statement on the store's own lock; False if the lock stopped it."""
    manager: Any = handle.hook("token_lock", wait=PROMPT, lease=LEASE)

    async def under() -> bool:
        passed = False
        try:
            async with manager:
                raise error
        except error:
            passed = True
        return passed

    if not hasattr(manager, "__enter__"):
        if isinstance(handle.store, TokenStore):
            return handle.store._loop_thread().run(under())
        return bool(handle.run(under()))
    passed = False
    try:
        with manager:
            raise error
    except error:
        passed = True
    return passed


def _do(bench: Bench, other: Handle, event: str) -> None:
    if event == "close after a failed try":
        check_taken(other)
    if event.startswith("close"):
        if bench.setup.is_object:
            pytest.skip("an object of your own is closed with its handle")
        other.close()
    elif event == "collect":
        _drop_a_handle(bench)
    elif event == "open":
        bench.open().get()
    elif event == "set":
        with suppress(TokenConflictError):
            within(PROMPT, lambda: other.set(new_token(bench.identity, "other")))
    else:
        within(PROMPT, getattr(other, event))


def _drop_a_handle(bench: Bench) -> None:
    """One that nobody closes."""
    handle = bench.setup.open(bench.identity, bench.kind)
    with suppress(TokenLockTimeoutError), handle.lock(0.0, LEASE):
        pass
    if isinstance(handle, AsyncHandle):
        handle.drop()
    with warnings.catch_warnings():  # of connections that are still open
        warnings.simplefilter("ignore", ResourceWarning)
        del handle
        gc.collect()


def _check_excluded(handle: Handle, why: str) -> None:
    try:
        with handle.lock(0.0, LEASE):
            pass
    except TokenLockTimeoutError:
        return
    pytest.fail(f"{why}, and the {handle.kind} class acquires it too: they have different locks")


async def _cancelled_wait(store: Any) -> None:
    entered = asyncio.Event()

    async def wait() -> None:
        async with store.token_lock(30.0, LEASE):
            entered.set()

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0.1)  # it has most likely tried; if not, the test is only weaker
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert not entered.is_set(), "two hold the lock at once"


def _seconds(call: Callable[[], object]) -> float:
    began = time.monotonic()
    within(PROMPT, call)
    return time.monotonic() - began


class _Meter:
    """The share of a core that this process has used, however busy the machine is."""

    def __init__(self) -> None:
        self._began = self._now()

    def share(self) -> float:
        """Processor time in the time in which the process was not waiting for a processor."""
        used, queued, passed = (
            now - before for now, before in zip(self._now(), self._began, strict=True)
        )
        return used / max(passed - max(queued, 0.0), passed / 10)

    @staticmethod
    def _now() -> tuple[float, float, float]:
        queued = 0
        for path in Path("/proc/self/task").glob("*/schedstat"):  # Linux has it
            with suppress(OSError, ValueError):  # a thread that has just ended
                queued += int(path.read_text().split()[1])
        return time.process_time(), queued / 1e9, time.monotonic()
