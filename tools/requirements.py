#!/usr/bin/env python3
"""Makes requirements-dev.txt from the dependency group `dev` in pyproject.toml.

python tools/requirements.py            writes it
python tools/requirements.py --check    exit code 1 if it is not what the group gives

The pins are written in the groups only (PEP 735), which pip, uv, poetry and editors read. The file
is for `dev.py`: the pip of the Python that it is started with may be too old for groups.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "requirements-dev.txt"
HEADER = "# Made by tools/requirements.py from the group `dev` in pyproject.toml: do not edit.\n"


def main(arguments: list[str]) -> int:
    """Writes or checks the file; returns the exit code."""
    text = made()
    if arguments == ["--check"]:
        if FILE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{FILE.name} is not what the group `dev` gives: run python tools/requirements.py")
        return 1
    FILE.write_text(text, encoding="utf-8", newline="\n")
    return 0


def made() -> str:
    """The whole file."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return HEADER + "".join(f"{pin}\n" for pin in pins(groups["dependency-groups"], "dev"))


def pins(groups: dict[str, list[Any]], name: str) -> list[str]:
    """The requirements of a group, with those of the groups that it includes, each once."""
    found: list[str] = []
    for entry in groups[name]:
        found += [entry] if isinstance(entry, str) else pins(groups, entry["include-group"])
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
