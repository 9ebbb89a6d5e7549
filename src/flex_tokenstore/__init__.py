"""OAuth token stores that you choose by name, and sessions that keep a token usable.

:func:`open_store` opens a store. A :class:`TokenSession` keeps the token in it: if many threads
or processes need a new token at once, one of them requests it and all use it.
:func:`list_stores` lists what is installed. To write a store, see
:mod:`flex_tokenstore.hookspecs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import (
    AsyncioRequiredError,
    GrantError,
    SessionClosedError,
    StoreLoadError,
    StoreOptionsError,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenStoreError,
    TokenUnavailableError,
    UnknownStoreError,
)
from .hookspecs import hookimpl

if TYPE_CHECKING:
    from ._async_session import AsyncGrants, AsyncTokenSession
    from ._async_store import AsyncTokenStore, open_async_store
    from ._config import file_store, memory_store, store_config_from_env
    from ._events import Event
    from ._identity import TokenIdentity
    from ._patience import Patience
    from ._registry import StoreInfo, describe_store, list_stores
    from ._secret import Secret
    from ._secret_files import read_secret_file
    from ._session import Grants, TokenSession
    from ._store import TokenStore, open_store
    from ._token import ANY_REVISION, Token, is_newer, revision_of
    from ._wrapper import WrapperStore

# Imported when first asked for: a program that opens one store should not pay for the rest.
_LAZY = {
    "ANY_REVISION": "_token",
    "AsyncGrants": "_async_session",
    "AsyncTokenSession": "_async_session",
    "AsyncTokenStore": "_async_store",
    "Event": "_events",
    "Grants": "_session",
    "Patience": "_patience",
    "Secret": "_secret",
    "StoreInfo": "_registry",
    "Token": "_token",
    "TokenIdentity": "_identity",
    "TokenSession": "_session",
    "TokenStore": "_store",
    "WrapperStore": "_wrapper",
    "describe_store": "_registry",
    "file_store": "_config",
    "is_newer": "_token",
    "list_stores": "_registry",
    "memory_store": "_config",
    "open_async_store": "_async_store",
    "open_store": "_store",
    "read_secret_file": "_secret_files",
    "revision_of": "_token",
    "store_config_from_env": "_config",
}

__all__ = [
    "ANY_REVISION",
    "AsyncGrants",
    "AsyncTokenSession",
    "AsyncTokenStore",
    "AsyncioRequiredError",
    "Event",
    "GrantError",
    "Grants",
    "Patience",
    "Secret",
    "SessionClosedError",
    "StoreInfo",
    "StoreLoadError",
    "StoreOptionsError",
    "Token",
    "TokenConflictError",
    "TokenCorruptError",
    "TokenIdentity",
    "TokenIdentityError",
    "TokenLockTimeoutError",
    "TokenPermissionError",
    "TokenSession",
    "TokenStore",
    "TokenStoreError",
    "TokenUnavailableError",
    "UnknownStoreError",
    "WrapperStore",
    "describe_store",
    "file_store",
    "hookimpl",
    "is_newer",
    "list_stores",
    "memory_store",
    "open_async_store",
    "open_store",
    "read_secret_file",
    "revision_of",
    "store_config_from_env",
]


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
