"""What a stream needs of the instance whose events it follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flex_integration_sdk._transport.closing import Closing
from flex_integration_sdk.config import Settings
from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore import TokenIdentity

from .plan import logger
from .turn import LOCKS

S = TypeVar("S", covariant=True)  # Send or AsyncSend


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Ground(Generic[S]):
    """What a stream needs of the instance whose events it follows."""

    send: S
    """Sends a call, without repetitions of its own."""
    closing: Closing
    settings: Settings
    store: Callable[[], Any]
    """The instance's handle on its token store."""
    open_store: Callable[[Any, TokenIdentity], Any]
    """Opens a handle on a store, of the same kind."""


def worker_stores(ground: Ground[Any], worker: str) -> list[Any]:
    """Handles on the worker's locks, in the instance's store: under identities of their own.

    Raises:
        ConfigurationError: That store cannot keep two replicas apart.
    """
    own = ground.store()
    layers = own.layers
    if layers[-1] == "memory":
        raise ConfigurationError(
            f"worker={worker!r} needs a token store that the replicas share; `memory` is each "
            "instance's own. Choose another, such as `file` on one host or `redis` on several"
        )
    if layers[0] == "read-only":
        raise ConfigurationError(
            f"worker={worker!r} needs the lock of a token store, and the store `read-only` does "
            "not give it: use the store that it wraps"
        )
    identity = ground.settings.identity
    stores = []
    for number in LOCKS:
        name = f"{identity.profile}/worker/{worker}" + ("/2" if number else "")
        mine = TokenIdentity(
            identity.base_url, identity.client_id, identity.scope, name, identity.program
        )
        stores.append(ground.open_store(ground.settings.token_store, mine))
    if len({own.lock_key, *(each.lock_key for each in stores)}) < 1 + len(LOCKS):
        raise ConfigurationError(
            f"worker={worker!r} needs locks of its own in the token store {own.name!r}, which has "
            "one lock for all: an object of your own, or a store whose key is fixed. Choose a "
            "store by its name"
        )
    if not own.abilities.lock:
        logger.warning(
            "worker %r: the token store %r has no lock, so a lock file of this host is used; a "
            "replica on another host would handle the same events",
            worker,
            own.name,
        )
    return stores
