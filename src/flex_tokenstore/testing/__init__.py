"""The conformance kit: a store's author subclasses one class and inherits the whole contract.

Needs the extra ``testing``; see :class:`TokenStoreContract`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._contract import TokenStoreContract

__all__ = ["TokenStoreContract"]


def __getattr__(name: str) -> Any:
    # Late: the child processes of the kit, and pytest itself, load this package without it.
    if name != "TokenStoreContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._contract import TokenStoreContract

    return TokenStoreContract
