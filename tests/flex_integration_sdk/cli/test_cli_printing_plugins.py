"""A plugin that prints: what a program reads on standard output is the command's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flex_integration_sdk.sandbox import RunningSandbox, serve
from tests.support.plugins import GOOD, install

NOISY = (
    "import atexit, os, sys, subprocess\n"
    "print('at import')\n"
    "os.write(1, b'past Python\\n')\n"
    "subprocess.run([sys.executable, '-c', 'print(\"a child\")'])\n"
    "atexit.register(print, 'at exit')\n"
    + GOOD.replace(
        "self.token = None\n\n    @hookimpl\n    def get",
        "print('in __init__')\n        self.token = None\n\n    @hookimpl\n    def get",
    )
    + "\n    @hookimpl\n    def close(self):\n        print('in close')\n"
)
COMMANDS = {
    "list": ("stores", "list", "--check", "--json"),
    "show": ("stores", "show", "noisy", "--json"),
    "token show": ("token", "show", "--json"),
    "call": ("call", "marketplace.show"),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


@pytest.mark.sample(2)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_plugin_that_prints_does_not_break_the_json(
    command: str, tmp_path: Path, sandbox: RunningSandbox
) -> None:
    install(tmp_path, "noisy-store", "noisy = noisy_store:Store", noisy_store=NOISY)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FLEX_")},
        "PYTHONPATH": str(tmp_path),
        "HOME": str(tmp_path),
        "FLEX_INTEGRATION_TOKEN_STORE": "noisy",
        "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
    }
    done = subprocess.run(
        [sys.executable, "-m", "flex_integration_sdk.cli", *COMMANDS[command]],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    for said in ("at import", "past Python", "a child", "at exit"):
        assert said in done.stderr
    if command in ("token show", "call"):
        assert "in __init__" in done.stderr
        assert "in close" in done.stderr
