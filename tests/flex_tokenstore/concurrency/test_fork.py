"""Stores and sessions in a forked child, and in the parent that goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

WAIT = 60.0  # seconds; reached by a failure alone

PROGRAM = """
import asyncio, os, signal, sys, threading, warnings
from flex_tokenstore import (
    AsyncTokenSession, TokenSession, open_async_store, open_store
)
from flex_tokenstore._session.flow import refusals
from tests.support.fakes import IDENTITY, AsyncServer, DictStore, Server, stored
from tests.flex_tokenstore.concurrency.test_loops_and_threads import AsyncStore
warnings.simplefilter("ignore", DeprecationWarning)  # a fork of a program with threads

def end_of(child):
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == 0, code

def fork():
    child = os.fork()
    if child == 0:
        signal.alarm(20)
    return child
"""

# Both end as programs do: a loop that is left running, or closed twice, would show.
ASYNC_STORE = """
server, own = Server(), AsyncStore()
own.token = stored(server, age=4000)
session = TokenSession(open_store(own, IDENTITY, host_lock="off"), server)
first = session.token()
child = fork()
for _ in range(3):
    assert session.peek() is not None
    refusals.refuse(session._state, session.token(), "adopted", 0.0, 0.0)
    assert session.token().digest != first.digest
if child:
    end_of(child)
    for _ in range(3):
        assert session.peek() is not None
session.close()
"""

ASYNC_STORE_THREADS = """
own = AsyncStore()
store = open_store(own, IDENTITY, host_lock="off")
store.get_token()
child = fork()
own.threads.clear()
threads = [threading.Thread(target=store.get_token) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(own.threads) == 1
if child:
    end_of(child)
store.close()
"""

ASYNC_HANDLE = """
async def read(own, store):
    return await asyncio.gather(*(store.get_token() for _ in range(8)))
async def opened(own):
    return await open_async_store(own, IDENTITY, host_lock="off")
own = DictStore()
store = asyncio.run(opened(own))
asyncio.run(read(own, store))
child = fork()
asyncio.run(read(own, store))
if child:
    end_of(child)
asyncio.run(store.aclose())
"""

MEMORY_LOCK_HELD = """
server = Server()
holding, leave = threading.Event(), threading.Event()
session = TokenSession(open_store("memory", IDENTITY), server, lock_timeout=3)
old = session.token()
def hold():
    with session.store.token_lock(0, 30):
        holding.set()
        leave.wait(30)
holder = threading.Thread(target=hold)
holder.start()
holding.wait()
child = fork()
if child == 0:
    refusals.refuse(session._state, old, "adopted", 0.0, 0.0)
    assert session.token().digest != old.digest
    assert session.saved
    os._exit(0)
end_of(child)
leave.set()
holder.join()
session.close()
"""

# As uWSGI forks: in C, where no hook of Python's is run. PyDLL keeps the interpreter's lock.
MEMORY_LOCK_HELD_WITHOUT_HOOKS = """
import ctypes
def fork():
    child = ctypes.PyDLL(None).fork()
    if child == 0:
        signal.alarm(20)
    return child
store = open_store("memory", IDENTITY)
def hold():
    with store.token_lock(0, 30):
        holding.set()
        leave.wait(30)
holding, leave = threading.Event(), threading.Event()
holder = threading.Thread(target=hold)
holder.start()
holding.wait()
child = fork()
if child == 0:
    with store.token_lock(0, 30):
        store.remove_token()
    os._exit(0)
end_of(child)
leave.set()
holder.join()
store.close()
"""

GATE_HELD = """
server, own = Server(), DictStore()
own.token = stored(server, age=4000)
asked, answer = threading.Event(), threading.Event()
def before():
    asked.set()
    answer.wait(30)
server.before = before
session = TokenSession(open_store(own, IDENTITY, host_lock="off"), server)
caller = threading.Thread(target=session.token)
caller.start()
asked.wait()
child = fork()
if child == 0:
    answer.set()
    session.token()
    session.close()
    os._exit(0)
end_of(child)
answer.set()
caller.join()
session.close()
"""


ASYNC_SESSION = """
server, own = Server(), DictStore()
own.token = stored(server, age=4000)
async def refresh(session):
    old = await session.token()
    refusals.refuse(session._state, old, "adopted", 0.0, 0.0)
    assert (await session.token()).digest != old.digest
async def main():
    opened = await open_async_store(own, IDENTITY, host_lock="off")
    session = AsyncTokenSession(opened, AsyncServer(server))
    await session.token()
    child = fork()
    if child == 0:
        # The parent's loop is not closed, and never runs here.
        code = 1
        try:
            asyncio.events._set_running_loop(None)
            asyncio.run(refresh(session))
            code = 0
        finally:
            os._exit(code)
    end_of(child)
    await refresh(session)
    await session.aclose()
asyncio.run(main())
"""


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "program",
    [
        ASYNC_STORE,
        ASYNC_STORE_THREADS,
        ASYNC_HANDLE,
        ASYNC_SESSION,
        MEMORY_LOCK_HELD,
        MEMORY_LOCK_HELD_WITHOUT_HOOKS,
        GATE_HELD,
    ],
)
def test_after_a_fork(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM + program],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=WAIT,
    )
    assert (done.returncode, done.stderr) == (0, "")
