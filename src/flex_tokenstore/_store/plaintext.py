"""``require_encrypted``: refuses a store that would keep the token as plain text.

A chain of wrappers passes if one of its stores encrypts, since a wrapper keeps nothing itself: what
is encrypted stays so on its way to the store within. Of a ``fallback`` each store must pass: nobody
knows which one will be chosen next time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .._plugin.at_rest import NAME, class_encrypts, lowered_by, object_encrypts
from ..errors import StoreOptionsError, TokenStoreError

if TYPE_CHECKING:
    from .._plugin.hooks import Binding
    from .._values.identity import TokenIdentity
    from .chosen import Chosen


def refuse_classes(chosen: Chosen) -> None:
    """Before anything is made: by the classes, and by objects of the user's own.

    Raises:
        StoreOptionsError: No store of the chain says that it encrypts.
    """
    if chosen.innermost.candidates:
        from .candidates import each  # most programs list no stores

        each(chosen, _refuse_class)
    else:
        _refuse_class(chosen)


def refuse_candidates(
    chosen: Chosen, identity: TokenIdentity, make: Callable[[Chosen, TokenIdentity], Binding]
) -> None:
    """Before one of a list is chosen: its options may lower what its class says.

    Raises:
        StoreOptionsError: One of the chains does not encrypt.
        TokenStoreError: One is not configured as it should be.
    """
    from .candidates import each
    from .fallback import is_outage, made_for_a_look

    def refuse(chain: Chosen) -> None:
        try:
            with made_for_a_look(chain, identity, make) as (store, _):
                refuse_objects(store.binding)
        except TokenStoreError as error:
            if not is_outage(error):
                raise
            # It will hardly be chosen, and is looked at again then.

    each(chosen, refuse)


def refuse_objects(made: Binding) -> None:
    """After they are made: with its options, one may not encrypt after all.

    Raises:
        StoreOptionsError: No store of the chain says that it encrypts.
    """
    if any(object_encrypts(layer.plugin) for layer in made.layers):
        return
    lowered = [layer for layer in made.layers if class_encrypts(type(layer.plugin))]
    if not lowered:  # a class may make an object of another one
        raise _refused(made.layers[-1].store, "the object does not say that it encrypts", _CHOOSE)
    name, option = lowered[0].store, lowered_by(lowered[0].plugin)
    if option is None:
        raise _refused(
            name, "with these options it does not encrypt", "change the option that allows it"
        )
    raise _refused(
        name,
        f"its option {option!r} allows that",
        f"change the option {option!r} of token store {name!r}",
    )


def _refuse_class(chain: Chosen) -> None:
    layer: Chosen | None = chain
    while layer is not None:
        if object_encrypts(layer.own) if layer.own is not None else class_encrypts(layer.cls):
            return
        layer = layer.inner
    why = f"its class does not have the attribute {NAME} = True"
    raise _refused(chain.innermost.name, why, _CHOOSE)


_CHOOSE = (
    "as token_store choose 'encrypted', with this store as its inner one, or 'keyring' or 'vault'"
)


def _refused(name: str, why: str, remedy: str) -> StoreOptionsError:
    return StoreOptionsError(
        f"token store {name!r} would keep the token as plain text ({why}), which the setting "
        f"require_encrypted forbids: {remedy}",
        option="require_encrypted",
        store=name,
    )
