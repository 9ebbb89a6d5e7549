"""A virtual environment of its own, for tests of what is installed there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_LEFT_OUT = shutil.ignore_patterns(".*", "docs", "benchmarks", "plugins", "__pycache__")


class Environment:
    """Has the libraries of the running environment, and nothing of this project.

    Raises:
        Skipped: The running environment has nothing to install with.
    """

    def __init__(self, folder: Path) -> None:
        if find_spec("pip") is None or find_spec("hatchling") is None:
            pytest.skip("pip and hatchling are needed in the running environment")
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        venv = folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
        windows = os.name == "nt"
        self.bin = venv / ("Scripts" if windows else "bin")
        self.python = self.bin / ("python.exe" if windows else "python")
        variables = {"base": str(venv), "platbase": str(venv)}
        site = Path(sysconfig.get_path("purelib", "venv", variables))
        # The libraries come from the running environment, so that no registry is needed. They
        # are linked one by one: this project's own metadata must not come along.
        for kind in ("purelib", "platlib"):
            for entry in Path(sysconfig.get_path(kind)).iterdir():
                ours = entry.name.lower().replace("-", "_").startswith(("flex_", "_flex_"))
                if not ours and entry.suffix != ".pth" and not (site / entry.name).exists():
                    self._link(entry, site / entry.name)

    def _link(self, source: Path, target: Path) -> None:
        try:
            target.symlink_to(source, target_is_directory=source.is_dir())
        except OSError:  # Windows, where links are a privilege
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)

    def install(self, *projects: Path) -> None:
        """Installs the distributions that these folders are the source of, in one go."""
        copies = []
        for project in projects:
            # A copy: a build must leave no file in the tree, and may run beside another one.
            copies.append(Path(tempfile.mkdtemp(dir=self.folder), project.name))
            shutil.copytree(project, copies[-1], ignore=_left_out(project))
        self.pip("install", "--no-deps", "--no-build-isolation", *map(str, copies))

    def clone(self) -> Path:
        """A copy of the project, as a reader of the pages has it; made once."""
        made = self.folder / "flex-integration-sdk"
        if not made.exists():
            shutil.copytree(ROOT, made, ignore=_left_out(ROOT))
        return made

    def pip(self, command: str, *arguments: str) -> None:
        """Runs pip on this environment; it must succeed."""
        flags = ["-m", "pip", "--disable-pip-version-check", "--python", str(self.python)]
        done = self._run([sys.executable, *flags, command, *arguments], self.folder, 100, {})
        assert done.returncode == 0, done.stderr

    def run(self, code: str, **environ: str) -> Any:
        """What a program printed, as JSON."""
        command = [str(self.python), "-W", "error", "-c", code]
        done = self._run(command, self.folder, 60, environ)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def __call__(
        self, *arguments: str, cwd: Path, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Runs Python with these arguments."""
        return self._run([str(self.python), *arguments], cwd, timeout, {})

    def flex_sdk(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Runs the command that was installed."""
        program = self.bin / ("flex-sdk.exe" if os.name == "nt" else "flex-sdk")
        return self._run([str(program), *arguments], self.folder, 60, environ)

    def shell(self, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Runs a shell script."""
        return self._run(["sh", "-c", script], self.folder, 280, environ)

    def _run(
        self, command: list[str], cwd: Path, timeout: float, environ: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("FLEX_", "PYTHON", "COV", "PYTEST_"))
        }
        ours = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home)}
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            cwd=cwd,
            env={**kept, **ours, **environ},
            check=False,
        )


def _left_out(project: Path) -> Any:
    def ignored(folder: str, names: list[str]) -> set[str]:
        found = _LEFT_OUT(folder, names)
        # The tests of this repository are large; those of the skeleton belong to the package.
        return found | ({"tests"} & {*names} if Path(folder) == project else set())

    return ignored
