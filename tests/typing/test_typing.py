"""What type checkers say of a user's program, and of one with mistakes in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("user_code.py")
STORES = PROGRAM.with_name("stores.py")
PAGES = [
    "README.md",
    "docs/tutorial.md",
    "docs/network.md",
    *(
        f"docs/how-to/{name}.md"
        for name in (
            "call-the-api",
            "follow-events",
            "nightly-job",
            "paging",
            "task-queues",
            "test-your-program",
            "upload",
        )
    ),
]
CLOSED_SETS = PROGRAM.with_name("closed_sets.py")
ROOT = Path(__file__).resolve().parents[2]

MISTAKES = {
    "per_page=10": 'per_page="10"',  # a wrong type
    "old_total=None, new_total=5": "new_total=5",  # a required argument is missing
    "listing.attributes['title']": "listing.attributes['tilte']",  # no such attribute
    "iterate(transaction_id=transaction_id": "iterate(transaction=transaction_id",  # one of two
    "user async for user": "user for user",  # no sync iterator
    "await sdk.images.upload": "sdk.images.upload",  # not awaited: the answer has no data
    "sdk.events.query(": "sdk.event.query(",  # no such resource
}


def mypy(file: Path, *, strict: bool = True) -> list[str]:
    flags = [
        "--strict" if strict else "--disable-error-code=import-untyped",
        "--no-error-summary",
        "--hide-error-context",
        "--no-pretty",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *flags, "--config-file", os.devnull, str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=file.parent,
        env={**os.environ, "MYPYPATH": str(ROOT / "src")},
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if ": error:" in line]


def basedpyright(file: Path, mode: str = "strict") -> list[str]:
    config = {
        "include": [str(file)],
        "typeCheckingMode": mode,
        "extraPaths": [str(ROOT / "src")],
    }
    project = file.parent / "pyrightconfig.json"
    project.write_text(json.dumps(config), encoding="utf-8")
    program = Path(sys.executable).with_name("basedpyright")
    done = subprocess.run(
        [program, "--project", str(project), "--pythonpath", sys.executable, "--level", "error"],
        capture_output=True,
        text=True,
        check=False,
        cwd=file.parent,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if " - error:" in line]


Checker = Callable[[Path], list[str]]
checkers = pytest.mark.parametrize(
    "check", [pytest.param(mypy, marks=pytest.mark.slow), basedpyright]
)


@pytest.mark.slow
@checkers
def test_the_programs_of_the_pages_have_no_error(check: Checker, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        found = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
        assert found, page
        name = page.rpartition("/")[2].replace("-", "_").replace(".md", ".py")
        (folder / name).write_text("\n".join(found), encoding="utf-8")
    # As users have them, without types of their own.
    is_mypy = check is mypy
    assert (mypy(folder, strict=False) if is_mypy else basedpyright(folder, "standard")) == []


@checkers
def test_a_users_program_has_no_error(check: Checker, tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM.read_text(encoding="utf-8"), encoding="utf-8")
    assert check(file) == []


@pytest.mark.slow
@checkers
def test_each_mistake_is_one_error(check: Checker, tmp_path: Path) -> None:
    text = PROGRAM.read_text(encoding="utf-8")
    for right, wrong in MISTAKES.items():
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    file = tmp_path / "program.py"
    file.write_text(text, encoding="utf-8")
    # Strict, it would also report what is unknown because of a mistake.
    errors = basedpyright(file, "standard") if check is basedpyright else check(file)
    found = {int(line) for error in errors for line in re.findall(r"program\.py:(\d+)", error)[:1]}
    assert len(found) == len(MISTAKES), errors


@pytest.mark.slow
@checkers
def test_what_is_no_store_is_an_error_and_each_kind_of_store_is_none(
    check: Checker, tmp_path: Path
) -> None:
    text = STORES.read_text(encoding="utf-8")
    file = tmp_path / "program.py"
    file.write_text(text, encoding="utf-8")
    errors = basedpyright(file, "standard") if check is basedpyright else check(file)
    found = {int(line) for error in errors for line in re.findall(r"program\.py:(\d+)", error)[:1]}
    lines = text.splitlines()
    assert found == {n for n, line in enumerate(lines, 1) if line.endswith("# wrong")}, errors


@checkers
def test_each_name_that_the_api_does_not_have_is_an_error(check: Checker, tmp_path: Path) -> None:
    text = CLOSED_SETS.read_text(encoding="utf-8")
    file = tmp_path / "program.py"
    file.write_text(text, encoding="utf-8")
    errors = check(file)
    found = {int(line) for error in errors for line in re.findall(r"program\.py:(\d+)", error)[:1]}
    wrong = {n for n, line in enumerate(text.splitlines(), 1) if line.endswith("# wrong")}
    assert len(wrong) > 10
    assert found == wrong, errors
