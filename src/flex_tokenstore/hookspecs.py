"""The hooks of a token store.

A whole store, as a third party writes it::

    class DictStore:
        \"\"\"Keeps the token in a dict.\"\"\"

        @dataclass(kw_only=True)
        class Options:
            prefix: str = ""  #: put before the key in the dict

        def __init__(self, options: Options, identity: TokenIdentity) -> None:
            self._key = options.prefix + identity.key
            self._tokens: dict[object, dict] = {}

        @hookimpl
        def get_token(self):
            return self._tokens.get(self._key)

        @hookimpl
        def set_token(self, token):
            self._tokens[self._key] = token

        @hookimpl
        def remove_token(self):
            self._tokens.pop(self._key, None)

and the entry point ``dict = "package.module:DictStore"`` in the group ``flex_tokenstore``.

Any hook may be a coroutine function. A hook may omit arguments that it does not need. It
raises :class:`~flex_tokenstore.TokenUnavailableError` when the store cannot be reached or used;
an exception from outside ``flex_tokenstore.errors`` counts as that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import pluggy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

PROJECT = "flex_tokenstore"
"""The pluggy project name, and the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# firstresult: else pluggy returns a list, and each manager has one store (docs/decisions/006).
@hookspec(firstresult=True)
def get_token() -> dict[str, Any] | Awaitable[dict[str, Any] | None] | None:
    """Returns the stored token, as ``set_token`` got it; None only if nothing is stored.

    Raises:
        TokenUnavailableError: The store cannot answer.
        TokenCorruptError: Something is stored that is not a token.
    """


@hookspec(firstresult=True)
def set_token(token: dict[str, Any], expected: str | None) -> Awaitable[None] | None:
    """Replaces the stored token, whole or not at all, keeping every field of ``token``.

    Taking ``expected`` promises compare-and-set: in one atomic step, write only if the revision
    (:func:`~flex_tokenstore.revision_of`) of what is stored is ``expected`` (None: nothing is
    stored; ``ANY_REVISION``: whatever there is), else raise
    :class:`~flex_tokenstore.TokenConflictError`. A store without this argument simply replaces.

    A token of a newer format (:func:`~flex_tokenstore.is_newer`) is neither replaced nor removed,
    with ``ANY_REVISION`` either: :class:`~flex_tokenstore.TokenCorruptError`. The framework looks
    for one before it passes ``ANY_REVISION`` on; a store that compares in one atomic step should
    refuse it in that step too.

    Args:
        token: The JSON object. The store may keep it: nobody else changes it.
        expected: Revision that must be stored now; None: nothing is stored; ``ANY_REVISION``:
            whatever is stored.

    Raises:
        TokenConflictError: Another revision is stored; nothing was changed.
        TokenUnavailableError: The token was not saved; the old one is still stored.
        TokenCorruptError: What is stored has a newer format.
    """


@hookspec(firstresult=True)
def remove_token(expected: str | None) -> Awaitable[None] | None:
    """Removes the token. Moves corrupt content aside.

    Removing nothing is a success, whatever ``expected`` is: what was to be removed is gone, and
    the reply to an earlier try may have been lost. A store that cannot tell that from a conflict
    may raise :class:`~flex_tokenstore.TokenConflictError`; ``TokenStore.remove_token`` then reads,
    and returns if nothing is stored.

    Args:
        expected: Revision that must be stored now; ``ANY_REVISION``: remove whatever is stored. A
            store that does not take it removes whatever is stored.

    Raises:
        TokenConflictError: Another revision is stored; nothing was changed.
        TokenUnavailableError: The store cannot answer.
        TokenCorruptError: What is stored has a newer format.
    """


@hookspec(firstresult=True)
def prepare_save(expected: str | None) -> Awaitable[None] | None:
    """Optional. Checks, before a token is requested, whether ``set_token`` would be refused.

    Called under the token lock. A token request uses up the stored refresh token, or sends the
    client secret; if the new token cannot be saved, both are lost. So this hook raises, and nothing
    is requested, if a save is refused **and will be refused later too**: this user may not write,
    the file system or the server is read-only, the name is too long.

    It returns for everything else: a full disk, a server that is down, or when it cannot tell.
    The session then requests the token, uses it, and tries again to save it.

    It changes no token, claims nothing, leaves nothing behind, and costs little: some system
    calls, or one round trip to a server.

    Args:
        expected: Revision that the coming ``set_token`` expects; None: nothing is stored.

    Raises:
        TokenPermissionError: This user, or this server, may not write.
        TokenUnavailableError: A save is refused for another reason that lasts.
    """


@hookspec(firstresult=True)
def token_lock(
    wait: float, lease: float
) -> AbstractContextManager[float | None] | AbstractAsyncContextManager[float | None]:
    """Optional. The lock under which one program at a time requests this identity's token.

    Returns a context manager. Entering it acquires the lock and yields None for a lock that is
    held until it is released or its holder dies, or the value of ``time.monotonic()`` at which the
    lease expires. Leaving it releases the lock, in any thread; after the lease has expired it does
    nothing.

    Args:
        wait: Seconds to wait for the lock; 0: try once. A wait of at most 1 s is a slice of a
            longer one, and the caller reads the store between the slices; it may end early when
            the lock has passed to another program.
        lease: Seconds after which a lock with a lease must expire by itself. A held lease is never
            extended.

    Raises:
        TokenLockTimeoutError: On entering: the lock could not be acquired in time.
        TokenUnavailableError: On entering: the store cannot answer.
    """
    raise NotImplementedError  # a specification is never called


@hookspec(firstresult=True)
def lock_id() -> str:
    """Optional. Returns a name of what the lock protects, equal for two handles on one token.

    It is called when the store is opened. It must be quick and do no I/O.
    """
    raise NotImplementedError  # a specification is never called


@hookspec(firstresult=True)
def close() -> Awaitable[None] | None:
    """Optional. Closes the connections that the store itself opened."""


_Content: TypeAlias = "Mapping[str, Any] | None"


class StoreHooks(Protocol):
    """What an object must have to be a store: the three hooks, each sync or async.

    For type checkers: ``open_store`` and ``create_instance`` take any object that has these. A hook
    may omit ``expected``. None of them is looked up by way of this class at run time.
    """

    @property
    def get_token(self) -> Callable[[], _Content] | Callable[[], Awaitable[_Content]]:
        """Takes nothing; returns the stored token, or None if there is none."""
        raise NotImplementedError

    @property
    def set_token(
        self,
    ) -> (
        Callable[[dict[str, Any]], Awaitable[None] | None]
        | Callable[[dict[str, Any], str | None], Awaitable[None] | None]
    ):
        """Takes the token, and the revision that must be stored if it compares; replaces it."""
        raise NotImplementedError

    @property
    def remove_token(
        self,
    ) -> Callable[[], Awaitable[None] | None] | Callable[[str | None], Awaitable[None] | None]:
        """Takes nothing, or the revision that must be stored; removes the token."""
        raise NotImplementedError


REQUIRED = ("get_token", "set_token", "remove_token")
HOOKS = (*REQUIRED, "prepare_save", "token_lock", "lock_id", "close")
