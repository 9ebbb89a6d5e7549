"""All checks, in the order in which they build on each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import (
    answer,
    disks,
    mounts,
    network,
    places,
    plugins,
    saving,
    settings,
    stores,
    tls,
    tokens,
    user,
    variables,
)
from . import online as online_checks
from .checks import Check
from .finding import Finding
from .ground import Ground
from .running import run

TIMEOUT = 5.0  # seconds for one check: a server that takes longer makes each call slow

CHECKS: tuple[Check, ...] = (
    *user.CHECKS,
    *settings.CHECKS,
    *plugins.CHECKS,
    *stores.CHOICE,
    *stores.CHECKS,
    *places.CHECKS,
    *disks.CHECKS,
    *mounts.CHECKS,
    *stores.READING,
    *saving.CHECKS,
    *tokens.CHECKS,
    *settings.SECRET,
    *variables.CHECKS,
    *network.CHECKS,
    *tls.CHECKS,
    *answer.CHECKS,
    *online_checks.CHECKS,
)
"""Each topic is a module with a tuple of checks. Later ones stand on what earlier ones found."""


def examine(
    arguments: Mapping[str, Any],
    *,
    online: bool,
    default_store: str = "memory",
    with_options: Callable[[Any], Any] | None = None,
    timeout: float = TIMEOUT,
) -> Iterator[Finding]:
    """Looks at everything that an SDK instance with these arguments needs; changes nothing.

    Args:
        arguments: Those of ``flex_integration_sdk.config.resolve``.
        online: Also send token requests, and calls with the stored token.
        default_store: The token store, if none is chosen.
        with_options: Changes the configured store config, such as by options of the command line.
        timeout: Seconds that one check may take.
    """
    ground = Ground(
        arguments,
        default_store=default_store,
        with_options=with_options,
        online=online,
        timeout=timeout,
    )
    try:
        for check in CHECKS:
            yield from run(check, ground)
    finally:
        ground.close()
