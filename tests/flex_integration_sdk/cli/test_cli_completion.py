"""Completion in real shells: names are finished by a blank, ``title=`` is not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flex_integration_sdk.cli._completion import Bash, Zsh

# What bash calls at a tab, without the terminal; outside a completion it has no `compopt`.
BASH = """
compopt() { local IFS=" "; echo "compopt $*"; }
eval "$(_FLEX_SDK_COMPLETE=bash_source flex-sdk)"
try() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _flex_sdk_completion flex-sdk
    echo "${COMPREPLY[*]}"
}
try flex-sdk call listings.upd
try flex-sdk call listings.update ti
try flex-sdk call users.update_profile id = 1 display
"""
FISH = """
_FLEX_SDK_COMPLETE=fish_source flex-sdk | source
complete -C 'flex-sdk call listings.upd'
complete -C 'flex-sdk call listings.update ti'
"""


def ran(program: list[str], script: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    if shutil.which("flex-sdk", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("flex-sdk is not installed beside this Python")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    done = subprocess.run(
        [*program, script], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
def test_bash(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ran(["bash", "--norc", "-c"], BASH, monkeypatch) == [
        "listings.update",
        "compopt -o nospace",
        "title=",
        "compopt -o nospace",
        "display_name=",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
def test_fish(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ran(["fish", "--no-config", "-c"], FISH, monkeypatch)
    assert found == ["listings.update", "title="]


def test_the_scripts_are_those_of_click_with_our_line() -> None:
    assert "compopt -o nospace" in Bash.source_template
    assert '"${end[@]}"' in Zsh.source_template
