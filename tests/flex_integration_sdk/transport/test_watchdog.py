"""The thread that ends sync requests: one for a process, none when idle, one after any fork."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from itertools import groupby
from typing import Any

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk._transport import deadline, sync
from flex_integration_sdk._transport.deadline import GRACE, GRACES, PIECE, TICK, WHOLE, Ended, Watch
from flex_integration_sdk.errors import TransportError
from flex_tokenstore.embedding import PerProcess
from tests.support import slow_servers
from tests.support.since import Since, wait_until
from tests.support.slow_servers import listening

NAME = "flex-sdk-deadlines"


class Waiting:
    """What a request waits for."""

    def __init__(self) -> None:
        self.stopped: list[Watch] = []

    def stop(self, watch: Watch) -> None:
        self.stopped.append(watch)


def test_one_thread_serves_all_and_goes_when_nothing_is_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[threading.Thread] = []
    look = deadline.Watchdog._look

    def noting(self: Any, now: float, *, stopped: bool) -> None:
        looks.append(threading.current_thread())
        look(self, now, stopped=stopped)

    monkeypatch.setattr(deadline.Watchdog, "_look", noting)
    own = PerProcess(deadline.Watchdog).get  # other tests' requests have theirs
    monkeypatch.setattr(sync, "watchdog", own)
    since = Since()
    with listening() as server:
        server.api = slow_servers.silent
        made: list[Any] = [
            create_instance("c", "s", base_url=server.base_url, timeout=0.5) for _ in range(3)
        ]
        for sdk in made:
            sdk.session.token()
        failures: list[str] = []

        def call(sdk: Any) -> None:
            try:
                sdk.marketplace.show()
            except TransportError as error:
                failures.append(str(error))

        threads = [threading.Thread(target=call, args=(sdk,)) for sdk in made for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(failures) == 15
        for sdk in made:
            sdk.close()
    wait_until(lambda: not since.threads(NAME))
    assert not own().watches
    # A machine that is busy for long may see one end, and the next one begin after that.
    mine = [thread for thread, _ in groupby(each for each in looks if each in since)]
    assert len(mine) == len(set(mine)) >= 1


def test_a_request_is_ended_in_two_steps() -> None:
    watch = Watch(1.0, self := object(), token=True)
    assert not watch.over(time.monotonic() + 3600, stopped=False)  # it waits for a connection
    watch.begin()
    assert watch.owner is self
    end = time.monotonic() + 1.0
    assert not watch.over(end - 0.2, stopped=False)
    assert not watch.over(end + 0.01, stopped=False)
    assert watch.over(end + 0.01 + TICK, stopped=False)


def test_what_arrived_while_the_process_was_stopped_can_be_read() -> None:
    watch = Watch(1.0, None, token=True)
    watch.begin()
    woken = time.monotonic() + 3600
    assert not watch.over(woken, stopped=True)
    assert not watch.over(woken + GRACE * 0.9, stopped=False)
    assert watch.over(woken + GRACE, stopped=False)


def test_a_machine_that_starves_us_does_not_keep_a_request_for_ever() -> None:
    watch = Watch(1.0, None, token=True)
    watch.begin()
    now, looks = time.monotonic() + 1.0, 0
    while not watch.over(now := now + 0.9, stopped=True):
        looks += 1
    assert GRACES <= looks <= GRACES + 2


def test_an_api_call_begins_with_its_connection_and_goes_on_while_it_moves() -> None:
    watch, waiting = Watch(1.0, None), Waiting()
    began = time.monotonic()
    assert not watch.over(began + 3600, stopped=False)
    watch.use(waiting)
    watch.moved(PIECE - 1)
    assert not watch.over(began + 0.9, stopped=False)
    for _ in range(3):
        watch.over(time.monotonic() + 2, stopped=False)  # its end was seen
        watch.moved(PIECE)
        assert not watch.over(time.monotonic() + 0.9, stopped=False)
    assert not watch.over(time.monotonic() + 2, stopped=False)
    assert watch.over(time.monotonic() + 3, stopped=False)


def test_no_response_takes_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    bounded, upload = Watch(1.0, None), Watch(1.0, None, bounded=False)
    for watch in (bounded, upload):
        watch.use(Waiting())
    for _ in range(WHOLE * 3):
        clock[0] += 0.5
        for watch in (bounded, upload):
            watch.moved(PIECE)
    for watch, over in ((bounded, True), (upload, False)):
        watch.over(clock[0], stopped=False)
        assert watch.over(clock[0] + TICK, stopped=False) is over


def test_a_token_request_has_no_extensions() -> None:
    watch = Watch(1.0, None, token=True)
    watch.begin()
    watch.use(Waiting())
    watch.moved(PIECE * 100)
    watch.over(time.monotonic() + 1.1, stopped=False)
    assert watch.over(time.monotonic() + 1.3, stopped=False)


def test_what_was_stopped_cannot_go_on() -> None:
    watch, first, second = Watch(1.0, None), Waiting(), Waiting()
    watch.use(first)
    watch.stop("abandoned")
    watch.stop("late")
    assert watch.ended == "abandoned"
    assert first.stopped
    with pytest.raises(Ended):
        watch.use(second)
    with pytest.raises(Ended):
        watch.check()


FORKED = """
import ctypes, os, sys, time
from flex_integration_sdk import create_instance
from flex_integration_sdk.errors import TransportError
sdk = create_instance("c", "s", base_url=sys.argv[1], timeout=0.5)
sdk.session.token()  # so that the parent has its thread and its connections
pid = ctypes.PyDLL(None).fork() if sys.argv[2] == "c" else os.fork()
began = time.monotonic()
try:
    sdk.marketplace.show()
