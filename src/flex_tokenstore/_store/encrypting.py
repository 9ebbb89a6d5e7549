"""Which wrappers of a store encrypt with keys of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._plugin.wrapper import WrapperStore

if TYPE_CHECKING:
    from .._plugin.hooks import Binding
    from .sync import TokenStore


def encrypting(store: TokenStore) -> list[Binding]:
    """Those of its wrappers that tell their keys, the outermost one first."""
    return [
        layer
        for layer in store._binding.layers
        if isinstance(layer.plugin, WrapperStore)
        and type(layer.plugin).rekey_state is not WrapperStore.rekey_state
    ]
