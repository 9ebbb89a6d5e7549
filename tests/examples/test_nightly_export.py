"""``examples/nightly_export.py``, through trouble, and killed again and again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from flex_integration_sdk.sandbox import RunningSandbox
from tests.storm.test_exports import KILLS, LISTINGS, plan_trouble, sandbox_of_its_own

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "nightly_export.py"


def started(sandbox: RunningSandbox, target: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, EXAMPLE, target],
        env={
            **os.environ,
            "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
            "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
            "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
            "XDG_CONFIG_HOME": str(target.parent / "config"),
        },
        stderr=subprocess.DEVNULL,
    )


def rows(target: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]


def test_it_writes_all_listings(flex_sandbox: RunningSandbox, tmp_path: Path) -> None:
    target = tmp_path / "listings.jsonl"
    for _ in range(2):  # the second night replaces the file of the first
        assert started(flex_sandbox, target).wait(60) == 0
        found = rows(target)
        assert len(found) == len({row["id"] for row in found}) == 250
        assert all(str(row["author"]).endswith("@example.com") for row in found)
        assert [path.name for path in tmp_path.glob("listings*")] == ["listings.jsonl"]


def test_the_next_run_goes_on_after_a_failure(flex_sandbox: RunningSandbox, tmp_path: Path) -> None:
    def calls_of(target: Path, exit_code: int) -> int:
        before = flex_sandbox.stats()["api_calls"]
        assert started(flex_sandbox, target).wait(60) == exit_code
        return flex_sandbox.stats()["api_calls"] - before

    whole = calls_of(tmp_path / "whole.jsonl", 0)
    target = tmp_path / "listings.jsonl"
    flex_sandbox.fault("status", path="listings/query", after=2, status=403)
    assert calls_of(target, 1) > 1
    assert not target.exists()
    assert calls_of(target, 0) < whole, "it began anew"
    assert target.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_again_and_again_through_trouble_it_makes_the_same_file(tmp_path: Path) -> None:
    whole, target = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    rng = random.Random(17)
    killed = 0
    with sandbox_of_its_own("--listings", str(LISTINGS), "--access-ttl", "2") as sandbox:
        assert started(sandbox, whole).wait(300) == 0
        plan_trouble(sandbox)
        for _ in range(KILLS):
            process = started(sandbox, target)
            try:
                process.wait(rng.uniform(0.5, 3))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
        assert started(sandbox, target).wait(300) == 0
    assert killed
    assert target.read_bytes() == whole.read_bytes()
    assert len({row["id"] for row in rows(target)}) == LISTINGS
