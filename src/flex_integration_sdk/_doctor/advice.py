"""The remedy that a store's own message has, with the places where its options are set.

A store of records says ``token store 'redis' at PLACE: CAUSE: ADVICE``. Its advice names options;
here it is said where each of them comes from, or which variable would set it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flex_integration_sdk._settings.variables import STORE
from flex_tokenstore import TokenStoreError, describe_store

# What begins a cause, where there is a cause of a cause: "sign-in failed: it is sealed: unseal it".
_OF_A_CAUSE = ("it", "its", "the", "there")


class _Level(NamedTuple):
    """The options of one of the stores in a config."""

    name: str
    options: Mapping[str, Any]
    path: tuple[str, ...]
    """Names of the options that lead to it, such as ``("inner",)``."""

    def argument(self, option: str) -> str:
        """The option as the command line sets it."""
        return f"--store-option {'.'.join((*self.path, option))}=…"


def advice_of(error: TokenStoreError, config: Any) -> str:
    """What to do, as the store itself says it; "" if it does not.

    Args:
        error: Of the store.
        config: The config that the store was opened with.
    """
    start = f"token store {error.store!r} at {error.place}: "
    if not str(error).startswith(start):
        return ""
    _, found, advice = str(error).removeprefix(start).partition(": ")
    if not found:
        return ""
    while advice.partition(" ")[0] in _OF_A_CAUSE and ": " in advice:
        advice = advice.partition(": ")[2]
    origins = _origins(advice, next(_levels(config, str(error.store)), None))
    return ". ".join((advice[:1].upper() + advice[1:].rstrip("."), *origins))


def _origins(advice: str, level: _Level | None) -> list[str]:
    """Where the options come from that the advice names; or how the first of them is set."""
    if level is None:
        return []
    origins = getattr(level.options, "variables", {})
    known = [each for each in _settable(level.name) if re.search(rf"\b{each}\b", advice)]
    given = [
        f"The option {name} comes from {origins.get(name) or level.argument(name)}"
        for name in known
        if name in level.options
    ]
    # Not each word that is also the name of an option stands for it.
    meant = re.search(rf"\b(?:set|options?) ({'|'.join(known) or '$'})\b", advice)
    if given or meant is None:
        return given
    variable = "__".join((STORE, *(part.upper() for part in (*level.path, meant[1]))))
    return [f"The option {meant[1]} is not set; its variable is {variable}"]


def _settable(store: str) -> list[str]:
    try:
        options = describe_store(store).options or ()
    except TokenStoreError:
        return []
    # An object of the program's own cannot be set from outside.
    return [each.name for each in options if each.name not in ("client", "engine")]


def _levels(config: Any, store: str, path: tuple[str, ...] = ()) -> Iterator[_Level]:
    """The options of the store of this name, wherever it is in the config."""
    if isinstance(config, str):
        config = {"name": config}
    if not isinstance(config, Mapping):
        return
    if config.get("name") == store:
        yield _Level(store, config, path)
    for name, value in config.items():
        if isinstance(value, Mapping) or name == "inner":
            yield from _levels(value, store, (*path, name))
        elif isinstance(value, list | tuple):
            for each in value:
                if isinstance(each, Mapping):
                    yield from _levels(each, store, (*path, name))
