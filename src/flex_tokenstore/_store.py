"""A token store, for sync programs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from ._config import hidden
from ._guard import (
    check_expected,
    is_lease_end,
    is_manager,
    lock_times,
    refuse_false,
    wrong_lease_end,
    wrong_lock,
)
from ._opening import HostLockSetting, OpenedStore, StoreConfig, open_binding, taken
from ._secret import Secret
from ._token import ANY_REVISION, Token
from .errors import TokenUnavailableError

if TYPE_CHECKING:
    from types import TracebackType

    from ._binding import Abilities, Hook
    from ._identity import TokenIdentity
    from ._portal import LoopThread


class TokenStore:
    """One identity's token in one store. Made by :func:`open_store`; safe for threads."""

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
        """Where the token is, for people: a path, a key, an address."""
        return self._opened.place

    @property
    def identity(self) -> TokenIdentity:
        """Whose token it is."""
        return self._opened.identity

    @property
    def abilities(self) -> Abilities:
        """What the store can do."""
        return self._opened.abilities

    @property
    def lock_key(self) -> object:
        """Equal for two handles on one token in this process."""
        return self._opened.lock_key()

    def get_token(self) -> Token | None:
        """The stored token; None only if there is none.

        Raises:
            TokenUnavailableError: The store cannot be reached or used now.
            TokenCorruptError: What is stored is not a token.
            TokenIdentityError: What is stored is not this identity's.
        """
        with self._opened.guard("read the token", "get_token") as failed:
            return self._opened.read(self._call(self._binding.get_token, {}))
        raise failed.error

    def set_token(self, token: Token, expected: str | None = ANY_REVISION) -> None:
        """Replaces the stored token, whole or not at all.

        Args:
            token: A token tagged with this identity.
            expected: Revision that must be stored (None: nothing). A store without
                compare-and-set replaces whatever there is.

        Raises:
            TokenConflictError: Another revision is stored.
            TokenUnavailableError: It was not saved; the old token is still there.
            TokenCorruptError: A newer version of this package wrote what is stored.
            TokenIdentityError: The token that was passed or the stored one is another identity's.
            TypeError: ``token`` is not a :class:`Token`, or ``expected`` not a string or None.
        """
        token = taken(token)  # type: ignore[assignment]  # what is not a token is refused below
        check_expected(expected)
        written = self._opened.write(token)
        hook = self._binding.set_token
        with self._opened.guard("save the token", "set_token", token) as failed:
            self._refuse_newer(expected)
            arguments = hook.keywords(token=written, expected=expected)
            refuse_false(self.name, self._call(hook, arguments))
            return
        raise failed.error

    def prepare_save(self, expected: str | None = ANY_REVISION) -> None:
        """Finds out whether a token could be saved; under the token lock, before a token request.

        A store without the hook ``prepare_save`` cannot find out: then this returns at once.

        Args:
            expected: Revision that the coming save expects (None: nothing is stored).

        Raises:
            TokenPermissionError: A save is refused, and will be: this user may not write.
            TokenUnavailableError: A save is refused for another reason that lasts.
        """
        hook = self._binding.prepare_save
        if hook is None:
            return
        with self._opened.guard("find out whether it can save a token", "prepare_save") as failed:
            self._call(hook, hook.keywords(expected=expected))
            return
        raise failed.error

    def remove_token(self, expected: str | None = ANY_REVISION) -> None:
        """Removes the stored token; removing nothing is fine.

        Raises:
            TokenConflictError: Another revision than ``expected`` is stored.
            TokenUnavailableError: The store cannot be reached or used now.
            TokenCorruptError: A newer version of this package wrote what is stored.
            TypeError: ``expected`` is not a string or None.
        """
        check_expected(expected)
        hook = self._binding.remove_token
        with self._opened.guard("remove the token", "remove_token") as failed:
            self._refuse_newer(expected)
            self._call(hook, hook.keywords(expected=expected))
            return
        raise failed.error

    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        """Holds the token lock: the right to request a new token for this identity, among all who
        share the store.

        Args:
            wait: Seconds to wait for it; 0: one try.
            lease: Seconds after which a lock with a lease expires by itself.

        Yields:
            The value of ``time.monotonic()`` at which the lease expires; None: held until released.

        Raises:
            TokenLockTimeoutError: It could not be acquired within ``wait``.
            TokenUnavailableError: The store cannot be reached or used now.
            TypeError: ``wait`` or ``lease`` is not a number.
            ValueError: It is negative or NaN.
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
        """Gives back what the store opened; twice is fine."""
        if self._binding.close is not None:
            with self._opened.guard("close", "close") as failed:
                try:
                    self._call(self._binding.close, {})
                finally:
                    self._stop_loop()
            failed.check()
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

    def _refuse_newer(self, expected: str | None) -> None:
        """Looks before whatever is there is replaced: a newer version's token must stay.

        Any other revision was read before, and a newer token's is never told.
        """
        if expected != ANY_REVISION:
            return
        try:  # the innermost store: what a wrapper of this version makes of it is not the question
            found = Secret(self._call(self._binding.innermost.get_token, {}))
        except TokenUnavailableError:
            raise
        except Exception:  # noqa: BLE001 - what cannot be read may be replaced, as the store sees fit
            return
        self._opened.refuse_newer(found)

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
            from ._portal import LoopThread

            # Of two threads that get here at once one wins: a store's connections are one loop's.
            return cast("LoopThread", vars(self).setdefault("_portal", LoopThread()))
        return self._portal


def open_store(
    config: StoreConfig, identity: TokenIdentity, *, host_lock: HostLockSetting = "on"
) -> TokenStore:
    """Opens a token store for a sync program; the store may be of either kind.

    Args:
        config: A store's name; a mapping with the key ``name`` and the store's options beside
            it; or an object of your own with ``get_token``, ``set_token`` and ``remove_token``.
        identity: Whose token it keeps.
        host_lock: ``"off"`` switches off the lock file that a store without a lock of its own
            is given (in the user's state folder), for hosts where no folder can be written.

    Raises:
        UnknownStoreError: No installed store has that name.
        StoreLoadError: The plugin cannot be loaded or is not a store.
        StoreOptionsError: An option is unknown, missing or of a wrong type.
        TokenUnavailableError: The store could not be opened.
        TypeError: ``identity`` is not a ``TokenIdentity``.
    """
    config = hidden(config)
    return TokenStore(open_binding(config, identity, prefer_async=False, host_lock=host_lock))


@contextmanager
def _no_lock() -> Iterator[None]:
    yield None


async def _wait_for(awaitable: Any) -> Any:
    return await awaitable
