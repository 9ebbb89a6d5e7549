"""Sharetribe's Integration API, for sync and asyncio programs.

>>> from flex_integration_sdk import create_instance
>>> with create_instance(token_store="file") as sdk:  # doctest: +SKIP
...     print(sdk.marketplace.show().data["attributes"]["name"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from flex_tokenstore import file_store, memory_store

    from ._async_client import AsyncIntegrationSDK, create_async_instance
    from ._auth_info import AuthInfo
    from ._client import IntegrationSDK, create_instance
    from ._files import FileMetadata, async_upload_file, file_metadata, upload_file
    from ._handlers import TypeHandler
    from ._plain import to_plain
    from ._query import object_query_string
    from ._rates import RateLimiter, RateLimits
    from ._response import PageMeta, Response
    from .resources import Resource
    from .types import FarTime, LatLng, LatLngBounds, Money

_LAZY = {
    "AsyncIntegrationSDK": "flex_integration_sdk._async_client",
    "AuthInfo": "flex_integration_sdk._auth_info",
    "FarTime": "flex_integration_sdk.types",
    "FileMetadata": "flex_integration_sdk._files",
    "IntegrationSDK": "flex_integration_sdk._client",
    "LatLng": "flex_integration_sdk.types",
    "LatLngBounds": "flex_integration_sdk.types",
    "Money": "flex_integration_sdk.types",
    "PageMeta": "flex_integration_sdk._response",
    "RateLimiter": "flex_integration_sdk._rates",
    "RateLimits": "flex_integration_sdk._rates",
    "Resource": "flex_integration_sdk.resources",
    "Response": "flex_integration_sdk._response",
    "TypeHandler": "flex_integration_sdk._handlers",
    "async_upload_file": "flex_integration_sdk._files",
    "create_async_instance": "flex_integration_sdk._async_client",
    "create_instance": "flex_integration_sdk._client",
    "file_metadata": "flex_integration_sdk._files",
    "file_store": "flex_tokenstore",
    "memory_store": "flex_tokenstore",
    "object_query_string": "flex_integration_sdk._query",
    "to_plain": "flex_integration_sdk._plain",
    "upload_file": "flex_integration_sdk._files",
}

__all__ = [
    "AsyncIntegrationSDK",
    "AuthInfo",
    "FarTime",
    "FileMetadata",
    "IntegrationSDK",
    "LatLng",
    "LatLngBounds",
    "Money",
    "PageMeta",
    "RateLimiter",
    "RateLimits",
    "Resource",
    "Response",
    "TypeHandler",
    "__version__",
    "async_upload_file",
    "create_async_instance",
    "create_instance",
    "file_metadata",
    "file_store",
    "memory_store",
    "object_query_string",
    "to_plain",
    "upload_file",
]


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
