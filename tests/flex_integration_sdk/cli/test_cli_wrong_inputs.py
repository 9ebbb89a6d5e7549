"""What the program says to wrong input is on a page, and each message can be acted on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .wrong_inputs import CASES, PAGE, SECRET, Case, Told, fill, page, row, told_to

ALL = [case for cases in CASES.values() for case in cases]
# What is no wrong use: it could work another time, or in another place.
FAILED = {
    "call marketplace.show",
    "token refresh",
    "token show --store file --store-option path=~/folder",
    "token show --store file --store-option path=~/not-a-token.json",
    "token import --from-js ~/not-a-token.json",
    "token show --store redis --store-option url=redis://127.0.0.1:1",
}
linux = pytest.mark.skipif(sys.platform != "linux", reason="the system's own words are Linux's")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home").resolve()
    fill(folder)
    return folder


def test_there_are_many_of_each_kind() -> None:
    assert len({*ALL}) == len(ALL) > 100


@linux
def test_the_page_has_them_all_and_no_other() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    told = {case: Told(2, "", "") for case in ALL}
    assert len(rows) == len(ALL)
    empty = [line for line in page(told).splitlines() if line.startswith("| `")]
    for line, other in zip(rows, empty, strict=True):
        assert line.partition("` |")[0] == other.partition("` |")[0]


@linux
@pytest.mark.sample(20)
@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.env} {case.typed}".strip())
def test_what_is_said_is_on_the_page_and_can_be_acted_on(case: Case, home: Path) -> None:
    told = told_to(case, home)
    # If it should say so: python -m tests.flex_integration_sdk.cli.wrong_inputs
    assert row(case, told) in PAGE.read_text("utf-8").splitlines()
    assert told.out == ""
    assert told.code == (1 if case.typed in FAILED and not case.env else 2)
    (line,) = told.err.splitlines()
    assert line.startswith("flex-sdk")
    assert len(line) < 450
    assert "Traceback" not in line
    assert SECRET not in line


@linux
def test_a_full_disk_is_named() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "flex_integration_sdk.cli", "stores", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (
        "flex-sdk: standard output cannot be written to: No space left on device\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="Unix pipes")
def test_a_reader_that_has_seen_enough_is_told_nothing() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "flex_integration_sdk.cli", "call", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        assert child.stderr.read() == b""
    assert child.returncode == 141
