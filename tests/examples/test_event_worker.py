"""``examples/event_worker.py``: killed at any moment, alone and as one of two replicas."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk.errors import TransportError
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
slow = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "event_worker.py"
KILLS = 50
ROUNDS = 10
SOON = 60.0  # seconds; a busy machine needs some


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(seed="small")) as running:
        yield running


def catches(process: subprocess.Popen[bytes], number: int) -> bool:
    """Whether a process handles a signal itself; True where the system does not say."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return True
    caught = next(line for line in lines if line.startswith("SigCgt:")).split()[1]
    return bool(int(caught, 16) >> (number - 1) & 1)


class Workers:
    """Processes of the example, on one cursor."""

    def __init__(self, sandbox: RunningSandbox, folder: Path, **store: str) -> None:
        self.log = folder / "log"
        self.log.touch()
        self.errors = folder / "errors"
        self.cursor = folder / "cursor"
        self.since = datetime.now(UTC).isoformat()
        self.environment = {
            **os.environ,
            "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
            "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
            "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
            "FLEX_INTEGRATION_TOKEN_STORE": "file",
            "XDG_CONFIG_HOME": str(folder),
            **store,
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *options: str, pause: float = 0.002) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.examples.replica", str(self.cursor)]
        command += ["--log", str(self.log), str(pause), "--since", self.since, "--interval", "0.2"]
        with self.errors.open("ab") as errors:
            process = subprocess.Popen(
                [*command, *options], env=self.environment, cwd=ROOT, stderr=errors
            )
        self.running.append(process)
        return process

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def begun(self) -> list[int]:
        return [row["event"] for row in self.rows() if row["what"] == "begins"]

    def wait_for(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + SOON
        while not condition():
            assert time.monotonic() < end, self.errors.read_text()[-2000:]
            time.sleep(0.02)

    def wait_for_events(self, count: int) -> None:
        self.wait_for(lambda: len(self.begun()) >= count)

    def stop(self, *processes: subprocess.Popen[bytes]) -> list[int]:
        """Ends them as a service manager does; returns their exit codes."""
        for each in processes:
            # Before, while it starts, the signal would end it as it does any program.
            self.wait_for(partial(catches, each, signal.SIGTERM))
            each.send_signal(signal.SIGTERM)
        return [each.wait(SOON) for each in processes]

    def end(self) -> None:
        for each in self.running:
            with each:
                if each.poll() is None:
                    each.kill()


@pytest.fixture
def workers(sandbox: RunningSandbox, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(sandbox, tmp_path)
    try:
        yield made
    finally:
        made.end()


class Market:
    """A marketplace in which something happens all the time."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.events: list[int] = []
        self._ends = threading.Event()
        self.sdk = create_instance(
            sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url
        )
        self.listing = self.sdk.listings.query(per_page=1).data[0].id
        self.count = 0
        self.thread = threading.Thread(target=self._trade)

    def happen(self, times: int = 1) -> None:
        for _ in range(times):
            self.count += 1
            self.sdk.listings.update(id=self.listing, title=f"title {self.count}")

    def _trade(self) -> None:
        while not self._ends.wait(0.05):
            try:
                self.happen()
            except TransportError:  # of a machine that is too busy
                continue

    def all_events(self, since: str) -> list[int]:
        query: dict[str, Any] = {"created_at_start": datetime.fromisoformat(since)}
        found: list[int] = []
        while page := self.sdk.events.query(event_types=["listing"], **query).data:
            found += [each.attributes["sequenceId"] for each in page]
            query = {"start_after_sequence_id": found[-1]}
        return found


@contextmanager
def busy(sandbox: RunningSandbox) -> Iterator[Market]:
    market = Market(sandbox)
    with market.sdk:
        market.thread.start()
        try:
            yield market
        finally:
            market._ends.set()
            market.thread.join()


def test_it_prints_each_event_and_ends_at_a_signal(sandbox: RunningSandbox, tmp_path: Path) -> None:
    workers = Workers(sandbox, tmp_path)
    market = Market(sandbox)
    with market.sdk:
        market.happen(3)
    process = subprocess.Popen(
        [sys.executable, EXAMPLE, workers.cursor, "--since", workers.since],
        env=workers.environment,
        stdout=subprocess.PIPE,
    )
    workers.running.append(process)
    try:
        assert process.stdout is not None
        rows = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(SOON) == 0
    finally:
        workers.end()
    assert {row["type"] for row in rows} == {"listing/updated"}
    assert json.loads(workers.cursor.read_text())["after"] == rows[-1]["event"]


@slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("delivery", ["at-least-once", "at-most-once"])
def test_killed_at_any_moment(workers: Workers, sandbox: RunningSandbox, delivery: str) -> None:
    moments = random.Random()
    with busy(sandbox):
        for _ in range(KILLS):
            more = len(workers.begun()) + 1
            process = workers.start("--delivery", delivery)
            workers.wait_for_events(more)
            time.sleep(moments.uniform(0, 0.3))
            process.kill()
            process.wait()
    wanted = market_events(sandbox, workers)
    process = workers.start("--delivery", delivery)
    workers.wait_for(lambda: wanted[-1] in workers.begun())
    assert workers.stop(process) == [0]
    handled = Counter(workers.begun())
    if delivery == "at-least-once":
        assert set(handled) == set(wanted)
        # Only an event under way can come again.
        assert sum(handled.values()) - len(handled) <= KILLS
    else:
        assert set(handled.values()) == {1}
        assert set(handled) <= set(wanted)
        assert len(wanted) - len(handled) <= KILLS


def market_events(sandbox: RunningSandbox, workers: Workers) -> list[int]:
    market = Market(sandbox)
    with market.sdk:
        return market.all_events(workers.since)


def by_two_that_lived(rows: list[dict[str, Any]], died: dict[int, float]) -> list[Any]:
    """Events that one process began while another that had begun it was alive."""
    first: dict[int, dict[str, Any]] = {}
    wrong = []
    for row in sorted(rows, key=lambda row: row["at"]):
        if row["what"] != "begins":
            continue
        earlier = first.setdefault(row["event"], row)
        if earlier["pid"] != row["pid"] and died.get(earlier["pid"], 1e99) > row["at"]:
            wrong.append((earlier, row))
    return wrong


def at_the_same_time(rows: list[dict[str, Any]], died: dict[int, float]) -> list[Any]:
    """Pairs of processes that both handled something at one moment."""
    spans: list[tuple[float, float, int]] = []
    begun: dict[int, float] = {}
    for row in sorted(rows, key=lambda row: row["at"]):
        if row["what"] == "begins":
            begun[row["pid"]] = row["at"]
        else:
            spans.append((begun.pop(row["pid"]), row["at"], row["pid"]))
    spans += [(at, died.get(pid, 1e99), pid) for pid, at in begun.items()]
    spans.sort()
    return [(a, b) for a, b in itertools.pairwise(spans) if a[1] > b[0] and a[2] != b[2]]


def replicas_are_killed(workers: Workers, sandbox: RunningSandbox, rounds: int) -> None:
    options = ("--worker", "orders", "--takeover", "2")
    died: dict[int, float] = {}
    with busy(sandbox):
        workers.start(*options)
        workers.start(*options)
        for _ in range(rounds):
            workers.wait_for_events(len(workers.begun()) + 20)
            working = workers.rows()[-1]["pid"]
            (victim,) = [each for each in workers.running if each.pid == working]
            victim.kill()
            victim.wait()
            died[victim.pid] = time.monotonic()
            workers.start(*options)
    wanted = market_events(sandbox, workers)
    workers.wait_for(lambda: wanted[-1] in workers.begun())
    alive = [each for each in workers.running if each.poll() is None]
    assert len(alive) == 2
    assert workers.stop(*alive) == [0, 0]
    rows = workers.rows()
    assert {row["event"] for row in rows} == set(wanted)
    assert by_two_that_lived(rows, died) == []
    assert at_the_same_time(rows, died) == []
    assert len({row["pid"] for row in rows}) > 2


@pytest.fixture(params=["file", "redis", "sqlite"])
def on_each_store(workers: Workers, request: pytest.FixtureRequest, tmp_path: Path) -> Workers:
    if request.param == "redis":
        workers.environment |= {
            "FLEX_INTEGRATION_TOKEN_STORE": "redis",
            "FLEX_INTEGRATION_TOKEN_STORE__URL": request.getfixturevalue("valkey_server").url,
        }
    if request.param == "sqlite":
        workers.environment |= {
            "FLEX_INTEGRATION_TOKEN_STORE": "sql",
            "FLEX_INTEGRATION_TOKEN_STORE__URL": f"sqlite:///{tmp_path / 'tokens.db'}",
        }
    return workers


@slow
@pytest.mark.timeout(600)
def test_one_of_two_replicas_works_and_the_other_takes_over(
    on_each_store: Workers, sandbox: RunningSandbox
) -> None:
    replicas_are_killed(on_each_store, sandbox, ROUNDS)


@slow
@pytest.mark.timeout(300)
def test_one_that_was_suspended_hands_out_nothing_until_its_next_turn(
    on_each_store: Workers, sandbox: RunningSandbox
) -> None:
    """The lock of the store ``file``, and on SQLite, is kept: nobody takes over."""
    workers, options = on_each_store, ("--worker", "orders", "--takeover", "2")
    has_lease = workers.environment["FLEX_INTEGRATION_TOKEN_STORE"] == "redis"
    with busy(sandbox):
        one, two = workers.start(*options), workers.start(*options)
        workers.wait_for_events(20)
        first, second = (one, two) if workers.rows()[-1]["pid"] == one.pid else (two, one)
        first.send_signal(signal.SIGSTOP)
        if has_lease:
            workers.wait_for(lambda: workers.rows()[-1]["pid"] == second.pid)
        began = time.monotonic()
        first.send_signal(signal.SIGCONT)
        workers.wait_for_events(len(workers.begun()) + 50)
    assert workers.stop(one, two) == [0, 0]
    begun = [row for row in workers.rows() if row["what"] == "begins"]
    by_both = {row["event"] for row in begun if row["pid"] == first.pid} & {
        row["event"] for row in begun if row["pid"] == second.pid
    }
    # The one that was under way when it was suspended.
    assert len(by_both) <= (1 if has_lease else 0)
    late = [row for row in begun if row["pid"] == first.pid and row["at"] > began]
    assert bool(late) is not has_lease
