"""Real servers for the tests, one module each; all on loopback, each with a folder of its own."""

from __future__ import annotations

import socket


def free_port(below: int = 65536) -> int:
    """A TCP port that nobody listens on now."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port < below:
            return port
