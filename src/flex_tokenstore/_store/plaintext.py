"""``require_encrypted``: refuses a store that would keep the token as plain text.

A chain of wrappers passes if one of its stores encrypts, since a wrapper keeps nothing itself: what
is encrypted stays so on its way to the store within.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._plugin.at_rest import NAME, class_encrypts, object_encrypts
from ..errors import StoreOptionsError
from .chosen import Choose, Chosen

if TYPE_CHECKING:
    from .opened import OpenedStore


def refuse_classes(chosen: Chosen, choose: Choose) -> None:
    """Before anything is made: by the classes, and by objects of the user's own.

    Raises:
        StoreOptionsError: No store of the chain says that it encrypts.
    """
    innermost = chosen
    layer: Chosen | None = chosen
    while layer is not None:
        if object_encrypts(layer.own) if layer.own is not None else class_encrypts(layer.cls):
            return
        if layer.is_list:
            _refuse_candidates(layer, choose)
            return
        innermost, layer = layer, layer.inner
    raise _refused(innermost.name, f"its class does not have the attribute {NAME} = True")


def _refuse_candidates(layer: Chosen, choose: Choose) -> None:
    """Each must pass: nobody knows which one will be chosen next time."""
    from .fallback import candidates

    for candidate in candidates(layer, choose):
        if candidate.chosen is not None:
            with candidate.named():
                refuse_classes(candidate.chosen, choose)


def refuse_objects(store: OpenedStore) -> None:
    """After they are made: with its options, one may not encrypt after all.

    Raises:
        StoreOptionsError: No store of the chain says that it encrypts.
    """
    layers = store.binding.layers
    if any(object_encrypts(layer.plugin) for layer in layers):
        return
    lowered = [layer.store for layer in layers if class_encrypts(type(layer.plugin))]
    # A class may make an object of another one.
    name = lowered[0] if lowered else layers[-1].store
    raise _refused(name, "with these options it does not encrypt")


def _refused(name: str, why: str) -> StoreOptionsError:
    return StoreOptionsError(
        f"token store {name!r} would keep the token as plain text ({why}), which the setting "
        "require_encrypted forbids: as token_store choose 'encrypted', with this store as its "
        "inner one, or 'keyring' or 'vault'",
        option="require_encrypted",
        store=name,
    )
