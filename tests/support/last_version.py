"""The code of the last version, beside the present one: both must be able to share a store."""

from __future__ import annotations

import compileall
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "f654560f2cf66cc6726258cc8215c57c376a26d4"
"""The last one whose stores had no common base."""
_PATHS = (
    *("src", "pyproject.toml"),
    *(":(glob)plugins/*/src/**", ":(glob)plugins/*/pyproject.toml"),
)


class LastVersion:
    """Its source, with the metadata that an installer would have written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = [folder / "src", *sorted(folder.glob("plugins/*/src"))]

    @property
    def variables(self) -> dict[str, str]:
        """With these a child process imports this code, not that of the running environment."""
        more = os.environ.get("PYTHONPATH")
        return {"PYTHONPATH": os.pathsep.join([*map(str, self.paths), *([more] if more else [])])}

    def has(self, files: list[str]) -> bool:
        """Whether a process runs this code, by the files of the modules of ours that it imported.

        Raises:
            AssertionError: It has some from here and some from elsewhere, or none at all.
        """
        from_here = {Path(file).is_relative_to(self.folder) for file in files}
        assert len(from_here) == 1, f"modules of both versions, or none: {files}"
        return from_here.pop()


def unpack(cache: Path) -> LastVersion:
    """Unpacks it into a folder that later runs find again: only the first one compiles it.

    Raises:
        Skipped: This is not a clone, so that there is no last version.
        Failed: The clone does not have the commit.
    """
    folder = cache / COMMIT[:12]
    if not folder.exists():
        archive = _archive()
        new = Path(tempfile.mkdtemp(dir=cache))
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(new, filter="data")
        for project in (new, *new.glob("plugins/*")):
            _write_metadata(project)
        with suppress(OSError):  # another test process was first
            new.rename(folder)
        shutil.rmtree(new, ignore_errors=True)
        compileall.compile_dir(folder, quiet=1)
    return LastVersion(folder)


def _archive() -> bytes:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs a git clone and git: the last version's code comes from its history")
    git = ["git", "-C", str(ROOT)]
    looked = subprocess.run([*git, "cat-file", "-e", f"{COMMIT}^{{commit}}"], capture_output=True)
    if looked.returncode != 0:
        pytest.fail(
            f"this clone does not have the commit {COMMIT}, the last version; get it with: "
            f"git fetch --unshallow, or git fetch origin {COMMIT} "
            f"({looked.stderr.decode(errors='replace').strip()})",
            pytrace=False,
        )
    command = [*git, "archive", "--format=tar", COMMIT, *_PATHS]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _write_metadata(project: Path) -> None:
    """The ``.dist-info`` by which the stores are found."""
    about: dict[str, Any] = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    name = about["name"].replace("-", "_")
    version = about.get("version") or _version_of_the_project(project)
    info = project / "src" / f"{name}-{version}.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {about['name']}", f"Version: {version}"]
    lines += [f"Requires-Dist: {each}" for each in about["dependencies"]]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    groups = about["entry-points"]
    text = "".join(
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
        for group, points in groups.items()
    )
    (info / "entry_points.txt").write_text(text)


def _version_of_the_project(project: Path) -> str:
    found: dict[str, str] = {}
    exec((project / "src" / "flex_tokenstore" / "_version.py").read_text(), found)
    return found["__version__"]


@pytest.fixture(scope="session")
def last_version(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> LastVersion:
    """The last version's code; one copy for all test runs of this clone."""
    cache = getattr(pytestconfig, "cache", None)  # absent under `-p no:cacheprovider`
    return unpack(cache.mkdir("last-version") if cache else tmp_path_factory.mktemp("last-version"))
