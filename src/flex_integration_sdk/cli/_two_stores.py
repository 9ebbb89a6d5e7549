"""The configs of the stores of a command that has two."""

from __future__ import annotations

from typing import Any

import click

from ._given_store import given_config
from ._shared_options import names_in, refuse_memory
from ._side import Side


def configs_of(source: Side, destination: Side, configured: Any) -> tuple[Any, Any]:
    """The configs of both stores.

    ``FLEX_INTEGRATION_TOKEN_STORE__…`` belong to the store that they are of: to one of the two
    that is given by its name only, never to both.

    Args:
        source: What was said about the first one.
        destination: What was said about the second one.
        configured: The config of the store that the other commands use.

    Raises:
        UsageError: The options contradict each other, or one is a secret.
    """
    first, second = given_config(source), given_config(destination)
    if second is None:
        raise click.UsageError("say where the token is to go: --to NAME or --to-env PREFIX")
    own_name = configured if isinstance(configured, str) else configured.get("name")
    if first is None or (source.is_bare and first["name"] == own_name):
        first = configured
    elif destination.is_bare and second["name"] == own_name:
        second = configured
    for side, config in ((source, first), (destination, second)):
        _refuse_fleeting(side, config)
    return first, second


def _refuse_fleeting(side: Side, config: Any) -> None:
    refuse_memory(names_in(config), f"Choose another with --{side.flag} NAME")
    if "fallback" in names_in(config):
        raise click.UsageError(
            f"--{side.flag}: the store `fallback` chooses one of several each time it is opened, "
            "and may choose another the next time. Name the one that is meant"
        )
