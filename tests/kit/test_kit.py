"""The kit as a stranger uses it: the documented files, a pytest of their own, no other set-up."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "conformance-kit.md"


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    flags = ["-q", "-W", "error", "--strict-markers", "--strict-config", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *flags, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def write_documented_files(folder: Path) -> None:
    blocks = re.findall(r"```python\n# (\S+\.py)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert [name for name, _ in blocks] == ["my_store.py", "test_my_store.py"]
    for name, code in blocks:
        (folder / name).write_text(code, encoding="utf-8")


@pytest.mark.slow
def test_the_documented_files_work_without_a_warning(tmp_path: Path) -> None:
    write_documented_files(tmp_path)
    chosen = "json_shape or second_process or garbage or storm_in_two or corrupt or reentrant"
    done = pytest_in(tmp_path, "-p", "no:timeout", "-m", "not slow", "-k", chosen)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "failed" not in done.stdout


@pytest.mark.slow
def test_a_class_without_a_config_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "from flex_tokenstore.testing import TokenStoreContract\n"
        "class TestIt(TokenStoreContract):\n    pass\n"
    )
    done = pytest_in(tmp_path, "-k", "nothing_is_stored_at_first")
    assert done.returncode == 1
    assert "TestIt must override the fixture store_config" in done.stdout


def test_a_store_that_is_said_to_be_unshared_is_checked(tmp_path: Path) -> None:
    write_documented_files(tmp_path)
    test = tmp_path / "test_my_store.py"
    test.write_text(test.read_text() + '\n    shared_by = "nobody"\n')
    done = pytest_in(tmp_path, "-k", "sees_no_write_of_another")
    assert done.returncode == 1
    assert 'shared_by = "nobody" is wrong' in done.stdout


def test_a_config_that_cannot_be_pickled_is_told_so(tmp_path: Path) -> None:
    write_documented_files(tmp_path)
    test = tmp_path / "test_my_store.py"
    test.write_text(test.read_text().replace("str(tmp_path)}", "str(tmp_path), 'x': lambda: 0}"))
    (tmp_path / "my_store.py").write_text(
        (tmp_path / "my_store.py")
        .read_text()
        .replace("#: where the files are", "#: where\n        x: object = None  #: odd")
    )
    done = pytest_in(tmp_path, "-k", "second_process_sees and sync")
    assert done.returncode == 1
    assert "cannot be pickled" in done.stdout


def test_the_pytest_plugin_loads_little() -> None:
    program = (
        "import sys, flex_tokenstore.testing.plugin; heavy = {'hypothesis', 'asyncio', "
        "'flex_tokenstore.testing._contract'}; print(heavy & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import pytest, sys; before = set(sys.modules); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "hypothesis" not in done.stdout
    assert "_contract" not in done.stdout
