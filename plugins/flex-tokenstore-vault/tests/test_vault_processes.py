"""Many real processes on one token, processes that are killed, and the whole stack."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flex_tokenstore import Token
from tests.servers.openbao import OpenBao
from tests.support.handles import opener, token
from vault_support import LOCK, config

pytestmark = pytest.mark.slow  # the default suite has the same kinds on files

if TYPE_CHECKING:
    from flex_integration_sdk.sandbox import RunningSandbox

# Each child is either kind of program; it waits for a line, so that all start at the same moment.
PRELUDE = """
import json, os, sys, time
sys.path[:0] = json.loads(sys.argv[1])
from tests.support.handles import open_handle
from flex_tokenstore import Token, TokenConflictError
number = int(sys.argv[3])
store = open_handle("async" if number % 2 else "sync", json.loads(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
"""

COUNTER = """
for turn in range(8):
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
for turn in range(4):
    with store.token_lock(100, 60):
        old = store.get_token()
        new = {**old.to_dict(), "count": old.to_dict()["count"] + 1}
        store.set_token(Token({**new, "access_token": f"{number}-{turn}"}))
store.close()
"""

HOLDER = """
manager = store.token_lock(0, 1.5)  # kept: one that is dropped is left
manager.__enter__()
print("held", flush=True)
time.sleep(600)
"""

# A program of a user's, with four threads.
CALLER = """
import json, sys, threading
from flex_integration_sdk import create_instance
from flex_integration_sdk.errors import FlexError
from flex_tokenstore import TokenStoreError
with create_instance(**json.loads(sys.argv[2])) as sdk:
    sdk.marketplace.show()
    print("ready", flush=True)
    sys.stdin.readline()
    failed = []
    def call():
        try:
            sdk.marketplace.show()
        except BaseException as error:
            failed.append(error)
    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
for error in failed: print(repr(error), file=sys.stderr)
typed = all(isinstance(error, (FlexError, TokenStoreError)) for error in failed)
sys.exit((1 if typed else 3) if failed else 0)
"""


@contextmanager
def children(code: str, choice: Any, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Children that are ready, and were told to go on when the block is entered."""
    here = Path(__file__).parent
    path = json.dumps([str(here), str(here.parents[2])])
    with ExitStack() as stack:
        started = []
        for number in range(count):
            command = [sys.executable, "-c", code, path, json.dumps(choice), str(number)]
            child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.enter_context(child)
            stack.callback(child.kill)
            started.append(child)
        for child in started:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        yield started


def go(started: list[subprocess.Popen[str]]) -> None:
    for child in started:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()


@pytest.mark.parametrize("code", [COUNTER, LOCKER], ids=["compare-and-set", "lock"])
def test_no_update_of_several_processes_is_lost(openbao_server: OpenBao, code: str) -> None:
    choice = config(openbao_server)
    with opener("sync") as within:
        store = within(choice)
        store.set_token(Token({**token("first").to_dict(), "count": 0}))
        with children(PRELUDE + code, choice, 4) as started:
            go(started)
            assert [child.wait(100) for child in started] == [0] * 4
        kept = store.get_token()
    assert kept is not None
    assert kept.to_dict()["count"] == 4 * (8 if code == COUNTER else 4)


def test_the_lock_of_a_killed_holder_falls_free_at_the_end_of_its_lease(
    openbao_server: OpenBao,
) -> None:
    choice = config(openbao_server)
    with opener("sync") as within, children(PRELUDE + HOLDER, choice, 1) as (holder,):
        go([holder])
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        holder.wait()
        assert openbao_server.run("GET", LOCK)["data"]["data"]["holder"]
        with within(choice).token_lock(60, 5):
            pass


def program(sandbox: RunningSandbox, server: OpenBao, **options: Any) -> dict[str, Any]:
    """What a program gives to ``create_instance``."""
    return {
        "base_url": sandbox.base_url,
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "token_store": config(server, **options),
    }


def storm(sandbox: RunningSandbox, choice: Any, processes: int) -> dict[str, int]:
    """What went over the wire when all found an expired token at the same moment."""
    from flex_integration_sdk import create_instance

    with create_instance(**choice) as sdk:
        sdk.marketplace.show()
    with children(CALLER, choice, processes) as started:
        sandbox.expire()
        before = sandbox.stats()
        go(started)
        assert [child.wait(100) for child in started] == [0] * processes
    after = sandbox.stats()
    return {name: after[name] - before[name] for name in after}


def test_four_programs_with_an_expired_token_refresh_once(
    flex_sandbox: RunningSandbox, openbao_server: OpenBao
) -> None:
    sent = storm(flex_sandbox, program(flex_sandbox, openbao_server), 4)
    assert (sent["refresh_token"], sent["client_credentials"]) == (1, 0)
    assert flex_sandbox.stats()["client_credentials"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("round_", range(5))
def test_64_callers_in_16_processes_send_one_token_request(
    flex_sandbox: RunningSandbox, openbao_server: OpenBao, round_: int
) -> None:
    sent = storm(flex_sandbox, program(flex_sandbox, openbao_server), 16)
    assert (sent["refresh_token"], sent["client_credentials"]) == (1, 0)
    assert flex_sandbox.stats()["refresh_rejected"] == 0


@pytest.mark.slow
def test_a_server_that_is_restarted_in_a_storm_costs_no_second_sign_in(
    flex_sandbox: RunningSandbox, durable_openbao: OpenBao
) -> None:
    """Nobody gets an error that is not typed; then all go on."""
    from flex_integration_sdk import create_instance

    choice = program(flex_sandbox, durable_openbao, prefix="restarted")
    with create_instance(**choice) as sdk:
        sdk.marketplace.show()
    with children(CALLER, choice, 8) as started:
        flex_sandbox.expire()
        durable_openbao.kill()
        go(started)
        durable_openbao.restart()
        assert {child.wait(100) for child in started} <= {0, 1}
    with create_instance(**choice) as sdk:
        sdk.marketplace.show()
    stats = flex_sandbox.stats()
    assert stats["client_credentials"] == 1
    assert stats["refresh_token"] <= 1
    assert stats["refresh_rejected"] == 0


def test_an_asyncio_program_uses_what_a_sync_one_stored(
    flex_sandbox: RunningSandbox, openbao_server: OpenBao
) -> None:
    from flex_integration_sdk import create_async_instance, create_instance

    choice = program(flex_sandbox, openbao_server)

    async def main() -> None:
        async with create_async_instance(**choice) as sdk:
            await asyncio.gather(*(sdk.marketplace.show() for _ in range(10)))

    with create_instance(**choice) as sdk:
        sdk.marketplace.show()
    asyncio.run(main())
    assert flex_sandbox.stats()["client_credentials"] == 1


@pytest.mark.parametrize("name", ["vault", "vault-kv1"])
def test_it_works_by_name_from_the_environment_alone(
    flex_sandbox: RunningSandbox,
    openbao_server: OpenBao,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    from flex_integration_sdk import create_instance

    for variable, value in {
        "FLEX_INTEGRATION_BASE_URL": flex_sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": flex_sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": flex_sandbox.client_secret,
        "FLEX_INTEGRATION_TOKEN_STORE": name,
        "FLEX_INTEGRATION_TOKEN_STORE__MOUNT": "secret" if name == "vault" else "kv1",
        "VAULT_ADDR": openbao_server.url,
        "VAULT_TOKEN": openbao_server.root_token,
    }.items():
        monkeypatch.setenv(variable, value)
    for _ in range(2):
        with create_instance() as sdk:
            sdk.marketplace.show()
    assert flex_sandbox.stats()["client_credentials"] == 1
