"""The HTTP clients, made at the first request, and again after a fork."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from flex_tokenstore import Secret
from flex_tokenstore.errors import SessionClosedError, without_frames

from ._grants import AuthAnswer, AuthRequest
from ._version import __version__
from .config import is_loopback
from .errors import TransportError

if TYPE_CHECKING:
    import httpx2

    from flex_tokenstore import Token

    from ._requests import ApiRequest

USER_AGENT = f"flex-integration-sdk-python/{__version__} (python/{platform.python_version()})"

# The server allows 10 connections to an address. One is kept for token requests: behind API calls
# a renewal would wait while all who need it wait for the renewal.
API_CONNECTIONS = 9
TOKEN_CONNECTIONS = 1
CONNECT_TIMEOUT = 5.0
POOL_TIMEOUT = 60.0
ANSWER_LIMIT = 1 << 20  # bytes of a token answer
# Of an API answer, decompressed: a page of 100 with all that can be included has less, with the
# API's limit of 50 KB for each piece of extended data. Without one a few KB could fill the memory.
API_ANSWER_LIMIT = 128 << 20
# A process that was stopped (Ctrl-Z, a laptop's lid) finds its answer there, though late. It is
# taken: a token thrown away is lost, and the refresh token is used up.
LATE_READS = 16
LATE_SECONDS = 0.05


class _Deadline(dict[str, float]):
    """The time-outs of one request that must end as a whole: what is left, at each phase.

    httpcore2 asks for ``pool``, ``connect``, ``write`` and ``read`` as it comes to them.
    """

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.end = time.monotonic() + limit
        self._late_reads = 0

    def passed(self) -> bool:
        """Called after each read; a few that find something at once are let through."""
        self._late_reads += time.monotonic() > self.end
        return self._late_reads > LATE_READS

    def get(self, key: str, default: Any = None) -> float:
        left = max(self.end - time.monotonic(), 0.001)  # 0 would mean "do not wait", not "fail"
        return min(left, CONNECT_TIMEOUT) if key == "connect" else left


class ApiAnswer(NamedTuple):
    """What an API request was answered with, read."""

    status_code: int
    headers: Mapping[str, str]
    """By their names in any case."""
    content: bytes
    """Decompressed."""


class _Base:
    def __init__(self, base_url: str, timeout: float, request_timeout: float) -> None:
        self._timeout = timeout
        self._request_timeout = request_timeout
        # A proxy cannot reach this machine's own loopback address.
        self._trust_env = not is_loopback(base_url)
        self._closed = False
        # For API requests, right before they are sent; may raise SessionClosedError.
        self.before_send: Callable[[], object] = lambda: None
        # By process: sockets that a fork copied belong to the parent, which goes on using them.
        self._pairs: dict[int, tuple[Any, Any]] = {}

    def _pair(self) -> tuple[Any, Any]:
        """The clients for API calls and for token requests.

        Raises:
            SessionClosedError: This is closed: nothing may be sent, and no client be left open.
        """
        if self._closed:
            raise SessionClosedError("this SDK instance is closed; make a new one")
        pair = self._pairs.get(os.getpid())
        if pair is None:
            # Of two threads that get here at once one wins; the other's clients have no socket.
            pair = self._pairs.setdefault(os.getpid(), self._make_pair())
        return pair

    def _make_pair(self) -> tuple[Any, Any]:
        import httpx2

        context = httpx2.create_ssl_context()
        api = self._make(context, API_CONNECTIONS, follow_redirects=True)
        # A redirect of a token request could take the secret elsewhere.
        return api, self._make(context, TOKEN_CONNECTIONS, follow_redirects=False)

    def _make(self, context: Any, connections: int, *, follow_redirects: bool) -> Any:
        import httpx2

        return self._client_class()(
            verify=context,
            trust_env=self._trust_env,
            limits=httpx2.Limits(
                max_connections=connections, max_keepalive_connections=connections
            ),
            timeout=httpx2.Timeout(
                self._timeout, connect=min(self._timeout, CONNECT_TIMEOUT), pool=POOL_TIMEOUT
            ),
            headers={"User-Agent": USER_AGENT},
            follow_redirects=follow_redirects,
        )

    def _client_class(self) -> Any:
        raise NotImplementedError

    def _check_phase(self, name: str) -> None:
        # A connection may have been opened since the call began, and a close in that time finds
        # nothing of it that it could close.
        if name.endswith("send_request_headers.started"):
            self.before_send()


class Http(_Base):
    """For sync programs."""

    def __init__(self, base_url: str, timeout: float, request_timeout: float) -> None:
        super().__init__(base_url, timeout, request_timeout)
        # API requests under way, and their processes. Closing a socket that another thread reads
        # from would not wake that thread, and would let a new socket take its number.
        self._sending: dict[object, int] = {}

    def _pair(self) -> tuple[Any, Any]:
        pair = super()._pair()
        if self._closed:  # by another thread, which may not have found this pair
            self._close_if_idle()
            raise SessionClosedError("this SDK instance is closed; make a new one")
        return pair

    def _client_class(self) -> Any:
        from ._quiet import QuietClient

        return QuietClient

    def send(self, api: ApiRequest, token: Token) -> ApiAnswer:
        """An API request and its answer."""
        mark = object()
        try:
            self._sending[mark] = os.getpid()
            return self._send(self._pair()[0], api, token)
        finally:
            self._sending.pop(mark, None)
            if self._closed:
                self._close_if_idle()

    def _send(self, client: Any, api: ApiRequest, token: Token) -> ApiAnswer:
        request = _api_request(client, api, token)
        request.extensions["trace"] = self._trace
        try:
            response = client.send(request, stream=True)
            try:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    _check_size(api.url, len(body))
            finally:
                response.close()
            return ApiAnswer(response.status_code, response.headers, bytes(body))
        except TransportError:
            raise
        except SessionClosedError as error:
            raise SessionClosedError(str(error)) from without_frames(error)
        except Exception as error:  # noqa: BLE001 - none may escape with its frames
            raise failed(api.url, error) from without_frames(error)

    def _trace(self, name: str, _: object) -> None:
        self._check_phase(name)

    def authenticate(self, auth: AuthRequest) -> AuthAnswer:
        """A request to the token endpoint, within ``request_timeout`` seconds in all."""
        client = self._pair()[1]
        deadline = _Deadline(self._request_timeout)
        request = _auth_request(client, auth, deadline)
        try:
            response = client.send(request, stream=True)
            try:
                body = Secret(bytearray())
                for chunk in map(Secret, response.iter_bytes()):
                    body.reveal().extend(chunk.reveal())
                    _check(auth.url, len(body.reveal()), deadline)
            finally:
                response.close()
        except TransportError:
            raise
        except Exception as error:  # noqa: BLE001 - none may escape with its frames
            raise failed(auth.url, error) from without_frames(error)
        return _answer(response, body)

    def close(self) -> None:
        """Closes the connections of this process; no API request is sent any more.

        Where API requests are under way, the last of them closes the connections.
        """
        self._closed = True
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if os.getpid() in list(self._sending.values()):
            return
        for client in self._pairs.pop(os.getpid(), ()):
            client.close()


class AsyncHttp(_Base):
    """For asyncio programs; its connections belong to the event loop that first uses it."""

    _loop: Any = None

    def _pair(self) -> tuple[Any, Any]:
        import asyncio

        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if self._loop is not loop:
            raise SessionClosedError(
                "this SDK instance belongs to another event loop; make one in each asyncio.run()"
            )
        return super()._pair()

    def _client_class(self) -> Any:
        from ._quiet import QuietAsyncClient

        return QuietAsyncClient

    async def send(self, api: ApiRequest, token: Token) -> ApiAnswer:
        """As :meth:`Http.send`."""
        client = self._pair()[0]
        request = _api_request(client, api, token)
        request.extensions["trace"] = self._trace
        try:
            response = await client.send(request, stream=True)
            try:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    _check_size(api.url, len(body))
            finally:
                await response.aclose()
            return ApiAnswer(response.status_code, response.headers, bytes(body))
        except TransportError:
            raise
        except SessionClosedError as error:
            raise SessionClosedError(str(error)) from without_frames(error)
        except Exception as error:  # noqa: BLE001 - none may escape with its frames
            raise failed(api.url, error) from without_frames(error)

    async def _trace(self, name: str, _: object) -> None:
        self._check_phase(name)

    async def authenticate(self, auth: AuthRequest) -> AuthAnswer:
        """As :meth:`Http.authenticate`."""
        client = self._pair()[1]
        deadline = _Deadline(self._request_timeout)
        # asyncio's timers come before what arrived while the process was stopped: one limit for
        # all, that of ``_limit``, and none for reading.
        request = _auth_request(client, auth, {"connect": CONNECT_TIMEOUT})
        try:
            async with _limit(self._request_timeout):
                response = await client.send(request, stream=True)
                try:
                    body = Secret(bytearray())
                    async for chunk in _hidden(response.aiter_bytes()):
                        body.reveal().extend(chunk.reveal())
                        _check(auth.url, len(body.reveal()), deadline)
                finally:
                    await response.aclose()
        except TransportError:
            raise
        except Exception as error:  # noqa: BLE001 - none may escape with its frames
            raise failed(auth.url, error) from without_frames(error)
        return _answer(response, body)

    async def aclose(self) -> None:
        """Closes the connections of this process; nothing is sent any more."""
        import asyncio

        self._closed = True
        clients = self._pairs.pop(os.getpid(), ())
        if self._loop in (None, asyncio.get_running_loop()):
            for client in clients:
                await client.aclose()
        # Else they are another loop's, which alone can close them, and has ended as a rule.


def _api_request(client: Any, api: ApiRequest, token: Token) -> httpx2.Request:
    request: httpx2.Request = client.build_request(
        api.method, api.url, headers=api.headers, content=api.content, files=api.files
    )
    request.headers["Authorization"] = token.authorization
    return request


def _auth_request(client: Any, auth: AuthRequest, timeouts: dict[str, float]) -> httpx2.Request:
    request: httpx2.Request = client.build_request(
        "POST",
        auth.url,
        content=auth.body.reveal().encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        extensions={"timeout": timeouts},
    )
    if auth.token is not None:
        request.headers["Authorization"] = auth.token.authorization
    return request


@asynccontextmanager
async def _limit(seconds: float) -> AsyncIterator[None]:
    """Raises TimeoutError when it takes longer."""
    import asyncio

    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        # In two steps, so that the loop hands over first what had arrived when it came late.
        timer = loop.call_later(seconds, lambda: limit.reschedule(loop.time() + LATE_SECONDS))
        try:
            yield
        finally:
            timer.cancel()


async def _hidden(chunks: AsyncIterator[bytes]) -> AsyncIterator[Secret[bytes]]:
    async for chunk in chunks:
        yield Secret(chunk)


def _answer(response: Any, body: Secret[bytearray]) -> AuthAnswer:
    return AuthAnswer(
        response.status_code,
        Secret(bytes(body.reveal())),
        response.headers.get("retry-after"),
        response.headers.get("content-type", ""),
    )


def _check_size(url: str, size: int) -> None:
    if size > API_ANSWER_LIMIT:
        raise TransportError(
            f"{urlsplit(url).netloc} sent more than {API_ANSWER_LIMIT >> 20} MB: ask for fewer "
            "resources at once (per_page, fields), or check base_url"
        )


def _check(url: str, size: int, deadline: _Deadline) -> None:
    host = urlsplit(url).netloc
    if size > ANSWER_LIMIT:
        raise TransportError(
            f"{host} sent more than a token: base_url may be wrong, or a proxy may have answered"
        )
    if deadline.passed():
        raise TransportError(
            f"{host} took too long to answer the token request; try again, or raise "
            "request_timeout",
            reason="transient",
        )


def failed(url: str, error: Exception) -> TransportError:
    """What a request to ``url`` failed with, as an error of ours; it names the host alone."""
    import httpx2

    failure = _described(url, error)
    unconnected = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
    failure.sent = not isinstance(error, unconnected)
    return failure


def _described(url: str, error: Exception) -> TransportError:
    import httpx2

    host, kind = urlsplit(url).netloc, type(error).__name__
    said = str(error).rstrip(".") or kind
    if isinstance(error, (httpx2.TimeoutException, TimeoutError)):
        return TransportError(
            f"no answer from {host} in time ({kind}). Check the network and the proxy, or raise "
            "the time-out",
            reason="transient",
        )
    if isinstance(error, httpx2.TransportError):
        return TransportError(
            f"no answer from {host}: {said}. Check the network, the proxy and base_url",
            reason="transient",
        )
    if isinstance(error, httpx2.RequestError):
        return TransportError(
            f"the answer of {host} cannot be used: {said}. base_url may be wrong, or "
            "a proxy may have answered"
        )
    return TransportError(f"the request to {host} could not be sent: {kind}")
