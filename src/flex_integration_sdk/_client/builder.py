"""From the arguments of a create function to an instance."""

from __future__ import annotations

from typing import Literal

from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore._events.dispatch import check_on_event

OnStoreError = Literal["raise", "memory"]


def check_limits(
    timeout: float,
    request_timeout: float,
    lock_timeout: float | None,
    busy_timeout: float | None,
    on_store_error: str,
) -> None:
    """Raises ConfigurationError for what the session or the HTTP client would stumble over."""
    limits = {"timeout": timeout, "request_timeout": request_timeout}
    for name, limit in (("lock_timeout", lock_timeout), ("busy_timeout", busy_timeout)):
        if limit is not None:
            limits[name] = limit
    for name, value in limits.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0 < value < float("inf"):
            raise ConfigurationError(f"{name} takes a positive number of seconds, got {value!r}")
    if on_store_error not in ("raise", "memory"):
        raise ConfigurationError(
            f'on_store_error takes "raise" or "memory", got {on_store_error!r}'
        )


def refuse_wrong_callback(on_event: object) -> None:
    """Raises ConfigurationError for what the session would refuse."""
    try:
        check_on_event(on_event)
    except TypeError as error:
        raise ConfigurationError(str(error)) from None
