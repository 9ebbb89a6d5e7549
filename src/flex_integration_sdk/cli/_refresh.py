"""``flex-sdk token refresh``: a new token for the stored refresh token, without a sign-in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ._group import Command
from ._instance import instance_of
from ._moments import iso, relative
from ._notices import tells_itself
from ._output import plugins_apart, print_json
from ._progress import waiting_for
from ._shared_options import (
    chosen_of,
    commands_of,
    refuse_memory,
    store_options,
)
from ._time_limit import timeout_option

if TYPE_CHECKING:
    from flex_integration_sdk import IntegrationSDK
    from flex_tokenstore import Token, TokenSession

_SIGNS_IN = "The next call signs in: `flex-sdk call marketplace.show`"


@click.command(cls=Command, short_help="Refresh the stored token, though it still works.")
@store_options
@timeout_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def refresh(as_json: bool, **options: Any) -> None:
    """Refresh the stored token, though it still works, and save the new one.

    It does what a program does when its token has expired: under the token lock, with the stored
    refresh token, which is used up. The client secret is never sent.

    Exit code 1: nothing is stored, the server rejects the refresh token, or it cannot be reached.
    """
    chosen = chosen_of(options, lasting=True)
    tells_itself("refresh_rejected")
    with (
        plugins_apart(),
        commands_of(chosen),
        waiting_for("the token store") as say,
        instance_of(chosen, may_sign_in=False) as sdk,
    ):
        say(sdk.settings.base_url)
        session, place = sdk.session, sdk.token_store.place
        refuse_memory(sdk.token_store.layers)
        _refuse_read_only(sdk)
        token = _refreshed(session, place)
        left = None if token.expires_at is None else round(token.expires_at - time.time(), 1)
        facts = {
            "store": " over ".join(sdk.token_store.layers),
            "place": place,
            "identity": session.identity.key,
            "expires_at": iso(token.expires_at),
            "expires_in": None
            if token.expires_at is None
            else round(token.expires_at - time.time()),
        }
    # Closing it tries once more to save.
    if not session.saved:
        raise click.ClickException(
            f"the server refreshed the token, but the new one could not be saved in {place}, and "
            f"the one there is used up. {_SIGNS_IN}"
        )
    if as_json:
        print_json({**facts, "refreshed": True})
        return
    expires = "when it expires is not known"
    if left is not None:
        expires = f"it expires {relative(left, past=False)} ({facts['expires_at']})"
    click.echo(f"refreshed the token of {facts['identity']} in {place}; {expires}")


def _refuse_read_only(sdk: IntegrationSDK) -> None:
    if sdk.token_store.abilities.read_only:
        raise click.UsageError(
            f"the token store `{sdk.token_store.name}` only reads {sdk.token_store.place}: refresh "
            "the token with the store that it wraps"
        )


def _refreshed(session: TokenSession, place: str) -> Token:
    from flex_integration_sdk._client.forced_refresh import refresh_now
    from flex_integration_sdk.errors import MissingSecretError

    before = session.peek()
    if before is None:
        raise click.ClickException(f"nothing to refresh: {place} is empty. {_SIGNS_IN}")
    if before.refresh_token is None:
        raise click.ClickException(
            f"the token in {place} has no refresh token. {_SIGNS_IN}, once it has expired"
        )
    try:
        token = refresh_now(session, before)
    except MissingSecretError as error:
        raise click.ClickException(_of_missing(error, place)) from None
    if token is None:
        raise click.ClickException(
            f"the server returned no other token for the refresh token in {place}; nothing was "
            "changed"
        )
    return token


def _of_missing(error: Any, place: str) -> str:
    """For a refresh that would have to go on with a sign-in."""
    if error.why == "rejected":
        host = f" ({error.rejected_by})" if error.rejected_by else ""
        return (
            f"the server{host} rejects the refresh token in {place}: it was revoked, or another "
            f"program has used it. {_SIGNS_IN}"
        )
    return f"there is no refresh token in {place} any more. {_SIGNS_IN}"
