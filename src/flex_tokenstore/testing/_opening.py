"""Opening and closing cost nothing: no connection, no wait, no blocked event loop."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ._audit import audited
from ._bench import PROMPT, Bench, ContractFixtures, Fault, entered, needed, within
from ._blocking import no_blocking_calls
from ._handles import AsyncHandle
from ._tokens import new_token

_CONNECTS = {
    "socket.connect": "connects to",
    "socket.getaddrinfo": "looks up",
    "sqlite3.connect": "opens the database",
    "subprocess.Popen": "starts the program",
    "os.posix_spawn": "starts the program",
}
_SHOWN = 3  # blocking calls
_LONGEST = 0.5  # seconds; `__init__` has only to keep its options


class OpeningTests(ContractFixtures):
    """A store connects at its first call: there an error is handled, such as by a program that
    goes on with a token in memory."""

    def test_opening_does_not_connect(self, bench: Bench) -> None:
        _skip_objects(bench)
        with audited() as seen:
            bench.open()
        for each in seen:
            if each.event in _CONNECTS:
                pytest.fail(
                    f"__init__ {_CONNECTS[each.event]} {each.name} ({each.where}): do it at the "
                    "first call"
                )

    def test_opening_needs_no_backend(self, bench: Bench, outage: Fault | None) -> None:
        _skip_objects(bench)
        bench.handle.set(new_token(bench.identity))
        with entered(needed(outage, "outage")):
            try:
                within(self.patience, bench.open)
            except Exception as error:
                pytest.fail(
                    f"__init__ raises {type(error).__name__} while the backend is down: "
                    "connect at the first call"
                )

    def test_opening_does_not_wait(self, bench: Bench) -> None:
        _skip_objects(bench)
        took = min(_seconds_of_opening(bench) for _ in range(2))
        assert took < _LONGEST, f"__init__ takes {took:.1f} s"

    def test_opening_does_not_wait_for_a_backend_that_hangs(
        self, bench: Bench, stall: Fault | None
    ) -> None:
        _skip_objects(bench)
        bench.handle.set(new_token(bench.identity))
        with entered(needed(stall, "stall")):
            took = min(_seconds_of_opening(bench) for _ in range(2))
        assert took < _LONGEST, f"__init__ waits for a backend that hangs, for {took:.1f} s"

    @pytest.mark.parametrize("kind", ["async"], indirect=True)
    def test_opening_does_not_block_the_event_loop(self, bench: Bench) -> None:
        _skip_objects(bench)
        if not bench.abilities.native_async:
            pytest.skip("the framework makes it in a thread: it has no coroutines")

        opener = bench.setup.opener(bench.identity)

        async def opened() -> tuple[Any, list[str]]:
            with no_blocking_calls() as seen:
                handle = opener()
            return handle, seen

        handle, seen = bench.handle.run(opened())
        bench.handle.run(handle.store.aclose())  # in the loop in which it was opened
        handle.drop()
        assert not seen, f"called in the event loop by __init__: {', '.join(seen[:_SHOWN])}"

    @pytest.mark.parametrize("kind", ["async"], indirect=True)
    def test_closing_does_not_block_the_event_loop(self, bench: Bench) -> None:
        _skip_objects(bench)
        store: Any = bench.handle.store
        other = bench.open()
        assert isinstance(other, AsyncHandle)
        closing: Any = other.store

        async def closed() -> list[str]:
            # Connections and the thread of a pool are made first.
            await closing.set_token(new_token(bench.identity))
            await store.get_token()
            with no_blocking_calls() as seen:
                await closing.aclose()
            return seen

        began = time.monotonic()
        seen = bench.handle.run(closed())
        assert not seen, f"called in the event loop by close(): {', '.join(seen[:_SHOWN])}"
        assert time.monotonic() - began < PROMPT, "closing takes seconds"


def _seconds_of_opening(bench: Bench) -> float:
    began = time.monotonic()
    bench.open()
    return time.monotonic() - began


def _skip_objects(bench: Bench) -> None:
    if bench.setup.is_object:
        pytest.skip("an object of your own is made by the program")
