"""API calls and token requests over HTTP, each ended in time by its watch."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from flex_tokenstore import Secret
from flex_tokenstore.errors import SessionClosedError

from ._deadline import CURRENT, Watch, watchdog
from ._exchange import (
    ANSWER_LIMIT,
    ApiAnswer,
    api_request,
    auth_answer,
    auth_request,
    check_token_size,
    check_whole,
    hidden,
    next_request,
    take,
)
from ._failures import failed
from ._grants import AuthAnswer, AuthRequest
from ._http_clients import USER_AGENT, ClientMaker, Clients
from .errors import TransportError

if TYPE_CHECKING:
    from flex_tokenstore import Token

    from ._async_network import AsyncWatch
    from ._requests import ApiRequest

__all__ = ["ANSWER_LIMIT", "USER_AGENT", "ApiAnswer", "AsyncHttp", "Http", "failed"]

T = TypeVar("T")

# The HTTP library's own time-outs are for a sync program whose interpreter ends, where there is no
# watchdog; they come later than it.
FALLBACK = 2.0


class Http(ClientMaker):
    """For sync programs."""

    def send(self, api: ApiRequest, token: Token) -> ApiAnswer:
        """An API request and its answer; ``timeout`` is for each piece of a long one."""
        watch = Watch(self._timeout, self)
        return self._watched(watch, api.url, lambda: self._send(watch, api, token))

    def authenticate(self, auth: AuthRequest) -> AuthAnswer:
        """A request to the token endpoint, within ``request_timeout`` seconds in all."""
        watch = Watch(self._request_timeout, self, token=True)
        return self._watched(watch, auth.url, lambda: self._authenticate(watch, auth))

    def abandon(self) -> None:
        """Ends the token requests that are under way; from any thread."""
        for watch in tuple(watchdog().watches):
            if watch.owner is self and watch.token:
                watch.stop("abandoned")

    def close(self) -> None:
        """Closes the connections of this process; nothing is sent any more."""
        self._closed = True
        if clients := self._pairs.pop((os.getpid(), id(None)), None):
            clients.api.close()
            clients.token.close()

    def _client_class(self) -> Any:
        import httpx2

        return httpx2.Client

    def _backend(self) -> Any:
        from ._network import Backend

        return Backend()

    def _fallback(self, limit: float) -> float | None:
        return limit + FALLBACK

    def _watched(self, watch: Watch, url: str, request: Callable[[], T]) -> T:
        watch.plain = url.startswith("http:")
        dog, mark = watchdog(), CURRENT.set(watch)
        dog.add(watch)
        try:
            return request()
        except (TransportError, SessionClosedError):
            raise
        except Exception as error:  # noqa: BLE001 - none may escape with its frames and its text
            failure = failed(url, error, watch)
        finally:
            dog.remove(watch)
            CURRENT.reset(mark)
        if not failure.sent:
            self.refuse_closed()
        raise failure

    def _send(self, watch: Watch, api: ApiRequest, token: Token) -> ApiAnswer:
        client, count = self._clients().api, 0
        while True:
            response = client.send(api_request(client, api, token), stream=True)
            try:
                another = next_request(api, response, count)
                if another is None:
                    body = bytearray()
                    for chunk in response.iter_bytes():
                        take(watch, api, body, chunk)
                    check_whole(watch, response)
                    return ApiAnswer(response.status_code, response.headers, bytes(body))
            finally:
                response.close()
            api, count = another, count + 1

    def _authenticate(self, watch: Watch, auth: AuthRequest) -> AuthAnswer:
        client = self._clients().token
        request = auth_request(client, auth, self._token_timeouts())
        response = client.send(request, stream=True)
        try:
            body = Secret(bytearray())
            for chunk in map(Secret, response.iter_bytes()):
                body.reveal().extend(chunk.reveal())
                check_token_size(auth.url, len(body.reveal()))
            check_whole(watch, response)
            return auth_answer(response, body)
        finally:
            response.close()


class AsyncHttp(ClientMaker):
    """For asyncio programs; its connections belong to one event loop at a time."""

    def __init__(self, base_url: str, timeout: float, request_timeout: float) -> None:
        super().__init__(base_url, timeout, request_timeout)
        self._token_watches: set[AsyncWatch] = set()

    async def send(self, api: ApiRequest, token: Token) -> ApiAnswer:
        """An API request and its answer; ``timeout`` is for each piece of a long one."""
        from ._async_network import AsyncWatch

        watch = AsyncWatch(self._timeout, self)
        return await self._watched(watch, api.url, self._send(watch, api, token))

    async def authenticate(self, auth: AuthRequest) -> AuthAnswer:
        """A request to the token endpoint, within ``request_timeout`` seconds in all."""
        from ._async_network import AsyncWatch

        watch = AsyncWatch(self._request_timeout, self, token=True)
        self._token_watches.add(watch)
        try:
            return await self._watched(watch, auth.url, self._authenticate(watch, auth))
        finally:
            self._token_watches.discard(watch)

    def abandon(self) -> None:
        """Ends the token requests that are under way; from any thread."""
        for watch in tuple(self._token_watches):
            watch.stop("abandoned")

    async def aclose(self) -> None:
        """Closes the connections of this process; nothing is sent any more."""
        import asyncio

        self._closed = True
        running = asyncio.get_running_loop()
        for key, clients in tuple(self._pairs.items()):
            if key[0] != os.getpid():
                continue
            if clients.loop is running:
                await clients.backend.keeper.aclose()
            elif clients.loop.is_closed():
                self._let_go(key)
            # Else they are another loop's, which alone can close them.

    def _clients_here(self) -> Clients:
        """Those of the running loop.

        Raises:
            SessionClosedError: They belong to a loop that still lives, or the instance is closed.
        """
        import asyncio

        loop = asyncio.get_running_loop()
        mine = (os.getpid(), id(loop))
        if mine in self._pairs and not self._closed:
            return self._pairs[mine]
        clients = self._clients(loop)
        # In the order in which they came: of two new loops at once the first one has it.
        for key, other in tuple(self._pairs.items()):
            if key == mine:
                break
            if other.loop.is_closed():
                self._let_go(key)
            else:
                self._pairs.pop(mine, None)
                raise SessionClosedError(
                    "this SDK instance belongs to another event loop; make one in each "
                    "asyncio.run(), or close that loop first"
                )
        if clients.backend.keeper is None:
            clients.backend.keeper = _kept(self._pairs, mine)
            with suppress(StopIteration):
                clients.backend.keeper.asend(None).send(None)  # to its ``yield``
        return clients

    def _let_go(self, key: tuple[int, int]) -> None:
        """Closes the connections of a loop that is closed, and cannot do it any more."""
        if clients := self._pairs.pop(key, None):
            clients.backend.let_go()

    def _client_class(self) -> Any:
        import httpx2

        return httpx2.AsyncClient

    def _backend(self) -> Any:
        from ._async_network import AsyncBackend

        return AsyncBackend()

    def _fallback(self, limit: float) -> float | None:
        # None: asyncio's timers come before what arrived while the process was stopped.
        del limit
        return None

    async def _watched(self, watch: AsyncWatch, url: str, request: Coroutine[Any, Any, T]) -> T:
        watch.plain = url.startswith("http:")
        mark = CURRENT.set(watch)
        try:
            async with watch.limited():
                return await request
        except (TransportError, SessionClosedError):
            raise
        except Exception as error:  # noqa: BLE001 - none may escape with its frames and its text
            failure = failed(url, error, watch)
        finally:
            CURRENT.reset(mark)
        if not failure.sent:
            self.refuse_closed()
        raise failure

    async def _send(self, watch: Watch, api: ApiRequest, token: Token) -> ApiAnswer:
        client, count = self._clients_here().api, 0
        while True:
            response = await client.send(api_request(client, api, token), stream=True)
            try:
                another = next_request(api, response, count)
                if another is None:
                    body = bytearray()
                    async for chunk in response.aiter_bytes():
                        take(watch, api, body, chunk)
                    check_whole(watch, response)
                    return ApiAnswer(response.status_code, response.headers, bytes(body))
            finally:
                await response.aclose()
            api, count = another, count + 1

    async def _authenticate(self, watch: Watch, auth: AuthRequest) -> AuthAnswer:
        client = self._clients_here().token
        request = auth_request(client, auth, self._token_timeouts())
        response = await client.send(request, stream=True)
        try:
            body = Secret(bytearray())
            async for chunk in hidden(response.aiter_bytes()):
                body.reveal().extend(chunk.reveal())
                check_token_size(auth.url, len(body.reveal()))
            check_whole(watch, response)
            return auth_answer(response, body)
        finally:
            await response.aclose()


async def _kept(
    pairs: dict[tuple[int, int], Clients], key: tuple[int, int]
) -> AsyncGenerator[None, None]:
    """Closes the clients when it is closed: by ``aclose``, or by the loop at its end.

    ``asyncio.run`` closes all asynchronous generators before it closes the loop. After that nobody
    could close the connections any more.
    """
    try:
        yield
    finally:
        if clients := pairs.pop(key, None):
            with suppress(Exception):
                await clients.api.aclose()
            with suppress(Exception):
                await clients.token.aclose()
