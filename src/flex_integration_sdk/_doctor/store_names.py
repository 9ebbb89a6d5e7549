"""What a store config names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def names_in(config: Any) -> list[str]:
    """The name of a store, and of those that it wraps, the innermost one last; [] for an object."""
    names = []
    while isinstance(config, Mapping):
        names.append(config.get("name"))
        config = config.get("inner")
    names.append(config)
    return [name.strip() for name in names if isinstance(name, str)]


def innermost(config: Any) -> tuple[str, Mapping[str, Any]]:
    """The name and the options of the store at the bottom of its wrappers."""
    while isinstance(config, Mapping) and config.get("inner") is not None:
        config = config["inner"]
    options = config if isinstance(config, Mapping) else {}
    return next(iter(names_in(config)), ""), options
