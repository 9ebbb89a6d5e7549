"""Starts the processes of a storm, tells all what to do at once, and collects their answers."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from flex_integration_sdk.sandbox import RunningSandbox

PATIENCE = 60.0  # seconds for one answer of all
ROOT = Path(__file__).parents[2]


class Worker:
    """One process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.storm.worker"],
            env=dict(environment),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def tell(self, do: str, **more: Any) -> None:
        """Gives an order; the answer comes later."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self.process.stdin.flush()

    def answer(self, deadline: float) -> Any:
        """The next answer."""
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise AssertionError(f"process {self.process.pid} did not answer in time") from None
        assert line, f"process {self.process.pid} ended: {self.process.poll()}"
        return json.loads(line)

    def ask(self, do: str, patience: float = PATIENCE, **more: Any) -> Any:
        """Gives an order and waits for its answer."""
        self.tell(do, **more)
        return self.answer(time.monotonic() + patience)

    def results(self, patience: float = PATIENCE) -> list[dict[str, Any]]:
        """What the callers of a call got."""
        found: list[dict[str, Any]] = self.answer(time.monotonic() + patience)["results"]
        return found

    def end(self) -> None:
        """Ends it, by its input's end or by force."""
        with suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.kill()

    def kill(self) -> None:
        """kill -9."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        with suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")
        self.process.stdout.close()


class Crowd(list[Worker]):
    """Several of them."""

    def ask(self, do: str, patience: float = PATIENCE, **more: Any) -> list[Any]:
        """The answer of each; all are told before any is waited for."""
        for worker in self:
            worker.tell(do, **more)
        deadline = time.monotonic() + patience
        return [worker.answer(deadline) for worker in self]

    def call(self, patience: float = PATIENCE) -> list[dict[str, Any]]:
        """All call the API at once; what each caller got."""
        answers = self.ask("call", patience)
        return [result for answer in answers for result in answer["results"]]


@contextmanager
def crowd(environments: Sequence[Mapping[str, str]], **callers: Any) -> Iterator[Crowd]:
    """A process for each environment, all ready, each with such callers."""
    workers = Crowd()
    try:
        workers += map(Worker, environments)
        deadline = time.monotonic() + PATIENCE
        for worker in workers:
            assert worker.answer(deadline) == {"ready": True}
        if callers:
            workers.ask("open", **callers)
        yield workers
        for worker in workers:
            with suppress(OSError, ValueError):
                assert worker.process.stdin is not None
                worker.process.stdin.close()
        for worker in workers:
            worker.end()
    finally:
        for worker in workers:
            worker.kill()


class Figures(NamedTuple):
    """What a sandbox counted since the last look."""

    refreshes: int = 0
    rejected: int = 0
    sign_ins: int = 0
    """How often the secret was sent."""


class Watch:
    """A sandbox's counters, as differences."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        self._before = sandbox.stats()

    def figures(self) -> Figures:
        """What came since the last look."""
        before, self._before = self._before, self.sandbox.stats()
        names = ("refresh_token", "refresh_rejected", "client_credentials")
        return Figures(*(self._before[name] - before[name] for name in names))

    def peak(self) -> int:
        """Most token requests that were unanswered at one time, since the sandbox started."""
        return self.sandbox.stats()["peak_token_requests_in_flight"]

    def wait_for(self, name: str, more: int = 1) -> None:
        """Waits until so many more of a kind came than at the last look."""
        deadline = time.monotonic() + PATIENCE
        while self.sandbox.stats()[name] < self._before[name] + more:
            assert time.monotonic() < deadline, f"no {name} came"
            time.sleep(0.005)


def environment_for(
    sandbox: RunningSandbox, folder: Path, store: Mapping[str, str]
) -> dict[str, str]:
    """Of the processes of a storm; nothing of the developer's own is in it."""
    ours = ("FLEX_INTEGRATION_", "FLEX_TOKENSTORE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **kept,
        "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
        **{f"FLEX_INTEGRATION_{name}": value for name, value in store.items()},
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
        "PYTHONWARNINGS": "error",
    }


def one_token(results: list[dict[str, Any]], count: int) -> str:
    """All ``count`` callers succeeded with one access token; its digest."""
    failed = [result for result in results if not result["ok"]]
    assert not failed, failed
    assert len(results) == count
    assert all(result["saved"] for result in results)
    tokens = {result["token"] for result in results}
    assert len(tokens) == 1, tokens
    return str(tokens.pop())
