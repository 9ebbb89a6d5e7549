"""``flex-sdk token``: what is stored, without showing it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ._group import Group
from ._import_token import import_
from ._moments import iso, relative
from ._move import move
from ._output import output_option, plugins_apart
from ._output import show as show_data
from ._refresh import refresh
from ._rekey import rekey
from ._revoke import revoke
from ._shared_options import confirm, open_lasting_store, store_options
from ._stored import is_stored, tell_why_it_cannot_be_read
from ._tables import Shown, print_facts
from ._time_limit import timeout_option
from ._waiting import patient_lock

if TYPE_CHECKING:
    from flex_tokenstore import Token, TokenStore


@click.group(cls=Group)
def token() -> None:
    """The stored token of one client."""


for command in (refresh, revoke, move, import_, rekey):
    token.add_command(command)


@token.command(short_help="Show whose token is stored, and where.")
@store_options
@timeout_option
@output_option()
def show(output: str, **chosen: Any) -> None:
    """Show whose token is stored, where, and how old it is; never the token itself."""
    with plugins_apart(), open_lasting_store(chosen) as store:
        facts = _facts(store, store.get_token())
    show_data(output, facts, table=lambda: _print(dict(facts)))


def _print(facts: dict[str, Any]) -> None:
    for name in ("age", "expires_in"):
        seconds = facts.pop(name)
        moment = "obtained_at" if name == "age" else "expires_at"
        if facts[moment] is not None:
            facts[moment] = f"{facts[moment]} ({relative(seconds, past=name == 'age')})"
        elif facts["saved"]:
            facts[moment] = "not known"
    for name in ("place", "client_id", "profile"):
        facts[name] = Shown(facts[name], is_whole=True)
    print_facts({name.replace("_", " "): value for name, value in facts.items()})


@token.command()
@store_options
@timeout_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(yes: bool, **chosen: Any) -> None:
    """Remove the stored token. This does not revoke it; the next program signs in again."""
    with plugins_apart(), open_lasting_store(chosen, removes=True) as store:
        whose = f"the token of {store.identity.key} in {store.place}"
        tell_why_it_cannot_be_read(store)
        confirm(f"Remove {whose}", f"remove {whose}", yes=yes)
        # A refresh that is under way saves its token first; then that one is removed.
        with patient_lock(store):
            found = is_stored(store)
            store.remove_token(even_wrapped=True)  # a person was told what it is
        place = store.place
    click.echo(f"removed {whose}" if found else f"nothing to remove: {place} is empty")


def _facts(store: TokenStore, found: Token | None) -> dict[str, Any]:
    identity = store.identity
    obtained = found.obtained_at if found else None
    expires = found.expires_at if found else None
    now = time.time()
    return {
        "store": " over ".join(store.layers),
        "place": store.place,
        "identity": identity.key,
        "client_id": identity.client_id,
        "base_url": identity.base_url,
        "profile": identity.profile,
        "saved": found is not None,
        "grant_type": found.grant_type if found else None,
        "obtained_at": iso(obtained),
        "age": None if obtained is None else round(now - obtained, 1),
        "expires_at": iso(expires),
        "expires_in": None if expires is None else round(expires - now, 1),
    }
