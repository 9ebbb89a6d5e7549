"""The iterator of sync programs: errors, interruptions, threads, forks, and what it leaves."""

from __future__ import annotations

import gc
import inspect
import os
import signal
import sys
import threading
import time
import tracemalloc
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from itertools import islice
from typing import Any

import pytest

from flex_integration_sdk._endpoints.paging.ahead import Ahead
from flex_integration_sdk._endpoints.paging.sync import ResourceIterator
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._following.bell import Bell
from flex_integration_sdk.errors import (
    BadRequestError,
    NestedCallError,
    RateLimitedError,
    TransportError,
)
from tests.support.paged_api import PagedApi
from tests.support.since import PATIENCE, Since


class Sender:
    """Sends queries to the model; ``before`` is called with the number of each, from 1."""

    def __init__(self, rows: int = 20, before: Callable[[int], object] = lambda number: None):
        self.api = PagedApi({number: number * 1_000 for number in range(rows)})
        self.before, self.count = before, 0
        self.lock = threading.Lock()

    def __call__(self, name: str, asked: Any, further: Any) -> Response[Any]:
        with self.lock:
            self.count += 1
            number = self.count
        self.before(number)
        page = self.api.query(asked)
        if page is None:
            raise BadRequestError("refused", status=400)
        return page

    def iterate(self, per_page: int = 5, **arguments: Any) -> ResourceIterator[Any]:
        return ResourceIterator(self, "listings.query", {"perPage": per_page, **arguments}, {})


def numbers(walk: ResourceIterator[Any]) -> list[int]:
    return [each["id"].int for each in walk]


def interrupted(walk: ResourceIterator[Any], waiting: threading.Event) -> None:
    waiting.set()
    next(walk)


def failing(number: int, error: BaseException) -> Callable[[int], None]:
    def before(count: int) -> None:
        if count == number:
            raise error

    return before


@pytest.mark.parametrize("page", [1, 2, 3])
def test_an_error_comes_after_what_was_before_it_and_the_walk_goes_on(page: int) -> None:
    walk = Sender(before=failing(page, RateLimitedError("wait", status=429))).iterate()
    # Each page begins with the last one of the page before, which is known.
    found = [next(walk)["id"].int for _ in range([0, 5, 9][page - 1])]
    with pytest.raises(RateLimitedError):
        next(walk)
    assert found + numbers(walk) == list(range(20))
    with pytest.raises(StopIteration):
        next(walk)


def test_its_repr_says_how_far_it_is_and_no_argument() -> None:
    walk = Sender().iterate(keywords="SENTINEL")
    assert repr(walk) == "<ResourceIterator of listings.query: 0>"
    next(walk)
    assert repr(walk) == "<ResourceIterator of listings.query: 1 of 20>"
    walk.close()
    assert repr(walk) == "<ResourceIterator of listings.query: 1 of 20, closed>"


def test_a_response_that_is_not_of_a_query_is_asked_for_again() -> None:
    sender = Sender()
    bodies: list[dict[str, Any]] = [{"data": None}, {}, {"data": {"id": 1}}]

    def send(name: str, asked: Any, further: Any) -> Response[Any]:
        return Response(200, bodies.pop()) if bodies else sender(name, asked, further)

    walk: ResourceIterator[Any] = ResourceIterator(send, "users.query", {}, {})
    for _ in range(3):
        with pytest.raises(TransportError, match="no list of resources"):
            next(walk)
    assert numbers(walk) == list(range(20))


def test_it_is_one_page_ahead_and_no_more() -> None:
    asked, second = [], threading.Event()

    def before(number: int) -> None:
        asked.append(number)
        if number == 2:
            second.set()

    sender = Sender(before=before)
    walk = sender.iterate()
    next(walk)
    assert second.wait(PATIENCE)
    assert numbers(ResourceIterator(Sender(), "listings.query", {}, {})) == list(range(20))
    assert asked == [1, 2]
    assert len(list(islice(walk, 4))) == 4
    assert asked == [1, 2]


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to threads here")
def test_an_exception_of_a_signal_handler_leaves_it_usable() -> None:
    released, asked, waiting = threading.Event(), threading.Event(), threading.Event()

    def before(number: int) -> None:
        if number == 2:
            asked.set()
            released.wait(PATIENCE)

    def strike(*_: object) -> None:
        raise KeyboardInterrupt

    def later() -> None:
        asked.wait(PATIENCE)
        waiting.wait(PATIENCE)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    previous = signal.signal(signal.SIGUSR1, strike)
    try:
        sender = Sender(before=before)
        walk = sender.iterate()
        found = [each["id"].int for each in islice(walk, 5)]
        thread = threading.Thread(target=later)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            interrupted(walk, waiting)
        thread.join(PATIENCE)
    finally:
        signal.signal(signal.SIGUSR1, previous)
        released.set()
    assert found + numbers(walk) == list(range(20))
    # The page that was being fetched was not asked for again.
    assert sender.count == len({str(each) for each in sender.api.asked})


