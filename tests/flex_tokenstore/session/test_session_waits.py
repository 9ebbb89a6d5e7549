"""Interrupts while a token request is under way: its token is saved before anything is raised."""

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    Event,
    Token,
    TokenSession,
    open_async_store,
    open_store,
)
from flex_tokenstore._session.single_flight import Flight
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server, stored

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

WAIT = 60.0  # seconds; only reached by a failure

SETUP = """
import asyncio, os, signal, sys, threading, time, types
from flex_tokenstore import AsyncTokenSession, TokenSession, open_async_store, open_store
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server, stored
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.alarm(50)

class TimeLimit(Exception):
    pass

def strike(*_):
    raise TimeLimit

signal.signal(signal.SIGUSR1, strike)
asked = threading.Event()

def then(*steps):
    # Sends signals, once the request was sent: pairs of seconds to wait and what to send.
    def run():
        asked.wait(30)
        for seconds, number in steps:
            time.sleep(seconds)
            # As a terminal does: the kernel would give it to this very thread.
            signal.pthread_kill(threading.main_thread().ident, number)
    threading.Thread(target=run, daemon=True).start()

class Slow(Server):
    seconds = 1.0
    def refresh(self, refresh_token):
        found = super().refresh(refresh_token)  # decided on arrival: the old one is used up now
        asked.set()
        self.ended.wait(self.seconds)
        if self.ended.is_set():
            raise OSError("the connection was closed")
        return found
    ended = threading.Event()
    def abandon(self):
        self.ended.set()

class AsyncSlow(AsyncServer):
    seconds = 1.0
    async def refresh(self, refresh_token):
        found = Server.refresh(self.server, refresh_token)
        asked.set()
        await asyncio.sleep(self.seconds)
        return found

server, store = Slow(), DictStore()
store.token = stored(server, age=4000)

def keep_to_the_end(value):
    # In a module of its own: Python 3.12 leaves out __del__ of what ``__main__`` holds once an
    # event loop has run.
    module = sys.modules["kept_to_the_end"] = types.ModuleType("kept_to_the_end")
    module.value = value

def is_saved():
    assert store.token["refresh_token"] in server.live, server.calls
    assert server.calls == ["refresh"], server.calls

def sync_session():
    return TokenSession(open_store(store, IDENTITY, host_lock="off"), server, request_timeout=20)

async def async_session():
    opened = await open_async_store(store, IDENTITY, host_lock="off")
    return AsyncTokenSession(opened, AsyncSlow(server), request_timeout=20)
"""

TIME_LIMIT = """
then((0.2, signal.SIGUSR1))
session = sync_session()
try:
    session.token()
except TimeLimit:
    is_saved()
    os._exit(0)  # as a job's process ends
os._exit(9)
"""

TIME_LIMIT_WHILE_CLOSING = """
then((0.2, signal.SIGUSR1))
session = sync_session()
caller = threading.Thread(target=session.token, daemon=True)
caller.start()
asked.wait(20)
try:
    session.close()
except TimeLimit:
    is_saved()
    os._exit(0)
os._exit(9)
"""

NOTHING_SENT = """
session = sync_session()
began = time.monotonic()
reading, go_on = threading.Event(), threading.Event()
def read():
    reading.set()
    go_on.wait(20)
    return dict.copy(store.token)
store.get_token = read
session.store._binding.get_token = session.store._binding.get_token._replace(function=read)
threading.Thread(target=lambda: (reading.wait(20), os.kill(os.getpid(), signal.SIGUSR1))).start()
try:
    session.token()
except TimeLimit:
    assert time.monotonic() - began < 10
    go_on.set()
    session.close()
    assert server.calls == [], "nobody waits: nothing is sent"
    os._exit(0)
os._exit(9)
"""

CTRL_C = """
then((0.2, signal.SIGINT))
with sync_session() as session:
    try:
        session.token()
    except KeyboardInterrupt:
        is_saved()
        raise
"""

CTRL_C_BOUNCES = """
then((0.2, signal.SIGINT), (0.1, signal.SIGINT), (0.1, signal.SIGINT))
with sync_session() as session:
    try:
        session.token()
    except KeyboardInterrupt:
        is_saved()
        raise
"""

CTRL_C_TWICE = """
server.seconds = 40.0
then((0.2, signal.SIGINT), (1.2, signal.SIGINT))
with sync_session() as session:
    session.token()
"""

ASYNC_CTRL_C = """
then((0.2, signal.SIGINT))
async def main():
    async with await async_session() as session:
        await session.token()
try:
    asyncio.run(main())
finally:
    is_saved()
"""

ASYNC_CTRL_C_TWICE = """
AsyncSlow.seconds = 40.0
then((0.2, signal.SIGINT), (1.3, signal.SIGINT))
async def main():
    async with await async_session() as session:
        await session.token()
asyncio.run(main())
"""

ASYNC_CTRL_C_TWICE_UNCLOSED = """
AsyncSlow.seconds = 40.0
then((0.2, signal.SIGINT), (1.3, signal.SIGINT))
async def main():
    session = await async_session()
    await session.token()
asyncio.run(main())
"""

LOOP_ENDS = """
async def main():
    session = await async_session()
    caller = asyncio.create_task(session.token())
    await asyncio.to_thread(asked.wait, 20)
asyncio.run(main())
is_saved()
os._exit(0)
"""

LOOP_ENDS_CANCELLED_TWICE = """
async def main():
    session = await async_session()
    caller = asyncio.create_task(session.token())
    await asyncio.to_thread(asked.wait, 20)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
asyncio.run(main())
is_saved()
os._exit(0)
"""

DAEMON_CALLER = """
import atexit
session = sync_session()
threading.Thread(target=session.token, daemon=True).start()
asked.wait(20)
atexit.register(is_saved)
sys.exit(0)
"""

