"""Keys are rotated while many programs renew the token: nothing is lost, and none sees an error."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from encrypted_support import id_of, lines_of, write_private
from encrypted_worker import counted
from flex_tokenstore import TokenConflictError, TokenStore, open_store
from tests.support.handles import IDENTITY

if TYPE_CHECKING:
    from tests.servers.valkey import Valkey

pytestmark = pytest.mark.slow  # several processes, and two rotations

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
ROTATIONS = 2
PATIENCE = 60.0  # seconds for one step of a process


class Worker:
    """One process of the storm."""

    def __init__(self, config: Any, kind: str) -> None:
        paths = os.pathsep.join([str(HERE), str(ROOT)])
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "encrypted_worker.py")],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.steps: queue.Queue[int] = queue.Queue()
        self.count = 0
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"config": config, "kind": kind}) + "\n")
        self.process.stdin.flush()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.count = int(line)
            self.steps.put(self.count)

    def wait_for(self, count: int) -> None:
        """Waits until it has counted so often."""
        while self.count < count:
            try:
                self.steps.get(timeout=PATIENCE)
            except queue.Empty:
                self.process.kill()
                assert self.process.stderr is not None
                pytest.fail(f"a process of the storm failed: {self.process.stderr.read()[-2000:]}")

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        with self.process.stdout as _, self.process.stderr as errors:
            assert errors.read() == ""


@contextmanager
def storm(config: Any, kinds: list[str]) -> Iterator[list[Worker]]:
    workers = [Worker(config, kind) for kind in kinds]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.end()


def all_go_on(workers: list[Worker]) -> None:
    """Each has begun and ended a step from now on."""
    counts = [worker.count + 2 for worker in workers]
    for worker, count in zip(workers, counts, strict=True):
        worker.wait_for(count)


def rekey(store: TokenStore) -> None:
    """As the command does it."""
    while True:
        with store.token_lock(PATIENCE, PATIENCE):
            found = store.get_token()
            assert found is not None
            try:
                store.set_token(found, found.revision)
            except TokenConflictError:
                continue
            return


def test_rotations_under_a_storm(tmp_path: Path) -> None:
    check(
        {"name": "file", "path": str(tmp_path / "token.json")}, tmp_path, ["sync", "sync", "async"]
    )


def test_rotations_under_a_storm_over_redis(tmp_path: Path, valkey_server: Valkey) -> None:
    check({"name": "redis", "url": valkey_server.url}, tmp_path, ["async", "async", "sync"])


def check(inner: Any, folder: Path, kinds: list[str]) -> None:
    keys = write_private(folder / "keys", lines_of("0"))
    config = {"name": "encrypted", "inner": inner, "key_file": str(keys)}
    with open_store(config, IDENTITY) as store:
        store.set_token(counted(0), None)
        with storm(config, kinds) as workers:
            for number in range(ROTATIONS):
                old, new = str(number), str(number + 1)
                for line in (lines_of(old, new), lines_of(new, old)):
                    write_private(keys, line)
                    all_go_on(workers)
                rekey(store)
                write_private(keys, lines_of(new))
                all_go_on(workers)
        found = store.get_token()
        assert found is not None
        assert found.to_dict()["n"] == sum(worker.count for worker in workers)
        plugin: Any = store._opened.binding.plugin
        assert plugin.rekey_state() == (id_of(str(ROTATIONS)),) * 2
