"""What README and docs print as a store passes the kit's fast part, as a reader would run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .printed import CONFIGS, Printed, stores
from .test_kit import pytest_in

# What the kit once asked too much of, or the pages said too little about; the slow run has all.
QUICK = (
    "sync and not async and (newer_format or option or refuses_another or object_given or large)"
)


def write(folder: Path) -> list[Printed]:
    found = stores()
    for each in found:
        each.write(folder)
    return found


def test_each_printed_store_has_a_test_class() -> None:
    assert {(each.page, each.name) for each in stores()} == set(CONFIGS)


@pytest.mark.slow
def test_printed_stores_pass_what_is_special_to_them(tmp_path: Path) -> None:
    write(tmp_path)
    done = pytest_in(tmp_path, "-k", QUICK, "-m", "not slow")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("number", range(len(CONFIGS)))
def test_a_printed_store_passes_the_fast_kit(number: int, tmp_path: Path) -> None:
    found = write(tmp_path)[number]
    kind = "[async" if "Async" in found.name else "[sync"
    done = pytest_in(tmp_path, "-m", "not slow", "-k", kind, f"test_{found.module}.py")
    assert done.returncode == 0, done.stdout + done.stderr
