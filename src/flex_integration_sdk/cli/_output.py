"""Output: a table on a terminal, plain text in a pipe."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import click


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints rows; separated by tabs where nobody looks at them."""
    if not sys.stdout.isatty():
        for row in [columns, *rows]:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table(*columns)
    for row in rows:
        shown.add_row(*row)
    Console().print(shown)


def as_json(value: Any) -> None:
    """Prints ``value`` as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, (UUID, Decimal)):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)
