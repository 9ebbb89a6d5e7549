"""What the commands print: tables for people, JSON for programs, CSV for spreadsheets."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, TypeVar, cast

import click

from ._csv import columns_of, flat, print_csv
from ._tables import print_facts, print_table

FORMATS = ("table", "json", "csv")

Command = TypeVar("Command", bound=Callable[..., Any])


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


@contextmanager
def lines_out() -> Iterator[Callable[[str], None]]:
    """A block that prints lines as they come, also within :func:`plugins_apart`.

    Yields:
        A function that prints a line at once.
    """
    output = sys.stdout
    output.flush()
    try:
        real = os.fdopen(os.dup(output.fileno()), "w", encoding="utf-8", newline="\n")
    except (OSError, ValueError):  # it is no file, as in a test or a notebook
        yield lambda line: click.echo(line, file=output)
        return

    def line(text: str) -> None:
        real.write(f"{text}\n")
        real.flush()

    try:
        yield line
    finally:
        with suppress(OSError):  # of what could not be written, the line itself has told
            real.close()


def output_option(default: str = "table") -> Callable[[Command], Command]:
    """Adds ``--output table|json|csv`` and ``--json``, for a command that shows something.

    The command gets the format as its argument ``output``, and gives it to :func:`show`::

        @click.command()
        @output_option()
        def list_(output: str) -> None:
            show(output, [{"name": "a", "status": "ok"}])

    Both options together are a usage error, unless they say the same.

    Args:
        default: The format if neither option is given.
    """

    def decorate(command: Command) -> Command:
        @click.option(
            "--output",
            type=click.Choice(FORMATS),
            help=f"How to print it; csv is for spreadsheets. Default: {default}.",
        )
        @click.option("--json", "as_json", is_flag=True, help="Short for --output json.")
        @wraps(command)
        def with_output(*args: Any, output: str | None, as_json: bool, **others: Any) -> Any:
            if as_json and output not in (None, "json"):
                raise click.UsageError(f"--json and --output {output} contradict each other")
            chosen = "json" if as_json else output or default
            return command(*args, output=chosen, **others)

        return cast("Command", with_output)

    return decorate


def show(
    output: str,
    data: Any,
    *,
    table: Callable[[], None] | None = None,
    records: Iterable[Mapping[str, Any]] | None = None,
    columns: Sequence[str] = (),
) -> None:
    """Prints the result of a command in the format that the user chose.

    Args:
        output: The format: the argument that :func:`output_option` adds.
        data: What JSON shows: a mapping, a list of mappings, or another value.
        table: Prints it for people, with ``print_table`` or ``print_facts`` of ``_tables``, say.
            Without it, mappings are shown as a table, one mapping as names and values.
        records: The lines of the CSV. Without it they are the mappings in ``data``.
        columns: Those that come first, and are there even if nothing is shown.
    """
    from flex_integration_sdk import to_plain

    if output == "json":
        print_json(data)
        return
    plain = to_plain(data)
    found = [plain] if isinstance(plain, Mapping) else plain
    if output == "csv":
        lines = found if records is None else [to_plain(record) for record in records]
        print_csv(lines, columns)
    elif table is not None:
        table()
    elif isinstance(plain, Mapping):
        print_facts(dict(flat(plain)))
    else:
        rows = [dict(flat(record)) for record in found]
        headers = columns_of(rows, columns)
        print_table(headers, [[row.get(name) for name in headers] for row in rows])


def print_json(value: Any) -> None:
    """Prints ``value`` as indented JSON, as ``to_json`` writes it; NaN as the string ``"NaN"``."""
    from flex_integration_sdk import to_json, to_plain

    text = to_json(value, indent=2, default=to_plain)
    # A console that is not UTF-8 could not print all letters.
    is_utf = (sys.stdout.encoding or "").lower().startswith("utf")
    click.echo(text if is_utf else "".join(map(_escaped, text)))


def _escaped(character: str) -> str:
    # Beyond the basic plane it is two: the halves of a pair.
    return character if character.isascii() else json.dumps(character)[1:-1]
