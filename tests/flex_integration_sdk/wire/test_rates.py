"""Rate limits that a program keeps by itself, by a clock of the test's."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flex_integration_sdk import (
    RateLimiter,
    RateLimits,
    create_async_instance,
    create_instance,
)
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._transport.closing import Closing
from flex_integration_sdk._wire.rate_limits import limits_of, refused, wait, wait_async
from flex_integration_sdk.errors import ConfigurationError
from flex_integration_sdk.sandbox import RunningSandbox
from flex_integration_sdk.sandbox._limits import Limiter


class Clock:
    """Time that passes while somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        monkeypatch.setattr(RateLimiter, "_clock", staticmethod(lambda: self.now))
        monkeypatch.setattr(time, "sleep", self._sleep)
        monkeypatch.setattr(Closing, "sleep", lambda _, seconds: self._sleep(seconds))

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_burst_and_then_one_by_one(clock: Clock) -> None:
    limiter = RateLimiter(burst=2, seconds=0.5, maximum=3)
    starts = []
    for _ in range(6):
        limiter.wait()
        starts.append(clock.now)
    assert starts == [0, 0, 0.5, 1.0, 1.5, 2.0]
    clock.now += 60
    assert [limiter.reserve() for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_burst_beyond_the_maximum_is_kept_but_not_filled_up(clock: Clock) -> None:
    limiter = RateLimiter(burst=3, seconds=1, maximum=1)
    assert limiter.reserve() == 0
    clock.now += 60
    assert [limiter.reserve() for _ in range(3)] == [0, 0, 1]
    clock.now += 60
    assert [limiter.reserve() for _ in range(2)] == [0, 1]


def test_a_refused_call_slows_all_others(clock: Clock) -> None:
    limiter = RateLimiter(burst=50, seconds=2)
    limiter.wait()
    limiter.pause(5)
    assert [limiter.reserve() for _ in range(3)] == [5, 7, 9]
    # Whoever waits already is in front, and a shorter pause takes nothing back.
    limiter.pause(1)
    assert limiter.reserve() == 11


@pytest.mark.parametrize(("asked", "pause"), [(None, 2), (7.0, 7), (0.0, 2), (3600.0, 60)])
def test_the_pause_is_the_one_that_the_api_asks_for(
    clock: Clock, asked: float | None, pause: float
) -> None:
    limiters = RateLimiter(burst=50, seconds=2), RateLimiter(burst=9, seconds=2)
    refused(limiters, asked)
    assert [each.reserve() for each in limiters] == [pause, pause]


def test_the_sandbox_refuses_none_of_150_listings_in_two_minutes(clock: Clock) -> None:
    limits, server = limits_of("dev"), Limiter("dev", lambda: clock.now)
    create = ENDPOINTS["listings.create"]
    for _ in range(150):
        wait(limits.of(create.name), clock._sleep)
        server.enter(create)
        server.leave()
    assert 60 < clock.now < 120


def test_threads_wait_in_turn(clock: Clock) -> None:
    limiter = RateLimiter(burst=1, seconds=1)
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: limiter.reserve(), range(100)))
    assert sorted(waits) == list(range(100))


def test_whoever_leaves_gives_the_place_back(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = RateLimiter(burst=1, seconds=5)
    limiter.wait()

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        limiter.wait()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await limiter.wait_async()

    asyncio.run(main())
    assert limiter.reserve() == 5


@pytest.mark.parametrize("wrong", [{"burst": 0}, {"seconds": -1}, {"maximum": "2"}])
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))} must be a positive"):
        RateLimiter(**{"burst": 1, "seconds": 1, **wrong})
    with pytest.raises(ConfigurationError, match='"dev", "live"'):
        create_instance("id", rate_limits="prod")  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize("kind", ["dev", "live"])
