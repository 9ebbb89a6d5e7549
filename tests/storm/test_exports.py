"""``flex-sdk export`` of 25,000 listings: through trouble, killed again and again."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flex_integration_sdk.sandbox import RunningSandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LISTINGS = 25_037  # the last page is not full
KILLS = 20
GROWTH = 20 << 10  # KB, as the system counts what a process needed at most
PROGRAM = [sys.executable, "-m", "flex_integration_sdk.cli"]


@contextlib.contextmanager
def sandbox_of_its_own(*options: str) -> Iterator[RunningSandbox]:
    """One whose memory and processor time are not those of the test."""
    with subprocess.Popen(
        [*PROGRAM, "sandbox", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            yield RunningSandbox(said["base_url"], said["client_id"], said["client_secret"])
        finally:
            process.terminate()
            process.communicate()


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with sandbox_of_its_own("--listings", str(LISTINGS), "--access-ttl", "2") as found:
        yield found


def export(sandbox: RunningSandbox, target: Path) -> subprocess.Popen[bytes]:
    with (target.parent / "said.txt").open("ab") as said:
        return subprocess.Popen(
            [*PROGRAM, "export", "listings", "--to", target],
            env={
                **os.environ,
                "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
                "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
                "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
                "XDG_CONFIG_HOME": str(target.parent / "config"),
            },
            stderr=said,
        )


def memory_of(process: subprocess.Popen[bytes]) -> int:
    """Waits for its end; the KB that it needed at most."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss >> 10


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()]


def plan_trouble(sandbox: RunningSandbox) -> None:
    later = {"Retry-After": "1"}
    sandbox.fault("status", target="api", every=80, seed=1, status=429, headers=later)
    sandbox.fault("status", target="api", every=30, seed=2, status=500)
    sandbox.fault("status", target="api", every=80, seed=3, status=503, headers=later)
    sandbox.fault("drop", target="api", every=30, seed=4)
    sandbox.fault("cut", target="api", every=30, seed=5)


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs os.wait4")
def test_all_of_them_through_trouble_in_little_memory(
    running: RunningSandbox, tmp_path: Path
) -> None:
    with sandbox_of_its_own("--seed", "small") as small:
        few = memory_of(export(small, tmp_path / "few.jsonl"))
    calm = tmp_path / "calm.jsonl"
    memory_of(export(running, calm))
    plan_trouble(running)
    target = tmp_path / "trouble.jsonl"
    many = memory_of(export(running, target))
    stats = running.stats()
    running.reset()
    found = ids(target)
    assert len(found) == len(set(found)) == LISTINGS
    assert target.read_bytes() == calm.read_bytes()
    assert stats["refresh_token"] > 0  # the token expired on the way
    assert many - few <= GROWTH, f"{few} KB for few, {many} KB for {LISTINGS}"


def test_killed_again_and_again_it_makes_the_same_file(
    running: RunningSandbox, tmp_path: Path
) -> None:
    whole, target = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    assert export(running, whole).wait(300) == 0
    rng = random.Random(17)
    killed = 0
    for _ in range(KILLS):
        process = export(running, target)
        try:
            process.wait(rng.uniform(0.5, 3))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
        assert not target.exists() or target.read_bytes() == whole.read_bytes()
    assert export(running, target).wait(300) == 0
    assert target.read_bytes() == whole.read_bytes()
    assert killed >= KILLS // 2
