"""Many real processes on one token, and processes that are killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from flex_tokenstore import Token, TokenLockTimeoutError
from sql_support import Database, sql_config
from tests.support.handles import opener, token

pytestmark = pytest.mark.slow  # the default suite has the same kinds on files

# Each child is either kind of program; it waits for a line, so that all start at the same moment.
PRELUDE = """
import json, sys, time
sys.path[:0] = json.loads(sys.argv[1])
from sql_support import sql_config
from tests.support.handles import open_handle
from flex_tokenstore import Token, TokenConflictError
url, number = sys.argv[2], int(sys.argv[3])
store = open_handle("async" if number % 2 else "sync", sql_config(url, timeout=60))
print("ready", flush=True)
sys.stdin.readline()
"""

pytest_plugins = ["sql_fixtures"]

COUNTER = """
for turn in range(10):
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
for turn in range(5):
    with store.token_lock(100, 60):
        old = store.get_token()
        new = {**old.to_dict(), "count": old.to_dict()["count"] + 1}
        store.set_token(Token({**new, "access_token": f"{number}-{turn}"}))
store.close()
"""

FIRST = "assert store.get_token() is None; store.close()"

HOLDER = """
manager = store.token_lock(0, 2)  # kept: one that is dropped is left
manager.__enter__()
print("held", flush=True)
time.sleep(600)
"""

# Its child has a copy of whatever it had open, and ends when the test closes its input.
HOLDER_WITH_A_CHILD = HOLDER.replace(
    'print("held"', 'import os; os.fork() or os._exit(len(sys.stdin.read())); print("held"'
)


@contextmanager
def children(database: Database, code: str, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Children that are ready, and were told to go on."""
    folder = Path(__file__).parent
    here = json.dumps([str(folder), str(folder.parents[2])])
    with ExitStack() as stack:
        started = []
        for number in range(count):
            command = [sys.executable, "-c", PRELUDE + code, here, database.url, str(number)]
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


@pytest.mark.slow
@pytest.mark.parametrize("code", [COUNTER, LOCKER], ids=["compare-and-set", "lock"])
def test_no_update_of_eight_processes_is_lost(database: Database, code: str) -> None:
    with opener("sync") as within:
        store = within(sql_config(database.url))
        store.set_token(Token({**token("first").to_dict(), "count": 0}))
        with children(database, code, 8) as started:
            assert [child.wait(100) for child in started] == [0] * 8
        kept = store.get_token()
    assert kept is not None
    assert kept.to_dict()["count"] == 8 * (10 if code == COUNTER else 5)


@pytest.mark.slow
def test_eight_processes_make_the_table_once(database: Database) -> None:
    with children(database, FIRST, 8) as started:
        assert [child.wait(100) for child in started] == [0] * 8
    assert database.rows() == {}


@pytest.mark.each_value
@pytest.mark.parametrize("code", [HOLDER, HOLDER_WITH_A_CHILD], ids=["alone", "with a child"])
def test_the_lock_of_a_killed_holder_is_free(database: Database, code: str) -> None:
    if code == HOLDER_WITH_A_CHILD and not hasattr(os, "fork"):
        pytest.skip("needs os.fork")
    with opener("sync") as within, children(database, code, 1) as (holder,):
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        store = within(sql_config(database.url))
        with pytest.raises(TokenLockTimeoutError), store.token_lock(0, 5):
            pass
        holder.kill()
        holder.wait()
        # On a server, when its lease ends: a holder that died is like one whose connection did.
        with store.token_lock(60, 5):
            pass