@pytest.mark.parametrize("sort", ["-createdAt", "price"])
@pytest.mark.parametrize(
    "first", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 9))]
)
def test_an_exception_at_any_line_loses_no_more_than_what_it_held(first: int, sort: str) -> None:
    folder = os.path.dirname(inspect.getfile(ResourceIterator))
    for line in range(first, 1_800, 8):
        left = line

        def trace(frame: Any, event: str, argument: Any) -> Any:
            nonlocal left
            if os.path.dirname(frame.f_code.co_filename) != folder:
                return None
            left -= event == "line"
            if event == "line" and not left:
                raise KeyboardInterrupt
            return trace

        walk = Sender(rows=9).iterate(per_page=3, sort=sort)
        found: list[int] = []
        sys.settrace(trace)
        try:
            while True:
                try:
                    found.append(next(walk)["id"].int)
                except KeyboardInterrupt:
                    continue
                except StopIteration:
                    break
        finally:
            sys.settrace(None)
        # What next() was about to return is lost; nothing else, and nothing comes twice.
        assert found == sorted(set(found), reverse=sort == "price"), line
        assert len(found) >= 8, line
    assert left > 0  # the last ones struck nothing: there are no more lines


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="Windows has no such signal")
@pytest.mark.parametrize("waits", ["a page", "a bell"])
def test_a_signal_that_another_thread_gets_ends_a_wait(waits: str) -> None:
    def handler(*_: object) -> None:
        raise KeyboardInterrupt

    never = threading.Event()
    wait: Callable[[], object] = partial(Bell().wait, 50)
    code = Bell.wait.__code__
    if waits == "a page":
        wait, code = Ahead(never.wait, object()).wait, Ahead.wait.__code__
    main = threading.get_ident()

    def send() -> None:
        end = time.monotonic() + PATIENCE
        while sys._current_frames()[main].f_code is not code and time.monotonic() < end:
            never.wait(0.001)
        signal.raise_signal(signal.SIGUSR1)  # this thread gets it, so the lock is not interrupted

    previous = signal.signal(signal.SIGUSR1, handler)
    thread = threading.Thread(target=send)
    ends = threading.Timer(10, never.set)
    ends.start()
    began = time.monotonic()
    try:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            wait()
        assert time.monotonic() - began < 9
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, previous)
        ends.cancel()
        never.set()


def test_a_signal_handler_within_it_is_told_so() -> None:
    walk: ResourceIterator[Any]

    def before(number: int) -> None:
        if number == 1:
            with pytest.raises(NestedCallError, match="used by a signal handler"):
                next(walk)

    walk = Sender(before=before).iterate()
    assert numbers(walk) == list(range(20))


def test_threads_share_it() -> None:
    walk = Sender(rows=300).iterate(per_page=7)
    found: list[list[int]] = [[] for _ in range(6)]

    def work(mine: list[int]) -> None:
        mine.extend(numbers(walk))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(number for mine in found for number in mine) == list(range(300))
    assert walk.done == 300


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_and_its_parent_go_on() -> None:
    released, asked = threading.Event(), threading.Event()

    def before(number: int) -> None:
        # Only in the parent: the child has no thread that asks for this page.
        if number == 2:
            asked.set()
            released.wait(PATIENCE)

    walk = Sender(before=before).iterate()
    found = [next(walk)["id"].int]
    assert asked.wait(PATIENCE)
    child = os.fork()
    if not child:
        right = numbers(walk) == list(range(1, 20))
        os._exit(0 if right else 1)
    released.set()
    assert found + numbers(walk) == list(range(20))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_close_ends_it_and_leaves_no_thread() -> None:
    since, released, asked = Since(), threading.Event(), threading.Event()

    def before(number: int) -> None:
        if number == 2:
            asked.set()
            released.wait(PATIENCE)

    with Sender(before=before).iterate() as walk:
        next(walk)
        assert asked.wait(PATIENCE)
    with pytest.raises(StopIteration):
        next(walk)
    assert walk.done == 1
    released.set()
    end = time.monotonic() + PATIENCE
    while since.threads("flex-integration-page") and time.monotonic() < end:
        time.sleep(0.01)
    assert not since.threads("flex-integration-page")


def test_one_that_is_dropped_is_collected_at_once() -> None:
    sender = Sender()
    gc.disable()
    try:
        walk = sender.iterate()
        next(walk)
        gone = weakref.ref(walk)
        del walk
        assert gone() is None
    finally:
        gc.enable()


def test_a_page_is_fetched_in_the_context_of_the_program() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="none")
    seen: list[str] = []
    walk = Sender(before=lambda number: seen.append(variable.get())).iterate()
    variable.set("first")
    found = [next(walk)["id"].int]
    variable.set("second")
    found += numbers(walk)
    assert found == list(range(20))
    assert seen[:2] == ["first", "first"]
    assert set(seen[2:]) == {"second"}


def test_without_a_further_thread_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", refuse)
    assert numbers(Sender().iterate()) == list(range(20))


@pytest.mark.slow
def test_memory_stays_flat() -> None:
    # Not at one moment: the ids of a moment are remembered.
    sender = Sender(rows=25_000)
    walk = sender.iterate(per_page=100)
    assert len(list(islice(walk, 2_000))) == 2_000
    sender.api.asked.clear()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number, _ in enumerate(walk):
            if not number % 1_000:
                sender.api.asked.clear()
        tracemalloc.reset_peak()
        assert tracemalloc.get_traced_memory()[0] - before < 500_000
    finally:
        tracemalloc.stop()
    assert walk.done == 25_000
