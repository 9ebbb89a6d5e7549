"""Makes ``docs/doctor-faults.md``: plants each fault of the tests, and writes what doctor says.

``python tools/doctor_faults.py``, from the root of the clone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "doctor-faults.md"
TESTS = "tests/flex_integration_sdk/doctor/test_faults.py"
HEAD = """\
# What doctor says

Each row is a fault that a test plants, on real servers and files, and what [`flex-sdk
doctor`](how-to/diagnose.md) says of it. The test makes the table: `python tools/doctor_faults.py`.

| what is wrong | finding | status | message | remedy |
|---|---|---|---|---|
"""


def main() -> int:
    """Runs the tests and writes the page; the exit code is that of the tests."""
    sys.path.insert(0, str(ROOT))
    from tests.flex_integration_sdk.doctor.test_faults import WRITE_TO, faults

    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "-q", TESTS, "-k", "planted_fault", "-n", "2"]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, WRITE_TO: folder}, check=False)
        rows = [path for each in faults() if (path := Path(folder) / each.name).exists()]
        PAGE.write_text(HEAD + "".join(f"{path.read_text('utf-8')}\n" for path in rows), "utf-8")
    print(f"{PAGE}: {len(rows)} rows")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
