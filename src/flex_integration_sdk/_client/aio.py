"""The SDK for asyncio programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from flex_integration_sdk._endpoints.generated.namespace import AsyncEndpoints
from flex_integration_sdk._endpoints.lazy import resource
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._transport.aio import AsyncHttp
from flex_integration_sdk._transport.bodies import aopened
from flex_integration_sdk._transport.call_deadline import whole_call_async
from flex_integration_sdk._transport.exchange import ApiAnswer
from flex_integration_sdk._wire.interpret import refuses_token
from flex_integration_sdk._wire.rate_limits import RateLimits, refused, wait_async
from flex_integration_sdk._wire.requests import ApiRequest
from flex_integration_sdk._wire.type_handlers import TypeHandler
from flex_integration_sdk.config import Settings
from flex_integration_sdk.errors import RateLimitedError, TransportError
from flex_tokenstore import AsyncTokenSession, TokenCorruptError
from flex_tokenstore.embedding import async_store, refuse_other_loop, running_loop

from .auth_info import AuthInfo, auth_info_of, auth_info_of_corrupt
from .base import WHY_AGAIN, InstanceBase, warn_unclean
from .builder import Parts
from .call_options import CallOptions
from .oauth import AsyncGrants
from .retrying import Outcome, Repeats, outcome_of

if TYPE_CHECKING:
    from types import TracebackType

    from flex_integration_sdk._endpoints.param_types import AsyncUpload
    from flex_integration_sdk._following.endpoints import AsyncFollowedEvents
    from flex_integration_sdk.resources import File
    from flex_tokenstore import AsyncTokenCall, AsyncTokenStore, Token, TokenIdentity


_EXIT_PATIENCE = 5.0  # seconds that the program's end waits for a store: as for a loop's end


class AsyncIntegrationSDK(InstanceBase, AsyncEndpoints):
    """The Integration API for asyncio programs; :func:`create_async_instance` makes it.

    Each resource of the API is an attribute and each action a coroutine: ``await
    sdk.listings.query(per_page=10)``. An instance belongs to the event loop of its first call until
    that loop is closed.
    """

    def __init__(
        self,
        settings: Settings,
        session: AsyncTokenSession,
        http: AsyncHttp,
        type_handlers: Sequence[TypeHandler] = (),
        transit_verbose: bool = False,
        limits: RateLimits | None = None,
        options: CallOptions | None = None,
        open_store: Callable[..., Any] | None = None,
    ) -> None:
        InstanceBase.__init__(
            self, settings, type_handlers, transit_verbose, limits, options or CallOptions()
        )
        self._open_store = open_store
        self.session = session
        self._http = http
        # Shared, so that a close also ends the requests that wait for a connection.
        http.closing = self._closing
        self._own = frozenset(vars(self))

    @resource
    def events(self) -> AsyncFollowedEvents:
        """``query``, ``iterate``, ``follow``."""
        from flex_integration_sdk._following.endpoints import AsyncFollowedEvents
        from flex_integration_sdk._following.ground import Ground

        ground = Ground(
            # A failed query is repeated by what follows, whose waits can be stopped.
            send=self.with_options(max_retries=0)._send,
            closing=self._closing,
            settings=self.settings,
            store=lambda: self.token_store,
            open_store=self._open_store or _open_store,
        )
        return AsyncFollowedEvents(self._send, ground)

    @property
    def token_store(self) -> AsyncTokenStore:
        """The store in use, such as to read its ``name`` and ``place``."""
        return self.session.store

    async def auth_info(self) -> AuthInfo:
        """Tells how the next call obtains its token. It reads the store and sends no request.

        Returns:
            An :class:`AuthInfo`; its ``grant_type`` is None if nothing is stored.

        Raises:
            TokenStoreError: The store cannot answer, or its content must be left where it is.
            SessionClosedError: The instance is closed.
        """
        self._closing.check()
        try:
            return auth_info_of(await self.session.peek())
        except TokenCorruptError as error:
            return auth_info_of_corrupt(error)

    async def revoke(self) -> bool:
        """Has the server revoke the tokens and removes them from the store.

        Other programs that use the same store must then sign in again.

        Returns:
            True if the server revoked them; False if there were none, or if they no longer worked.

        Raises:
            TokenStoreError: The store failed, or the server did; the token is kept.
            FlexError: The request could not be sent, or the server refused the client.
            SessionClosedError: The instance is closed.
        """
        self._closing.check()
        self._refuse_within_secret()
        return await self.session.revoke()

    async def aclose(self) -> None:
        """Closes the store and the connections. You may call it twice.

        A call that waits, for a token or for the rate limits, ends with ``SessionClosedError``.
        Nothing is sent after this has returned. A request that was sent before ends with
        ``TransportError``. A token request is waited for, so that its token is saved.

        Raises:
            AsyncioRequiredError: asyncio does not run here.
        """
        running_loop()
        self._refuse_within_secret()
        # First: no call is sent after this line, whatever the rest waits for.
        self._closing.close()
        try:
            await self.session.aclose()
        except Exception:
            await self._http.aclose()
            raise
        # Not when cancelled: a renewal that it was to wait for may still need its connection.
        await self._http.aclose()

    def _close_at_exit(self) -> None:
        self._closing.close()
        loop = self.session.loop
        if loop is None or not loop.is_closed() or asyncio._get_running_loop() is not None:
            return  # nothing was opened, or what was opened is of a loop that still lives
        try:
            # The loop has ended. A new one saves a token that could not be saved yet, and lets go
            # of the connections.
            asyncio.run(asyncio.wait_for(self.aclose(), _EXIT_PATIENCE))
        except Exception as error:  # noqa: BLE001 - there is nobody to tell
            warn_unclean(error)

    async def __aenter__(self) -> AsyncIntegrationSDK:
        running_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _upload(self, source: AsyncUpload, **given: Any) -> Response[File]:
        from flex_integration_sdk._uploads.whole import Wanted, upload_async

        running_loop()
        ways = self._ways(self._http)
        return await upload_async(ways, Wanted(source=source, **given))

    async def _send(
        self, name: str, named: Mapping[str, Any], others: Mapping[str, Any]
    ) -> Response[Any]:
        running_loop()
        self._refuse_within_secret()
        request = self._prepare(name, named, others)
        repeats = self._repeats(name, request)
        # In no local variable: it may be an error, whose traceback would keep this frame.
        return self._result(
            repeats,
            await whole_call_async(
                self._options.total_timeout, lambda: self._outcome(name, request, repeats)
            ),
        )

    async def _outcome(self, name: str, request: ApiRequest, repeats: Repeats) -> Outcome:
        """Makes the call, and repeats it where that can do no harm."""
        if request.body is not None and not request.body.is_open:
            async with aopened(request.body):
                return await self._outcome(name, request, repeats)
        call = self.session.new_call(name)  # one for all attempts: it bounds the token requests
        attempt = partial(self._attempt, name, request, call, repeats)
        try:
            first = await attempt()
            return await repeats.run_async(first, attempt) if repeats.wants(first) else first
        finally:
            repeats.tell()

    async def _attempt(
        self, name: str, request: ApiRequest, call: AsyncTokenCall, repeats: Repeats
    ) -> Outcome:
        """Makes the call once. An error of obtaining a token is raised, never returned."""
        limiters = self._limits.of(name) if self._limits else ()
        if limiters:
            # Else a sign-in would come between the place in the limiter and the call.
            await self.session.token()
            await wait_async(limiters, self._closing.sleep_async)
        answer = await self._exchange(request, call, repeats)
        outcome = answer if isinstance(answer, TransportError) else outcome_of(answer, name)
        if isinstance(outcome, RateLimitedError):
            refused(limiters, outcome.retry_after)
        return outcome

    async def _exchange(
        self, request: ApiRequest, call: AsyncTokenCall, repeats: Repeats
    ) -> ApiAnswer | TransportError:
        """Sends the request, and again with another token while the API refuses the token."""
        token = await call.token()
        while True:
            self._closing.check()
            try:
                answer = await self._sent(request, token, repeats)
            except TransportError as error:
                return error.with_traceback(None)
            if not refuses_token(answer):
                # A gateway's page with 401 says nothing about the token.
                if answer.status_code != 401:
                    call.accepted()
                return answer
            repeats.tell()
            # Else the refresh would be for nothing.
            self._closing.check()
            another = await call.refused(token)
            if another is None:
                return answer
            if request.body is not None:
                request.body.check_repeatable(WHY_AGAIN)
            token = another

    async def _sent(self, request: ApiRequest, token: Token, repeats: Repeats) -> ApiAnswer:
        """Sends the request once, and tells of it once it is known whether it is repeated."""
        exchange = self._http.begin(request, repeats.number_of_next())
        try:
            answer = await self._http.send(request, token, exchange)
        except BaseException as error:
            if exchange is not None:
                repeats.failed(exchange, error)
            raise
        if exchange is not None:
            repeats.answered(exchange, answer)
        return answer


def _open_store(config: Any, identity: TokenIdentity, **options: Any) -> AsyncTokenStore:
    refuse_other_loop()
    return async_store(config, identity, **options)


PARTS = Parts("async", _open_store, AsyncHttp, AsyncGrants, AsyncTokenSession, AsyncIntegrationSDK)
