"""``examples/nightly_export.py``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from flex_integration_sdk.sandbox import RunningSandbox

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "nightly_export.py"


def test_it_writes_all_listings(flex_sandbox: RunningSandbox, tmp_path: Path) -> None:
    target = tmp_path / "listings.jsonl"
    subprocess.run(
        [sys.executable, EXAMPLE, target],
        env={
            **os.environ,
            "FLEX_INTEGRATION_BASE_URL": flex_sandbox.base_url,
            "FLEX_INTEGRATION_CLIENT_ID": flex_sandbox.client_id,
            "FLEX_INTEGRATION_CLIENT_SECRET": flex_sandbox.client_secret,
            "XDG_CONFIG_HOME": str(tmp_path),
        },
        check=True,
        timeout=60,
    )
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == 250
    assert all(row["author"].endswith("@example.com") for row in rows)
