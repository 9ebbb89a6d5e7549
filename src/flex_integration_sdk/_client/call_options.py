"""What can be said for single calls, by ``with_options``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from flex_integration_sdk._endpoints.param_types import UNSET, Unset
from flex_integration_sdk._wire.call_headers import checked_headers
from flex_integration_sdk.errors import ConfigurationError

UnknownParameters = Literal["refuse", "send"]
_MOST_RETRIES = 100
_LONGEST = 1e9  # seconds; the system's clocks and timers count no further


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """How calls are made. One that is None is as the instance's client has it.

    Raises:
        ConfigurationError: A value is wrong.
    """

    timeout: float | None = None
    """Seconds to wait for a response, and then for each further 64 KB of it."""
    total_timeout: float | None = None
    """Seconds for a whole call, with its repetitions and waits. None: no limit."""
    max_retries: int = 2
    """How often a call that can safely be repeated is repeated."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further headers of the API requests; token requests do not have them."""
    unknown_parameters: UnknownParameters = "refuse"
    """What to do with a parameter that is near a known name: ``refuse``, or ``send``."""

    def __post_init__(self) -> None:
        for name in ("timeout", "total_timeout"):
            if (value := getattr(self, name)) is not None:
                check_seconds(name, value)
        retries: Any = self.max_retries
        if isinstance(retries, bool) or not isinstance(retries, int):
            raise ConfigurationError(f"max_retries must be a whole number, got {retries!r}")
        if not 0 <= retries <= _MOST_RETRIES:
            raise ConfigurationError(f"max_retries must be 0 to {_MOST_RETRIES}, got {retries!r}")
        if self.unknown_parameters not in get_args(UnknownParameters):
            raise ConfigurationError(
                f'unknown_parameters must be "refuse" or "send", got {self.unknown_parameters!r}'
            )
        object.__setattr__(self, "headers", checked_headers(self.headers))

    def changed(
        self,
        timeout: float | Unset | None,
        total_timeout: float | Unset | None,
        max_retries: int | Unset,
        headers: Mapping[str, str] | Unset,
        unknown_parameters: UnknownParameters | Unset,
    ) -> CallOptions:
        """These options with some others; headers are added to those that there are."""
        given: dict[str, Any] = {
            "timeout": timeout,
            "total_timeout": total_timeout,
            "max_retries": max_retries,
            "unknown_parameters": unknown_parameters,
        }
        found = {name: value for name, value in given.items() if value is not UNSET}
        if not isinstance(headers, Unset):
            found["headers"] = {**self.headers, **checked_headers(headers)}
        return replace(self, **found)


def check_seconds(name: str, value: Any) -> None:
    """Raises ConfigurationError if it is not a positive number of seconds."""
    # True is an int, and would mean one second.
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value < float("inf"):
        raise ConfigurationError(f"{name} must be a positive number of seconds, got {value!r}")
    if value > _LONGEST:
        raise ConfigurationError(
            f"{name} must be at most {_LONGEST:g} seconds, got {value!r}; None: no limit, where "
            "that is allowed"
        )
