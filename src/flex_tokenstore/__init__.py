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
    GrantReason,
    SessionClosedError,
    StoreLoadError,
    StoreOptionsError,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenReadOnlyError,
    TokenStoreError,
    TokenUnavailableError,
    UnknownStoreError,
)
from .hookspecs import StoreHooks, hookimpl

if TYPE_CHECKING:
    from ._config.options import OptionInfo
    from ._config.secret_command import read_secret_command
    from ._config.secret_files import read_secret_file
    from ._config.store_config import (
        StoreConfig,
        file_store,
        memory_store,
        store_config_from_env,
    )
    from ._events.dispatch import OnEvent
    from ._events.event import Event
    from ._host.patience import Patience
    from ._host.store_lock import host_lock
    from ._plugin.hooks import Abilities
    from ._plugin.wrapper import WrapperStore
    from ._registry.catalogue import StoreInfo, describe_store, list_stores
    from ._registry.registered import register_store
    from ._session.aio import AsyncTokenCall, AsyncTokenSession
    from ._session.base import OnStoreError
    from ._session.grants import AsyncGrants, Grants
    from ._session.sync import TokenCall, TokenSession
    from ._store.aio import AsyncTokenStore, open_async_store
    from ._store.opening import HostLockSetting
    from ._store.sync import TokenStore, open_store
    from ._values.identity import TokenIdentity
    from ._values.secret import Secret
    from ._values.token import ANY_REVISION, Token, is_newer, revision_of
    from ._version import __version__

    # Tools that freeze a program follow import statements, and these are loaded by name.
    from .stores import fallback as _fallback  # noqa: F401
    from .stores import file as _file  # noqa: F401
    from .stores import memory as _memory  # noqa: F401
    from .stores import read_only as _read_only  # noqa: F401

# Imported when first asked for: a program that opens one store should not pay for the rest.
_LAZY = {
    "ANY_REVISION": "_values.token",
    "Abilities": "_plugin.hooks",
    "AsyncGrants": "_session.grants",
    "AsyncTokenCall": "_session.aio",
    "AsyncTokenSession": "_session.aio",
    "AsyncTokenStore": "_store.aio",
    "Event": "_events.event",
    "Grants": "_session.grants",
    "HostLockSetting": "_store.opening",
    "OnEvent": "_events.dispatch",
    "OnStoreError": "_session.base",
    "OptionInfo": "_config.options",
    "Patience": "_host.patience",
    "Secret": "_values.secret",
    "StoreConfig": "_config.store_config",
    "StoreInfo": "_registry.catalogue",
    "Token": "_values.token",
    "TokenCall": "_session.sync",
    "TokenIdentity": "_values.identity",
    "TokenSession": "_session.sync",
    "TokenStore": "_store.sync",
    "WrapperStore": "_plugin.wrapper",
    "__version__": "_version",
    "describe_store": "_registry.catalogue",
    "file_store": "_config.store_config",
    "host_lock": "_host.store_lock",
    "is_newer": "_values.token",
    "list_stores": "_registry.catalogue",
    "memory_store": "_config.store_config",
    "open_async_store": "_store.aio",
    "open_store": "_store.sync",
    "read_secret_command": "_config.secret_command",
    "read_secret_file": "_config.secret_files",
    "register_store": "_registry.registered",
    "revision_of": "_values.token",
    "store_config_from_env": "_config.store_config",
}

__all__ = [
    "ANY_REVISION",
    "Abilities",
    "AsyncGrants",
    "AsyncTokenCall",
    "AsyncTokenSession",
    "AsyncTokenStore",
    "AsyncioRequiredError",
    "Event",
    "GrantError",
    "GrantReason",
    "Grants",
    "HostLockSetting",
    "OnEvent",
    "OnStoreError",
    "OptionInfo",
    "Patience",
    "Secret",
    "SessionClosedError",
    "StoreConfig",
    "StoreHooks",
    "StoreInfo",
    "StoreLoadError",
    "StoreOptionsError",
    "Token",
    "TokenCall",
    "TokenConflictError",
    "TokenCorruptError",
    "TokenIdentity",
    "TokenIdentityError",
    "TokenLockTimeoutError",
    "TokenPermissionError",
    "TokenReadOnlyError",
    "TokenSession",
    "TokenStore",
    "TokenStoreError",
    "TokenUnavailableError",
    "UnknownStoreError",
    "WrapperStore",
    "__version__",
    "describe_store",
    "file_store",
    "hookimpl",
    "host_lock",
    "is_newer",
    "list_stores",
    "memory_store",
    "open_async_store",
    "open_store",
    "read_secret_command",
    "read_secret_file",
    "register_store",
    "revision_of",
    "store_config_from_env",
]


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{module}", __name__), name)
    # From now on Python finds the name without calling this function (PEP 562).
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
