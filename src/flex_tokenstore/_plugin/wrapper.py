"""Base of stores that wrap another store (encryption, read-only, a cache …)."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from .._values.foreign_errors import stand_in
from .._values.host_program import current
from .._values.secret import Secret
from .._values.token import TAG, TokenObject, check_token_object, revision_of
from ..errors import TokenCorruptError, TokenStoreError, TokenUnavailableError
from ..hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._values.identity import TokenIdentity
    from .hooks import Binding, Hook


UNKNOWN_KEY = "unknown key"  # the ``reason`` of an error after which the keys are loaded again
UNREADABLE = "unreadable"  # the ``reason`` where a wrapper tells none: another key may read it


class WrapperStore:
    """The base class of a store that wraps another store, such as for encryption.

    Its ``Options`` has a field ``inner``: the config of the inner store. To change tokens, override
    :meth:`wrap` and :meth:`unwrap`; both are plain methods. This class and the framework do the
    rest: they open the inner store, pass ``expected`` on where the inner store takes it, and use
    the inner store's ``prepare_save``, ``token_lock`` and ``lock_id``. The abilities are those of
    the innermost store. If you override a hook, mark it with ``@hookimpl`` again, and return what
    this class returns, which may be an awaitable. What they need and takes time to get, such as a
    key, belongs in :meth:`load`.
    """

    _inner: Binding
    _loaded = False

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        self.options = options

    def wrap(self, token: dict[str, Any]) -> dict[str, Any]:
        """Makes what the inner store keeps.

        The framework adds whose token it is and which revision, so that the inner store can
        compare.

        Args:
            token: The JSON object of the token.

        Returns:
            A JSON object with a string ``access_token``.
        """
        return token

    def unwrap(self, token: dict[str, Any]) -> dict[str, Any]:
        """Makes the token from what the inner store keeps.

        Args:
            token: What :meth:`wrap` returned.

        Returns:
            The JSON object of the token.

        Raises:
            TokenCorruptError: It cannot be unwrapped. Its ``reason`` tells programs why; without
                one the framework sets "unreadable". Any other exception counts as this one, and as
                content that must be left where it is: the key, for example, may be the wrong one.
        """
        return token

    def load(self) -> None:
        """Optional. Gets what :meth:`wrap` and :meth:`unwrap` need, such as a key from a file.

        It may block: the framework calls it before the first token is read or saved, in a thread
        where an event loop must go on. It calls it once more if :meth:`unwrap` raises
        ``TokenCorruptError`` with ``reason="unknown key"``, and then unwraps again. If it raises,
        the read or save fails, and the next one calls it again. Two threads may call it at once.

        Raises:
            TokenUnavailableError: It cannot be had now.
            TokenPermissionError: This user may not read it, or others may.
        """

    def load_due(self, *, saving: bool) -> bool:
        """Optional. Says whether :meth:`load` is to be called now: by default, once.

        It is asked before each read and save, also in the thread of an event loop, so it must not
        block.

        Args:
            saving: A token is about to be saved, or a save to be prepared.
        """
        return not self._loaded

    def rekey_state(self) -> tuple[str | None, str | None]:
        """Optional; for a wrapper that encrypts with keys that have ids.

        A token whose two ids differ is encrypted again when it is next saved.

        Returns:
            The id of the key of the token that was last read or saved through this object; None: it
            is not encrypted. And the id of the key with which the next one is encrypted.
        """
        return None, None

    @property
    def place(self) -> str:
        """Location of the token in the inner store."""
        return self._inner.place or type(self._inner.plugin).__name__

    @hookimpl
    def get_token(self) -> Any:
        """Has the inner store read the token, and unwraps it."""
        # In a Secret: it may be a plain dict, which a traceback with locals would print.
        found = Secret(self.read_inner())
        if inspect.isawaitable(found.reveal()):
            return self._plain_later(found)
        self._load_if_due(saving=False)
        try:
            return self._plain(found)
        except TokenCorruptError as error:
            if not self._loads_again(error):
                raise
        self.load()
        return self._plain(found)

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> Any:
        """Wraps the token and has the inner store save it.

        Args:
            token: The JSON object of the token.
            expected: Revision that must be stored now, for an inner store that compares.
        """
        if self._inner.set_token.is_coroutine and self._loads:
            return self._save_later(Secret(token), expected)
        self._load_if_due(saving=True)
        return _call(self._inner.set_token, token=self._wrapped(token), expected=expected)

    @hookimpl
    def remove_token(self, expected: str | None) -> Any:
        """Has the inner store remove the token.

        Args:
            expected: Revision that must be stored now, for an inner store that compares.
        """
        return _call(self._inner.remove_token, expected=expected)

    # Not marked: where it is not overridden, the inner store's own hook is bound, if it has one.
    def prepare_save(self, expected: str | None) -> Any:
        """Loads, if that is due, and has the inner store check that it can save.

        It is for a wrapper that overrides this one, and calls it.

        Args:
            expected: Revision that the coming save expects; None: nothing is stored.
        """
        if self._inner.set_token.is_coroutine and self._loads:
            return self._prepare_later(expected)
        self._load_if_due(saving=True)
        return self._prepare_inner(expected)

    def _prepare_inner(self, expected: str | None) -> Any:
        hook = self._inner.prepare_save
        return None if hook is None else _call(hook, expected=expected)

    @hookimpl
    def close(self) -> Any:
        """Closes the inner store."""
        return None if self._inner.close is None else _call(self._inner.close)

    def read_inner(self) -> Any:
        """What the inner store holds, as it is; an awaitable where that store's hook is one."""
        return _call(self._inner.get_token)

    def _wrapped(self, token: dict[str, Any]) -> dict[str, Any]:
        # What is not changed has the revision of the plain token by itself.
        if type(self).wrap is WrapperStore.wrap:
            return token
        tag = {name: token.get(TAG, {}).get(name) for name in ("format", "identity")}
        # The inner store compares revisions of what it holds, and cannot compute the plain one.
        revision = revision_of(token)
        made = Secret(self.wrap(token))
        try:
            wrapped = check_token_object(made.reveal(), wrapped=True)
        except ValueError as error:
            problem = str(error)
        else:
            wrapped[TAG] = {**tag, **wrapped.get(TAG, {}), "revision": revision}
            return wrapped
        raise TokenUnavailableError(
            f"{type(self).__name__}.wrap returned what no store can hold: {problem}. Nothing was "
            "saved",
            place=self.place,
        )

    @property
    def _loads(self) -> bool:
        return type(self).load is not WrapperStore.load

    def _load_if_due(self, *, saving: bool) -> None:
        if self._loads and self.load_due(saving=saving):
            self.load()
            vars(self)["_loaded"] = True  # it may be a frozen dataclass

    def _loads_again(self, error: TokenCorruptError) -> bool:
        """The key may have come since the last look."""
        return error.reason == UNKNOWN_KEY and self._loads

    async def _plain_later(self, found: Secret[Any]) -> dict[str, Any] | None:
        stored = Secret(await found.reveal())
        await self._load_in_thread(saving=False)
        try:
            return self._plain(stored)
        except TokenCorruptError as error:
            if not self._loads_again(error):
                raise
        await _in_thread(self.load)
        return self._plain(stored)

    async def _save_later(self, token: Secret[dict[str, Any]], expected: str | None) -> Any:
        await self._load_in_thread(saving=True)
        wrapped = self._wrapped(token.reveal())
        saved = _call(self._inner.set_token, token=wrapped, expected=expected)
        return await saved if inspect.isawaitable(saved) else saved

    async def _prepare_later(self, expected: str | None) -> Any:
        await self._load_in_thread(saving=True)
        checked = self._prepare_inner(expected)
        return await checked if inspect.isawaitable(checked) else checked

    async def _load_in_thread(self, *, saving: bool) -> None:
        if self._loads and self.load_due(saving=saving):
            await _in_thread(partial(self._load_if_due, saving=saving))

    def _plain(self, found: Secret[Any]) -> dict[str, Any] | None:
        if found.reveal() is None or type(self).unwrap is WrapperStore.unwrap:
            return found.reveal()  # type: ignore[no-any-return]  # checked by who opened this
        try:
            stored = check_token_object(found.reveal(), wrapped=True)
            tag = stored.get(TAG, {})
            plain = TokenObject(self.unwrap(stored))
        except TokenStoreError as error:
            if isinstance(error, TokenCorruptError) and error.reason is None:
                error.reason = UNREADABLE  # else a session that revokes would remove it
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger's unwrap raises
            raise TokenCorruptError(
                f"what is stored in {self.place} cannot be read through {type(self).__name__} "
                f"({type(error).__name__}): check its options; if they are right, remove it with "
                f"{current.get().removal}",
                reason=UNREADABLE,
                place=self.place,
            ) from stand_in(error)
        tag = dict(plain.get(TAG) or tag)
        # It is that of the plain token, which is computed anew from the token itself.
        tag.pop("revision", None)
        plain[TAG] = tag
        return plain


def unwraps(store: object) -> bool:
    """Whether it makes the token from something else, which another program may be able to read."""
    cls = type(store)
    return issubclass(cls, WrapperStore) and (
        cls.unwrap is not WrapperStore.unwrap or cls.get_token is not WrapperStore.get_token
    )


async def _in_thread(load: Callable[[], None]) -> None:
    # Imported late: a sync program needs neither (docs/decisions/017).
    import asyncio

    from .._concurrency.hook_threads import submit

    await asyncio.wrap_future(submit("io", load))


def _call(hook: Hook, **arguments: Any) -> Any:
    return hook.function(**hook.keywords(**arguments))
