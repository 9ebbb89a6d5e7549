"""Three journeys through the code stay as straight as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "journeys.py"


def test_journeys_change_the_file_as_seldom_as_before() -> None:
    # In a process of its own: what other tests have imported and traced does not count.
    done = subprocess.run(
        [sys.executable, TOOL], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("changes of file") == 3
