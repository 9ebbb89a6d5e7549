#!/usr/bin/env python3
"""Builds what a release hands out: source distributions and wheels, of the project and each plugin.

python3 dev.py build           into dist/, which then holds nothing else
python3 dev.py build FOLDER    into another folder

Each wheel is built from the unpacked source distribution, not from the tree. So a file that the
source distribution lacks is missed here, and not by whoever builds from it later. It needs no
network: hatchling is in the environment of ``dev.py``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECTS = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]


def main(arguments: list[str]) -> int:
    """Builds all; prints a line for each file."""
    target = Path(arguments[0]).resolve() if arguments else ROOT / "dist"
    target.mkdir(parents=True, exist_ok=True)
    for old in (*target.glob("*.tar.gz"), *target.glob("*.whl")):
        old.unlink()  # else files of an earlier version would be released with this one's
    for project in PROJECTS:
        for made in build(project, target):
            print(f"{made.stat().st_size:>9,} bytes  {made.name}", flush=True)
    return 0


def build(project: Path, target: Path) -> tuple[Path, Path]:
    """The source distribution of ``project``, and the wheel that is made from it."""
    source = _hatchling(project, "sdist", target)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(source) as archive:
            archive.extractall(folder, filter="data")
        (unpacked,) = Path(folder).iterdir()
        return source, _hatchling(unpacked, "wheel", target)


def _hatchling(project: Path, kind: str, target: Path) -> Path:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the {kind} of {project.name} could not be built:\n{done.stderr}")
        (made,) = Path(folder).iterdir()
        # Not a rename: the temporary folder may be on another file system.
        return Path(shutil.move(made, target / made.name))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
