"""What a Python lacks is told in one message. Each lack is simulated: by a module or name that is
taken away, as PyPy, Pyodide and WASI are not at hand."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from flex_tokenstore import StoreLoadError
from flex_tokenstore._host.platform import check_files, check_modules

PROGRAM = """
import os, sys, _thread, threading
{lack}
from flex_integration_sdk import create_instance
from flex_integration_sdk.errors import TransportError
from flex_tokenstore import StoreLoadError
try:
    with create_instance("x", "y", base_url="http://127.0.0.1:9", token_store={store!r}) as sdk:
        sdk.marketplace.show()
except TransportError:
    print("used")
except StoreLoadError as error:
    print(error)
"""
NO_THREADS = """
def refuse(*arguments, **named):
    raise RuntimeError("can't start new thread")
_thread.start_new_thread = threading._start_new_thread = refuse
"""
NO_FORK = """
for name in ("fork", "register_at_fork"):
    vars(os).pop(name, None)
"""


def run(lack: str, store: str) -> str:
    source = PROGRAM.format(lack=lack, store=store)
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.skipif(os.name == "nt", reason="fcntl is of POSIX")
def test_without_file_locks_the_file_store_says_so_and_memory_works() -> None:
    said = run("sys.modules['fcntl'] = None", "file")
    assert "token store 'file' of flex-integration-sdk cannot be loaded" in said
    assert "does not have the module fcntl. Choose the token store 'memory'" in said
    assert "Supported is CPython" in said
    assert run("sys.modules['fcntl'] = None", "memory") == "used"


def test_without_msgspec_nothing_is_begun() -> None:
    said = run("sys.modules['msgspec'] = None", "memory")
    assert "flex-integration-sdk needs msgspec, which this Python (cpython on" in said
    assert "PyPy and Pyodide are not" in said


@pytest.mark.parametrize("lack", [NO_THREADS, NO_FORK], ids=["no threads", "no fork"])
def test_what_can_be_done_without(lack: str) -> None:
    assert run(lack, "file") == "used"


@pytest.mark.skipif(os.name == "nt", reason="user ids are of POSIX")
@pytest.mark.parametrize("name", ["getuid", "geteuid", "fsync", "lstat"])
def test_a_missing_function_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_files()
    monkeypatch.delattr(os, name)
    with pytest.raises(StoreLoadError, match=rf"does not have os\.{name}\. Choose"):
        check_files()


def test_each_module_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flex_tokenstore._host.platform._checked", [])
    check_modules()
    monkeypatch.setattr("flex_tokenstore._host.platform._checked", [])
    monkeypatch.setattr("flex_tokenstore._host.platform._NEEDED", ("no_such_module", "pluggy"))
    with pytest.raises(StoreLoadError, match="needs no_such_module, which"):
        check_modules()
