"""Checks of the token store: which it is, whether it opens and answers."""

from __future__ import annotations

from collections.abc import Iterator

from flex_tokenstore import open_store

from .checks import check
from .finding import Outcome, ok
from .ground import Ground

# Seconds beyond the limit of a check: a store has limits of its own, and its error says more.
STORE_EXTRA = 10.0


@check("store.open", extra=STORE_EXTRA)
def opened(ground: Ground) -> Iterator[Outcome]:
    """Whether the store can be opened with its options."""
    store = ground.store = open_store(ground.store_config, ground.settings.identity)
    yield ok(f"The token store {' over '.join(store.layers)} opens; the token is in {store.place}.")


@check("store.read", extra=STORE_EXTRA)
def read(ground: Ground) -> Iterator[Outcome]:
    """Whether the token can be read."""
    ground.token = ground.store.get_token()
    yield ok(f"{ground.store.place} can be read.")


CHECKS = (opened, read)
