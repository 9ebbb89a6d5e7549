"""Real servers for the tests, one module each; all on loopback, each with a folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time


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