def test_listings_are_created_at_most_100_times_in_any_minute(clock: Clock, kind: Any) -> None:
    """And so in the sandbox, which counts as a bucket does, whatever its environment."""
    limits = limits_of(kind)
    server = Limiter(kind, clock=lambda: clock.now)
    create = ENDPOINTS["listings.create"]
    starts = []
    for _ in range(320):
        wait(limits.of("listings.create"), time.sleep)
        starts.append(clock.now)
        server.enter(create)  # raises what a 429 says
        server.leave()
    assert all(later - first > 60 for first, later in zip(starts, starts[100:], strict=False))
    others = [clock.now]
    for _ in range(40):
        wait(limits.of("listings.update"), time.sleep)
        others.append(clock.now)
    assert others[-1] - others[0] <= (80 if kind == "dev" else 0)


def test_a_call_has_limiters_of_its_own(flex_sandbox: RunningSandbox, clock: Clock) -> None:
    limits = RateLimits(
        commands=RateLimiter(burst=9, seconds=1),
        by_call={"users.approve": RateLimiter(burst=1, seconds=5)},
    )
    options: dict[str, Any] = {"base_url": flex_sandbox.base_url, "rate_limits": limits}
    user = "00000002-0000-4000-8000-000000000003"
    with create_instance(flex_sandbox.client_id, flex_sandbox.client_secret, **options) as sdk:
        sdk.users.approve(id=user)
        sdk.users.update_profile(id=user, bio="x")
        assert clock.slept == []
        sdk.users.approve(id=user)
        assert clock.slept == [5]
    for wrong, says in (({"users.aprove": 1}, "aprove"), ({"users.approve": 1}, "RateLimiter")):
        with pytest.raises(ConfigurationError, match=says):
            RateLimits(by_call=wrong)  # type: ignore[arg-type]  # the point


def test_whoever_leaves_gives_all_places_back() -> None:
    one, other = RateLimiter(burst=1, seconds=5), RateLimiter(burst=2, seconds=5)
    one.reserve()

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wait((one, other), interrupted)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await wait_async((one, other), asyncio.sleep)

    asyncio.run(main())
    assert (other.reserve(), other.reserve()) == (0, 0)
    assert one.reserve() == pytest.approx(5, abs=1)


def test_those_of_the_javascript_sdk_less_one() -> None:
    dev, live = limits_of("dev"), limits_of("live")
    assert repr(dev.queries) == "RateLimiter(burst=99, seconds=1, maximum=199)"
    # Full at the start, unlike that of the JavaScript SDK.
    assert repr(dev.commands) == "RateLimiter(burst=99, seconds=2, maximum=99)"
    assert repr(live.queries) == "RateLimiter(burst=499, seconds=0.125, maximum=499)"
    assert repr(live.commands) == "RateLimiter(burst=249, seconds=0.25, maximum=249)"


def test_an_instance_waits_for_queries_and_commands_apart(
    flex_sandbox: RunningSandbox, clock: Clock
) -> None:
    limits = RateLimits(RateLimiter(burst=1, seconds=1), RateLimiter(burst=2, seconds=10))
    options: dict[str, Any] = {"base_url": flex_sandbox.base_url, "rate_limits": limits}
    user = "00000002-0000-4000-8000-000000000003"
    with create_instance(flex_sandbox.client_id, flex_sandbox.client_secret, **options) as sdk:
        sdk.marketplace.show()
        sdk.users.approve(id=user)
        sdk.users.approve(id=user)
        assert clock.slept == []
        with pytest.raises(TypeError):
            sdk.users.query(sort=object())  # type: ignore[arg-type]  # costs no place
        sdk.marketplace.show()
        assert clock.slept == [1]
        sdk.users.approve(id=user)
        assert clock.slept == [1, 9]
        sdk.auth_info()
        sdk.revoke()
    with create_instance(flex_sandbox.client_id, flex_sandbox.client_secret, **options) as other:
        other.marketplace.show()
        other.marketplace.show()
    assert clock.slept == [1, 9, 1]


def test_an_async_instance_waits_too(flex_sandbox: RunningSandbox) -> None:
    limits = RateLimits(queries=RateLimiter(burst=3, seconds=0.2))

    async def main() -> float:
        async with create_async_instance(
            flex_sandbox.client_id,
            flex_sandbox.client_secret,
            base_url=flex_sandbox.base_url,
            rate_limits=limits,
        ) as sdk:
            start = time.monotonic()
            await asyncio.gather(*(sdk.marketplace.show() for _ in range(6)))
            return time.monotonic() - start

    assert asyncio.run(main()) >= 0.6  # by the limiter; there is no longest time
    assert flex_sandbox.stats()["client_credentials"] == 1


