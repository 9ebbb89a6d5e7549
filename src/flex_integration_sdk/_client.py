"""The SDK for sync and for asyncio programs."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from flex_tokenstore import Secret, TokenCorruptError, TokenSession, open_store
from flex_tokenstore.errors import TokenStoreError

from ._grants import AsyncGrants, SyncGrants
from ._http import AsyncHttp, Http
from ._query import query_string
from ._resources import Endpoint, Listings, Marketplace, Users
from ._response import Response, interpret
from .config import Settings, resolve

if TYPE_CHECKING:
    from types import TracebackType

    from flex_tokenstore import AsyncTokenSession, AsyncTokenStore, Token, TokenStore

API_PATH = "/v1/integration_api/"
HEADERS = {"Accept": "application/transit+json"}

OnStoreError = Literal["raise", "memory"]


class AuthInfo(NamedTuple):
    """How the next call authenticates."""

    grant_type: str | None
    """``"refresh_token"``, ``"client_credentials"``, or None if nothing is stored."""


def create_instance(
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
) -> IntegrationSDK:
    """An SDK for sync programs; safe for threads.

    Args:
        client_id: Of an application of type Integration API; else ``FLEX_INTEGRATION_CLIENT_ID``.
        client_secret: Its secret; else ``FLEX_INTEGRATION_CLIENT_SECRET``. Not needed while a
            stored refresh token lives.
        client_secret_file: A file with the secret, instead; else
            ``FLEX_INTEGRATION_CLIENT_SECRET_FILE``.
        token_store: A store's name, a mapping with ``name`` and options, or an object with
            ``get_token``, ``set_token`` and ``remove_token``; else
            ``FLEX_INTEGRATION_TOKEN_STORE``; else ``"memory"``.
        base_url: The server; else ``FLEX_INTEGRATION_BASE_URL``; else the live one.
        profile: A name to keep several tokens of one client apart.
        timeout: Seconds that an API call may be without an answer.
        request_timeout: Seconds that one token request may take.
        on_store_error: ``"raise"``, or ``"memory"`` to go on without the store while it is down.
        host_lock: ``"off"`` where no lock file can be written, for stores without a lock.

    Raises:
        ConfigurationError: Something is missing or wrong.
        TokenStoreError: The store is unknown, cannot be loaded, or refuses its options.
    """
    settings = resolve(
        client_id=client_id,
        client_secret=client_secret,
        client_secret_file=client_secret_file,
        token_store=token_store,
        base_url=base_url,
        profile=profile,
    )
    store = open_store(settings.token_store, settings.identity, host_lock=host_lock)
    http = Http(timeout, request_timeout)
    session = TokenSession(
        store,
        SyncGrants(settings, http),
        request_timeout=request_timeout,
        on_store_error=on_store_error,
    )
    return IntegrationSDK(settings, session, http)


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
    from flex_tokenstore import AsyncTokenSession
    from flex_tokenstore._async_store import async_store

    settings = resolve(
        client_id=client_id,
        client_secret=client_secret,
        client_secret_file=client_secret_file,
        token_store=token_store,
        base_url=base_url,
        profile=profile,
    )
    store = async_store(settings.token_store, settings.identity, host_lock=host_lock)
    http = AsyncHttp(timeout, request_timeout)
    session = AsyncTokenSession(
        store,
        AsyncGrants(settings, http),
        request_timeout=request_timeout,
        on_store_error=on_store_error,
    )
    return AsyncIntegrationSDK(settings, session, http)


class _Base:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closed = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.settings.client_id!r} at {self.settings.base_url}>"

    def __reduce__(self) -> Any:
        raise TypeError("an SDK instance is not pickled: make one in each process")

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            warnings.warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)

    def _url(self, endpoint: Endpoint, params: Mapping[str, Any]) -> str:
        query = query_string(params)
        url = f"{self.settings.base_url}{API_PATH}{endpoint.path}"
        return f"{url}?{query}" if query else url


class IntegrationSDK(_Base):
    """The Integration API for sync programs. Made by :func:`create_instance`."""

    def __init__(self, settings: Settings, session: TokenSession, http: Http) -> None:
        super().__init__(settings)
        self.session = session
        self._http = http
        self.marketplace: Marketplace[Response] = Marketplace(self._send)
        self.users: Users[Response] = Users(self._send)
        self.listings: Listings[Response] = Listings(self._send)

    @property
    def token_store(self) -> TokenStore:
        """The token store in use."""
        return self.session.store

    def auth_info(self) -> AuthInfo:
        """How the next call authenticates; asks the store, not the server."""
        try:
            return _auth_info(self.session.peek())
        except TokenCorruptError as error:
            return _healing(error)

    def revoke(self) -> bool:
        """Revokes the tokens and removes them from the store.

        Returns:
            True if the server revoked them; False if there was nothing that still lived.
        """
        return self.session.revoke()

    def close(self) -> None:
        """Closes the store and the connections; twice is fine."""
        self._closed = True
        self.session.close()
        self._http.close()

    def __enter__(self) -> IntegrationSDK:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, endpoint: Endpoint, params: Mapping[str, Any]) -> Response:
        url = self._url(endpoint, params)
        call = self.session.new_call()
        token: Token | None = call.token()
        while token is not None:
            response = self._http.send(endpoint.method, url, token, HEADERS)
            if response.status_code != 401:
                break
            token = call.refused(token)
        return interpret(response, endpoint.method, endpoint.path)


class AsyncIntegrationSDK(_Base):
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
            return _auth_info(await self.session.peek())
        except TokenCorruptError as error:
            return _healing(error)

    async def revoke(self) -> bool:
        """As :meth:`IntegrationSDK.revoke`."""
        return await self.session.revoke()

    async def aclose(self) -> None:
        """As :meth:`IntegrationSDK.close`."""
        self._closed = True
        await self.session.aclose()
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
        url = self._url(endpoint, params)
        call = self.session.new_call()
        token: Token | None = await call.token()
        while token is not None:
            response = await self._http.send(endpoint.method, url, token, HEADERS)
            if response.status_code != 401:
                break
            token = await call.refused(token)
        return interpret(response, endpoint.method, endpoint.path)


def _auth_info(token: Token | None) -> AuthInfo:
    return AuthInfo(None if token is None else token.grant_type)


def _healing(error: TokenStoreError) -> AuthInfo:
    # What will be moved aside by the next call counts as nothing.
    if isinstance(error, TokenCorruptError) and error.revision is not None:
        return AuthInfo(None)
    raise error
