"""The SDK for sync programs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from flex_integration_sdk._endpoints.generated.namespace import Endpoints
from flex_integration_sdk._endpoints.lazy import resource
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._transport.bodies import opened
from flex_integration_sdk._transport.call_deadline import whole_call
from flex_integration_sdk._transport.exchange import ApiAnswer
from flex_integration_sdk._transport.sync import Http
from flex_integration_sdk._wire.interpret import refuses_token
from flex_integration_sdk._wire.rate_limits import RateLimits, refused, wait
from flex_integration_sdk._wire.requests import ApiRequest
from flex_integration_sdk._wire.type_handlers import TypeHandler
from flex_integration_sdk.config import Settings
from flex_integration_sdk.errors import RateLimitedError, TransportError
from flex_tokenstore import (
    TokenCorruptError,
    TokenSession,
    open_store,
)
from flex_tokenstore.embedding import refuse_within_report

from .auth_info import AuthInfo, auth_info_of, auth_info_of_corrupt
from .base import WHY_AGAIN, InstanceBase, warn_unclean
from .builder import Parts
from .call_options import CallOptions
from .calls import Calls, refuse_within_renewal
from .oauth import SyncGrants
from .retrying import Outcome, Repeats, outcome_of

if TYPE_CHECKING:
    from types import TracebackType

    from flex_integration_sdk._endpoints.param_types import Upload
    from flex_integration_sdk._following.endpoints import FollowedEvents
    from flex_integration_sdk.resources import File
    from flex_tokenstore import Token, TokenCall, TokenStore

T = TypeVar("T")


class IntegrationSDK(InstanceBase, Endpoints):
    """The Integration API for sync programs; :func:`create_instance` makes it.

    Each resource of the API is an attribute and each action a method:
    ``sdk.listings.query(per_page=10)``. Threads can share an instance, and it works after a fork.
    """

    def __init__(
        self,
        settings: Settings,
        session: TokenSession,
        http: Http,
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
        self._calls = Calls()
        self._own = frozenset(vars(self))

    @resource
    def events(self) -> FollowedEvents:
        """``query``, ``iterate``, ``follow``."""
        from flex_integration_sdk._following.endpoints import FollowedEvents
        from flex_integration_sdk._following.ground import Ground

        ground = Ground(
            # A failed query is repeated by what follows, whose waits can be stopped.
            send=self.with_options(max_retries=0)._send,
            closing=self._closing,
            settings=self.settings,
            store=lambda: self.token_store,
            open_store=self._open_store or open_store,
        )
        return FollowedEvents(self._send, ground)

    @property
    def token_store(self) -> TokenStore:
        """The store in use, such as to read its ``name`` and ``place``."""
        return self.session.store

    def auth_info(self) -> AuthInfo:
        """Tells how the next call obtains its token. It reads the store and sends no request.

        Returns:
            An :class:`AuthInfo`; its ``grant_type`` is None if nothing is stored.

        Raises:
            TokenStoreError: The store cannot answer, or its content must be left where it is.
            SessionClosedError: The instance is closed.
        """
        self._closing.check()
        try:
            return auth_info_of(self._run(self.session.peek))
        except TokenCorruptError as error:
            return auth_info_of_corrupt(error)

    def revoke(self) -> bool:
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
        return self._run(self.session.revoke)

    def close(self) -> None:
        """Closes the store and the connections. You may call it twice.

        A call that waits, for a token or for the rate limits, ends with ``SessionClosedError``.
        Nothing is sent after this has returned. A request that was sent before still gets its
        response; when it ends, it closes the last connection. A token request is waited for, so
        that its token is saved.

        Called from a signal handler or finalizer that interrupted a call of its own thread, it
        returns at once, and the end of that call closes the instance.
        """
        # First: no call is sent after this line, also if the rest is put off.
        self._closing.close()
        if self.session.renews_here:
            refuse_within_report()
            self._close_elsewhere()
        elif not self._calls.put_off_close():
            self._run(self._close_now)

    def _close_elsewhere(self) -> None:
        """Closes in another thread: a finalizer interrupted a refresh, which must first end."""
        # Not a daemon: the program waits for it at its end. By the prefix of its name `at_exit`
        # knows it as one of ours.
        thread = threading.Thread(target=self._close_late, name="flex-integration-close")
        with suppress(RuntimeError):  # the interpreter is shutting down
            thread.start()

    def _run(self, function: Callable[[], T]) -> T:
        self._refuse_within_secret()
        if self.session.renews_here:
            refuse_within_renewal()
        return self._calls.run(function, self._close_late)

    def _close_now(self) -> None:
        try:
            self.session.close()
        except Exception:
            self._http.close()
            raise
        # Not after Ctrl-C: a renewal that it was to wait for may still need its connection.
        self._http.close()

    def _close_at_exit(self) -> None:
        self._closing.close()
        self._close_late()

    def _close_late(self) -> None:
        """Closes where no caller can get an error, such as after an interrupted call; logs it."""
        try:
            self._close_now()
        except Exception as error:  # noqa: BLE001 - a store's
            warn_unclean(error)

    def __enter__(self) -> IntegrationSDK:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _upload(self, source: Upload, **given: Any) -> Response[File]:
        from flex_integration_sdk._uploads.whole import Wanted, upload_sync

        ways = self._ways(self._http)
        return upload_sync(ways, Wanted(source=source, **given))

    def _send(
        self, name: str, named: Mapping[str, Any], others: Mapping[str, Any]
    ) -> Response[Any]:
        request = self._prepare(name, named, others)
        repeats = self._repeats(name, request)
        # The result outside of it: type handlers may make calls of their own. It is in no local
        # variable: it may be an error, whose traceback would keep this frame and so itself.
        return self._result(
            repeats,
            whole_call(
                self._options.total_timeout,
                lambda: self._run(lambda: self._outcome(name, request, repeats)),
            ),
        )

    def _outcome(self, name: str, request: ApiRequest, repeats: Repeats) -> Outcome:
        """Makes the call, and repeats it where that can do no harm."""
        if request.body is not None and not request.body.is_open:
            with opened(request.body):
                return self._outcome(name, request, repeats)
        call = self.session.new_call(name)  # one for all attempts: it bounds the token requests
        attempt = partial(self._attempt, name, request, call, repeats)
        try:
            first = attempt()
            return repeats.run(first, attempt) if repeats.wants(first) else first
        finally:
            repeats.tell()

    def _attempt(
        self, name: str, request: ApiRequest, call: TokenCall, repeats: Repeats
    ) -> Outcome:
        """Makes the call once. An error of obtaining a token is raised, never returned."""
        limiters = self._limits.of(name) if self._limits else ()
        if limiters:
            # Else a sign-in would come between the place in the limiter and the call.
            self.session.token()
            wait(limiters, self._closing.sleep)
        answer = self._exchange(request, call, repeats)
        outcome = answer if isinstance(answer, TransportError) else outcome_of(answer, name)
        if isinstance(outcome, RateLimitedError):
            refused(limiters, outcome.retry_after)
        return outcome

    def _exchange(
        self, request: ApiRequest, call: TokenCall, repeats: Repeats
    ) -> ApiAnswer | TransportError:
        """Sends the request, and again with another token while the API refuses the token."""
        token = call.token()
        while True:
            self._closing.check()
            try:
                answer = self._sent(request, token, repeats)
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
            another = call.refused(token)
            if another is None:
                return answer
            if request.body is not None:
                request.body.check_repeatable(WHY_AGAIN)
            token = another

    def _sent(self, request: ApiRequest, token: Token, repeats: Repeats) -> ApiAnswer:
        """Sends the request once, and tells of it once it is known whether it is repeated."""
        exchange = self._http.begin(request, repeats.number_of_next())
        try:
            answer = self._http.send(request, token, exchange)
        except BaseException as error:
            if exchange is not None:
                repeats.failed(exchange, error)
            raise
        if exchange is not None:
            repeats.answered(exchange, answer)
        return answer


PARTS = Parts("sync", open_store, Http, SyncGrants, TokenSession, IntegrationSDK)
