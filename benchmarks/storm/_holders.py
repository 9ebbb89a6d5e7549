"""Programs that hold the token: started, ready, told when to call, asked what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import multiprocessing
import os
import subprocess
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ._clients import Client
from ._javascript import JavaScript
from ._server import CLIENT_ID, CLIENT_SECRET

PATIENCE = 60.0  # seconds for anything a holder does
LEAD = 0.1  # seconds from the word to the call, so that all have heard it
Result = tuple[str | None, float]  # what failed, and seconds since the time to call
PRELOADED = (
    "benchmarks.storm._holders", "flex_integration_sdk._client.sync", "httpx2",
    "flex_integration_sdk._client.aio",
    "flex_tokenstore.stores.file.store", "flex_tokenstore_redis",
    "redis", "redis.asyncio",
    "authlib.integrations.requests_client", "authlib.integrations.httpx_client",
    "requests_oauthlib", "spotipy", "globus_sdk", "msal", "msal_extensions",
)  # fmt: skip


class Holder(Protocol):
    """One program with one or many callers."""

    def ready(self) -> None:
        """Waits until it has opened its client; raises what it failed with."""

    def go(self, lead: float) -> None:
        """Lets all its callers call at ``time.monotonic() + lead``."""

    def results(self) -> list[Result]:
        """One for each caller."""

    def close(self) -> None: ...


class PythonHolder:
    """A process forked from one that has everything imported."""

    def __init__(self, client: Client, mode: str, callers: int) -> None:
        context = _context()
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_hold, args=(client, mode, callers, theirs))
        self._process.start()
        theirs.close()

    def ready(self) -> None:
        if (failed := self._receive()) is not None:
            raise RuntimeError(failed)

    def go(self, lead: float) -> None:
        self._pipe.send(time.monotonic() + lead)

    def results(self) -> list[Result]:
        found: list[Result] = self._receive()
        return found

    def close(self) -> None:
        with contextlib.suppress(OSError):  # it has ended
            self._pipe.send(None)
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._pipe.close()

    def _receive(self) -> Any:
        if not self._pipe.poll(PATIENCE):
            raise RuntimeError(f"no answer within {PATIENCE:g} s")
        try:
            return self._pipe.recv()
        except EOFError:
            raise RuntimeError("the holder ended") from None


class NodeHolder:
    """A Node process; started for each round, since it cannot be forked."""

    def __init__(self, client: JavaScript, mode: str, callers: int) -> None:
        arguments = [str(callers), client.place.base_url, CLIENT_ID, CLIENT_SECRET]
        self._process = subprocess.Popen(
            ["node", str(Path(__file__).with_name("client.js")), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **client.environment},
        )

    def ready(self) -> None:
        self._receive()

    def go(self, lead: float) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{(time.time() + lead) * 1000}\n")
        self._process.stdin.flush()

    def results(self) -> list[Result]:
        found: list[Result] = self._receive()
        return found

    def close(self) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()

    def _receive(self) -> Any:
        assert self._process.stdout is not None
        killer = threading.Timer(PATIENCE, self._process.kill)
        killer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            killer.cancel()
        if not line:
            raise RuntimeError("the Node program ended")
        return json.loads(line)


def start(client: Client, mode: str, *, processes: int, callers: int) -> list[Holder]:
    """The holders of one storm."""
    if isinstance(client, JavaScript):
        many = 1 if mode == "processes" else callers
        count = processes if mode == "processes" else 1
        return [NodeHolder(client, mode, many) for _ in range(count)]
    if mode == "processes":
        return [PythonHolder(client, mode, 1) for _ in range(processes)]
    return [PythonHolder(client, mode, callers)]


def _context() -> Any:
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload(list(PRELOADED))
    return context


def _hold(client: Client, mode: str, callers: int, pipe: Any) -> None:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the server is on loopback
    try:
        call = client.connect()
    except Exception as error:
        pipe.send(_shown(error))
        return
    pipe.send(None)
    rounds = {"threads": _threads, "tasks": _tasks}.get(mode, _alone)
    with asyncio.Runner() as runner:
        while (start := pipe.recv()) is not None:
            pipe.send(rounds(call, callers, start, runner))
    os._exit(0)  # its connections and executors are of no use to anybody


def _alone(call: Callable[[], Any], callers: int, start: float, runner: Any) -> list[Result]:
    _sleep_until(start)
    return [_timed(call, start)]


def _threads(call: Callable[[], Any], callers: int, start: float, runner: Any) -> list[Result]:
    results: list[Result] = []

    def body() -> None:
        _sleep_until(start)
        results.append(_timed(call, start))

    threads = [threading.Thread(target=body) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _tasks(call: Callable[[], Any], callers: int, start: float, runner: Any) -> list[Result]:
    async def one() -> Result:
        await asyncio.sleep(start - time.monotonic())
        try:
            await call()
        except Exception as error:
            return _shown(error), time.monotonic() - start
        return None, time.monotonic() - start

    async def all_of_them() -> list[Result]:
        return await asyncio.gather(*(one() for _ in range(callers)))

    found: list[Result] = runner.run(all_of_them())
    return found


def _timed(call: Callable[[], Any], start: float) -> Result:
    try:
        call()
    except (Exception, SystemExit) as error:
        return _shown(error), time.monotonic() - start
    return None, time.monotonic() - start


def _sleep_until(start: float) -> None:
    time.sleep(max(0.0, start - time.monotonic()))


def _shown(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:90]
