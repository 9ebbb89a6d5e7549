"""Instances of a module, which nobody closes: quiet at the program's end, and loud if forgotten."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance

HEAD = """
import asyncio, atexit, os, sys, threading, time
from flex_integration_sdk import create_async_instance, create_instance, file_store

class Store:
    # Of the user's own; says when it is closed.
    token = None
    def __init__(self, name): self.name = name
    def get_token(self): return self.token
    def set_token(self, token): self.token = token
    def remove_token(self): self.token = None
    def close(self): print("closed", self.name, file=sys.stdout, flush=True)

url, secret, folder = sys.argv[1:]
named = dict(client_id="x", client_secret=secret, base_url=url)
"""


def run(source: str, *arguments: str) -> list[str]:
    """What a program prints; warnings are errors there, and it must write nothing to stderr."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", HEAD + textwrap.dedent(source)]
    arguments = arguments or ("http://127.0.0.1:9", "y", "")
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]


def test_instances_of_a_module_that_made_no_call() -> None:
    said = run(
        """
        sync = create_instance(**named, token_store=Store("sync"))
        unused = create_async_instance(**named, token_store=Store("async"))
        """
    )
    assert said == ["closed sync"]


def test_instances_of_a_module_that_made_calls(flex_sandbox: Any, tmp_path: Path) -> None:
    said = run(
        """
        named["client_id"], folder = folder.split(" ", 1)
        sync = create_instance(**named, token_store=file_store(path=folder + "/a.json"))
        sync.marketplace.show()
        own = create_async_instance(**named, token_store=Store("own"))
        file = create_async_instance(**named, token_store=file_store(path=folder + "/b.json"))
        async def main():
            await own.marketplace.show()
            await file.marketplace.show()
        asyncio.run(main(), debug=False)  # which tells what is slow, on a machine that is busy
        atexit.register(lambda: print("last call", sync.marketplace.show().status, flush=True))
        """,
        flex_sandbox.base_url,
        flex_sandbox.client_secret,
        f"{flex_sandbox.client_id} {tmp_path}",
    )
    assert said == ["last call 200", "closed own"]


def test_a_daemon_thread_is_not_disturbed() -> None:
    said = run(
        """
        sdk = create_instance(**named, token_store=Store("sync"))
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        """
    )
    assert said == []


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork")
def test_a_forked_child_closes_what_it_used_and_not_what_its_parent_has() -> None:
    said = run(
        """
        ours = create_instance(**named, token_store=Store("the parent's"))
        used = create_instance(**named, token_store=Store("used by both"))
        if os.fork() == 0:
            used.auth_info()
            mine = create_instance(**named, token_store=Store("the child's"))
            sys.exit(0)
        os.wait()
        print("parent", flush=True)
        """
    )
    child, parent = said[: said.index("parent")], said[said.index("parent") + 1 :]
    assert sorted(child) == ["closed the child's", "closed used by both"]
    assert sorted(parent) == ["closed the parent's", "closed used by both"]


def test_a_child_of_multiprocessing_and_one_that_exits_at_once_are_quiet() -> None:
    said = run(
        """
        import multiprocessing
        ours = create_instance(**named, token_store=Store("the parent's"))
        if sys.platform != "win32":
            child = multiprocessing.get_context("fork").Process(target=ours.auth_info)
            child.start()
            child.join()
            if os.fork() == 0:
                os._exit(0)
            os.wait()
        print("parent", flush=True)
        """
    )
    assert said[-2:] == ["parent", "closed the parent's"]


def test_a_close_that_fails_is_logged() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-c"),
            HEAD + "Store.close = lambda self: {}['secret']\n"
            "sdk = create_instance(**named, token_store=Store('x'))\n",
            *("http://127.0.0.1:9", "y", ""),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert "not closed cleanly" in done.stderr
    assert "KeyError in close of class Store" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_that_is_forgotten_while_the_program_runs_still_warns() -> None:
    def forget(create: Any) -> None:
        create(client_id="x", client_secret="y")
        gc.collect()

    for create in (create_instance, create_async_instance):
        with pytest.warns(ResourceWarning, match="was not closed"):
            forget(create)
