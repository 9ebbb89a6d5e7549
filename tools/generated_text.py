"""What the files that ``tools/generate.py`` makes have in common."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SDK = Path("src/flex_integration_sdk")
WIDTH = 100
NOTE = "Do not edit: ``python tools/generate.py`` makes this file from ``{source}``."


def imported(names: Iterable[str]) -> str:
    """Names of an import, in the order and form of the formatter."""
    ordered = sorted(names, key=isort)
    lines = "".join(f"    {name},\n" for name in ordered)
    return f"(\n{lines})" if len(ordered) > 1 else ordered[0]


def isort(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def described(name: str, text: str, width: int = WIDTH - 8) -> list[str]:
    """An entry of a docstring's section, such as one argument."""
    return textwrap.wrap(
        f"{name}: {text}", width, initial_indent="    ", subsequent_indent="        "
    )
