"""``flex-sdk token rekey``: the stored token, encrypted with the key that encrypts now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ._group import Command
from ._output import plugins_apart, print_json
from ._shared_options import open_lasting_store, store_options
from ._time_limit import timeout_option
from ._waiting import LEASE, patiently

if TYPE_CHECKING:
    from flex_tokenstore.embedding import Rekey


@click.command(cls=Command, short_help="Encrypt the stored token with the first key.")
@store_options
@timeout_option
@click.option("--dry-run", is_flag=True, help="Only say which key the token is encrypted with.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def rekey(dry_run: bool, as_json: bool, **chosen: Any) -> None:
    """Encrypt the stored token with the key that encrypts now: the first one of its store.

    For a store that encrypts, such as `encrypted`. The token stays the same, and no program needs
    to sign in. Do this after a new key was put first, or when a token that was stored before
    encryption is to be encrypted. Only then remove the old key.

    Exit code 1: nothing is stored; with --dry-run also if the token is to be encrypted again.
    """
    from flex_tokenstore.embedding import find_rekey, rekey_token

    with plugins_apart(), open_lasting_store(chosen) as store:
        if dry_run:
            found = find_rekey(store)
        else:
            found = patiently(lambda wait: rekey_token(store, wait=wait, lease=LEASE))
        place, identity = store.place, store.identity.key
    if as_json:
        print_json(
            {
                "store": found.store,
                "place": place,
                "identity": identity,
                "saved": found.is_stored,
                "key_before": found.before,
                "key": found.after,
                "needed": found.is_needed,
                "rekeyed": found.is_needed and not dry_run,
            }
        )
    else:
        said = _said(found, f"the token of {identity} in {place}", place, dry_run=dry_run)
        click.echo(said, err=not found.is_stored)
    # So that a script knows that an old key may go: only if each run ends with 0.
    if not found.is_stored or (dry_run and found.is_needed):
        raise click.exceptions.Exit(1)


def _said(found: Rekey, whose: str, place: str, *, dry_run: bool) -> str:
    if not found.is_stored:
        return f"nothing to encrypt: {place} is empty"
    if not found.is_needed:
        return f"{whose} is encrypted with the first key, {found.after}; nothing to do"
    before = "not encrypted" if found.before is None else f"encrypted with the key {found.before}"
    if dry_run:
        return f"{whose} is {before}; it would be encrypted with the first key, {found.after}"
    return f"{whose} was {before}; now it is encrypted with the first key, {found.after}"
