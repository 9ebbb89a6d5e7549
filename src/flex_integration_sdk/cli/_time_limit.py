"""``--timeout``: how long a command waits for the server, for a remote store, for the lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ._durations import Seconds

_META = "flex-sdk.timeout"
_OPTION = "timeout"  # as `RemoteOptions` of the framework names it


def _keep(ctx: click.Context, _: click.Parameter, value: float | None) -> None:
    if value is not None:
        ctx.meta[_META] = value


timeout_option = click.option(
    "--timeout",
    metavar="SECONDS",
    type=Seconds(),
    expose_value=False,
    callback=_keep,
    help="How long to wait for each response of the server or of a remote token store, and for "
    "the token lock.",
)
"""Adds ``--timeout`` to a command, which :func:`time_limit` returns."""


def time_limit() -> float | None:
    """Seconds, as the user gave them to the current command; None: nothing was given."""
    ctx = click.get_current_context(silent=True)
    found: float | None = None if ctx is None else ctx.meta.get(_META)
    return found


def with_time_limit(config: Any, seconds: float) -> Any:
    """The config of a token store, with the time limit if the store has one and it is not set."""
    from flex_tokenstore import TokenStoreError, describe_store
    from flex_tokenstore.embedding import OptionValues

    if isinstance(config, str):
        config = OptionValues(name=config)
    if not isinstance(config, Mapping):
        return config
    found = OptionValues(config)
    found.variables = dict(getattr(config, "variables", {}))
    if "inner" in found:
        found["inner"] = with_time_limit(found["inner"], seconds)
    try:
        options = describe_store(str(found.get("name"))).options or ()
    except TokenStoreError:
        return found  # whoever opens the store says what is wrong
    if _OPTION not in found and any(each.name == _OPTION for each in options):
        found[_OPTION] = seconds
    return found
