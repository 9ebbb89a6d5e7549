"""The tracer's helper program, started once for each test module; disks and folders to lose."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .as_user import NOBODY, mount
from .traced import Helper, helper


@pytest.fixture(scope="module")
def tracer() -> Iterator[Helper]:
    with helper() as started:
        if started.why_not:
            pytest.skip(started.why_not)
        yield started


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir(mode=0o700)
    if sys.platform != "linux":
        pytest.skip("mounts a tmpfs of Linux")
    try:
        mount("-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(folder))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def theirs() -> Iterator[Path]:
    """A folder of that user."""
    outer = Path(tempfile.mkdtemp())
    outer.chmod(0o755)
    folder = outer / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(outer)
