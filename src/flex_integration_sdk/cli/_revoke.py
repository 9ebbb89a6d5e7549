"""``flex-sdk token revoke``: the server forgets the token, and the store too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ._group import Command
from ._instance import instance_of
from ._output import plugins_apart, print_json
from ._progress import waiting_for
from ._shared_options import (
    chosen_of,
    commands_of,
    confirm,
    refuse_memory,
    store_options,
)
from ._stored import is_stored, tell_why_it_cannot_be_read
from ._time_limit import timeout_option

if TYPE_CHECKING:
    from flex_tokenstore import TokenStore


@click.command(cls=Command, short_help="Revoke the stored token at the server, and remove it.")
@store_options
@timeout_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def revoke(yes: bool, as_json: bool, **options: Any) -> None:
    """Revoke the stored token at the server, then remove it from the store.

    All programs that use this token must sign in again. The client secret is not sent. If the
    server cannot be reached the token stays where it is.
    """
    chosen = chosen_of(options, lasting=True)
    with (
        plugins_apart(),
        commands_of(chosen),
        waiting_for("the token store") as say,
        instance_of(chosen, may_sign_in=False) as sdk,
    ):
        say(sdk.settings.base_url)
        store = sdk.token_store
        refuse_memory(store.layers)
        _refuse_read_only(store)
        place, identity = store.place, store.identity.key
        readable = tell_why_it_cannot_be_read(store)
        stored = is_stored(store)
        whose = f"the token of {identity} in {place}"
        if stored:
            confirm(f"Revoke and remove {whose}", f"revoke {whose}", yes=yes)
        revoked = sdk.revoke() if stored else False
        facts = {"store": " over ".join(store.layers), "place": place, "identity": identity}
    if as_json:
        print_json({**facts, "revoked": revoked, "removed": stored})
    elif not stored:
        click.echo(f"nothing to revoke: {place} is empty")
    elif revoked:
        click.echo(f"revoked {whose}, and removed it")
    elif not readable:
        click.echo(f"removed {whose}; it could not be read, and so was not revoked")
    else:
        click.echo(f"removed {whose}; the server did not accept it any more")


def _refuse_read_only(store: TokenStore) -> None:
    if store.abilities.read_only:
        raise click.UsageError(
            f"the token store `{store.name}` only reads {store.place}: revoke the token with the "
            "store that it wraps"
        )
