"""From a file of JSON lines to one of CSV, without having all of it in memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ._csv import Columns, cell, flat, safe
from ._resources import OWN, records_of


def make_csv(lines: Path, made: Path) -> None:
    """Writes a header line and a line for each row.

    Args:
        lines: A file with a resource in each line, as JSON.
        made: The file to write.
    """
    columns = Columns(OWN)
    for record in _records(lines):  # the first line has the names of all
        columns.add(record)
    names = columns.names()
    with made.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([safe(name) for name in names])
        for record in _records(lines):
            writer.writerow([cell(record.get(name)) for name in names])


def _records(lines: Path) -> Iterator[dict[str, Any]]:
    with lines.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield dict(flat(records_of({"data": row})[0])) | dict(_included(row, ""))


def _included(row: Mapping[str, Any], within: str) -> Iterator[tuple[str, Any]]:
    """What is in place of references: ``relationships.author.email``, say."""
    for name, found in (row.get("relationships") or {}).items():
        data = found.get("data")
        if not isinstance(data, dict) or "attributes" not in data:
            continue
        inner = f"{within}relationships.{name}."
        yield from flat(data["attributes"], inner)
        yield from _included(data, inner)
