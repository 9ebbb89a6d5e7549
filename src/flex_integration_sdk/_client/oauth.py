"""The OAuth grants over HTTP, as a session requests them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from flex_integration_sdk.config import Settings
from flex_integration_sdk.errors import (
    MissingSecretError,
)
from flex_tokenstore import Secret, Token

if TYPE_CHECKING:
    from flex_integration_sdk._transport.aio import AsyncHttp
    from flex_integration_sdk._transport.sync import Http
from flex_integration_sdk._wire.token_messages import (
    read_revocation,
    read_token,
    refresh_request,
    revoke_request,
    sign_in_request,
)


class StoreFacts(Protocol):
    """What errors say about the token store."""

    @property
    def name(self) -> str: ...
    @property
    def place(self) -> str: ...


class SyncGrants:
    """The grants over HTTP, for a sync session."""

    def __init__(self, settings: Settings, http: Http, store: StoreFacts | None = None) -> None:
        self._settings, self._http, self._store = settings, http, store

    def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        request = refresh_request(self._settings, refresh_token)
        return read_token(request, self._http.authenticate(request), refreshing=True)

    def sign_in(self) -> Mapping[str, Any]:
        source = self._settings.secret_source
        if source is None:
            raise _missing_secret(self._store)
        # Read each time: a mounted file is replaced while the program runs.
        request = sign_in_request(self._settings, source.read(self._http.limit))
        return read_token(request, self._http.authenticate(request), refreshing=False)

    def revoke(self, token: Token) -> None:
        request = revoke_request(self._settings, token)
        read_revocation(request, self._http.authenticate(request))

    def place(self) -> AbstractContextManager[None]:
        """Waits while as many token requests are under way as there are connections."""
        return self._http.place()

    def abandon(self) -> None:
        """Ends the token requests that are under way; from any thread."""
        self._http.abandon()


class AsyncGrants:
    """The grants over HTTP, for an async session."""

    def __init__(
        self, settings: Settings, http: AsyncHttp, store: StoreFacts | None = None
    ) -> None:
        self._settings, self._http, self._store = settings, http, store

    async def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        request = refresh_request(self._settings, refresh_token)
        return read_token(request, await self._http.authenticate(request), refreshing=True)

    async def sign_in(self) -> Mapping[str, Any]:
        source = self._settings.secret_source
        if source is None:
            raise _missing_secret(self._store)
        # Read each time, as in SyncGrants.
        request = sign_in_request(self._settings, await source.read_async(self._http.limit))
        return read_token(request, await self._http.authenticate(request), refreshing=False)

    async def revoke(self, token: Token) -> None:
        request = revoke_request(self._settings, token)
        read_revocation(request, await self._http.authenticate(request))

    def place(self) -> AbstractAsyncContextManager[None]:
        """Waits while as many token requests are under way as there are connections."""
        return self._http.place()

    def abandon(self) -> None:
        """Ends the token requests that are under way; from any thread."""
        self._http.abandon()


def _missing_secret(store: StoreFacts | None) -> MissingSecretError:
    if store is None:
        return MissingSecretError()
    from flex_tokenstore.stores.memory import MemoryStore

    try:
        place: str | None = store.place
    except Exception:  # noqa: BLE001 - a property of a stranger's store
        place = None
    lasting = store.name != "memory" and place != MemoryStore.place  # of what a wrapper wraps, too
    return MissingSecretError(store=store.name, place=place, lasting=lasting)
