"""Real servers for the tests, one module each; all on loopback, each with a folder of its own."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_PREFIX = "flex-test-"
_PR_SET_PDEATHSIG = 1


def own_folder(server: str) -> Path:
    """A new temporary folder for a server; what killed test runs left is removed on the way."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*-*"):
        owner = left.name.split("-")[3]
        if owner.isdecimal() and not _is_alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{server}-{os.getpid()}-"))


def end_with_us() -> None:
    """In a server's process, before it is the server: it ends when the tests are killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return True


def free_port(below: int = 65536) -> int:
    """A TCP port that nobody listens on now."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port < below:
            return port


def stand_still(*pids: int) -> None:
    """Stops these processes (SIGSTOP); they do nothing any more when this returns."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    command = ["ps", "-L", "-o", "stat=", "-p", ",".join(map(str, pids))]
    deadline = time.monotonic() + 30
    while True:  # each thread stops by itself
        states = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        if all(state.startswith(("T", "Z")) for state in states.split()):
            return
        if time.monotonic() > deadline:
            raise TimeoutError("they do not stop")
        time.sleep(0.01)
