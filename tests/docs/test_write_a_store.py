"""The page "Write a store in 15 minutes": done as it says, from its first line to its last."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from flex_integration_sdk.cli._app import run
from tests.support.environments import ROOT, Environment

PAGE = ROOT / "docs" / "write-a-store.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# (\S+\.py)\n")


class Block(NamedTuple):
    language: str
    text: str


def blocks() -> list[Block]:
    """In their order; ``test_docs.py`` runs the programs that are no excerpts of a file."""
    return [Block(*match) for match in _BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


def steps() -> str:
    """The commands."""
    return "".join(block.text for block in blocks() if block.language == "sh")


def do_the_page(environment: Environment, **variables: str) -> str:
    """Runs all of it in one shell, which stops at the first command that fails; gives its output.

    No registry is asked: what pip would fetch is in the environment already.
    """
    return type_in(environment, steps(), **variables)


def type_in(environment: Environment, script: str, **variables: str) -> str:
    path = f"{environment.bin}{os.pathsep}{os.environ['PATH']}"
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    script = f"set -eux\ncd {shlex.quote(str(environment.clone()))}\n{script}"
    done = environment.shell(script, PATH=path, **offline, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    if shutil.which("sh") is None or find_spec("editables") is None:
        pytest.skip("needs the program sh, and editables, with which hatchling installs in place")
    made = Environment(tmp_path / "environment")
    made.install(ROOT)
    return made


def check(output: str) -> None:
    """What the page says that its reader sees."""
    summaries = re.findall(r"^(?:=+ )?(\d+) passed.*", output, re.MULTILINE)
    assert len(summaries) == 2, output
    assert all(int(passed) > 20 for passed in summaries)
    assert not re.search(r"\d+ (failed|error)", output)
    assert re.search(r"^my-sqlite +ok +flex-tokenstore-my-sqlite", output, re.M)
    assert re.search(r"^place +\S*tokens\.db, row your-client-id-", output, re.M)
    assert re.search(r"^saved +no$", output, re.M)


def test_no_block_of_the_page_is_left_out() -> None:
    assert {block.language for block in blocks()} == {"sh", "python", "toml"}
    assert len(blocks()) * 2 == PAGE.read_text(encoding="utf-8").count("```")


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package that the page has its reader make."""
    monkeypatch.chdir(tmp_path)
    assert run(["stores", "new", "my-sqlite"]) == 0
    return tmp_path / "flex-tokenstore-my-sqlite"


def test_the_files_are_shown_as_they_are_written(written: Path) -> None:
    shown = [block.text for block in blocks() if _FILE.match(block.text)]
    assert len(shown) == 2
    for text in shown:
        first, _, excerpt = text.partition("\n")
        assert excerpt in (written / first.removeprefix("# ")).read_text(encoding="utf-8"), first


def test_the_entry_point_is_the_one_that_is_written(written: Path) -> None:
    (shown,) = [block.text for block in blocks() if block.language == "toml"]
    project = tomllib.loads((written / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert tomllib.loads(shown) == {"project": {"entry-points": project["entry-points"]}}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_page_works(environment: Environment) -> None:
    # The page has the kit run twice; the whole of it is in test_third_party_plugin.
    check(do_the_page(environment, PYTEST_ADDOPTS="-k '[sync'"))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_commands_that_are_printed_can_be_pasted(environment: Environment) -> None:
    printed = type_in(environment, "flex-sdk stores new pasted --folder 'some where/it is'\n")
    commands = [line for line in printed.splitlines() if line.startswith("  ")]
    assert len(commands) == 4
    output = type_in(environment, "\n".join(commands), PYTEST_ADDOPTS="-k 'listed or conflict'")
    assert re.search(r"^status +ok$", output, re.MULTILINE)
    assert re.search(r"\d+ passed", output)