except TransportError as error:
    ended = "in time" in str(error) and time.monotonic() - began < 5
else:
    ended = False
if pid == 0:
    os._exit(0 if ended else 1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, "the child"
assert ended, "the parent"
sdk.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("how", ["python", "c"])
def test_after_a_fork(how: str) -> None:
    if how == "c" and not hasattr(ctypes.PyDLL(None), "fork"):
        pytest.skip("no C library with fork")
    with listening() as server:
        server.api = slow_servers.dripping_head
        command = [sys.executable, "-c", FORKED, server.base_url, how]
        subprocess.run(command, check=True, timeout=60)


AT_THE_END = """
import sys
from flex_integration_sdk import create_instance
from flex_integration_sdk.errors import TransportError

class Holder:
    def __init__(self):
        self.sdk = create_instance("c", "s", base_url=sys.argv[1], timeout=0.5)
        self.sdk.marketplace.show()

    def __del__(self, ending=sys.is_finalizing, TransportError=TransportError):
        assert ending()
        try:
            print(self.sdk.marketplace.show().status)
        except TransportError as error:
            print(error)
        self.sdk.close()

holder = Holder()
"""


def test_a_request_at_the_interpreters_end_is_made_or_says_why_not() -> None:
    """The HTTP library imports as it goes, which fails when modules are being torn down."""
    with listening() as server:
        command = [sys.executable, "-c", AT_THE_END, server.base_url]
        done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    # A finalizer's error is printed and goes no further. The instance is closed by then.
    closed = done.stderr.rstrip().endswith("so the call was not sent; make a new one")
    assert done.stderr == "" or closed
    assert done.stdout.strip() == "200" or "interpreter is shutting down" in done.stdout or closed


BUSY = """
import sys, threading, time
from flex_integration_sdk import create_instance
def spin():
    while True:
        pass
sdk = create_instance("c", "s", base_url=sys.argv[1], timeout=20)
sdk.session.token()
for _ in range(4):
    threading.Thread(target=spin, daemon=True).start()
for _ in range(10):
    assert sdk.marketplace.show().status == 200
sdk.close()
"""


def test_busy_threads_end_no_request() -> None:
    with listening() as server:
        command = [sys.executable, "-c", BUSY, server.base_url]
        subprocess.run(command, check=True, timeout=100)
