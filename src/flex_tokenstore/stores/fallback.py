"""The built-in wrapper that takes the first of several stores which can be opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flex_tokenstore._config.store_list import store_list
from flex_tokenstore._plugin.wrapper import WrapperStore


class FallbackStore(WrapperStore):
    """Uses the first of several stores that can be opened; chosen once, when it is opened."""

    @dataclass(kw_only=True)
    class Options:
        """The stores, the best one first."""

        stores: Any  #: the stores, the best one first: names separated by commas, or their configs

        def __post_init__(self) -> None:
            self.stores = store_list(self.stores)
