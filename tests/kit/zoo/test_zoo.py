"""The kit fails each broken store in the test that is named for its fault, and no correct one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .beasts import ZOO, Beast, fill_the_zoo
from .forty_lines import FortyLineStore
from .full import FullStore, TwinStore

ROOT = Path(__file__).resolve().parents[3]
SUITE = "tests/kit/zoo/suite.py"
CORRECT = (FortyLineStore, FullStore, TwinStore)

fill_the_zoo()


class Outcome:
    """Which tests of a run failed and which passed; a skipped one is in neither."""

    def __init__(self, report: Path) -> None:
        self.failed: set[str] = set()
        self.passed: set[str] = set()
        for case in ElementTree.parse(report).iter("testcase"):
            name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
            tags = {child.tag for child in case}
            if tags & {"failure", "error"}:
                self.failed.add(name)
            elif "skipped" not in tags:
                self.passed.add(name)


def run(folder: Path, *arguments: str) -> Outcome:
    """Runs a part of the suite in a pytest of its own."""
    report = folder / "report.xml"
    environment = {name: os.environ[name] for name in os.environ if "PYTEST" not in name}
    environment["TMPDIR"] = str(folder)  # where one of them leaves a copy
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=line", f"--junitxml={report}", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return Outcome(report)


def node(beast: Beast) -> str:
    return f"Test{beast.store.__name__}::{beast.test}"


def check_caught(folder: Path, beasts: list[Beast]) -> None:
    outcome = run(folder, *(f"{SUITE}::{node(beast)}" for beast in beasts))
    escaped = [node(beast) for beast in beasts if node(beast) not in outcome.failed]
    assert not escaped, f"not caught: {escaped}"


def test_the_zoo_is_large() -> None:
    assert len({beast.store for beast in ZOO}) >= 150


@pytest.mark.slow
def test_each_swift_beast_is_caught(tmp_path: Path) -> None:
    check_caught(tmp_path, [beast for beast in ZOO if beast.swift])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_each_other_beast_is_caught(tmp_path: Path) -> None:
    check_caught(tmp_path, [beast for beast in ZOO if not beast.swift])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("store", CORRECT)
def test_a_correct_store_passes_all(store: type, tmp_path: Path) -> None:
    outcome = run(tmp_path, f"{SUITE}::Test{store.__name__}")
    assert not outcome.failed
    assert len(outcome.passed) > 100
