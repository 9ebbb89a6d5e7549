"""Many real processes on one token, and processes that are killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from flex_tokenstore import Token
from redis_support import KEY, redis_config
from tests.servers.valkey import Valkey, wait_until
from tests.support.handles import opener, token

pytestmark = pytest.mark.slow  # the default suite has the same kinds on files

# Each child is either kind of program; it waits for a line, so that all start at the same moment.
PRELUDE = """
import asyncio, json, os, sys, time
sys.path[:0] = json.loads(sys.argv[1])
from redis_support import redis_config
from tests.support.handles import IDENTITY, open_handle, token
from flex_tokenstore import Token, TokenConflictError
url, number = sys.argv[2], int(sys.argv[3])
store = open_handle("async" if number % 2 else "sync", redis_config(url))
print("ready", flush=True)
sys.stdin.readline()
"""

COUNTER = """
for turn in range(15):
    while True:
        old = store.get_token()
        new = {**old.to_dict(), "count": old.to_dict()["count"] + 1}
        new["access_token"] = f"{number}-{turn}"  # each one has a revision of its own
        try:
            store.set_token(Token(new), old.revision)
            break
        except TokenConflictError:
            pass
store.close()
"""

# Without compare-and-set: only the lock keeps the updates.
LOCKER = """
for turn in range(10):
    with store.token_lock(100, 60):
        old = store.get_token()
        new = {**old.to_dict(), "count": old.to_dict()["count"] + 1}
        store.set_token(Token({**new, "access_token": f"{number}-{turn}"}))
store.close()
"""

HOLDER = """
manager = store.token_lock(0, float(sys.argv[4]))  # kept: one that is dropped is left
manager.__enter__()
print("held", flush=True)
time.sleep(600)
"""


@contextmanager
def children(
    server: Valkey, code: str, count: int, *more: str
) -> Iterator[list[subprocess.Popen[str]]]:
    """Children that are ready, and were told to go on."""
    folder = Path(__file__).parent
    here = json.dumps([str(folder), str(folder.parents[2])])
    with ExitStack() as stack:
        started = []
        for number in range(count):
            command = [sys.executable, "-c", PRELUDE + code, here, server.url, str(number), *more]
            child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.enter_context(child)
            stack.callback(child.kill)
            started.append(child)
        for child in started:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in started:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        yield started


@pytest.mark.parametrize("code", [COUNTER, LOCKER], ids=["compare-and-set", "lock"])
def test_no_update_of_eight_processes_is_lost(valkey_server: Valkey, code: str) -> None:
    with opener("sync") as within:
        store = within(redis_config(valkey_server.url))
        store.set_token(Token({**token("first").to_dict(), "count": 0}))
        with children(valkey_server, code, 8) as started:
            assert [child.wait(100) for child in started] == [0] * 8
        kept = store.get_token()
    assert kept is not None
    assert kept.to_dict()["count"] == 8 * (15 if code == COUNTER else 10)


def test_the_lock_of_a_killed_holder_falls_free_at_the_end_of_its_lease(
    valkey_server: Valkey,
) -> None:
    with opener("sync") as within, children(valkey_server, HOLDER, 1, "1.5") as (holder,):
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        holder.wait()
        assert 0 < int(valkey_server.run("PTTL", f"{KEY}:lock")) <= 1500
        with within(redis_config(valkey_server.url)).token_lock(60, 5):
            pass


def test_a_killed_waiter_does_not_take_the_wake_up_of_another(valkey_server: Valkey) -> None:
    waiter = "manager = store.token_lock(300, 60); manager.__enter__(); os._exit(0)"
    with opener("sync") as within:
        manager = within(redis_config(valkey_server.url)).token_lock(0, 300)
        manager.__enter__()
        with children(valkey_server, waiter, 2) as (victim, survivor):
            wait_until(lambda: _blocked(valkey_server) == 2, 60)
            victim.kill()
            victim.wait()
            manager.__exit__(None, None, None)
            assert survivor.wait(60) == 0


def _blocked(server: Valkey) -> int:
    return int(server.run("INFO", "clients")["blocked_clients"])
