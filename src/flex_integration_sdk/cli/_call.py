"""``flex-sdk call``."""

from __future__ import annotations

import difflib
import keyword
from typing import Any

import click

from ._options import client_options
from ._output import as_json


@click.command()
@click.argument("endpoint", metavar="RESOURCE.ACTION")
@click.argument("parameters", nargs=-1, metavar="[KEY=VALUE]…")
@client_options
def call(endpoint: str, parameters: tuple[str, ...], **given: Any) -> None:
    """Call an endpoint, such as listings.query per_page=10, and print its answer as JSON."""
    from flex_integration_sdk import create_instance
    from flex_integration_sdk._resources import ENDPOINTS

    if endpoint not in ENDPOINTS:
        near = difflib.get_close_matches(endpoint, ENDPOINTS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise click.UsageError(f"no endpoint {endpoint}{hint} (there are: {', '.join(ENDPOINTS)})")
    values: dict[str, Any] = {}
    for parameter in parameters:
        key, equals, value = parameter.partition("=")
        if not equals or not key:
            raise click.UsageError(f"a parameter is written key=value, got {parameter!r}")
        values[key + "_" if keyword.iskeyword(key) else key] = value
    with create_instance(**given) as sdk:
        resource, action = endpoint.split(".")
        as_json(getattr(getattr(sdk, resource), action)(**values).body)
