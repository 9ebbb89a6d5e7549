"""Which process holds a lock on a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flex_integration_sdk._doctor.holders import holder_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells locks in /proc")

FLOCK = "fcntl.flock(fd, fcntl.LOCK_EX)"
POSIX = "fcntl.lockf(fd, fcntl.LOCK_EX)"  # as SQLite locks
HOLDER = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
{lock}
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("lock", [FLOCK, POSIX], ids=["flock", "posix"])
def test_it_is_named_with_its_age_and_not_its_arguments(tmp_path: Path, lock: str) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDER.format(lock=lock), str(path), "a-secret-argument"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            found = holder_of(path)
        finally:
            process.kill()
    assert found is not None
    assert found.pid == process.pid
    assert found.age is not None
    assert 0 <= found.age < 100
    assert f"The process {process.pid} (python" in str(found)
    assert "a-secret-argument" not in str(found)


def test_nobody_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert holder_of(path) is None
    path.touch()
    assert holder_of(path) is None


def test_this_process_is_not_told_of_itself(tmp_path: Path) -> None:
    import fcntl

    fd = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        assert holder_of(tmp_path / "lock") is None
    finally:
        os.close(fd)
