"""The instances of a process share their connections; each ends and is closed by itself."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk._transport import clients, deadline
from flex_integration_sdk._transport.connection_pool import (
    API_CONNECTIONS,
    CONNECTIONS,
    Busy,
    Slot,
    Slots,
)
from flex_integration_sdk._transport.deadline import Watch
from flex_integration_sdk._transport.proxy_and_tls import options_for
from flex_integration_sdk.errors import TransportError
from flex_tokenstore import SessionClosedError
from tests.support import slow_servers
from tests.support.since import Since, wait_until
from tests.support.slow_servers import Line, SlowServer, listening

IDLE = 0.3  # seconds, in place of 5
both = pytest.mark.parametrize("kind", ["sync", "async"])


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


async def until_async(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


_of_other_tests: list[Any] = []  # what an instance that another test left open still shares


def shared() -> list[Any]:
    """What this test's instances share at this moment."""
    ours = clients._registry.get().values()
    return [each for each in ours if each not in _of_other_tests]


def open_connections() -> int:
    return sum(slot.client is not None for each in shared() for slot in each.slots.all)


@pytest.fixture(autouse=True)
def nothing_left() -> Any:
    _of_other_tests[:] = []
    _of_other_tests[:] = shared()
    yield
    gc.collect()
    assert not shared()
    _of_other_tests.clear()


def sync(server: SlowServer, name: str = "c", **options: Any) -> Any:
    return create_instance(name, "s", base_url=server.base_url, **options)


def in_loop(server: SlowServer, name: str = "c", **options: Any) -> Any:
    return create_async_instance(name, "s", base_url=server.base_url, **options)


def test_many_instances_have_two_connections() -> None:
    with listening() as server:
        made = [sync(server, f"c-{number}") for number in range(30)]
        for sdk in made:
            assert sdk.marketplace.show().status == 200
        assert server.connections == 2
        for sdk in made[:-1]:
            sdk.close()
        assert made[-1].marketplace.show().status == 200
        assert server.connections == 2
        made[-1].close()
        assert not open_connections()


def test_many_instances_in_a_loop_have_two_connections() -> None:
    async def main(server: SlowServer) -> None:
        made = [in_loop(server, f"c-{number}") for number in range(30)]
        for sdk in made:
            assert (await sdk.marketplace.show()).status == 200
        assert server.connections == 2
        for sdk in made[:-1]:
            await sdk.aclose()
        assert (await made[-1].marketplace.show()).status == 200
        await made[-1].aclose()
        assert server.connections == 2
        assert not open_connections()

    with listening() as server:
        asyncio.run(main(server))


class Gauge:
    """How many requests a server has at once; the first ``full`` wait for each other."""

    def __init__(self, taken: float, answer: dict[str, Any], full: int = 1) -> None:
        self.most = self.now = self.seen = 0
        self._taken, self._body, self._full = taken, json.dumps(answer).encode(), full
        self._lock, self._barrier = threading.Lock(), threading.Barrier(full)

    def __call__(self, line: Line) -> None:
        with self._lock:
            self.now += 1
            self.seen += 1
            self.most = max(self.most, self.now)
            first = self.seen <= self._full
        if first:
            self._barrier.wait(20)
        time.sleep(self._taken)
        with self._lock:
            self.now -= 1
        head = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(self._body)
        line.send(slow_servers.JSON + head + self._body)


def test_never_more_than_ten_connections() -> None:
    """With fifty threads, each with an instance of its own; the server counts."""
    gauge = Gauge(0.02, {"data": {"id": "1", "type": "x"}}, API_CONNECTIONS)
    with listening() as server, ExitStack() as stack:
        server.api = gauge
        made = [stack.enter_context(sync(server, f"c-{number}")) for number in range(50)]
        with ThreadPoolExecutor(50) as pool:
            statuses = list(pool.map(lambda sdk: sdk.marketplace.show().status, made))
        assert statuses == [200] * 50
        assert gauge.most == API_CONNECTIONS


