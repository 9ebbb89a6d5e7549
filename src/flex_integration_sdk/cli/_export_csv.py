"""From a file of JSON lines to one of CSV, without having all of it in memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
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
            yield dict(flat(records_of({"data": json.loads(line)})[0]))
