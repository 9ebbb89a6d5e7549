"""The SDK for sync programs, and what the async one shares with it."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from flex_tokenstore import (
    TokenCorruptError,
    TokenSession,
    TokenStoreError,
    open_store,
)
from flex_tokenstore._reporting import OnEvent, check_on_event, refuse_within_report

from ._arguments import given
from ._at_exit import has_ended, watch
from ._auth_info import AuthInfo, auth_info_of, auth_info_of_corrupt
from ._calls import Calls, refuse_within_renewal, renews_here
from ._client_secret import ClientSecret
from ._closing import Closing
from ._endpoints import ENDPOINTS
from ._exchange import ApiAnswer
from ._grants import SyncGrants
from ._handlers import TypeHandler, read, write_each
from ._http import Http
from ._rates import RateLimits, limits_of, wait
from ._requests import ApiRequest, prepare
from ._response import Response, interpret, refuses_token
from ._sync_endpoints import Endpoints
from .config import Settings, resolve, shown_to_nobody
from .errors import ConfigurationError

if TYPE_CHECKING:
    from types import TracebackType

    from flex_tokenstore import TokenStore

logger = logging.getLogger("flex_integration_sdk")

T = TypeVar("T")
OnStoreError = Literal["raise", "memory"]


def create_instance(
    client_id: str | None = None,
    client_secret: ClientSecret | None = None,
    *,
    client_secret_file: str | Path | None = None,
    token_store: Any = None,
    base_url: str | None = None,
    profile: str | None = None,
    allow_http: bool | None = None,
    timeout: float = 30.0,
    request_timeout: float = 15.0,
    lock_timeout: float | None = None,
    busy_timeout: float | None = None,
    on_store_error: OnStoreError = "raise",
    on_event: OnEvent | None = None,
    host_lock: Literal["on", "off"] = "on",
    type_handlers: Sequence[TypeHandler] = (),
    transit_verbose: bool = False,
    rate_limits: Literal["dev", "live"] | RateLimits | None = None,
) -> IntegrationSDK:
    """An SDK for sync programs; safe for threads.

    Args:
        client_id: Of an application of type Integration API; else ``FLEX_INTEGRATION_CLIENT_ID``.
        client_secret: Its secret, or a callable that returns it and is called at each sign-in;
            else ``FLEX_INTEGRATION_CLIENT_SECRET``. Not needed while a stored refresh token lives.
        client_secret_file: A file with the secret, instead, read at each sign-in; else
            ``FLEX_INTEGRATION_CLIENT_SECRET_FILE``.
        token_store: A store's name, a mapping with ``name`` and options, or an object with
            ``get_token``, ``set_token`` and ``remove_token``; else
            ``FLEX_INTEGRATION_TOKEN_STORE``; else ``"memory"``. Options that are not given here
            come from ``FLEX_INTEGRATION_TOKEN_STORE__<OPTION>``, unless the environment names
            another store.
        base_url: The server; else ``FLEX_INTEGRATION_BASE_URL``; else the live one.
        profile: A name to keep several tokens of one client apart.
        allow_http: Accept plain http to another host, in a private network such as a container's:
            secret and tokens travel unencrypted; else ``FLEX_INTEGRATION_ALLOW_HTTP``.
        timeout: Seconds to wait for a response, and then for each further 64 KB of it; 20 times
            that for a whole response.
        request_timeout: Seconds that one token request may take in all.
        lock_timeout: Seconds to wait for a renewal by another program; None: as long as the lease
            of one that died may last, and 10 s.
        busy_timeout: Seconds to wait for a connection while all are busy: the instances of a
            process share ten to a server; None: as long as it takes.
        on_store_error: ``"raise"``, or ``"memory"`` to go on without the store while it is down.
        on_event: Called with each ``flex_tokenstore.Event``: see ``docs/events.md``.
        host_lock: ``"off"`` where no lock file can be written, for stores without a lock.
        type_handlers: Types of your own in place of the SDK's.
        transit_verbose: Speak Transit in its readable form, for looking at the wire.
        rate_limits: Wait before calls rather than be refused: ``"dev"`` as development and test
            environments want it, ``"live"``, or a :class:`RateLimits` of your own, which several
            instances can share.

    Raises:
        ConfigurationError: Something is missing or wrong.
        TokenStoreError: The store is unknown, cannot be loaded, or refuses its options.
    """
    client_secret, client_secret_file, token_store, base_url = shown_to_nobody(
        client_secret, client_secret_file, token_store, base_url
    )
    check_limits(timeout, request_timeout, lock_timeout, busy_timeout, on_store_error)
    refuse_wrong_callback(on_event)
    limits = limits_of(rate_limits)
    settings = resolve(
        client_id=client_id,
        client_secret=client_secret,
        client_secret_file=client_secret_file,
        token_store=token_store,
        base_url=base_url,
        profile=profile,
        allow_http=allow_http,
    )
    store = open_store(settings.token_store, settings.identity, host_lock=host_lock)
    http = Http(settings.base_url, timeout, request_timeout, busy_timeout)
    session = TokenSession(
        store,
        SyncGrants(settings, http, store),
        request_timeout=request_timeout,
        lock_timeout=lock_timeout,
        on_store_error=on_store_error,
        on_event=on_event,
    )
    return IntegrationSDK(settings, session, http, type_handlers, transit_verbose, limits)


class InstanceBase:
    """What the sync and the async SDK share."""

    def __init__(
        self,
        settings: Settings,
        type_handlers: Sequence[TypeHandler],
        transit_verbose: bool,
        limits: RateLimits | None,
    ) -> None:
        self.settings = settings
        self._limits = limits or RateLimits()
        self._handlers = tuple(type_handlers)
        self._verbose = transit_verbose
        self._closing = Closing()
        watch(self)

    @property
    def _closed(self) -> bool:
        return self._closing.closed

    @_closed.setter
    def _closed(self, closed: bool) -> None:
        self._closing.closed = closed

    def _refuse_within_secret(self) -> None:
        if self.settings.secret_source is not None:
            self.settings.secret_source.refuse_within()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.settings.client_id!r} at {self.settings.base_url}>"

    def __reduce__(self) -> Any:
        raise TypeError("an SDK instance is not pickled: make one in each process")

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and not has_ended():
            warnings.warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)

    def _close_at_exit(self) -> None:
        """The program ends, and nobody closed it: without a warning, and without an exception."""
        raise NotImplementedError

    def _prepare(
        self, name: str, named: Mapping[str, Any], others: Mapping[str, Any]
    ) -> ApiRequest:
        """What to send; a wrong argument raises here, before any token is asked for."""
        if self._handlers:
            named, others = given(named), given(others)
            named, others = write_each(named, self._handlers), write_each(others, self._handlers)
        request = prepare(
            self.settings.base_url, ENDPOINTS[name], named, others, verbose=self._verbose
        )
        self._closing.check()
        return request

    def _interpret(self, response: Any, name: str) -> Response[Any]:
        endpoint = ENDPOINTS[name]
        answer = interpret(response, endpoint.method, endpoint.path)
        return (
            Response(answer.status, read(answer.body, self._handlers)) if self._handlers else answer
        )


class IntegrationSDK(InstanceBase, Endpoints):
    """The Integration API for sync programs. Made by :func:`create_instance`."""

    def __init__(
        self,
        settings: Settings,
        session: TokenSession,
        http: Http,
        type_handlers: Sequence[TypeHandler] = (),
        transit_verbose: bool = False,
        limits: RateLimits | None = None,
    ) -> None:
        InstanceBase.__init__(self, settings, type_handlers, transit_verbose, limits)
        Endpoints.__init__(self, self._send)
        self.session = session
        self._http = http
        http.closing = self._closing
        self._calls = Calls()

    @property
    def token_store(self) -> TokenStore:
        """The token store in use."""
        return self.session.store

    def auth_info(self) -> AuthInfo:
        """How the next call authenticates; asks the store, not the server."""
        self._closing.check()
        try:
            return auth_info_of(self._run(self.session.peek))
        except TokenCorruptError as error:
            return auth_info_of_corrupt(error)

    def revoke(self) -> bool:
        """Revokes the tokens and removes them from the store.

        Returns:
            True if the server revoked them; False if there was nothing that still lived.
        """
        self._closing.check()
        return self._run(self.session.revoke)

    def close(self) -> None:
        """Closes the store and the connections; twice is fine.

        Calls that wait, for a place within the rate limits or for a token, end with
        ``SessionClosedError``; nothing is sent after this has returned. A request that was sent
        before is still answered, and its end closes the last connection. From a signal handler or
        finalizer that interrupted a call of its own thread, it returns at once, and the end of that
        call closes them.
        """
        self._closing.close()
        if renews_here(self.session):
            refuse_within_report()
            self._close_elsewhere()
        elif not self._calls.put_off_close():
            self._run(self._close_now)

    def _close_elsewhere(self) -> None:
        """The renewal in whose thread a finalizer runs must go on, and be waited for."""
        thread = threading.Thread(target=self._close_late, name="flex-integration-close")
        with suppress(RuntimeError):  # the interpreter is shutting down
            thread.start()

    def _run(self, function: Callable[[], T]) -> T:
        self._refuse_within_secret()
        refuse_within_renewal(self.session)
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
        """The call whose end this is has its own outcome to give."""
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

    def _send(
        self, name: str, named: Mapping[str, Any], others: Mapping[str, Any]
    ) -> Response[Any]:
        request = self._prepare(name, named, others)
        answer = self._run(lambda: self._exchange(name, request))
        return self._interpret(answer, name)  # outside: type handlers may make calls of their own

    def _exchange(self, name: str, request: ApiRequest) -> ApiAnswer:
        """Sends it until there is an answer that is not of a refused token."""
        if limiters := self._limits.of(name):
            self.session.token()  # else a sign-in would come between the place and the call
            wait(limiters, self._closing.sleep)
        call = self.session.new_call(name)
        token = call.token()
        while True:
            self._closing.check()
            answer = self._http.send(request, token)
            if not refuses_token(answer):
                if answer.status_code != 401:
                    call.accepted()
                return answer
            self._closing.check()  # else the refresh would be for nothing
            another = call.refused(token)
            if another is None:
                return answer
            token = another


def warn_unclean(error: Exception) -> None:
    """Logs what went wrong while an instance was closed and nobody could be told."""
    said = str(error) if isinstance(error, TokenStoreError) else type(error).__name__
    logger.warning("the SDK instance was not closed cleanly: %s", said)


def check_limits(
    timeout: float,
    request_timeout: float,
    lock_timeout: float | None,
    busy_timeout: float | None,
    on_store_error: str,
) -> None:
    """Raises ConfigurationError for what the session or the HTTP client would stumble over."""
    limits = {"timeout": timeout, "request_timeout": request_timeout}
    for name, limit in (("lock_timeout", lock_timeout), ("busy_timeout", busy_timeout)):
        if limit is not None:
            limits[name] = limit
    for name, value in limits.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0 < value < float("inf"):
            raise ConfigurationError(f"{name} takes a positive number of seconds, got {value!r}")
    if on_store_error not in ("raise", "memory"):
        raise ConfigurationError(
            f'on_store_error takes "raise" or "memory", got {on_store_error!r}'
        )


def refuse_wrong_callback(on_event: object) -> None:
    """Raises ConfigurationError for what the session would refuse."""
    try:
        check_on_event(on_event)
    except TypeError as error:
        raise ConfigurationError(str(error)) from None