FORKS = """
import ctypes, faulthandler, os, signal, sys, threading
from flex_integration_sdk import RateLimiter
faulthandler.dump_traceback_later(60, exit=True)
limiter = RateLimiter(burst=1, seconds=1e-9, maximum=10**9)
over, waiting = threading.Event(), threading.Event()

def run():
    sys.setswitchinterval(1e-6)
    while not over.is_set():
        limiter.reserve()
        limiter.give_back()

def rest(_):
    waiting.set()
    over.wait()

def child():
    signal.alarm(20)  # faulthandler's own thread is not here
    fresh = limiter.reserve()
    limiter.wait()
    limiter.give_back()
    os._exit(0 if fresh == 0 else 3)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_children_of_a_process_whose_threads_use_it() -> None:
    forked(
        """
for _ in range(4):
    threading.Thread(target=run, daemon=True).start()
for _ in range(60):
    pid = os.fork()
    if pid == 0:
        child()
    assert os.waitpid(pid, 0)[1] == 0
over.set()
"""
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_children_of_a_fork_in_c() -> None:
    """It runs none of Python's hooks. (Threads that want to run would hang Python itself.)"""
    forked(
        """
limiter = RateLimiter(burst=1, seconds=3600)
limiter.reserve()
threading.Thread(target=lambda: limiter.wait(rest)).start()
waiting.wait()
pid = ctypes.PyDLL(None).fork()
if pid == 0:
    signal.alarm(20)
    os._exit(0 if limiter.reserve() == 0 else 3)
assert os.waitpid(pid, 0)[1] == 0
over.set()
"""
    )


def forked(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS + program],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_place_is_counted() -> None:
    limiter = RateLimiter(burst=5000, seconds=3600)

    def there_and_back(_: int) -> None:
        limiter.reserve()
        limiter.give_back()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(there_and_back, range(3000)))
            waits = list(pool.map(lambda _: limiter.reserve(), range(5002)))
    finally:
        sys.setswitchinterval(before)
    assert sum(wait == 0 for wait in waits) == 5000
    assert max(waits) == pytest.approx(7200, abs=60)


def test_an_exception_at_any_line_leaves_it_usable() -> None:
    """As a signal handler's; whoever comes next does not wait for a lock."""

    class Left(BaseException):
        pass

    moment = 0
    over = False
    while not over:
        limiter = RateLimiter(burst=1, seconds=3600)
        moment += 1
        left = [moment]

        def line(frame: Any, event: str, _: Any, left: list[int] = left) -> Any:
            if not frame.f_code.co_filename.endswith("rate_limits.py"):
                return None
            left[0] -= event == "line"
            if left[0] == 0:
                raise Left
            return line

        traced = sys.gettrace()
        sys.settrace(line)
        try:
            limiter.reserve()
            limiter.give_back()
        except Left:
            pass
        finally:
            sys.settrace(traced)
        over = left[0] > 0
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(limiter.reserve).result(10) in (0, pytest.approx(3600, abs=60))
    assert moment > 15


def test_a_handler_may_use_it_within_itself() -> None:
    limiter = RateLimiter(burst=1000, seconds=3600)
    count = [0]

    def line(frame: Any, event: str, _: Any) -> Any:
        if event == "line" and frame.f_code.co_name == "reserve" and count[0] < 900:
            count[0] += 1
            sys.settrace(None)
            limiter.reserve()
            sys.settrace(line)
        return line if frame.f_code.co_filename.endswith("rate_limits.py") else None

    traced = sys.gettrace()
    sys.settrace(line)
    try:
        for _ in range(10):
            limiter.reserve()
    finally:
        sys.settrace(traced)
    assert count[0] > 50
    while limiter.reserve() == 0:
        count[0] += 1
    assert count[0] == 990  # each place was given to one
