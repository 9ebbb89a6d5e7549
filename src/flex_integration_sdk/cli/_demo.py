"""``flex-sdk demo``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ._group import Command
from ._progress import waiting_for
from ._sandbox import require_sandbox
from ._tables import graded, print_table

if TYPE_CHECKING:
    from flex_integration_sdk.demo import Round


@click.command(cls=Command, short_help="Show that many processes sign in once and refresh once.")
@click.option(
    "--processes",
    default=8,
    type=click.IntRange(2, 32),
    show_default=True,
    help="How many processes refresh at the same moment.",
)
def demo(processes: int) -> None:
    """Show that many processes sign in once and refresh once.

    They are real processes, and a local sandbox counts their requests.
    """
    require_sandbox()
    from flex_integration_sdk.demo import run

    click.echo("A local sandbox, the `file` token store in a temporary folder, and new processes")
    click.echo(
        "that call marketplace.show. Each has the client secret; the sandbox counts how often it "
        "is sent."
    )
    click.echo("")
    with waiting_for("the sandbox") as say:
        rounds = run(processes=processes, tell=lambda text: say(f"run {text}"))
    headers = ["run", "processes", "counted by the sandbox", "expected", "actual", "as expected"]
    print_table(headers, [row for each in rounds for row in _rows(each)])
    for each in rounds:
        for failure in each.failures:
            click.echo(f"{each.title}: {failure}", err=True)
    if not all(each.as_expected for each in rounds):
        click.echo("flex-sdk: a figure is not as expected", err=True)
        sys.exit(1)
    click.echo("")
    click.echo("The secret was sent once; each expired token cost one refresh.")


def _rows(each: Round) -> Iterator[list[object]]:
    run: list[object] = [each.title, each.processes]
    for figure, actual, right in each.figures():
        yield [*run, figure, each.expected[figure], actual, graded("yes" if right else "no", right)]
        run = ["", ""]  # said once
