"""The HTTP clients, made at the first request, and again after a fork."""

from __future__ import annotations

import os
import platform
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flex_tokenstore.errors import without_frames

from ._grants import AuthAnswer, AuthRequest
from ._version import __version__
from .errors import TransportError

if TYPE_CHECKING:
    import httpx2

    from flex_tokenstore import Token

USER_AGENT = f"flex-integration-sdk-python/{__version__} (python/{platform.python_version()})"

# The server allows 10 connections to an address. One is kept for token requests: behind API calls
# a renewal would wait while all who need it wait for the renewal.
API_CONNECTIONS = 9
TOKEN_CONNECTIONS = 1
CONNECT_TIMEOUT = 5.0
POOL_TIMEOUT = 60.0
ANSWER_LIMIT = 1 << 20  # bytes of a token answer


class _Base:
    def __init__(self, timeout: float, request_timeout: float) -> None:
        self._timeout = timeout
        self._request_timeout = request_timeout
        self._clients: tuple[Any, Any] | None = None
        self._pid = 0

    def _pair(self) -> tuple[Any, Any]:
        """The clients for API calls and for token requests."""
        if self._clients is None or self._pid != os.getpid():
            # Sockets that a fork copied belong to the parent: they are left alone, not closed.
            import httpx2

            context = httpx2.create_ssl_context()
            self._clients = (
                self._make(context, API_CONNECTIONS, self._timeout),
                self._make(context, TOKEN_CONNECTIONS, self._request_timeout / 3),
            )
            self._pid = os.getpid()
        return self._clients

    def _make(self, context: Any, connections: int, timeout: float) -> Any:
        import httpx2

        return self._client_class()(
            verify=context,
            limits=httpx2.Limits(
                max_connections=connections, max_keepalive_connections=connections
            ),
            timeout=httpx2.Timeout(
                timeout, connect=min(timeout, CONNECT_TIMEOUT), pool=POOL_TIMEOUT
            ),
            headers={"User-Agent": USER_AGENT},
            follow_redirects=False,
        )

    def _client_class(self) -> Any:
        raise NotImplementedError

    def _deadline(self) -> float:
        return time.monotonic() + self._request_timeout


class Http(_Base):
    """For sync programs."""

    def _client_class(self) -> Any:
        import httpx2

        return httpx2.Client

    def send(self, method: str, url: str, token: Token, headers: dict[str, str]) -> Any:
        """An API request; gives the response, read."""
        client = self._pair()[0]
        request = client.build_request(method, url, headers=headers)
        request.headers["Authorization"] = token.authorization
        try:
            return client.send(request)
        except Exception as error:  # noqa: BLE001 - none may escape with its frames
            raise _failed(url, error) from without_frames(error)

    def authenticate(self, auth: AuthRequest) -> AuthAnswer:
        """A request to the token endpoint, within ``request_timeout`` seconds in all."""
        client = self._pair()[1]
        deadline = self._deadline()
        request = _auth_request(client, auth)
        try:
            response = client.send(request, stream=True)
            try:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    _check(auth.url, len(body), deadline)
            finally:
                response.close()
        except TransportError:
            raise
        except Exception as error:  # noqa: BLE001 - none may escape with its frames
            raise _failed(auth.url, error) from without_frames(error)
        return _answer(response.status_code, body)

    def close(self) -> None:
        """Closes the connections of this process."""
        clients, self._clients = self._clients, None
        if clients is not None and self._pid == os.getpid():
            for client in clients:
                client.close()


class AsyncHttp(_Base):
    """For asyncio programs."""

    def _client_class(self) -> Any:
        import httpx2

        return httpx2.AsyncClient

    async def send(self, method: str, url: str, token: Token, headers: dict[str, str]) -> Any:
        """As :meth:`Http.send`."""
        client = self._pair()[0]
        request = client.build_request(method, url, headers=headers)
        request.headers["Authorization"] = token.authorization
        try:
            return await client.send(request)
        except Exception as error:  # noqa: BLE001 - none may escape with its frames
            raise _failed(url, error) from without_frames(error)

    async def authenticate(self, auth: AuthRequest) -> AuthAnswer:
        """As :meth:`Http.authenticate`."""
        client = self._pair()[1]
        deadline = self._deadline()
        request = _auth_request(client, auth)
        try:
            response = await client.send(request, stream=True)
            try:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    _check(auth.url, len(body), deadline)
            finally:
                await response.aclose()
        except TransportError:
            raise
        except Exception as error:  # noqa: BLE001 - none may escape with its frames
            raise _failed(auth.url, error) from without_frames(error)
        return _answer(response.status_code, body)

    async def aclose(self) -> None:
        """Closes the connections of this process."""
        clients, self._clients = self._clients, None
        if clients is not None and self._pid == os.getpid():
            for client in clients:
                await client.aclose()


def _auth_request(client: Any, auth: AuthRequest) -> httpx2.Request:
    request: httpx2.Request = client.build_request(
        "POST",
        auth.url,
        content=auth.body.reveal().encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
    )
    if auth.token is not None:
        request.headers["Authorization"] = auth.token.authorization
    return request


def _answer(status: int, body: bytearray) -> AuthAnswer:
    from flex_tokenstore import Secret

    return AuthAnswer(status, Secret(bytes(body)))


def _check(url: str, size: int, deadline: float) -> None:
    host = urlsplit(url).netloc
    if size > ANSWER_LIMIT:
        raise TransportError(f"{host} sent more than a token; base_url may be wrong")
    if time.monotonic() > deadline:
        raise TransportError(
            f"{host} took too long to answer the token request", reason="transient"
        )


def _failed(url: str, error: Exception) -> TransportError:
    import httpx2

    if not isinstance(error, httpx2.TransportError):
        return TransportError(f"the request could not be sent: {type(error).__name__}")
    text = str(error) or type(error).__name__
    return TransportError(
        f"no answer from {urlsplit(url).netloc}: {text}. Check the network, the proxy and base_url",
        reason="transient",
    )
