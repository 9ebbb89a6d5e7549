"""``flex-sdk call``."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import click

from ._output import print_json
from ._settings import settings_options


@click.command()
@click.argument("endpoint", metavar="RESOURCE.ACTION")
@click.argument("params", metavar="[KEY=VALUE]...", nargs=-1)
@settings_options
def call(endpoint: str, params: Sequence[str], **chosen: Any) -> None:
    """Call the Integration API and print its answer as JSON.

    \b
    flex-sdk call marketplace.show
    flex-sdk call users.show email=joe@example.com
    flex-sdk call listings.query per_page=10 fields.listing=title,price
    """
    from flex_integration_sdk import create_instance
    from flex_integration_sdk._endpoints import ENDPOINTS, snake

    if endpoint not in ENDPOINTS:
        near = difflib.get_close_matches(endpoint, ENDPOINTS, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        known = ", ".join(sorted(ENDPOINTS))
        raise click.UsageError(f"no call is named {endpoint!r}. {hint}There are: {known}")
    given = _params(params)
    store = chosen.pop("store")
    found = ENDPOINTS[endpoint]
    with create_instance(**chosen, token_store=store) as sdk:
        action = getattr(getattr(sdk, snake(found.resource)), snake(found.action))
        print_json(action(**given).body)


def _params(texts: Sequence[str]) -> dict[str, str]:
    """``key=value`` texts as arguments; values go over the wire as they are."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{text!r} is not of the form key=value")
        if name in found:
            raise click.UsageError(f"{name} is given twice; separate several values by commas")
        found[name] = value
    return found
