"""``flex-sdk token``: what is stored, without showing it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ._group import Group
from ._import_token import import_
from ._move import move
from ._notices import tell
from ._output import output_option, plugins_apart
from ._output import show as show_data
from ._rekey import rekey
from ._shared_options import confirm, open_lasting_store, store_options
from ._tables import Shown, print_facts
from ._waiting import patient_lock
from ._words import in_cli_words

if TYPE_CHECKING:
    from flex_tokenstore import Token, TokenStore


@click.group(cls=Group)
def token() -> None:
    """The stored token of one client."""


token.add_command(move)
token.add_command(import_)
token.add_command(rekey)


@token.command(short_help="Show whose token is stored, and where.")
@store_options
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
            facts[moment] = f"{facts[moment]} ({_relative(seconds, past=name == 'age')})"
        elif facts["saved"]:
            facts[moment] = "not known"
    for name in ("place", "client_id", "profile"):
        facts[name] = Shown(facts[name], is_whole=True)
    print_facts({name.replace("_", " "): value for name, value in facts.items()})


@token.command()
@store_options
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(yes: bool, **chosen: Any) -> None:
    """Remove the stored token. This does not revoke it; the next program signs in again."""
    with plugins_apart(), open_lasting_store(chosen, removes=True) as store:
        whose = f"the token of {store.identity.key} in {store.place}"
        _tell_why_it_cannot_be_read(store)
        confirm(f"Remove {whose}", f"remove {whose}", yes=yes)
        # A refresh that is under way saves its token first; then that one is removed.
        with patient_lock(store):
            found = _is_stored(store)
            store.remove_token(even_wrapped=True)  # a person was told what it is
        place = store.place
    click.echo(f"removed {whose}" if found else f"nothing to remove: {place} is empty")


def _tell_why_it_cannot_be_read(store: TokenStore) -> None:
    """Before it is removed: another key, for example, may still decrypt it."""
    from flex_tokenstore import TokenCorruptError, TokenStoreError

    try:
        store.get_token()
    except TokenCorruptError as error:
        if error.reason is not None:
            tell(in_cli_words(str(error)))
    except TokenStoreError as error:
        # Of a wrapper, such as that a key is missing; the removal says what the inner one has.
        if len(store.layers) > 1 and error.store == store.name:
            tell(in_cli_words(f"the token cannot be read: {error}"))


def _is_stored(store: TokenStore) -> bool:
    from flex_tokenstore import TokenStoreError

    try:
        return store.get_token() is not None
    except TokenStoreError:
        return True  # or it is not known: a removal needs no key, and says itself if it fails


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
        "obtained_at": _iso(obtained),
        "age": None if obtained is None else round(now - obtained, 1),
        "expires_at": _iso(expires),
        "expires_in": None if expires is None else round(expires - now, 1),
    }


def _iso(moment: float | None) -> str | None:
    if moment is None:
        return None
    try:
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return None  # another program wrote no Unix time in seconds


def _relative(seconds: float, *, past: bool) -> str:
    gone = past if seconds >= 0 else not past
    left = abs(seconds)
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if left >= 2 * size:
            text = f"{left / size:.0f} {unit}"
            break
    else:
        text = f"{left:.0f} seconds"
    return f"{text} ago" if gone else f"in {text}"
