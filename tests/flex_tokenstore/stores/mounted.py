"""A token file that is mounted into the folder of a container, and mount namespaces for that."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .as_user import mount

NAMESPACE = ["unshare", "-Urm"]
INSIDE = "FLEX_TESTS_IN_A_MOUNT_NAMESPACE"


def may_mount(folder: Path) -> bool:
    try:
        mount("--bind", str(folder), str(folder))
    except (OSError, subprocess.CalledProcessError):
        return False
    subprocess.run(["umount", str(folder)], check=True)
    return True


@contextmanager
def bound(host: Path, path: Path) -> Iterator[Path]:
    """As ``docker run -v host:path``; both files are made if they are missing."""
    for each in (host, path):
        each.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        each.touch(mode=0o600)
    mount("--bind", str(host), str(path))
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def skip_unless_mounting(folder: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("bind mounts of Linux")
    if not may_mount(folder):
        pytest.skip("this user may not mount; the test at the end runs it in a namespace")


def run_in_namespace(module: str, folder: Path) -> None:
    """Runs the tests of a module where this user may mount; skips where it needs no such place."""
    if sys.platform != "linux":
        pytest.skip("mount namespaces of Linux")
    if os.environ.get(INSIDE) or may_mount(folder):
        pytest.skip("the tests of this module can mount without")
    try:
        subprocess.run([*NAMESPACE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this system gives users no mount namespace: {error}")
    done = subprocess.run(
        [*NAMESPACE, sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", module],
        env={**os.environ, INSIDE: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
