"""Several store configs in one option, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import StoreOptionsError
from .store_config import OptionValues, hidden


def store_list(value: Any) -> tuple[Any, ...]:
    """The configs in the option ``stores``.

    Args:
        value: A list of configs; or names, separated by commas; or, as the environment says it, a
            mapping by number, whose order counts and which may have gaps.

    Raises:
        StoreOptionsError: It is none of these, has no entry, or has one twice.
    """
    # A traceback may show locals, and a config holds passwords.
    configs = tuple(hidden(config) for config in _listed(value))
    del value
    if not configs:
        raise StoreOptionsError("the list of stores is empty: name one at least", option="stores")
    for number, config in enumerate(configs):
        if any(_is_same(config, other) for other in configs[:number]):
            raise StoreOptionsError(
                f"the list of stores has an entry twice (the second time as number {number + 1}): "
                "remove one",
                option="stores",
            )
    return configs


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    if isinstance(value, Mapping):
        return _by_number(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    raise _wrong()


def _by_number(value: Mapping[Any, Any]) -> list[Any]:
    numbered: dict[int, Any] = {}
    for key in value:
        text = str(key).strip()
        if not (text.isascii() and text.isdecimal()) or int(text) in numbered:
            raise _wrong()
        numbered[int(text)] = hidden(value[key])
    return [numbered[number] for number in sorted(numbered)]


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
