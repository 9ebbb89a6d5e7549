"""``flex-sdk events``."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ._complete import complete_names, complete_path
from ._durations import Seconds
from ._group import Command, Group
from ._instance import instance_of
from ._notices import tell
from ._output import lines_out, plugins_apart
from ._progress import waiting_for
from ._shared_options import chosen_of, commands_of, store_options
from ._time_limit import timeout_option

if TYPE_CHECKING:
    _Type = click.ParamType[datetime]
else:
    _Type = click.ParamType  # of older versions of click it has no type of its own

_DELIVERY = ("at-least-once", "at-most-once")


class _Moment(_Type):
    """A time, in UTC if it names no zone."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Reads it."""
        from flex_integration_sdk._values.far_time import time_of

        try:
            found = time_of(str(value))
        except ValueError:
            found = None
        if not isinstance(found, datetime):
            self.fail(
                f"takes a time such as 2026-01-31T12:00Z, got {str(value)[:40]!r}", param, ctx
            )
        return found


def _complete_type(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    found = complete_names("EventFilter", incomplete, "", several=False)
    return [CompletionItem(each.value.removeprefix("=")) for each in found]


@click.group(cls=Group)
def events() -> None:
    """What happens in the marketplace."""


@events.command(cls=Command)
@click.option(
    "--cursor",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    shell_complete=complete_path,
    help="The file that keeps the position: the next run goes on there.",
)
@click.option(
    "--interval",
    metavar="SECONDS",
    type=Seconds(),
    default=300.0,
    show_default=True,
    help="Seconds between two queries while nothing happens; the API's docs ask for 10 or more.",
)
@click.option(
    "--since",
    metavar="TIME",
    type=_Moment(),
    help="Where the first run begins, such as 2026-01-31T12:00Z. Default: now.",
)
@click.option(
    "--type",
    "types",
    metavar="NAME",
    multiple=True,
    shell_complete=_complete_type,
    help="Only these, such as listing/created, or listing: all of listings. Repeatable.",
)
@click.option(
    "--worker",
    metavar="NAME",
    help="A name that several of these share: one works, the others wait and take over.",
)
@click.option(
    "--takeover",
    metavar="SECONDS",
    type=Seconds(),
    default=60.0,
    show_default=True,
    help="When another takes over from one that was killed, in a store such as redis.",
)
@click.option(
    "--delivery",
    type=click.Choice(_DELIVERY),
    default=_DELIVERY[0],
    show_default=True,
    help="Save the position after an event is printed, or before.",
)
@store_options
@timeout_option
def follow(
    cursor: Path | None,
    interval: float,
    since: datetime | None,
    types: tuple[str, ...],
    worker: str | None,
    takeover: float,
    delivery: Any,
    **options: Any,
) -> None:
    """Print each event as it happens, as JSON in a line, until Ctrl-C or SIGTERM.

    \b
    flex-sdk events follow --cursor listings.cursor --type listing
    flex-sdk events follow --since 2026-01-31T12:00Z | jq .attributes.eventType

    An event counts as handled when its line is written. The exit code of a stop is 0. A query that
    fails is repeated until it succeeds; an error of the client or the query ends the command.
    """
    from flex_integration_sdk import to_json
    from flex_integration_sdk.names import AnyName

    _check_types(types)
    if worker is not None and cursor is None:
        raise click.UsageError("--worker needs --cursor, a file that all of them share")
    if cursor is not None and not cursor.parent.is_dir():
        raise click.UsageError(f"--cursor: there is no folder {cursor.parent}")
    chosen = chosen_of(options)
    with (
        lines_out() as line,
        plugins_apart(),
        commands_of(chosen),
    ):
        with waiting_for("the token store"):
            sdk = instance_of(chosen)
        with (
            _changes_told(),
            sdk,
            sdk.events.follow(
                cursor=cursor,
                interval=interval,
                since=since,
                event_types=[AnyName(each) for each in types] or None,
                worker=worker,
                takeover=takeover,
                delivery=delivery,
                stop_on=(signal.SIGTERM, signal.SIGINT),
            ) as stream,
        ):
            if sys.stderr.isatty():
                tell(f"following the events of {sdk.settings.base_url}; Ctrl-C ends it")
            for event in stream:
                line(to_json(event))
            if sys.stderr.isatty():
                click.echo(err=True)  # else the shell's prompt follows the ^C of the terminal


class _Told(logging.Handler):
    """Prints which replica works, and that a failure is over; warnings are printed as ever."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.INFO:
            tell(record.getMessage())


@contextmanager
def _changes_told() -> Iterator[None]:
    logger, handler = logging.getLogger("flex_integration_sdk.events"), _Told()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


def _check_types(types: tuple[str, ...]) -> None:
    """Tells of a type that this version does not know: if it is misspelled, nothing ever comes."""
    from difflib import get_close_matches
    from typing import get_args

    from flex_integration_sdk.names import EventFilter

    known = get_args(EventFilter)
    for each in types:
        if each not in known:
            near = get_close_matches(each, known, 1)
            tell(
                f"--type {each}: this version knows no such type of events, so that none may come"
                + (f"; did you mean {near[0]}?" if near else "")
            )