def test_one_is_closed_while_others_call() -> None:
    with listening() as server:
        one, other = sync(server, "one"), sync(server, "other")
        for sdk in (one, other):
            sdk.marketplace.show()
        release = threading.Event()

        def held(line: Line) -> None:
            release.wait(20)
            line.send(slow_servers.JSON + b"Connection: close\r\nContent-Length: 30\r\n\r\n")
            line.send(b'{"data":{"id":"1","type":"x"}}')

        server.api = held
        with ThreadPoolExecutor(2) as pool:
            calls = [pool.submit(sdk.marketplace.show) for sdk in (one, other)]
            until(lambda: len(server.paths) == 6)
            one.close()
            assert open_connections()
            release.set()
            assert [call.result(20).status for call in calls] == [200, 200]
        with pytest.raises(SessionClosedError):
            one.marketplace.show()
        server.api = None
        assert other.marketplace.show().status == 200
        other.close()


def test_one_is_closed_while_others_call_in_a_loop() -> None:
    """Its own call ends; that of the other is answered."""

    async def main(server: SlowServer) -> None:
        one, other = in_loop(server, "one"), in_loop(server, "other")
        for sdk in (one, other):
            await sdk.marketplace.show()
        release = threading.Event()

        def held(line: Line) -> None:
            release.wait(20)
            line.send(slow_servers.JSON + b"Connection: close\r\nContent-Length: 30\r\n\r\n")
            line.send(b'{"data":{"id":"1","type":"x"}}')

        server.api = held
        calls = [asyncio.ensure_future(sdk.marketplace.show()) for sdk in (one, other)]
        await until_async(lambda: len(server.paths) == 6)
        await one.aclose()
        with pytest.raises(ConnectionError, match="closed"):
            await asyncio.wait_for(calls[0], 5)
        assert not calls[1].done()
        release.set()
        assert (await calls[1]).status == 200
        await other.aclose()

    with listening() as server:
        asyncio.run(main(server))


@both
def test_idle_connections_are_closed_without_a_call(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "KEEP_IDLE", IDLE)
    with listening() as server:
        if kind == "sync":
            with sync(server) as sdk:
                sdk.marketplace.show()
                assert server.connections == 2
                until(lambda: not open_connections())
                assert sdk.marketplace.show().status == 200
                assert server.connections == 3
            return

        async def main() -> None:
            async with in_loop(server) as sdk:
                await sdk.marketplace.show()
                assert server.connections == 2
                await until_async(lambda: not open_connections())
                assert (await sdk.marketplace.show()).status == 200
                assert server.connections == 3

        asyncio.run(main())


def test_the_timer_for_idle_ones_keeps_no_loop_alive() -> None:
    with listening() as server:

        async def main() -> None:
            await in_loop_sdk.marketplace.show()

        in_loop_sdk = in_loop(server)
        began = time.monotonic()
        asyncio.run(main())
        assert time.monotonic() - began < clients.KEEP_IDLE
        assert not shared()
        asyncio.run(in_loop_sdk.aclose())


def test_what_differs_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers, sync and async, and each set of TLS and proxy variables."""
    with listening() as server, listening() as second:
        made = [sync(server), sync(second)]
        for sdk in made:
            sdk.marketplace.show()
        assert len(shared()) == 2
        for sdk in made:
            sdk.close()
    https = "https://127.0.0.1:9"
    changes = ["HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE"]
    values = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "x", "SSL_CERT_FILE": ""}
    for name in (*changes, "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    options = []
    for name in changes:
        options.append(options_for(https, trust_env=True))
        monkeypatch.setenv(name, values[name])
    options.append(options_for(https, trust_env=True))
    options.append(options_for(https, trust_env=False))
    # An empty variable is none.
    assert len(set(options)) == 4
    assert "127.0.0.1" not in repr(options)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts in /proc")
def test_races_of_calls_and_a_close_leave_no_descriptor() -> None:
    with listening() as server:
        since = Since()
        with ThreadPoolExecutor(6) as pool:
            for turn in range(30):
                sdk = sync(server)
                calls = [pool.submit(sdk.marketplace.show) for _ in range(6)]
                time.sleep(turn * 0.0005)  # the moment
                sdk.close()
                for call in calls:
                    error = call.exception(20)
                    assert error is None or isinstance(error, SessionClosedError)
                assert not shared()
        del sdk, calls
        # No garbage collection: a connection that only that closes is lost to whoever waits for it.
        wait_until(lambda: not since.files("socket:"))


def test_many_loops_at_once() -> None:
    """Each has connections of its own, and closes them at its end."""
    with listening() as server:

        async def main() -> int:
            async with in_loop(server) as sdk:
                answers = await asyncio.gather(*(sdk.marketplace.show() for _ in range(3)))
                return len({answer.status for answer in answers})

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(lambda _: asyncio.run(main()), range(12))) == [1] * 12
        gc.collect()


@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")  # by the loop's owner
def test_a_loop_that_was_closed_without_a_word() -> None:
    with listening() as server:
        loop = asyncio.new_event_loop()
        sdk = in_loop(server)
        loop.run_until_complete(sdk.marketplace.show())
        (lost,) = shared()
        sockets = [each.get_extra_info("socket") for each in lost.backend.open]
        loop.close()
        other = in_loop(server, "other")

        async def main() -> None:
            assert (await other.marketplace.show()).status == 200
            assert lost not in shared()
            assert [each.fileno() for each in sockets] == [-1] * len(sockets)
            assert (await sdk.marketplace.show()).status == 200
            await other.aclose()
            await sdk.aclose()

        asyncio.run(main())
        gc.collect()  # the transports of the closed loop, which warn


FORK = """
import ctypes, json, os, sys, warnings
from flex_integration_sdk import create_instance
from flex_integration_sdk._transport import clients
warnings.simplefilter("ignore", DeprecationWarning)
made = [create_instance(f"c-{n}", "s", base_url=sys.argv[1]) for n in range(3)]
for sdk in made:
    sdk.marketplace.show()
