"""``flex-sdk stores new``: what it refuses, and what it leaves behind.

That what it writes works is tested in tests/integration/test_third_party_plugin.py.
"""

from __future__ import annotations

import ast
import errno
import keyword
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import flex_integration_sdk
from flex_integration_sdk.cli._app import run
from tests.support.environments import ROOT

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in an empty folder; gives its exit code and what it printed."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def command(*arguments: str) -> tuple[int, str]:
        code = run(["stores", "new", *arguments])
        out, err = capsys.readouterr()
        return code, out + err

    return command


def left() -> list[str]:
    return sorted(path.name for path in Path.cwd().iterdir())


@pytest.mark.parametrize("name", ["acme", "my-cloud", "kv-2", *keyword.kwlist[3:6], "x" * 40])
def test_a_package_is_written_under_its_name(new: Run, name: str) -> None:
    code, printed = new(name)
    assert code == 0
    module = f"flex_tokenstore_{name.replace('-', '_')}"
    assert left() == [f"flex-tokenstore-{name}"]
    package = Path(f"flex-tokenstore-{name}")
    texts = {path: path.read_text("utf-8") for path in package.rglob("*") if path.is_file()}
    assert {path.name for path in texts} >= {"pyproject.toml", "README.md", "py.typed"}
    for path, text in texts.items():
        assert "skeleton" not in f"{path}{text}".lower()
        if path.suffix == ".py":
            ast.parse(text)
    project = tomllib.loads(texts[package / "pyproject.toml"])["project"]
    assert project["name"] == f"flex-tokenstore-{name}"
    ((store, value),) = project["entry-points"]["flex_tokenstore"].items()
    assert store == name
    assert value.startswith(f"{module}:")
    assert f"class {value.partition(':')[2]}:" in texts[package / "src" / module / "_store.py"]
    assert f"cd flex-tokenstore-{name}\n" in printed
    assert f"flex-sdk stores show {name}\n" in printed


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Acme", "'acme' would be valid"),
        ("MyCloud", "'my-cloud' would be valid"),
        ("my_cloud", "'my-cloud' would be valid"),
        ("my--cloud", "'my-cloud' would be valid"),
        ("9lives", "'lives' would be valid"),
        ("flex-tokenstore-acme", "'acme' would be valid"),
        ("a" * 41, "at most 40"),
        ("../acme", "'acme' would be valid"),
        ("größe", "lower-case letters"),
        ("", "lower-case letters"),
        ("file", "flex-integration-sdk"),
        ("memory", "flex-integration-sdk"),
    ],
)
def test_a_name_that_cannot_be_is_refused(new: Run, name: str, told: str) -> None:
    code, printed = new(name)
    assert code == 2
    assert told in printed
    assert left() == []


def test_the_name_of_an_installed_store_is_refused(
    new: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = tmp_path / "site" / "somebodys_store-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: somebodys-store\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[flex_tokenstore]\nacme = a:B\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    code, printed = new("acme")
    assert code == 2
    assert "of somebodys-store" in printed
    assert left() == []


def test_another_folder_is_made_with_its_parents(new: Run) -> None:
    code, printed = new("acme", "--folder", "some where/else")
    assert code == 0
    assert Path("some where", "else", "pyproject.toml").exists()
    assert left() == ["some where"]
    assert any(f"cd {quote}some where" in printed for quote in "'\"")


def test_an_empty_folder_is_filled(new: Run) -> None:
    code, printed = new("acme", "--folder", ".")
    assert code == 0
    files = [".github", ".gitignore", "LICENSE", "README.md", "pyproject.toml", "src", "tests"]
    assert left() == files
    assert "  cd " not in printed


def test_a_new_repository_is_filled(new: Run) -> None:
    (Path("acme") / ".git").mkdir(parents=True)
    assert new("acme", "--folder", "acme")[0] == 0
    assert Path("acme", ".git").is_dir()
    assert Path("acme", ".gitignore").is_file()


def test_what_a_release_needs_is_there(new: Run) -> None:
    assert new("acme")[0] == 0
    package = Path("flex-tokenstore-acme")
    project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    assert project["license-files"] == ["LICENSE"]
    assert (package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert {"dist/", ".venv/", ".env"} <= {*(package / ".gitignore").read_text().splitlines()}
    (bound,) = map(Requirement, project["dependencies"])
    assert bound.name == "flex-integration-sdk"
    assert bound.specifier.contains(flex_integration_sdk.__version__)
    assert not bound.specifier.contains("99")
    ci, release = (
        yaml.safe_load((package / ".github" / "workflows" / name).read_text("utf-8"))
        for name in ("ci.yml", "release.yml")
    )
    assert ci["permissions"] == release["permissions"] == {"contents": "read"}
    runs = [step["run"] for job in ci["jobs"].values() for step in job["steps"] if "run" in step]
    for command in ("pytest", "ruff check", "ruff format --check", "mypy", "build", "twine check"):
        assert any(command in run for run in runs), command
    for extras in re.findall(r"\.\[([\w,]+)\]", "\n".join(runs)):
        assert {*extras.split(",")} <= {*project["optional-dependencies"]}
    # Only the job that uploads can ask for the right to, and it runs nothing of the repository.
    publish = release["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["environment"] == "pypi"
    assert not [step for step in publish["steps"] if "run" in step]


@pytest.mark.parametrize("kind", ["a file", "a full folder"])
def test_what_is_there_is_not_touched(new: Run, kind: str) -> None:
    there = Path("flex-tokenstore-acme")
    mine = there
    if kind == "a full folder":
        there.mkdir()
        mine = there / "mine"
    mine.write_text("mine")
    code, printed = new("acme")
    assert code == 2
    assert "--folder" in printed
    assert left() == ["flex-tokenstore-acme"]
    assert mine.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_named(new: Run) -> None:
    Path("file").touch()
    code, printed = new("acme", "--folder", "file/acme")
    assert code == 1
    assert str(Path("file", "acme")) in printed
    assert "cannot be written" in printed
    assert left() == ["file"]


@pytest.mark.parametrize("folder", ["new", "."])
@pytest.mark.parametrize("failing", ["write_text", "rename"])
@pytest.mark.parametrize(
    ("fault", "code"), [(KeyboardInterrupt(), 130), (OSError(errno.ENOSPC, "disk full"), 1)]
)
def test_no_half_package_is_left(
    new: Run,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    failing: str,
    fault: BaseException,
    code: int,
) -> None:
    original, calls = getattr(Path, failing), []
    last = 1 if (folder, failing) == ("new", "rename") else 3  # a new folder is renamed whole

    def faulty(self: Path, *arguments: object, **options: object) -> object:
        calls.append(self)
        if len(calls) == last:
            raise fault
        return original(self, *arguments, **options)

    monkeypatch.setattr(Path, failing, faulty)
    assert new("acme", "--folder", folder)[0] == code
    assert len(calls) == last
    assert left() == []
