"""From the command line through the SDK to the server, and what went over the wire."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from redis_support import redis_config
from tests.servers.valkey import Valkey

if TYPE_CHECKING:
    from flex_integration_sdk.sandbox import RunningSandbox

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path, flex_sandbox: RunningSandbox, valkey_server: Valkey) -> Cli:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLEX_")}
    environment = {
        **kept,
        "HOME": str(tmp_path),
        "FLEX_INTEGRATION_BASE_URL": flex_sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": flex_sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": flex_sandbox.client_secret,
        "FLEX_INTEGRATION_TOKEN_STORE": "redis",
        "FLEX_INTEGRATION_TOKEN_STORE__URL": valkey_server.url,
    }

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flex_integration_sdk.cli", *arguments]
        return subprocess.run(
            command,
            env={**environment, **more},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return run


def test_two_programs_sign_in_once(cli: Cli, flex_sandbox: RunningSandbox) -> None:
    for _ in range(2):
        done = cli("call", "marketplace.show")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)
    stats = flex_sandbox.stats()
    assert (stats["client_credentials"], stats["refresh_token"], stats["api_calls"]) == (1, 0, 2)


@pytest.mark.slow
def test_eight_programs_with_an_expired_token_refresh_once(
    flex_sandbox: RunningSandbox, valkey_server: Valkey
) -> None:
    from flex_integration_sdk import create_instance

    choice: dict[str, Any] = {
        "base_url": flex_sandbox.base_url,
        "client_id": flex_sandbox.client_id,
        "client_secret": flex_sandbox.client_secret,
        "token_store": redis_config(valkey_server.url),
    }
    with create_instance(**choice) as sdk:
        sdk.marketplace.show()
    program = (
        "import json, sys\n"
        "from flex_integration_sdk import create_instance\n"
        "with create_instance(**json.loads(sys.argv[1])) as sdk:\n"
        "    sdk.auth_info()\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.readline()\n"
        "    sdk.marketplace.show()\n"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, json.dumps(choice)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        flex_sandbox.expire()
        before = flex_sandbox.stats()
        for child in children:
            child.communicate("go\n", timeout=100)
        assert [child.returncode for child in children] == [0] * 8
    finally:
        for child in children:
            child.kill()
            child.communicate()
    after = flex_sandbox.stats()
    assert after["refresh_token"] - before["refresh_token"] == 1
    assert after["client_credentials"] == 1
    assert after["refresh_rejected"] == 0


def test_an_asyncio_program_uses_what_a_sync_one_stored(
    flex_sandbox: RunningSandbox, valkey_server: Valkey
) -> None:
    from flex_integration_sdk import create_async_instance, create_instance

    choice: dict[str, Any] = {
        "base_url": flex_sandbox.base_url,
        "client_id": flex_sandbox.client_id,
        "client_secret": flex_sandbox.client_secret,
        "token_store": redis_config(valkey_server.url),
    }

    async def main() -> None:
        async with create_async_instance(**choice) as sdk:
            await asyncio.gather(*(sdk.marketplace.show() for _ in range(10)))

    with create_instance(**choice) as sdk:
        sdk.marketplace.show()
    asyncio.run(main())
    assert flex_sandbox.stats()["client_credentials"] == 1


@pytest.mark.slow
def test_token_show_and_remove(cli: Cli, valkey_server: Valkey) -> None:
    cli("call", "marketplace.show")
    shown = cli("token", "show", "--json")
    assert shown.returncode == 0, shown.stderr
    assert valkey_server.url in shown.stdout
    assert json.loads(valkey_server.run("GET", _key(valkey_server)))["access_token"] not in (
        shown.stdout
    )
    assert cli("token", "remove", "--yes").returncode == 0
    assert valkey_server.run("KEYS", "*[}]") == []


@pytest.mark.slow
def test_corrupt_content_costs_one_sign_in_and_is_kept(
    cli: Cli, valkey_server: Valkey, flex_sandbox: RunningSandbox
) -> None:
    cli("call", "marketplace.show")
    valkey_server.run("SET", _key(valkey_server), "broken")
    done = cli("call", "marketplace.show")
    assert done.returncode == 0, done.stderr
    assert flex_sandbox.stats()["client_credentials"] == 2
    (aside,) = valkey_server.run("KEYS", "*:corrupt-*")
    assert valkey_server.run("GET", aside) == b"broken"


def test_a_server_that_is_down_is_one_clear_line(cli: Cli, flex_sandbox: RunningSandbox) -> None:
    url = "redis://user:SENTINEL@127.0.0.1:1"
    done = cli("call", "marketplace.show", FLEX_INTEGRATION_TOKEN_STORE__URL=url)
    assert done.returncode == 1
    assert "redis://127.0.0.1:1/0" in done.stderr
    assert "SENTINEL" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert flex_sandbox.stats()["client_credentials"] == 0


def test_stores_list_shows_it_ok(cli: Cli) -> None:
    done = cli("stores", "list", "--check", "--json")
    assert done.returncode == 0, done.stderr
    (info,) = [info for info in json.loads(done.stdout) if info["name"] == "redis"]
    assert info["status"] == "ok"
    assert info["compare_and_set"]
    assert info["lock"]
    assert info["native_async"]


def _key(server: Valkey) -> str:
    (key,) = server.run("KEYS", "*[}]")
    return str(key.decode())
