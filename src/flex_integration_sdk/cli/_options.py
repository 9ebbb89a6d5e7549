"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from flex_integration_sdk.config import Settings, resolve

_OPTIONS = (
    click.option("--client-id", help="Else FLEX_INTEGRATION_CLIENT_ID."),
    click.option("--client-secret-file", type=click.Path(), help="A file with the secret."),
    click.option("--base-url", help="Else FLEX_INTEGRATION_BASE_URL."),
    click.option("--profile", help="Else FLEX_INTEGRATION_PROFILE."),
    click.option("--store", "token_store", help="Else FLEX_INTEGRATION_TOKEN_STORE."),
)


def client_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that choose a client and its token store."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def stored_settings(**given: Any) -> Settings:
    """Settings with a store that outlives this command.

    Raises:
        click.UsageError: The store is ``memory``.
    """
    settings = resolve(**given)
    name = settings.token_store
    if name == "memory" or (isinstance(name, dict) and name.get("name") == "memory"):
        raise click.UsageError(
            "the memory store keeps nothing between commands; choose another with --store file or "
            "FLEX_INTEGRATION_TOKEN_STORE=file (see `flex-sdk stores list`)"
        )
    return settings
