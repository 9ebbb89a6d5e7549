"""What the commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import click


@contextmanager
def plugins_apart() -> Iterator[None]:
    """A block in which plugins may run: what they print goes to standard error.

    A program reads the JSON on standard output, and a plugin, or a library that it imports, may
    print there. The descriptor too: not all of them print with Python.
    """
    output = sys.stdout
    output.flush()
    number, kept = -1, None
    with suppress(OSError, ValueError):  # one of them is not a file, as in a test or a notebook
        errors, number = sys.stderr.fileno(), output.fileno()
        kept = os.dup(number)
        os.dup2(errors, number)
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stdout = output
        if kept is not None:
            os.dup2(kept, number)
            os.close(kept)


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a table: drawn on a terminal, aligned plain text in a pipe or a file."""
    cells = [[_clean(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(headers, cells)
        return
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    for row in [list(headers), *cells]:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def print_facts(facts: Mapping[str, object]) -> None:
    """Prints names and values, one pair on each line."""
    width = max(map(len, facts))
    for name, value in facts.items():
        click.echo(f"{name.ljust(width)}  {_clean(value)}".rstrip())


def print_json(value: Any) -> None:
    """Prints ``value`` as indented JSON, in the form of ``to_plain``."""
    from flex_integration_sdk import to_plain

    # A console that is not UTF-8 could not print all letters.
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(to_plain(value), indent=2, ensure_ascii=plain)
    # No encoding has half a surrogate pair, but JSON has an escape for it.
    click.echo("".join(c if not "\ud800" <= c <= "\udfff" else f"\\u{ord(c):04x}" for c in text))


def _clean(cell: object) -> str:
    """A string without control characters: plugins and servers may have written it."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return "".join(c if c.isprintable() else " " for c in str(cell))


def _print_rich(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()  # it honours NO_COLOR and the terminal's width
    widths = _widths(headers, rows, console.width)
    if widths is None:
        # A table that breaks words is harder to read than none.
        for row in rows:
            print_facts(dict(zip(headers, row, strict=True)))
            click.echo("")
        return
    table = Table()
    for header, width in zip(headers, widths, strict=True):
        table.add_column(header, overflow="fold", width=width)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def _widths(headers: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """The widths of the columns, such that no word is broken; None: the window is too narrow.

    Rich does not do this: it cuts off the table's right edge if the window is narrow.
    """
    from rich.cells import cell_len

    columns = list(zip(headers, *rows, strict=True))
    widths = [
        max(cell_len(word) for cell in each for word in [*cell.split(), ""]) for each in columns
    ]
    left = room - sum(widths) - 3 * len(widths) - 1  # borders and padding
    if left < 0:
        return None
    for index, column in enumerate(columns):
        more = min(left, max(map(cell_len, column)) - widths[index])
        widths[index] += more
        left -= more
    return widths
