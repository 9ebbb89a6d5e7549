"""A call is done as a whole: nobody comes in between, and a crash leaves no half of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from flex_tokenstore import Token, TokenConflictError, TokenCorruptError, TokenUnavailableError

from ._bench import PROMPT, Bench, ContractFixtures, start
from ._handles import Handle
from ._lines import Line
from ._tokens import new_token, same

_POINTS = 14  # of a call; more lines than these are not tried one by one
_BUDGET = 0.03  # seconds that another call may take before the first one goes on
_ALL = 1_000_000  # no call has so many lines

_each_call = pytest.mark.parametrize("call", ["set", "remove"])


class AtomicityTests(ContractFixtures):
    """The calls are stopped before each line of the store's own code, or before many of them."""

    @_each_call
    def test_no_reader_sees_a_call_half_done(self, bench: Bench, call: str) -> None:
        reader = bench.second()
        for number in _points(bench, call):
            old, new = _old_and_new(bench, call)
            seen: list[Token | None] = []

            def read() -> None:
                seen.append(reader.get())  # noqa: B023 - it is called in this round

            line = _with_another(bench, old, new, number, read)
            try:
                line.finish()
            except TokenCorruptError:
                pytest.fail(f"a reader saw what is not a token, when {call} was at {line.place}")
            for token in seen:
                assert same(token, old) or same(token, new), (
                    f"a reader saw neither the old nor the new state, when {call} was at "
                    f"{line.place}"
                )

    @_each_call
    def test_no_other_write_comes_in_between(self, bench: Bench, call: str) -> None:
        bench.need("compare_and_set")
        other = bench.second()
        for number in _points(bench, call):
            old, new = _old_and_new(bench, call)
            theirs = new_token(bench.identity, "theirs")
            wrote: list[Token] = []

            def write() -> None:
                with suppress(TokenConflictError, TokenUnavailableError):
                    other.set(theirs, old.revision)  # noqa: B023 - it is called in this round
                    wrote.append(theirs)  # noqa: B023

            line = _with_another(bench, old, new, number, write)
            line.finish()
            assert not (line.succeeded and wrote), (
                f"{call} and another program's set_token both replaced the same token: the other "
                f"one came when {call} was at {line.place}. Compare and write in one step"
            )
            expected = theirs if wrote else new if line.succeeded else old
            assert same(bench.handle.get(), expected), (
                f"a write that succeeded is gone: it came when {call} was at {line.place}"
            )

    @_each_call
    def test_a_crash_leaves_all_or_nothing(self, bench: Bench, call: str) -> None:
        if not hasattr(os, "fork"):
            pytest.skip("this system has no fork")
        worker = bench.worker().ready()
        old, new = _old_and_new(bench, call)
        _, count = worker.call("crash", *_hook(old, new), _ALL)
        for number in _some_of(count):
            old, new = _old_and_new(bench, call)
            place, _ = worker.call("crash", *_hook(old, new), number)
            try:
                found = bench.handle.get()
            except TokenCorruptError:
                pytest.fail(f"a process that died in {call}, at {place}, left what is not a token")
            assert same(found, old) or same(found, new), (
                f"a process that died in {call}, at {place}, left neither the old nor the new state"
            )


class _Interrupted:
    """A call that another one came into, at a line."""

    def __init__(self) -> None:
        self.succeeded = False
        self.place: str | None = None
        self._started: Callable[[], None] = lambda: None

    def let(self, another: Callable[[], None]) -> None:
        thread, result = start(another)
        thread.join(_BUDGET)  # if it waits for the first call, that one must go on

        def finish() -> None:
            thread.join(PROMPT * 2)
            assert not thread.is_alive(), "two calls wait for one another"
            result()

        self._started = finish

    def finish(self) -> None:
        """Waits for the other one, and raises what it raised."""
        self._started()


def _with_another(
    bench: Bench, old: Token, new: Token | None, number: int, another: Callable[[], None]
) -> _Interrupted:
    both = _Interrupted()
    handle = bench.open()  # its threads must be new ones
    line = Line(handle, number, lambda: both.let(another))
    with line.watched():
        try:
            _call(handle, old, new)
            both.succeeded = True
        except (TokenConflictError, TokenUnavailableError):
            pass
    both.place = line.place
    return both


def _points(bench: Bench, call: str) -> list[int]:
    """Numbers of the lines before which the call is stopped."""
    handle = bench.open()
    old, new = _old_and_new(bench, call)
    line = Line(handle, _ALL, lambda: None)
    with line.watched():
        _call(handle, old, new)
    return _some_of(line.count)


def _some_of(count: int) -> list[int]:
    if count <= _POINTS:
        return list(range(1, count + 1))
    return [1 + number * (count - 1) // (_POINTS - 1) for number in range(_POINTS)]


def _old_and_new(bench: Bench, call: str) -> tuple[Token, Token | None]:
    """The first is stored; the second is what the call makes of it."""
    old = new_token(bench.identity, "old", filling="o" * 2000)
    bench.handle.set(old)
    return old, new_token(bench.identity, "new", filling="n" * 1000) if call == "set" else None


def _call(handle: Handle, old: Token, new: Token | None) -> None:
    if new is None:
        handle.remove(old.revision)
    else:
        handle.set(new, old.revision)


def _hook(old: Token, new: Token | None) -> tuple[str, dict[str, Any]]:
    """The same for the store's own method."""
    if new is None:
        return "remove_token", {"expected": old.revision}
    return "set_token", {"token": new.to_dict(), "expected": old.revision}
