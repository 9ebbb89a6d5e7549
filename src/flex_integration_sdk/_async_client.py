"""The SDK for asyncio programs."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flex_tokenstore import AsyncTokenSession, Secret, TokenCorruptError
from flex_tokenstore._async_store import async_store

from ._client import (
    HEADERS,
    AuthInfo,
    InstanceBase,
    OnStoreError,
    auth_info_of,
    auth_info_of_corrupt,
    check_limits,
)
from ._endpoints import Endpoint
from ._grants import AsyncGrants
from ._http import AsyncHttp
from ._resources import Listings, Marketplace, Users
from ._response import Response, interpret
from .config import Settings, resolve, shown_to_nobody

if TYPE_CHECKING:
    from types import TracebackType

    from flex_tokenstore import AsyncTokenStore


def create_async_instance(
    client_id: str | None = None,
    client_secret: str | Secret[str] | None = None,
    *,
    client_secret_file: str | Path | None = None,
    token_store: Any = None,
    base_url: str | None = None,
    profile: str | None = None,
    timeout: float = 30.0,
    request_timeout: float = 15.0,
    on_store_error: OnStoreError = "raise",
    host_lock: Literal["on", "off"] = "on",
) -> AsyncIntegrationSDK:
    """An SDK for asyncio programs; arguments and errors as :func:`create_instance`."""
    client_secret, token_store, base_url = shown_to_nobody(client_secret, token_store, base_url)
    check_limits(timeout, request_timeout, on_store_error)
    settings = resolve(
        client_id=client_id,
        client_secret=client_secret,
        client_secret_file=client_secret_file,
        token_store=token_store,
        base_url=base_url,
        profile=profile,
    )
    store = async_store(settings.token_store, settings.identity, host_lock=host_lock)
    http = AsyncHttp(settings.base_url, timeout, request_timeout)
    session = AsyncTokenSession(
        store,
        AsyncGrants(settings, http),
        request_timeout=request_timeout,
        on_store_error=on_store_error,
    )
    return AsyncIntegrationSDK(settings, session, http)


class AsyncIntegrationSDK(InstanceBase):
    """The Integration API for asyncio programs. Made by :func:`create_async_instance`."""

    def __init__(self, settings: Settings, session: AsyncTokenSession, http: AsyncHttp) -> None:
        super().__init__(settings)
        self.session = session
        self._http = http
        self.marketplace: Marketplace[Awaitable[Response]] = Marketplace(self._send)
        self.users: Users[Awaitable[Response]] = Users(self._send)
        self.listings: Listings[Awaitable[Response]] = Listings(self._send)

    @property
    def token_store(self) -> AsyncTokenStore:
        """The token store in use."""
        return self.session.store

    async def auth_info(self) -> AuthInfo:
        """As :meth:`IntegrationSDK.auth_info`."""
        try:
            return auth_info_of(await self.session.peek())
        except TokenCorruptError as error:
            return auth_info_of_corrupt(error)

    async def revoke(self) -> bool:
        """As :meth:`IntegrationSDK.revoke`."""
        return await self.session.revoke()

    async def aclose(self) -> None:
        """As :meth:`IntegrationSDK.close`."""
        self._closed = True
        try:
            await self.session.aclose()
        finally:
            await self._http.aclose()

    async def __aenter__(self) -> AsyncIntegrationSDK:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _send(self, endpoint: Endpoint, params: Mapping[str, Any]) -> Response:
        url = self._prepare(endpoint, params)
        call = self.session.new_call()
        token = await call.token()
        while True:
            response = await self._http.send(endpoint.method, url, token, HEADERS)
            another = await call.refused(token) if response.status_code == 401 else None
            if another is None:
                return interpret(response, endpoint.method, endpoint.path)
            token = another