AT_THE_END = """
class Holder:
    def __init__(self):
        self.session = sync_session()
    def __del__(self):
        self.session.token()
        self.session.close()
        is_saved()
        print("done", file=sys.stderr, flush=True)
server.seconds = 0.0
keep_to_the_end(Holder())
"""

AN_ASYNC_STORE_AT_THE_END = """
class AsyncStore:
    async def get_token(self): return store.token
    async def set_token(self, token): store.token = token
    async def remove_token(self): store.token = None
class Holder:
    def __init__(self):
        opened = open_store(AsyncStore(), IDENTITY, host_lock="off")
        self.session = TokenSession(opened, server)
        self.session.peek()
    def __del__(self):
        self.session.token()
        self.session.close()
        is_saved()
        print("done", file=sys.stderr, flush=True)
server.seconds = 0.0
keep_to_the_end(Holder())
"""

ASKS = "finishing the token request, at most 20 s"
LOST = "may be lost"


@pytest.mark.sample(6)
@pytest.mark.parametrize(
    ("program", "code", "said", "not_said"),
    [
        pytest.param(TIME_LIMIT, 0, "", ASKS, id="time limit"),
        pytest.param(TIME_LIMIT_WHILE_CLOSING, 0, "", ASKS, id="time limit while closing"),
        pytest.param(NOTHING_SENT, 0, "", ASKS, id="nothing sent yet"),
        pytest.param(CTRL_C, -2, ASKS, LOST, id="Ctrl-C"),
        pytest.param(CTRL_C_BOUNCES, -2, ASKS, LOST, id="Ctrl-C bounces"),
        pytest.param(CTRL_C_TWICE, -2, LOST, "AssertionError", id="Ctrl-C twice"),
        pytest.param(ASYNC_CTRL_C, -2, ASKS, LOST, id="async Ctrl-C"),
        pytest.param(ASYNC_CTRL_C_TWICE, -2, LOST, "AssertionError", id="async Ctrl-C twice"),
        pytest.param(ASYNC_CTRL_C_TWICE_UNCLOSED, -2, ASKS, "Assert", id="async, unclosed, twice"),
        pytest.param(LOOP_ENDS, 0, "", ASKS, id="loop ends"),
        pytest.param(LOOP_ENDS_CANCELLED_TWICE, 0, "", ASKS, id="all cancelled twice"),
        pytest.param(DAEMON_CALLER, 0, "", "Error", id="daemon caller"),
        pytest.param(AT_THE_END, 0, "done", "Error", id="interpreter's end"),
        pytest.param(AN_ASYNC_STORE_AT_THE_END, 0, "done", "Error", id="async store at the end"),
    ],
)
def test_an_interrupt_loses_no_token(program: str, code: int, said: str, not_said: str) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", SETUP + program],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    ended = (code, 130) if code < 0 else (code,)
    assert done.returncode in ended, done.stderr
    assert said in done.stderr
    assert not_said not in done.stderr.replace("KeyboardInterrupt", ""), done.stderr
    assert time.monotonic() - began < 35, "it does not wait for a silent server"


def test_logs_and_callbacks_of_a_refresh_see_its_callers_context_variables() -> None:
    request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="none")
    seen: list[tuple[str, str]] = []
    server, store = Server(), DictStore()
    store.token = stored(server, age=4000)

    def note(event: Event) -> None:
        seen.append((event.name, request_id.get()))

    opened = open_store(store, IDENTITY, host_lock="off")
    with TokenSession(opened, server, on_event=note) as session:
        request_id.set("r-1")
        session.token()
    assert ("refreshed", "r-1") in seen
    assert {value for _, value in seen} == {"r-1"}


def test_the_thread_of_a_refresh_is_no_daemon_whatever_its_caller_is() -> None:
    daemons: list[bool] = []
    server, store = Server(), DictStore()
    store.token = stored(server, age=4000)
    server.before = lambda: daemons.append(threading.current_thread().daemon)
    with TokenSession(open_store(store, IDENTITY, host_lock="off"), server) as session:
        caller = threading.Thread(target=session.token, daemon=True)
        caller.start()
        caller.join(20)
    assert daemons == [False]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("method", ["give", "take_off"])
def test_an_exception_that_strikes_the_renewing_thread_leaves_nobody_waiting(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(Flight, method)
    struck: list[str] = []

    def strikes_once(flight: Flight, *given: Any) -> Any:
        if not struck and threading.current_thread().name == "flex-tokenstore-renewal":
            struck.append(method)
            raise MemoryError
        return real(flight, *given)

    monkeypatch.setattr(Flight, method, strikes_once)
    server, got = Server(), SimpleQueue[Any]()
    with TokenSession(open_store(DictStore(), IDENTITY), server) as session:
        threading.Thread(target=lambda: got.put(session.token()), daemon=True).start()
        assert isinstance(got.get(timeout=30), Token)
    assert struck == [method]


@pytest.mark.parametrize("method", ["give", "take_off"])
def test_an_exception_that_strikes_the_renewing_task_leaves_nobody_waiting(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(Flight, method)
    struck: list[str] = []

    def strikes_once(flight: Flight, *given: Any) -> Any:
        task = None if struck else asyncio.current_task()
        if task is not None and task.get_name() == "flex-tokenstore-request":
            struck.append(method)
            raise MemoryError
        return real(flight, *given)

    async def main() -> Token:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        store = await open_async_store(DictStore(), IDENTITY)
        async with AsyncTokenSession(store, AsyncServer(Server())) as session:
            return await asyncio.wait_for(session.token(), 30)

    monkeypatch.setattr(Flight, method, strikes_once)
    assert isinstance(asyncio.run(main()), Token)
    assert struck == [method]
