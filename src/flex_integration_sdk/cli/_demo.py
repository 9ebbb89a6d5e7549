"""``flex-sdk demo``."""

from __future__ import annotations

import sys

import click

from ._group import Command
from ._sandbox import require_sandbox
from ._tables import print_table


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
    rounds = run(processes=processes, tell=lambda text: click.echo(f"… {text}", err=True))
    headers = ["run", "processes", "counted by the sandbox", "expected", "actual", "as expected"]
    print_table(
        headers,
        [
            [each.title, each.processes, figure, each.expected[figure], actual, right]
            for each in rounds
            for figure, actual, right in each.figures()
        ],
    )
    for each in rounds:
        for failure in each.failures:
            click.echo(f"{each.title}: {failure}", err=True)
    if not all(each.as_expected for each in rounds):
        click.echo("flex-sdk: a figure is not as expected", err=True)
        sys.exit(1)
    click.echo("")
    click.echo("The secret was sent once; each expired token cost one refresh.")
