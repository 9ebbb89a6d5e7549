"""Base of stores that wrap another store (encryption, read-only, a cache …)."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from ._secret import Secret
from ._stand_in import stand_in
from ._token import TAG, TokenObject, check_token_object, revision_of
from .errors import (
    TokenCorruptError,
    TokenStoreError,
    TokenUnavailableError,
)
from .hookspecs import hookimpl

if TYPE_CHECKING:
    from ._binding import Binding, Hook
    from ._identity import TokenIdentity


class WrapperStore:
    """A store whose ``Options`` has a field ``inner``: the config of the store it wraps.

    A wrapper that changes tokens overrides :meth:`wrap` and :meth:`unwrap`, plain and
    synchronous. The rest is done here and when it is bound: ``inner`` is opened, ``expected`` is
    passed on where the inner store takes it, and ``prepare_save``, lock and ``lock_id`` are the
    inner store's. Abilities are those of the innermost. A hook that is overridden is marked with
    ``@hookimpl`` again, and returns what the base class returns, which may be an awaitable.
    """

    _inner: Binding

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        self.options = options

    def wrap(self, token: dict[str, Any]) -> dict[str, Any]:
        """What to store for ``token``: an object with a text ``access_token``.

        Whose it is, and which revision, is added to it: the inner store must be able to compare.
        """
        return token

    def unwrap(self, token: dict[str, Any]) -> dict[str, Any]:
        """The token for what is stored.

        Raises:
            TokenCorruptError: It cannot be obtained. Anything else that is raised counts as that,
                and as content that must be left where it is: the key, say, may be the wrong one.
        """
        return token

    @property
    def place(self) -> str:
        """The inner store's."""
        return self._inner.place or type(self._inner.plugin).__name__

    @hookimpl
    def get_token(self) -> Any:
        # In a Secret: it may be a plain dict, which a traceback with locals would print.
        found = Secret(_call(self._inner.get_token))
        return self._later(found) if inspect.isawaitable(found.reveal()) else self._plain(found)

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> Any:
        return _call(self._inner.set_token, token=self._wrapped(token), expected=expected)

    @hookimpl
    def remove_token(self, expected: str | None) -> Any:
        return _call(self._inner.remove_token, expected=expected)

    # Not marked: where it is not overridden, the inner store's own hook is bound, if it has one.
    def prepare_save(self, expected: str | None) -> Any:
        """What the inner store's hook returns; for a wrapper that overrides it."""
        hook = self._inner.prepare_save
        return None if hook is None else _call(hook, expected=expected)

    @hookimpl
    def close(self) -> Any:
        return None if self._inner.close is None else _call(self._inner.close)

    def _wrapped(self, token: dict[str, Any]) -> dict[str, Any]:
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

    async def _later(self, found: Secret[Any]) -> dict[str, Any] | None:
        return self._plain(Secret(await found.reveal()))

    def _plain(self, found: Secret[Any]) -> dict[str, Any] | None:
        if found.reveal() is None or type(self).unwrap is WrapperStore.unwrap:
            return found.reveal()  # type: ignore[no-any-return]  # checked by who opened this
        try:
            stored = check_token_object(found.reveal(), wrapped=True)
            tag = stored.get(TAG, {})
            plain = TokenObject(self.unwrap(stored))
        except TokenStoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger's unwrap raises
            raise TokenCorruptError(
                f"what is stored in {self.place} cannot be read through {type(self).__name__} "
                f"({type(error).__name__}): check its options; if they are right, remove it with "
                "`flex-sdk token remove`",
                place=self.place,
            ) from stand_in(error)
        tag = dict(plain.get(TAG) or tag)
        tag.pop("revision", None)
        plain[TAG] = tag
        return plain


def _call(hook: Hook, **arguments: Any) -> Any:
    return hook.function(**hook.keywords(**arguments))
