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

    from ._client.aio import AsyncIntegrationSDK
    from ._client.auth_info import AuthInfo
    from ._client.create import create_async_instance, create_instance
    from ._client.plain import to_json, to_plain
    from ._client.sync import IntegrationSDK
    from ._endpoints.options import QueryOptions
    from ._endpoints.paging.aio import AsyncResourceIterator
    from ._endpoints.paging.sync import ResourceIterator
    from ._endpoints.response import PageMeta, Response
    from ._transport.request_event import RequestEvent
    from ._uploads.metadata import FileMetadata, file_metadata
    from ._uploads.upload import async_upload_file, upload_file
    from ._wire.query import object_query_string
    from ._wire.rate_limits import RateLimiter, RateLimits
    from ._wire.type_handlers import TypeHandler
    from .resources import Resource
    from .types import FarTime, LatLng, LatLngBounds, Money

# Imported when first used: in a short command the imports take most of the time (decision 017).
_LAZY = {
    "AsyncIntegrationSDK": "flex_integration_sdk._client.aio",
    "AsyncResourceIterator": "flex_integration_sdk._endpoints.paging.aio",
    "AuthInfo": "flex_integration_sdk._client.auth_info",
    "FarTime": "flex_integration_sdk.types",
    "FileMetadata": "flex_integration_sdk._uploads.metadata",
    "IntegrationSDK": "flex_integration_sdk._client.sync",
    "LatLng": "flex_integration_sdk.types",
    "LatLngBounds": "flex_integration_sdk.types",
    "Money": "flex_integration_sdk.types",
    "PageMeta": "flex_integration_sdk._endpoints.response",
    "QueryOptions": "flex_integration_sdk._endpoints.options",
    "RateLimiter": "flex_integration_sdk._wire.rate_limits",
    "RateLimits": "flex_integration_sdk._wire.rate_limits",
    "RequestEvent": "flex_integration_sdk._transport.request_event",
    "Resource": "flex_integration_sdk.resources",
    "ResourceIterator": "flex_integration_sdk._endpoints.paging.sync",
    "Response": "flex_integration_sdk._endpoints.response",
    "TypeHandler": "flex_integration_sdk._wire.type_handlers",
    "async_upload_file": "flex_integration_sdk._uploads.upload",
    "create_async_instance": "flex_integration_sdk._client.create",
    "create_instance": "flex_integration_sdk._client.create",
    "file_metadata": "flex_integration_sdk._uploads.metadata",
    "file_store": "flex_tokenstore",
    "memory_store": "flex_tokenstore",
    "object_query_string": "flex_integration_sdk._wire.query",
    "to_json": "flex_integration_sdk._client.plain",
    "to_plain": "flex_integration_sdk._client.plain",
    "upload_file": "flex_integration_sdk._uploads.upload",
}

__all__ = [
    "AsyncIntegrationSDK",
    "AsyncResourceIterator",
    "AuthInfo",
    "FarTime",
    "FileMetadata",
    "IntegrationSDK",
    "LatLng",
    "LatLngBounds",
    "Money",
    "PageMeta",
    "QueryOptions",
    "RateLimiter",
    "RateLimits",
    "RequestEvent",
    "Resource",
    "ResourceIterator",
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
    "to_json",
    "to_plain",
    "upload_file",
]


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(module), name)
    # From now on Python finds the name without calling this function.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
