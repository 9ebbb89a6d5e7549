"""``python -m benchmarks.tenants``: one process with an instance for each of 2,000 clients.

The server is a process of its own on loopback, over plain http. The figures are of this process:
its CPU time, memory, sockets and threads.
"""

from __future__ import annotations

import asyncio
import gc
import http.server
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from flex_integration_sdk import create_async_instance, create_instance

from ._common import keep, machine, table, verdict

SYNC, ASYNC = 2000, 1000
STORM_ANSWER = 0.1  # seconds that the token endpoint takes, in the storm
STORM_LIMIT = 5.0  # its request_timeout; ten at a time take four times as long
TOKEN = {"access_token": "a", "refresh_token": "r", "token_type": "bearer", "expires_in": 3600}


class Server(http.server.BaseHTTPRequestHandler):
    """Answers at once, and tokens after ``pause``."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    pause = 0.0

    def log_message(self, *_: Any) -> None:
        """Silent."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        time.sleep(self.pause)
        self._send(TOKEN)

    def do_GET(self) -> None:
        self._send({"data": {}})

    def _send(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        self.wfile.write(head.encode() + b"\r\n\r\n" + body)


def _serve(pause: float, port: Any) -> None:
    Server.pause = pause
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    port.put(server.server_port)
    server.serve_forever()


@contextmanager
def serving(pause: float = 0.0) -> Iterator[str]:
    """The base URL of a server in a process of its own."""
    context = multiprocessing.get_context("spawn")
    port = context.Queue()
    process = context.Process(target=_serve, args=(pause, port), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get(timeout=30)}"
    finally:
        process.terminate()
        process.join()


class Snap(NamedTuple):
    """The state of this process; ``memory`` in KB."""

    cpu: float
    memory: int
    sockets: int
    threads: int


def snap() -> Snap:
    """Now."""
    gc.collect()
    memory = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return Snap(time.process_time(), memory >> 10, _sockets(), threading.active_count())


def _sockets() -> int:
    count = 0
    for each in Path("/proc/self/fd").iterdir():
        try:
            count += str(each.readlink()).startswith("socket:")
        except OSError:  # the folder's own
            continue
    return count


def sync_instances(base_url: str) -> dict[str, float]:
    """2,000 sync instances with tokens in memory, each with one call."""
    warm = create_instance("warm", "s", base_url=base_url)
    warm.marketplace.show()
    before, made = snap(), []
    for number in range(SYNC):
        made.append(create_instance(f"c-{number}", "s", base_url=base_url))
    created, most = snap(), 0
    for number, sdk in enumerate(made):
        sdk.marketplace.show()
        if number % 100 == 0:
            most = max(most, _sockets() - before.sockets + 2)
    called = snap()
    most = max(most, called.sockets - before.sockets + 2)
    time.sleep(10)
    idle = snap()
    for sdk in made:
        sdk.close()
    warm.close()
    return {
        "ms of CPU to make one": 1000 * (created.cpu - before.cpu) / SYNC,
        "ms of CPU with its first call": 1000 * (called.cpu - before.cpu) / SYNC,
        "KB with its first call": (called.memory - before.memory) / SYNC,
        "sockets of all": most,
        "sockets after 10 s": idle.sockets - before.sockets + 2,
        "threads of all": called.threads,
    }


async def _all(count: int, make: Callable[[int], Any]) -> tuple[float, list[Any], int]:
    made = [make(number) for number in range(count)]
    began, most = time.monotonic(), 0
    calls = [asyncio.ensure_future(sdk.marketplace.show()) for sdk in made]
    while not all(call.done() for call in calls):
        await asyncio.sleep(0.05)
        most = max(most, threading.active_count())
    took = time.monotonic() - began
    for sdk in made:
        await sdk.aclose()
    return took, [call.exception() for call in calls if call.exception()], most


def async_instances(base_url: str, folder: str) -> dict[str, float]:
    """1,000 async instances on ``file`` in one loop, all at once."""
    before = snap()

    def make(number: int) -> Any:
        store = {"name": "file", "path": f"{folder}/{number}.json"}
        return create_async_instance(f"c-{number}", "s", base_url=base_url, token_store=store)

    took, failed, threads = asyncio.run(_all(ASYNC, make))
    after = snap()
    return {
        "failed": len(failed),
        "seconds for all": took,
        "ms of CPU each": 1000 * (after.cpu - before.cpu) / ASYNC,
        "threads of all": threads,
    }


def storm(base_url: str) -> dict[str, float]:
    """2,000 sign-ins at once, at an endpoint that takes 0.1 s, with a limit of 5 s each."""

    def make(number: int) -> Any:
        return create_async_instance(
            f"c-{number}", "s", base_url=base_url, request_timeout=STORM_LIMIT
        )

    took, failed, _ = asyncio.run(_all(SYNC, make))
    return {"failed": len(failed), "seconds for all": took}


def main() -> int:
    """Prints the figures; 1 if a bound does not hold."""
    if not sys.platform.startswith("linux"):
        sys.exit("this benchmark counts sockets and memory in /proc, which only Linux has")
    with serving() as base_url, tempfile.TemporaryDirectory() as folder:
        one = sync_instances(base_url)
        two = async_instances(base_url, folder)
    with serving(STORM_ANSWER) as base_url:
        three = storm(base_url)
    print(machine())
    for title, found in (
        (f"{SYNC} sync instances, one after the other", one),
        (f"{ASYNC} async instances on `file`, at once", two),
        (f"{SYNC} sign-ins at once, {STORM_ANSWER:g} s each, limit {STORM_LIMIT:g} s", three),
    ):
        print(f"\n{title}\n")
        print(table(["figure", "value"], [(name, f"{value:.1f}") for name, value in found.items()]))
    print()
    bounds = (
        ("CPU to make one, in ms", one["ms of CPU to make one"], 2),
        ("CPU with its first call, in ms", one["ms of CPU with its first call"], 8),
        ("memory with its first call, in KB", one["KB with its first call"], 60),
        ("sockets of all", one["sockets of all"], 20),
        ("sockets after 10 s", one["sockets after 10 s"], 0),
        ("threads of async instances", two["threads of all"], 40),
        ("failed calls", two["failed"] + three["failed"], 0),
    )
    for what, value, limit in bounds:
        print(verdict(what, value, limit))
    print(keep("tenants", [one, two, three]))
    return any(value > limit for _, value, limit in bounds)


if __name__ == "__main__":
    sys.exit(main())
