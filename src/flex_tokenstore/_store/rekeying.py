"""A stored token is encrypted again, with the key that encrypts now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import StoreOptionsError, TokenConflictError
from .encrypting import encrypting
from .moving import read_back
from .sync import TokenStore

if TYPE_CHECKING:
    from .._plugin.hooks import Binding

_TRIES = 3  # saves that another program's came before


class Rekey(NamedTuple):
    """Which keys a stored token was, and is to be, encrypted with."""

    store: str
    """Name of the store that encrypts it."""
    is_stored: bool
    """False: there is no token, and so nothing to encrypt."""
    before: str | None
    """Id of the key that the token was encrypted with; None: it was not encrypted."""
    after: str | None
    """Id of the key that encrypts now."""

    @property
    def is_needed(self) -> bool:
        """The stored token was not encrypted with the key that encrypts now."""
        return self.is_stored and self.before != self.after


def find_rekey(store: TokenStore) -> Rekey:
    """Finds out whether the stored token is encrypted with the key that encrypts now.

    Args:
        store: A store with a wrapper that encrypts.

    Raises:
        StoreOptionsError: None of its wrappers encrypts.
        TokenCorruptError: The token cannot be decrypted.
        TokenPermissionError: The token must be encrypted again, and the store refuses the save.
        TokenUnavailableError: The store cannot answer.
    """
    wrappers = _encrypting(store)
    token = store.get_token()
    found = [_state(store, each, is_stored=token is not None) for each in wrappers]
    rekey = next((each for each in found if each.is_needed), found[0])
    if token is not None and rekey.is_needed:
        store.prepare_save(token.revision)
    return rekey


def rekey_token(store: TokenStore, *, wait: float, lease: float) -> Rekey:
    """Encrypts the stored token with the key that encrypts now, unless it is already.

    The token itself stays the same. The token lock is held meanwhile, so that no program refreshes
    the token in between.

    Args:
        store: A store with a wrapper that encrypts.
        wait: Seconds to wait for the token lock.
        lease: Seconds after which a lock with a lease expires by itself.

    Returns:
        What it found before.

    Raises:
        StoreOptionsError: None of its wrappers encrypts.
        TokenConflictError: Other programs saved a token each time.
        TokenLockTimeoutError: The token lock could not be acquired.
        TokenCorruptError: The token cannot be decrypted.
        TokenPermissionError: The store refuses the save.
        TokenUnavailableError: The store cannot answer, or returned another token than was saved.
    """
    _encrypting(store)
    with store.token_lock(wait, lease):
        left = _TRIES
        while True:
            rekey, left = find_rekey(store), left - 1
            if not rekey.is_needed or _saved_again(store, last=left == 0):
                return rekey


def _saved_again(store: TokenStore, *, last: bool) -> bool:
    """Saves the token as it is; False: another program saved one meanwhile."""
    token = store.get_token()
    if token is None:
        return True
    try:
        store.set_token(token, token.revision)
    except TokenConflictError:
        if last:
            raise
        return False
    read_back(store, token)
    return True


def _encrypting(store: TokenStore) -> list[Binding]:
    found = encrypting(store)
    if found:
        return found
    raise StoreOptionsError(
        f"token store {store.name!r} does not encrypt tokens with keys of its own: choose the one "
        "that does, such as 'encrypted'",
        store=store.name,
        place=store.place,
    )


def _state(store: TokenStore, layer: Binding, *, is_stored: bool) -> Rekey:
    with store._opened.guard("tell its keys", "rekey_state") as failed:
        before, after = layer.plugin.rekey_state()  # type: ignore[attr-defined]
        return Rekey(layer.store, is_stored, before if is_stored else None, after)
    raise failed.error
