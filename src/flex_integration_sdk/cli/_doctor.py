"""``flex-sdk doctor``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from ._durations import Seconds
from ._given_store import given_config, side_of, with_options
from ._group import Command
from ._notices import is_verbose
from ._output import output_option, plugins_apart, show
from ._progress import waiting_for
from ._shared_options import DEFAULT_STORE, store_options
from ._tables import Shown, print_row
from ._told_settings import tell_settings
from ._words import in_cli_words

if TYPE_CHECKING:
    from flex_integration_sdk._doctor import Finding

_MARKS = {"ok": "✔", "warning": "!", "error": "✘", "skipped": "\N{EN DASH}"}
_PLAIN = {"ok": "ok", "warning": "!", "error": "x", "skipped": "-"}
_COLUMNS = ("id", "status", "message", "remedy")
_COLOURS = {"ok": "green", "warning": "yellow", "error": "red", "skipped": None}


@click.command(cls=Command)
@store_options
@click.option(
    "--online",
    is_flag=True,
    help="Also refresh the stored token, though it still works: its refresh token is used up, and "
    "the new token saved. And sign in once: that token is not kept, and not revoked.",
)
@click.option(
    "--timeout",
    type=Seconds(),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long one check may take.",
)
@output_option()
def doctor(online: bool, timeout: float, output: str, **chosen: Any) -> None:
    """Find out why it does not work: settings, token store, files, network, token.

    Without --online it changes nothing, and sends no token request.

    Exit codes: 0 nothing is wrong (there may be warnings), 1 something is wrong.
    """
    findings = _findings(online, timeout, chosen)
    if output == "table":
        found = list(_printed(findings))
        _summarise(found, online=online)
        fine = not _errors(found)
    else:
        with plugins_apart(), waiting_for("the checks"):
            found = list(findings)
        fine = not _errors(found)
        records = [each.as_dict() for each in found]
        show(output, {"findings": records, "ok": fine}, records=records, columns=_COLUMNS)
    if not fine:
        raise click.exceptions.Exit(1)


def _findings(online: bool, timeout: float, chosen: dict[str, Any]) -> Iterator[Finding]:
    from dataclasses import replace

    from flex_integration_sdk._doctor import examine
    from flex_integration_sdk.errors import ConfigurationError

    side = side_of("store", chosen)
    # Options without a name are of the store that is configured.
    of_configured = side.options and side.name is None and side.prefix is None
    config = side.name if side.is_bare else None if of_configured else given_config(side)
    arguments = {**chosen, "allow_http": chosen["allow_http"] or None, "token_store": config}
    if is_verbose():
        with suppress(ConfigurationError):  # the checks say what is wrong
            tell_settings(arguments, DEFAULT_STORE)
    for each in examine(
        arguments,
        online=online,
        default_store=DEFAULT_STORE,
        with_options=(lambda base: with_options(side, base)) if of_configured else None,
        timeout=timeout,
    ):
        yield replace(each, message=_said(each.message), remedy=_said(each.remedy))


def _said(text: str) -> str:
    """In the words of the command line, on one line: a server may have written it."""
    return "".join(c if c.isprintable() else " " for c in in_cli_words(text))


def _printed(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Prints each finding as soon as it is there; those skipped for one reason as one."""
    skipped: list[Finding] = []
    while True:
        with plugins_apart(), waiting_for("the next check"):
            found = next(findings, None)
        if skipped and (found is None or found.message != skipped[0].message):
            _print("skipped", ", ".join(each.id for each in skipped), skipped[0].message)
            skipped = []
        if found is None:
            return
        if found.status == "skipped":
            skipped.append(found)
        else:
            _print(found.status, found.id, found.message, found.remedy)
        yield found


def _print(status: str, ids: str, message: str, remedy: str = "") -> None:
    marks = _marks()
    width = max(map(len, marks.values()))
    print_row([Shown(marks[status], _COLOURS[status]), f"{ids}: {message}"], [width], gap=1)
    if remedy:
        print_row(["", remedy], [width + 2], gap=1)


def _marks() -> dict[str, str]:
    try:
        "".join(_MARKS.values()).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _PLAIN
    return _MARKS


def _errors(found: Iterable[Finding]) -> int:
    return sum(each.status == "error" for each in found)


def _summarise(found: list[Finding], *, online: bool) -> None:
    errors = _errors(found)
    warnings = sum(each.status == "warning" for each in found)
    parts = [f"{errors} wrong"] * bool(errors) + [f"{warnings} to look at"] * bool(warnings)
    click.echo()
    tried = "" if online else " Not tried without --online: a refresh, and a sign-in."
    click.echo((", ".join(parts) or "Nothing is wrong") + "." + tried)
