"""Programs that print a secret."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flex_tokenstore import read_secret_command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its program is a shell script")
Script = Callable[[str], str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    def make(lines: str) -> str:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o700)
        return str(path)

    return make


def test_what_a_program_prints(script: Script) -> None:
    path = script('printf "%s" "$1"')
    assert read_secret_command([path, "; echo $HOME *"]).reveal() == b"; echo $HOME *"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("echo SENTINEL; echo SENTINEL >&2; exit 3", "exit code 3"),
        ("kill -9 $$", "exit code -9"),
        ("head -c 200000 /dev/zero; sleep 60", "64 KiB"),
    ],
)
def test_a_program_that_fails(script: Script, lines: str, said: str, capfd: object) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        read_secret_command([script(lines), "SENTINEL"])
    assert "SENTINEL" not in str(caught.value)


@pytest.mark.parametrize("lines", ["sleep 60", "exec >&-; sleep 60"])
def test_a_program_that_does_not_end_is_ended_with_all_that_it_started(
    script: Script, lines: str, tmp_path: Path
) -> None:
    began = time.monotonic()
    mark = tmp_path / "pids"
    with pytest.raises(ValueError, match=r"did not end within 0\.3 seconds"):
        read_secret_command([script(f"echo $$ > {mark}\n{lines}")], timeout=0.3)
    assert time.monotonic() - began < 5
    group = mark.read_text().strip()
    until = time.monotonic() + 5
    while running(group):
        assert time.monotonic() < until


def test_what_a_program_leaves_running_is_not_waited_for(script: Script, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    path = script(f"sleep 60 &\necho $! > {mark}\necho secret")
    began = time.monotonic()
    assert read_secret_command([path], timeout=30).reveal() == b"secret\n"
    assert time.monotonic() - began < 10
    os.kill(int(mark.read_text()), signal.SIGKILL)  # it may be an agent, and is left alone


def test_a_string_in_place_of_a_list(script: Script) -> None:
    with pytest.raises(FileNotFoundError, match="'sh'; write each argument as an") as caught:
        read_secret_command(["sh -c 'echo SENTINEL'"])
    assert "SENTINEL" not in str(caught.value)


def test_the_home_folder(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script("echo found")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_secret_command(["~/program"]).reveal() == b"found\n"


def running(group: str) -> list[str]:
    """The states of the processes of a session, without those that nobody has taken leave of."""
    done = subprocess.run(["ps", "-o", "stat=", "-s", group], capture_output=True, text=True)
    return [state for state in done.stdout.split() if not state.startswith("Z")]


def test_a_program_is_never_taken_from_the_current_directory(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script("echo found")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", "/usr/bin"]))
    for name in ("program", "./program", f"../{tmp_path.name}/program"):
        with pytest.raises(FileNotFoundError, match="was not found"):
            read_secret_command([name])
    monkeypatch.setenv("PATH", os.pathsep.join([".", str(tmp_path)]))
    assert read_secret_command(["program"]).reveal() == b"found\n"
