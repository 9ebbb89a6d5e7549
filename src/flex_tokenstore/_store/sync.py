"""A token store, for sync programs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from .._config.store_config import StoreConfig, parse
from .._plugin.guard import (
    check_expected,
    is_lease_end,
    is_manager,
    lock_times,
    refuse_false,
    wrong_lease_end,
    wrong_lock,
)
from .._values.secret import Secret
from .._values.token import ANY_REVISION, Token
from ..errors import TokenConflictError, TokenUnavailableError
from .opened import OpenedStore, taken
from .opening import HostLockSetting, open_binding

if TYPE_CHECKING:
    from types import TracebackType

    from .._concurrency.loop_thread import LoopThread
    from .._plugin.hooks import Abilities, Hook
    from .._values.identity import TokenIdentity


class TokenStore:
    """A handle on one identity's token in one store, for sync programs.

    :func:`open_store` makes it. Threads can share it. Close it, or use it in a ``with`` statement.
    """

    _portal: LoopThread | None = None

    def __init__(self, opened: OpenedStore) -> None:
        self._opened = opened
        self._binding = opened.binding

    @property
    def name(self) -> str:
        """The store's name, such as ``"file"``."""
        return self._opened.name

    @property
    def place(self) -> str:
        """Location of the token, for people: a path, a key or an address."""
        return self._opened.place

    @property
    def identity(self) -> TokenIdentity:
        """The identity whose token this handle reads and writes."""
        return self._opened.identity

    @property
    def abilities(self) -> Abilities:
        """What the store can do: compare-and-set, a lock, coroutines, ``prepare_save``."""
        return self._opened.abilities

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the store and of those that it wraps, the innermost one last.

        Such as ``("encrypted", "file")``; of a store that wraps none, its own name.
        """
        return self._opened.layers

    @property
    def lock_key(self) -> object:
        """Equal for two handles of this process that share one token."""
        return self._opened.lock_key()

    def get_token(self) -> Token | None:
        """Reads the stored token.

        Returns:
            The token; None only if nothing is stored.

        Raises:
            TokenUnavailableError: The store cannot answer.
            TokenCorruptError: What is stored is not a token, or one that a wrapper encrypted.
            TokenIdentityError: What is stored is another identity's token.
        """
        with self._opened.guard("read the token", "get_token") as failed:
            return self._opened.read(self._call(self._binding.get_token, {}))
        # Reached only if the block failed: see Guard.
        raise failed.error

    def set_token(self, token: Token, expected: str | None = ANY_REVISION) -> None:
        """Replaces the stored token, whole or not at all.

        Args:
            token: A token that carries the key of this identity.
            expected: Revision that must be stored now (:attr:`Token.revision`); None: nothing may
                be stored; ``ANY_REVISION``: replace whatever is stored. A store without
                compare-and-set ignores it and replaces.

        Raises:
            TokenConflictError: Another revision is stored; nothing was changed.
            TokenUnavailableError: The token was not saved; the old one is still stored.
            TokenCorruptError: A newer version of this package wrote what is stored, or a wrapper
                that this store is not opened through.
            TokenIdentityError: ``token`` or the stored token is another identity's.
            TypeError: ``token`` is not a :class:`Token`, or ``expected`` is not a string or None.
        """
        token = taken(token)  # type: ignore[assignment]  # what is not a token is refused below
        check_expected(expected)
        # Outside of the guard: a wrong argument is the caller's mistake, not the store's.
        written = self._opened.write(token)
        hook = self._binding.set_token
        with self._opened.guard("save the token", "set_token", token) as failed:
            self._refuse_to_lose(expected)
            arguments = hook.keywords(token=written, expected=expected)
            refuse_false(self.name, self._call(hook, arguments))
            return
        raise failed.error

    def prepare_save(self, expected: str | None = ANY_REVISION) -> None:
        """Checks whether a token could be saved.

        Call it under the token lock, before a token request. It changes no token. If the store has
        no hook ``prepare_save``, it returns at once.

        Args:
            expected: Revision that the coming save expects; None: nothing is stored.

        Raises:
            TokenPermissionError: The store refuses the save and will go on refusing it: this user
                may not write.
            TokenUnavailableError: The store refuses the save for another reason that lasts.
        """
        hook = self._binding.prepare_save
        if hook is None:
            return
        with self._opened.guard("find out whether it can save a token", "prepare_save") as failed:
            self._call(hook, hook.keywords(expected=expected))
            return
        raise failed.error

    def remove_token(
        self, expected: str | None = ANY_REVISION, *, even_wrapped: bool = False
    ) -> None:
        """Removes the stored token. If nothing is stored, it does nothing.

        Args:
            expected: Revision that must be stored now; ``ANY_REVISION``: remove whatever is stored.
                If nothing is stored, it is not a conflict whatever you expect.
            even_wrapped: True: with ``ANY_REVISION``, also remove what a wrapper, such as the store
                ``encrypted``, stored in place of a token, and which may be the only copy of one.

        Raises:
            TokenConflictError: Another revision is stored; nothing was changed.
            TokenUnavailableError: The store cannot answer.
            TokenCorruptError: A newer version of this package wrote what is stored, or a wrapper
                that this store is not opened through.
            TypeError: ``expected`` is not a string or None.
        """
        check_expected(expected)
        hook = self._binding.remove_token
        with self._opened.guard("remove the token", "remove_token") as failed:
            self._refuse_to_lose(expected, even_wrapped)
            try:
                self._call(hook, hook.keywords(expected=expected))
            except TokenConflictError:
                if not self._is_empty():
                    raise
            return
        raise failed.error

    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        """Holds the token lock: of all programs that share the store, one may request a token.

        A context manager; leaving it releases the lock.

        Args:
            wait: Seconds to wait for the lock; 0: try once.
            lease: Seconds after which a lock with a lease expires by itself.

        Yields:
            The value of ``time.monotonic()`` at which the lease expires; None: the lock is held
            until it is released.

        Raises:
            TokenLockTimeoutError: The lock could not be acquired within ``wait``.
            TokenUnavailableError: The store cannot answer.
            TypeError: ``wait`` or ``lease`` is not a number.
            ValueError: ``wait`` or ``lease`` is negative or NaN.
        """
        wait, lease = lock_times(wait, lease)
        manager, end = self._acquire(wait, lease)
        try:
            yield end
        finally:
            with self._opened.guard("release its lock", "token_lock") as failed:
                self._leave(manager)
            failed.warn()  # not raised: the lease expires, or the holder's end frees it

    def close(self) -> None:
        """Closes the connections that the store opened. You may call it twice.

        Raises:
            TokenUnavailableError: The store could not close them.
        """
        if self._binding.close is not None:
            with self._opened.guard("close", "close") as failed:
                try:
                    self._call(self._binding.close, {})
                finally:
                    # After the store, whose close() may be a coroutine that needs the loop.
                    self._stop_loop()
            failed.check()
        # A store without close() may have used the loop for its other hooks.
        self._stop_loop()

    def __enter__(self) -> TokenStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} of {self.identity.key}>"

    def __reduce__(self) -> Any:
        raise TypeError("a token store cannot be pickled: open one in each process")

    def _is_empty(self) -> bool:
        """Asked after a conflict of a removal: what was to be removed may be gone already.

        A store may call that a conflict or not (docs/decisions/002); a program need not know.
        """
        try:
            return self._call(self._binding.get_token, {}) is None
        except Exception:  # noqa: BLE001 - it cannot be told; the conflict is what is raised
            return False

    def _refuse_to_lose(self, expected: str | None, even_wrapped: bool = False) -> None:
        """Looks before whatever is there is replaced: a newer version's token must stay, and so
        must one that a wrapper stored.

        Any other revision was read before, and that of such a token is never told.
        """
        if expected != ANY_REVISION:
            return
        try:  # the innermost store: what a wrapper of this version makes of it is not the question
            found = Secret(self._call(self._binding.innermost.get_token, {}))
        except TokenUnavailableError:
            raise
        except Exception:  # noqa: BLE001 - what cannot be read may be replaced, as the store sees fit
            return
        self._opened.refuse_to_lose(found, even_wrapped=even_wrapped)

    def _lock_manager(self, wait: float, lease: float) -> Any:
        hook = self._binding.token_lock
        if hook is not None:
            return self._call(hook, hook.keywords(wait=wait, lease=lease))
        lock = self._opened.host_lock()
        return _no_lock() if lock is None else lock.hold(wait)

    def _acquire(self, wait: float, lease: float) -> tuple[Any, float | None]:
        with self._opened.guard("acquire the token lock", "token_lock") as failed:
            manager = self._lock_manager(wait, lease)
            end = self._enter(manager)
            if not is_lease_end(end):
                self._leave(manager)
                raise wrong_lease_end(self.name, end)
            return manager, end
        raise failed.error

    def _enter(self, manager: Any) -> float | None:
        kind = is_manager(manager)
        if kind == "async":
            return cast("float | None", self._loop_thread().run(manager.__aenter__()))
        if kind is None:
            raise wrong_lock(self.name, manager)
        return cast("float | None", manager.__enter__())

    def _leave(self, manager: Any) -> None:
        if is_manager(manager) == "async":
            self._loop_thread().run(manager.__aexit__(None, None, None))
        else:
            manager.__exit__(None, None, None)

    def _stop_loop(self) -> None:
        if self._portal is not None:
            self._portal.stop()

    def _call(self, hook: Hook, arguments: dict[str, Any]) -> Any:
        # A wrapper's hook may answer by itself, where the inner store's would be a coroutine.
        result = hook.function(**arguments)
        return self._loop_thread().run(_wait_for(result)) if inspect.isawaitable(result) else result

    def _loop_thread(self) -> LoopThread:
        if self._portal is None:
            from .._concurrency.loop_thread import LoopThread

            # Of two threads that get here at once one wins: a store's connections are one loop's.
            return cast("LoopThread", vars(self).setdefault("_portal", LoopThread()))
        return self._portal


def open_store(
    config: StoreConfig,
    identity: TokenIdentity,
    *,
    host_lock: HostLockSetting = "on",
    require_encrypted: bool = False,
) -> TokenStore:
    """Opens a token store for a sync program.

    The store may have plain methods or coroutines; coroutines run in a thread with an event loop.

    Args:
        config: A store's name; or a mapping with the key ``name`` and the store's options; or an
            object of your own with the methods ``get_token``, ``set_token`` and ``remove_token``.
        identity: Whose token the handle reads and writes.
        host_lock: A store without a lock of its own gets a lock file in the user's state folder.
            ``"off"`` switches that file off, for a host where no folder can be written.
        require_encrypted: True: refuse a store that would keep the token as plain text, one whose
            class does not say ``encrypted_at_rest = True``.

    Raises:
        UnknownStoreError: No installed store has that name.
        StoreLoadError: The plugin cannot be loaded or is not a store.
        StoreOptionsError: An option is unknown, missing or has a wrong type, or the store does not
            encrypt and has to.
        TokenUnavailableError: The store could not be opened.
        TypeError: ``identity`` is not a ``TokenIdentity``.
    """
    parsed = parse(config)
    del config  # a traceback may show locals
    return TokenStore(
        open_binding(
            parsed,
            identity,
            prefer_async=False,
            host_lock=host_lock,
            require_encrypted=require_encrypted,
        )
    )


@contextmanager
def _no_lock() -> Iterator[None]:
    yield None


async def _wait_for(awaitable: Any) -> Any:
    return await awaitable
