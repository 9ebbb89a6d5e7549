"""Where in a TOML file each key is: tomllib does not tell."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from flex_tokenstore import Secret

Path = tuple[str, ...]

_MOST = 60  # lines of one statement; it is parsed again with each line


def lines_of(text: Secret[str]) -> dict[Path, int]:
    """The line on which each key and each table of a correct TOML text begins.

    It parses one statement after the other, since each is TOML by itself; the smallest number of
    lines that can be parsed is one statement. After one of very many lines it gives up: no line is
    better than a wait.
    """
    found: dict[Path, int] = {}
    table: Path = ()
    statement, start = Secret(""), 1
    for number, line in enumerate(map(Secret, text.reveal().split("\n")), start=1):
        if not statement:
            start = number
        statement = Secret(f"{statement.reveal()}{line.reveal()}\n")
        parsed = _parsed(statement)
        if parsed is None:
            if number - start > _MOST:
                return found
            continue
        is_header = statement.reveal().lstrip().startswith("[")
        statement = Secret("")
        paths = list(_paths(parsed.reveal()))
        if is_header and paths:
            table = paths[-1]
        for path in paths:
            found.setdefault(path if is_header else table + path, start)
    return found


def _parsed(statement: Secret[str]) -> Secret[Any] | None:
    try:
        return Secret(tomllib.loads(statement.reveal()))
    except (ValueError, RecursionError):
        return None


def _paths(value: Any) -> Iterator[Path]:
    """The paths in what one statement says, outer ones first."""
    if isinstance(value, list):  # an array of tables, or of values
        for each in value:
            yield from _paths(each)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield (key,)
            yield from ((key, *path) for path in _paths(inner))
