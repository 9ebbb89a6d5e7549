"""The test vectors of docs/formats.md, read from the page itself."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"


def table(heading: str) -> list[dict[str, str]]:
    """The rows of the table under a heading, by column."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    header, _, *rows = [[_cell(cell) for cell in line[1:-1].split("|")] for line in lines]
    return [dict(zip(header, row, strict=True)) for row in rows]


def _cell(text: str) -> str:
    return text.strip().removeprefix("`").removesuffix("`")
