"""The HTTP clients: made at the first request, again after a fork, and for each event loop."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from typing import Any, NamedTuple

from flex_tokenstore.errors import SessionClosedError

from ._failures import unmade
from ._version import __version__
from .config import is_loopback

USER_AGENT = f"flex-integration-sdk-python/{__version__} (python/{platform.python_version()})"

# The server allows 10 connections to an address. One is kept for token requests: behind API calls
# a renewal would wait while all who need it wait for the renewal.
API_CONNECTIONS = 9
TOKEN_CONNECTIONS = 1
CONNECT_TIMEOUT = 5.0
POOL_TIMEOUT = 60.0
# What the HTTP library's traces call the moment right before a request is sent. A connection may
# have been opened since the call began, and a close in that time finds nothing that it could close.
SENDS = "send_request_headers.started"


class Clients(NamedTuple):
    """For API calls and for token requests, of one process, and in asyncio of one event loop."""

    api: Any
    token: Any
    backend: Any
    loop: Any = None


class ClientMaker:
    """What the sync and the async side share."""

    def __init__(self, base_url: str, timeout: float, request_timeout: float) -> None:
        self._timeout = timeout
        self._request_timeout = request_timeout
        # A proxy cannot reach this machine's own loopback address.
        self._trust_env = not is_loopback(base_url)
        # By process and event loop: sockets that a fork copied belong to the parent, which goes on
        # using them.
        self._pairs: dict[tuple[int, int], Clients] = {}
        self._inherited: list[Clients] = []
        self._closed = False
        # For API requests, right before they are sent; may raise SessionClosedError.
        self.before_send: Callable[[], object] = lambda: None

    def _clients(self, loop: Any = None) -> Clients:
        """The clients of this process.

        Raises:
            SessionClosedError: This instance is closed.
        """
        key = (os.getpid(), id(loop))
        found = self._pairs.get(key)
        if found is None:
            self.refuse_closed()
            self._forget_inherited()
            # Of two threads that get here at once one wins; the other's clients have no socket.
            found = self._pairs.setdefault(key, self._made(loop))
        if self._closed:
            # Meanwhile; ``close`` may have come before these were there.
            self._pairs.pop(key, None)
            self.refuse_closed()
        return found

    def refuse_closed(self) -> None:
        """Raises SessionClosedError if this instance is closed."""
        if self._closed:
            raise SessionClosedError("this SDK instance is closed; make a new one")

    def _forget_inherited(self) -> None:
        # Kept, but not used: collecting them would warn about sockets that are the parent's.
        for key in tuple(self._pairs):
            if key[0] != os.getpid() and (found := self._pairs.pop(key, None)):
                self._inherited.append(found)

    def _made(self, loop: Any) -> Clients:
        try:
            return self._make_both(loop)
        except Exception as error:  # noqa: BLE001 - texts that hold a proxy's password, and paths
            failure = unmade(error)
        raise failure

    def _make_both(self, loop: Any) -> Clients:
        import httpx2

        context, backend = httpx2.create_ssl_context(), self._backend()
        api, token = (
            self._make(context, connections) for connections in (API_CONNECTIONS, TOKEN_CONNECTIONS)
        )
        for client in (api, token):
            use_backend(client, backend)
        return Clients(api, token, backend, loop)

    def _make(self, context: Any, connections: int) -> Any:
        import httpx2

        return self._client_class()(
            verify=context,
            trust_env=self._trust_env,
            limits=httpx2.Limits(
                max_connections=connections, max_keepalive_connections=connections
            ),
            timeout=httpx2.Timeout(
                self._fallback(self._timeout),
                connect=self._connect_timeout(self._timeout),
                pool=POOL_TIMEOUT,
            ),
            headers={"User-Agent": USER_AGENT},
            # API calls have rules of their own; one of a token request could take the secret
            # elsewhere.
            follow_redirects=False,
        )

    def _connect_timeout(self, limit: float) -> float | None:
        # Where the watch comes first, it says what took so long.
        return CONNECT_TIMEOUT if limit > CONNECT_TIMEOUT else self._fallback(limit)

    def _token_timeouts(self) -> tuple[float | None, ...]:
        """Connect, read, write, and the wait for the connection, which no watch ends."""
        limit = self._request_timeout
        return self._connect_timeout(limit), self._fallback(limit), self._fallback(limit), limit

    def _client_class(self) -> Any:
        raise NotImplementedError

    def _backend(self) -> Any:
        raise NotImplementedError

    def _fallback(self, limit: float) -> float | None:
        """The HTTP library's own time-out for one read or write."""
        raise NotImplementedError


def use_backend(client: Any, backend: Any) -> None:
    """Has a client of httpx2 make its connections through ``backend``, those to a proxy too.

    httpcore2 takes a backend, but httpx2 has no argument for it; a test tells if that changes.
    """
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)  # a mock has none; None means "no proxy"
        if pool is not None:
            pool._network_backend = backend
            pool.create_connection = backend.closing(pool.create_connection)
