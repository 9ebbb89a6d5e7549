"""Base of stores that wrap another store (encryption, read-only, a cache …)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._token import TAG, revision_of
from .hookspecs import hookimpl

if TYPE_CHECKING:
    from ._binding import Binding, Hook
    from ._identity import TokenIdentity


class WrapperStore:
    """A store whose ``Options`` has a field ``inner``: the config of the store it wraps.

    A wrapper that changes tokens overrides :meth:`wrap` and :meth:`unwrap`, plain and
    synchronous. The rest is done here: ``inner`` is opened, ``expected`` is passed on where the
    inner store takes it, and the lock is the inner store's. Abilities are those of the innermost.
    """

    _inner: Binding

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        self.options = options

    def wrap(self, token: dict[str, Any]) -> dict[str, Any]:
        """The object to store for ``token``."""
        return token

    def unwrap(self, token: dict[str, Any]) -> dict[str, Any]:
        """The token for what is stored."""
        return token

    @property
    def place(self) -> str:
        """The inner store's."""
        return str(getattr(self._inner.plugin, "place", type(self._inner.plugin).__name__))

    @hookimpl
    def get_token(self) -> Any:
        return _then(_call(self._inner.get_token), self._from_inner)

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> Any:
        wrapped = self.wrap(token)
        if wrapped is not token:
            # The inner store compares revisions of what it holds, and cannot compute the plain one.
            tag = {**wrapped.get(TAG, {}), "revision": revision_of(token)}
            wrapped = type(token)({**wrapped, TAG: tag})
        return _call(self._inner.set_token, token=wrapped, expected=expected)

    @hookimpl
    def remove_token(self, expected: str | None) -> Any:
        return _call(self._inner.remove_token, expected=expected)

    @hookimpl
    def close(self) -> Any:
        return None if self._inner.close is None else _call(self._inner.close)

    def _from_inner(self, stored: dict[str, Any] | None) -> dict[str, Any] | None:
        if stored is None:
            return None
        token = self.unwrap(stored)
        tag = token.get(TAG)
        if isinstance(tag, dict) and "revision" in tag:
            tag = {name: value for name, value in tag.items() if name != "revision"}
            token = type(token)({**token, TAG: tag})
        return token

    def _open_inner(self, identity: TokenIdentity, prefer_async: bool) -> None:
        from ._binding import bind
        from ._config import normalise
        from ._opening import make_plugin

        name, options, own = normalise(self.options.inner)
        if own is not None:
            self._inner = bind(own, store=type(own).__name__, marked=False)
        else:
            assert name is not None
            plugin = make_plugin(name, options, identity, prefer_async=prefer_async)
            self._inner = bind(plugin, store=name, marked=True)


def _call(hook: Hook, **arguments: Any) -> Any:
    return hook.function(**hook.keywords(**arguments))


def _then(value: Any, change: Callable[[Any], Any]) -> Any:
    if not inspect.isawaitable(value):
        return change(value)

    async def later() -> Any:
        return change(await value)

    return later()
