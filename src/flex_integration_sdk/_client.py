"""The SDK for sync programs, and what the async one shares with it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from flex_tokenstore import Secret, SessionClosedError, TokenCorruptError, TokenSession, open_store

from ._endpoints import API_PATH, Endpoint
from ._grants import SyncGrants
from ._http import Http
from ._query import query_string
from ._resources import Listings, Marketplace, Users
from ._response import Response, interpret
from .config import Settings, resolve, shown_to_nobody
from .errors import ConfigurationError

if TYPE_CHECKING:
    from types import TracebackType

    from flex_tokenstore import Token, TokenStore

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
    store = open_store(settings.token_store, settings.identity, host_lock=host_lock)
    http = Http(settings.base_url, timeout, request_timeout)
    session = TokenSession(
        store,
        SyncGrants(settings, http),
        request_timeout=request_timeout,
        on_store_error=on_store_error,
    )
    return IntegrationSDK(settings, session, http)


class InstanceBase:
    """What the sync and the async SDK share."""

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

    def _prepare(self, endpoint: Endpoint, params: Mapping[str, Any]) -> str:
        """The URL to call; a wrong parameter raises here, before any token is asked for."""
        query = query_string(params)
        if self._closed:
            raise SessionClosedError("this SDK instance is closed; make a new one")
        url = f"{self.settings.base_url}{API_PATH}{endpoint.path}"
        return f"{url}?{query}" if query else url


class IntegrationSDK(InstanceBase):
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
            return auth_info_of(self.session.peek())
        except TokenCorruptError as error:
            return auth_info_of_corrupt(error)

    def revoke(self) -> bool:
        """Revokes the tokens and removes them from the store.

        Returns:
            True if the server revoked them; False if there was nothing that still lived.
        """
        return self.session.revoke()

    def close(self) -> None:
        """Closes the store and the connections; twice is fine."""
        self._closed = True
        try:
            self.session.close()
        finally:
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
        url = self._prepare(endpoint, params)
        call = self.session.new_call()
        token = call.token()
        while True:
            response = self._http.send(endpoint.method, url, token, HEADERS)
            another = call.refused(token) if response.status_code == 401 else None
            if another is None:
                return interpret(response, endpoint.method, endpoint.path)
            token = another


def check_limits(timeout: float, request_timeout: float, on_store_error: str) -> None:
    """Raises ConfigurationError for what the session or the HTTP client would stumble over."""
    for name, value in (("timeout", timeout), ("request_timeout", request_timeout)):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0 < value < float("inf"):
            raise ConfigurationError(f"{name} takes a positive number of seconds, got {value!r}")
    if on_store_error not in ("raise", "memory"):
        raise ConfigurationError(
            f'on_store_error takes "raise" or "memory", got {on_store_error!r}'
        )


def auth_info_of(token: Token | None) -> AuthInfo:
    """What the stored token tells."""
    return AuthInfo(None if token is None else token.grant_type)


def auth_info_of_corrupt(error: TokenCorruptError) -> AuthInfo:
    """What the next call will move aside counts as nothing; what it must leave is raised."""
    if error.revision is not None:
        return AuthInfo(None)
    raise error
