"""The stores of a ``fallback``: found and checked, all of them, before one is asked.

A slip in the last entry is told when the program starts, not when the first store is down.
"""

from __future__ import annotations

from collections.abc import Callable

from .._config.store_config import ParsedConfig, parse
from .._config.store_list import StoreList
from .._registry.catalogue import describe_store
from .._registry.packages import PACKAGES
from ..errors import StoreLoadError, TokenStoreError, UnknownStoreError
from .chosen import Candidate, Choose, Chosen


def candidates(configs: StoreList, choose: Choose) -> tuple[Candidate, ...]:
    """The stores of these configs.

    Raises:
        TokenStoreError: One is not configured as it should be; the message names it.
    """
    return tuple(
        _candidate(number, parse(config), choose)
        for number, config in zip(configs.numbers, configs, strict=True)
    )


def _candidate(number: int, parsed: ParsedConfig, choose: Choose) -> Candidate:
    name = parsed.name or ("" if parsed.own is None else type(parsed.own).__name__)
    found = Candidate(number, name, None)
    with found.named():
        try:
            # Sync: it is asked in a thread.
            return found._replace(chosen=choose(parsed, prefer_async=False))
        except TokenStoreError as error:
            if not _is_missing(error):
                raise
            return found._replace(why=error.message)


def each(chosen: Chosen, look: Callable[[Chosen], None]) -> None:
    """Calls ``look`` with each chain of stores that this one may become."""
    if chosen.inner is not None:
        each(chosen.inner, lambda inner: look(chosen._replace(inner=inner)))
    elif chosen.candidates:
        for candidate in chosen.candidates:
            if candidate.chosen is not None:
                with candidate.named():
                    each(candidate.chosen, lambda inner: look(chosen.settled(inner)))
    else:
        look(chosen)


def _is_missing(error: TokenStoreError) -> bool:
    """A plugin of ours that is not installed, a driver that is missing, or a store that the
    environment forbids."""
    name = error.store or ""
    if isinstance(error, UnknownStoreError):
        return name in PACKAGES  # any other name is rather a slip
    if not isinstance(error, StoreLoadError) or not name:
        return False
    return describe_store(name).status in ("blocked", "missing-dependency")
