"""``flex-sdk token``."""

from __future__ import annotations

import time
from typing import Any

import click

from flex_integration_sdk._grants import SyncGrants
from flex_integration_sdk._http import Http
from flex_tokenstore import TokenSession, open_store

from ._options import client_options, stored_settings
from ._output import as_json, table


@click.group()
def token() -> None:
    """The stored token of one client."""


@token.command()
@client_options
@click.option("--json", "json_", is_flag=True, help="For programs.")
def show(json_: bool, **given: Any) -> None:
    """Show all of the stored token but its secrets."""
    settings = stored_settings(**given)
    with open_store(settings.token_store, settings.identity) as store:
        found = store.get_token()
        facts: dict[str, Any] = {
            "store": store.name,
            "place": store.place,
            "identity": settings.identity.key,
            "client_id": settings.client_id,
            "base_url": settings.base_url,
            "profile": settings.identity.profile,
            "saved": found is not None,
        }
    if found is not None:
        now = time.time()
        facts["grant_type"] = found.grant_type
        facts["age_seconds"] = None if found.obtained_at is None else round(now - found.obtained_at)
        facts["expires_in_seconds"] = (
            None if found.expires_at is None else round(found.expires_at - now)
        )
    if json_:
        as_json(facts)
    else:
        table(["fact", "value"], [[name, _text(value)] for name, value in facts.items()])
    if found is None:
        raise click.ClickException("no token is stored for this client")


@token.command()
@client_options
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(yes: bool, **given: Any) -> None:
    """Remove the stored token; the server is not told."""
    settings = stored_settings(**given)
    store = open_store(settings.token_store, settings.identity)
    if not yes:
        click.confirm(
            f"Remove the token of {settings.client_id} from {store.place}?", abort=True, err=True
        )
    with TokenSession(store, SyncGrants(settings, Http(30, 15))) as session:
        session.remove()
        click.echo(f"no token of {settings.client_id} is in {store.place} now")


def _text(value: object) -> str:
    if value is None:
        return "unknown"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
