"""``flex-sdk init``: the command; what it does is imported when it is used."""

from __future__ import annotations

from typing import Any

import click

from ._complete import complete_profile, complete_store, complete_store_option
from ._group import Command
from ._output import plugins_apart


class _Init(Command):
    def _of_too_much(self, rest: list[str]) -> str:
        # Not the words themselves: somebody may have typed the secret there.
        return (
            "it takes options only, such as --profile NAME; it asks for the client secret, or "
            "reads it from a file"
        )


@click.command(cls=_Init, short_help="Write a profile into config.toml, and try it.")
@click.option(
    "--profile",
    metavar="NAME",
    default="default",
    show_default=True,
    shell_complete=complete_profile,
    help="The section to write: [profiles.NAME].",
)
@click.option("--client-id", metavar="ID", help="From Console; it asks if omitted.")
@click.option(
    "--client-secret-file",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="File with the client secret; the profile refers to it. It asks if omitted.",
)
@click.option(
    "--client-secret-stdin",
    is_flag=True,
    help="Read the client secret from standard input, such as from a password manager.",
)
@click.option("--base-url", metavar="URL", help="Address of the server. Default: the live API.")
@click.option(
    "--allow-http",
    is_flag=True,
    help="Accept plain http to another host: the client secret travels unencrypted.",
)
@click.option(
    "--store",
    "store_name",
    metavar="NAME",
    shell_complete=complete_store(),
    help="Token store. Default: file.",
)
@click.option(
    "--store-option",
    "store_options",
    metavar="KEY=VALUE",
    multiple=True,
    shell_complete=complete_store_option("store"),
    help="An option of that store, which is not secret. Can be given several times.",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Config file. Default: FLEX_INTEGRATION_CONFIG, else the one of this user.",
)
@click.option(
    "--force",
    "--yes",
    is_flag=True,
    help="Ask for nothing that has a default; change an existing profile.",
)
@click.option("--no-check", is_flag=True, help="Do not sign in.")
def init(profile: str, config: str | None, force: bool, no_check: bool, **given: Any) -> None:
    """Write a profile into config.toml, sign in once, and keep the token.

    It asks on a terminal for what is not given. The client secret is not shown while you type it.
    It is written into a file of its own, beside config.toml, that only you can read.

    \b
    flex-sdk init
    flex-sdk init --profile test --base-url http://127.0.0.1:8080
    op read op://shop/flex/secret | flex-sdk init --client-id ID --client-secret-stdin

    Exit codes: 0 done, 1 the profile is written and does not work yet, or a file cannot be
    written, 2 usage error.
    """
    from ._init_run import write_and_try

    with plugins_apart():
        steps = write_and_try(profile.strip(), config, given, force=force, no_check=no_check)
    click.echo(steps)