child = ctypes.PyDLL(None).fork() if sys.argv[2] == "c" else os.fork()
statuses = [sdk.marketplace.show().status for sdk in made]
mine = list(clients._registry.get().values())
assert len(mine) == 1, mine
if child == 0:
    made[0].close()
    made[1].marketplace.show()
    os._exit(0 if statuses == [200] * 3 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
statuses += [sdk.marketplace.show().status for sdk in made]
for sdk in made:
    sdk.close()
print(json.dumps(statuses))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("way", ["python", "c"])
def test_a_child_makes_its_own_and_the_parent_keeps_its_own(way: str) -> None:
    if way == "c" and not hasattr(ctypes, "PyDLL"):
        pytest.skip("no ctypes")
    with listening() as server:
        command = [sys.executable, "-W", "error", "-c", FORK, server.base_url, way]
        before, done = 0, None
        # A child that C forks never goes on if another thread waited for the interpreter's lock
        # just then: Python has prepared nothing. About one in a hundred on a busy machine.
        for _ in range(3 if way == "c" else 1):
            before = server.connections
            done = finished(command)
            if done is not None:
                break
        assert done is not None, "it hangs"
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == [200] * 6
        # Two of the parent, and one of the child, which has the tokens.
        assert server.connections - before == 3


def finished(command: list[str]) -> subprocess.CompletedProcess[str] | None:
    """A program's end; None if it hangs, with its children: they are ended."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as program:
        try:
            out, err = program.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            return None
    return subprocess.CompletedProcess(command, program.returncode, out, err)


def blocked(server: SlowServer) -> threading.Event:
    release = threading.Event()

    def api(line: Line) -> None:
        release.wait(20)
        line.send(slow_servers.JSON + b"Connection: close\r\nContent-Length: 30\r\n\r\n")
        line.send(b'{"data":{"id":"1","type":"x"}}')

    server.api = api
    return release


@both
def test_a_call_that_finds_all_connections_busy(kind: str) -> None:
    """Its own message after ``busy_timeout``; without one it waits for as long as it takes."""
    said = f"all {API_CONNECTIONS} connections to 127.0.0.1:.* were busy .* 0.2 s"
    with listening() as server:
        release = blocked(server)
        if kind == "sync":
            patient, other = sync(server), sync(server, busy_timeout=0.2)
            other.session.token()
            with ThreadPoolExecutor(20) as pool:
                calls = [pool.submit(patient.marketplace.show) for _ in range(20)]
                until(lambda: len(server.paths) == 2 + API_CONNECTIONS)
                with pytest.raises(TransportError, match=said) as caught:
                    other.marketplace.show()
                release.set()
                assert {call.result(20).status for call in calls} == {200}
            patient.close()
            other.close()
        else:

            async def main() -> Any:
                async with in_loop(server) as patient, in_loop(server, busy_timeout=0.2) as other:
                    await other.session.token()
                    calls = [asyncio.ensure_future(patient.marketplace.show()) for _ in range(20)]
                    await until_async(lambda: len(server.paths) == 2 + API_CONNECTIONS)
                    with pytest.raises(TransportError, match=said) as caught:
                        await other.marketplace.show()
                    release.set()
                    assert {answer.status for answer in await asyncio.gather(*calls)} == {200}
                    return caught

            caught = asyncio.run(main())
        assert (caught.value.sent, caught.value.reason) == (False, "transient")


@both
def test_closing_ends_calls_that_wait_for_a_connection(kind: str) -> None:
    with listening() as server:
        release = blocked(server)
        if kind == "sync":
            busy, waiting = sync(server, "busy"), sync(server, "waiting")
            waiting.session.token()
            with ThreadPoolExecutor(12) as pool:
                calls = [pool.submit(busy.marketplace.show) for _ in range(API_CONNECTIONS)]
                until(lambda: len(server.paths) == 2 + API_CONNECTIONS)
                late = pool.submit(waiting.marketplace.show)
                until(lambda: any(each.slots.calls for each in shared()))
                waiting.close()
                with pytest.raises(SessionClosedError):
                    late.result(5)
                release.set()
                assert {call.result(20).status for call in calls} == {200}
            busy.close()
            return

        async def main() -> None:
            async with in_loop(server, "busy") as busy, in_loop(server, "waiting") as waiting:
                await waiting.session.token()
                calls = [
                    asyncio.ensure_future(busy.marketplace.show()) for _ in range(API_CONNECTIONS)
                ]
                await until_async(lambda: len(server.paths) == 2 + API_CONNECTIONS)
                late = asyncio.ensure_future(waiting.marketplace.show())
                await until_async(lambda: any(each.slots.calls for each in shared()))
                await waiting.aclose()
                with pytest.raises(SessionClosedError):
                    await asyncio.wait_for(late, 5)
                release.set()
                assert {answer.status for answer in await asyncio.gather(*calls)} == {200}

        asyncio.run(main())


@both
def test_token_requests_do_not_wait_for_api_calls(kind: str) -> None:
    with listening() as server:
        release = blocked(server)
        if kind == "sync":
            busy, fresh = sync(server, "busy"), sync(server, "fresh")
            with ThreadPoolExecutor(20) as pool:
                calls = [pool.submit(busy.marketplace.show) for _ in range(20)]
                until(lambda: len(server.paths) == 1 + API_CONNECTIONS)
                assert fresh.session.token()
                release.set()
                assert {call.result(20).status for call in calls} == {200}
            busy.close()
            fresh.close()
            return

        async def main() -> None:
            async with in_loop(server, "busy") as busy, in_loop(server, "fresh") as fresh:
                calls = [asyncio.ensure_future(busy.marketplace.show()) for _ in range(20)]
                await until_async(lambda: len(server.paths) == 1 + API_CONNECTIONS)
                assert await asyncio.wait_for(fresh.session.token(), 10)
                release.set()
                await asyncio.gather(*calls)

        asyncio.run(main())


@pytest.mark.slow
def test_a_storm_of_token_requests_is_longer_than_their_limit() -> None:
    """100 clients sign in at once, ten at a time; none fails, though the last waits too long."""
    limit, gauge = 0.6, Gauge(0.1, slow_servers.TOKEN)

    async def main(server: SlowServer) -> None:
        made = [in_loop(server, f"c-{number}", request_timeout=limit) for number in range(100)]
        began = time.monotonic()
        answers = await asyncio.gather(*(sdk.marketplace.show() for sdk in made))
        assert time.monotonic() - began > limit
        assert {answer.status for answer in answers} == {200}
        for sdk in made:
            await sdk.aclose()

    with listening() as server:
        server.token = gauge
        asyncio.run(main(server))
        assert gauge.most <= CONNECTIONS


def test_a_request_that_is_gone_keeps_no_connection() -> None:
    """An exception can strike before it could give it back."""
    slot, lost = Slot(), Watch(1.0, None)
    assert slot.claim(lost)
    assert not slot.claim(Watch(1.0, None))
    del lost
    winners = []

    def claim() -> None:
        me = Watch(1.0, None)
        if slot.claim(me):
            winners.append(me)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1
    assert slot.held_by(winners[0])


def test_the_wait_is_in_the_order_of_arrival_and_tokens_go_first() -> None:
    from flex_integration_sdk._transport.closing import Closing

    slots, closing = Slots(), Closing()
    holders = [Watch(1.0, None, token=True) for _ in range(CONNECTIONS)]
    for holder in holders:
        assert slots.take(holder)
    order: list[str] = []

    def wait(name: str, *, token: bool) -> threading.Thread:
        def work() -> None:
            watch = Watch(1.0, None, token=token)
            slots.wait(watch, None, closing)
            order.append(name)
            slots.give_back(watch)

        thread = threading.Thread(target=work)
        thread.start()
        return thread

    threads = []
    for name, token in (("call 1", False), ("call 2", False), ("token 1", True)):
        waiting = len(slots.calls) + len(slots.tokens)
        threads.append(wait(name, token=token))
        while len(slots.calls) + len(slots.tokens) == waiting:
            time.sleep(0.001)
    with pytest.raises(Busy):
        slots.wait(Watch(1.0, None), 0.05, closing)
    slots.give_back(holders[-1])
    for thread in threads:
        thread.join(20)
    assert order == ["token 1", "call 1", "call 2"]


@pytest.mark.parametrize("store", ["memory", "file"])
def test_the_first_call_does_not_block_its_loop(store: str, tmp_path: Path) -> None:
    """In a program that has imported nothing yet; blockbuster raises at what blocks."""
    with listening() as server:
        done = subprocess.run(
            [sys.executable, "-c", BLOCKBUSTER, server.base_url, store],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)},
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == ["200", "TransportError"]


BLOCKBUSTER = """
import asyncio, sys
from blockbuster import blockbuster_ctx
from flex_integration_sdk import create_async_instance

async def main():
    with blockbuster_ctx() as found:
        # Whether there is a config file, which is local, is looked at when the instance is made.
        found.functions["os.stat"].can_block_in("_settings/config_file.py", "read_config")
        options = {"token_store": sys.argv[2]}
        async with create_async_instance("c", "s", base_url=sys.argv[1], **options) as sdk:
            print((await sdk.marketplace.show()).status)
        try:  # TLS, its certificates and a look-up too
            async with create_async_instance("c", "s", base_url="https://flex.invalid") as sdk:
                await sdk.marketplace.show()
        except Exception as error:
            print(type(error).__name__)

asyncio.run(main())
"""


class Stop(BaseException):
    """As KeyboardInterrupt, which pytest would take for its own."""


def struck(moment: int, call: Callable[[], object]) -> bool:
    """Raises at that line of ours within ``call``; False if it has fewer."""
    lines = 0

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal lines
        if "flex_integration_sdk" not in frame.f_code.co_filename:
            return trace
        lines += event == "line"
        if lines == moment:
            sys.settrace(None)
            lines += 1
            raise Stop
        return trace

    sys.settrace(trace)
    try:
        call()
    except Stop:
        return True
    finally:
        sys.settrace(None)
    return False


def strikes(step: int, call: Callable[[], object]) -> int:
    """At each such line until the call has fewer; returns how many lines it has, about."""
    moment = 1
    while struck(moment, call):
        moment += step
    return moment


# What the HTTP library had opened at that line, if it lost it.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_an_exception_at_any_line_costs_the_others_no_connection(step: int) -> None:
    with listening() as server, sync(server, "one") as sdk, sync(server, "other") as other:
        sdk.marketplace.show()
        other.marketplace.show()
        # In a thread of its own: a tracer that raises within an ``except`` can leave its thread in
        # that state, and what other tests raise there would have the exception as its context.
        with ThreadPoolExecutor(1) as thread:
            moment = thread.submit(strikes, step, sdk.marketplace.show).result()
        assert moment > 150
        assert other.marketplace.show().status == 200
        gc.collect()
        (mine,) = shared()
        watches = [Watch(1.0, None, token=True) for _ in range(CONNECTIONS)]
        assert all(mine.slots.take(watch) for watch in watches)
        for watch in watches:
            mine.slots.give_back(watch)
        deadline.watchdog().watches.clear()  # of requests that could not take leave
