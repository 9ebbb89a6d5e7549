"""The conformance kit: a store's author subclasses one class and inherits the whole contract.

Needs the extra ``testing``; see :class:`TokenStoreContract`. :class:`FaultProxy` breaks the
connections between a store and its server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._contract import TokenStoreContract
    from ._proxy import FaultProxy

_MODULES = {"FaultProxy": "_proxy", "TokenStoreContract": "_contract"}
__all__ = ["FaultProxy", "TokenStoreContract"]


def __getattr__(name: str) -> Any:
    # Late: the child processes of the kit, and pytest itself, load this package without them.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
