"""Several store configs in one option, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import StoreOptionsError
from .store_config import OptionValues, hidden


class StoreList(tuple[Any, ...]):
    """Store configs, and the number by which the user knows each."""

    numbers: tuple[int, ...]


def store_list(value: Any) -> StoreList:
    """The configs in the option ``stores``.

    Args:
        value: A list of configs; or names, separated by commas; or, as the environment says it, a
            mapping by number, whose order counts and which may have gaps.

    Raises:
        StoreOptionsError: It is none of these, has no entry, or has one twice.
    """
    # A traceback may show locals, and a config holds passwords.
    numbered = {number: hidden(config) for number, config in _numbered(value).items()}
    del value
    configs = StoreList(numbered[number] for number in sorted(numbered))
    configs.numbers = tuple(sorted(numbered))
    if not configs:
        raise StoreOptionsError("the list of stores is empty: name one at least", option="stores")
    for before, config in enumerate(configs):
        if any(_is_same(config, other) for other in configs[:before]):
            raise StoreOptionsError(
                "the list of stores has an entry twice (the second time as number "
                f"{configs.numbers[before]}): remove one",
                option="stores",
            )
    return configs


def _numbered(value: Any) -> dict[int, Any]:
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",") if name.strip()]
    if isinstance(value, (list, tuple)):
        return dict(enumerate(value, start=1))
    if not isinstance(value, Mapping):
        raise _wrong()
    numbered: dict[int, Any] = {}
    for key in value:
        text = str(key).strip()
        if not (text.isascii() and text.isdecimal()) or int(text) in numbered:
            raise _wrong()
        numbered[int(text)] = hidden(value[key])
    return numbered


def _wrong() -> StoreOptionsError:
    return StoreOptionsError(
        "the option 'stores' must be a list of stores; in the environment number them: "
        "…__STORES__1__NAME, …__STORES__1__URL, …__STORES__2__NAME",
        option="stores",
    )


def _is_same(one: Any, other: Any) -> bool:
    mappings = isinstance(one, Mapping) and isinstance(other, Mapping)
    if mappings or (isinstance(one, str) and isinstance(other, str)):
        return bool(_plain(one) == _plain(other))
    if isinstance(one, str) or isinstance(other, str):
        return bool(_plain(one) == _plain(other))
    return one is other


def _plain(config: Any) -> Any:
    """A name alone is the same as a mapping with that name alone."""
    return OptionValues(name=config.strip()) if isinstance(config, str) else config
