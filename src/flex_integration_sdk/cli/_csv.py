"""Records as CSV: a header line, and no cell that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

# A spreadsheet computes a cell that begins so; it also takes the wide forms of East Asia.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")  # noqa: RUF001 - they are meant
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def print_csv(records: Iterable[Mapping[str, Any]], first: Sequence[str] = ()) -> None:
    """Prints a header line, and a line for each record.

    The columns are the names of all records, in the order in which they appear. See :func:`flat`
    for values that hold others. An empty cell is None, or a name that this record lacks. A string
    that a spreadsheet would compute has an apostrophe before it, as spreadsheets write it
    themselves for text.

    Args:
        records: Of each a mapping of plain values, as ``to_plain`` makes them.
        first: The columns that come first, and are there even without records.
    """
    rows = [dict(flat(record)) for record in records]
    columns = columns_of(rows, first)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([safe(name) for name in columns])
    for row in rows:
        writer.writerow([cell(row.get(name)) for name in columns])
    click.echo(text.getvalue(), nl=False)


def columns_of(rows: Sequence[Mapping[str, Any]], first: Sequence[str] = ()) -> list[str]:
    """The names of all rows, in the order in which they appear.

    A name that only has None is not among them, if others are within it: next to
    ``price.amount``, an empty column ``price`` would say nothing.

    Args:
        rows: Flat records, as :func:`flat` makes them.
        first: The names that come first, and are there even without rows.
    """
    columns = Columns(first)
    for row in rows:
        columns.add(row)
    return columns.names()


class Columns:
    """The names of many rows, which need not be in memory together; see :func:`columns_of`."""

    def __init__(self, first: Sequence[str] = ()) -> None:
        self._first = first
        self._names = dict.fromkeys(first)
        self._filled: set[str] = set()

    def add(self, row: Mapping[str, Any]) -> None:
        """Notes the names of a row."""
        self._names.update(dict.fromkeys(row))
        self._filled.update(name for name, value in row.items() if value is not None)

    def names(self) -> list[str]:
        """The names of all rows so far."""
        within = {name[:at] for name in self._names for at, c in enumerate(name) if c == "."}
        kept = self._filled | set(self._first)
        return [name for name in self._names if name in kept or name not in within]


def flat(record: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """The names and values of a record without mappings: ``price.amount`` in place of ``price``.

    A list, and a mapping that is empty, becomes JSON.

    Args:
        record: Plain values, as ``to_plain`` makes them.
        within: What the names begin with.
    """
    for name, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{within}{name}.")
        elif isinstance(value, (Mapping, Sequence)) and not isinstance(value, str):
            yield f"{within}{name}", json.dumps(value, ensure_ascii=False)
        else:
            yield f"{within}{name}", value


def cell(value: Any) -> object:
    """A value as the cell of a row."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (int, float)) else safe(str(value))


def safe(text: str) -> str:
    """A text as a cell that a spreadsheet does not compute."""
    # Lines and tabs may stay, between quotes; other control characters would reach a terminal.
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    shown = "".join(c if c in "\n\t" or not _is_control(c) else " " for c in lines)
    shown = shown.encode("utf-8", "backslashreplace").decode("utf-8")  # half a surrogate pair
    is_formula = _FORMULA.match(shown) and not _NUMBER.fullmatch(shown)
    return f"'{shown}" if is_formula or shown[:1] in ("\t", "\n") else shown


def _is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character <= "\x9f"
