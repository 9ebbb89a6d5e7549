"""API calls and token requests of asyncio programs, each ended in time by its watch."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from flex_tokenstore import Secret
from flex_tokenstore.errors import SessionClosedError

from ._deadline import CURRENT, Watch
from ._exchange import (
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
from ._http_clients import SENDS, ClientMaker, Clients
from .errors import TransportError

if TYPE_CHECKING:
    from flex_tokenstore import Token

    from ._async_network import AsyncWatch
    from ._requests import ApiRequest

T = TypeVar("T")


class AsyncHttp(ClientMaker):
    """For asyncio programs; its connections belong to one event loop at a time."""

    def __init__(self, base_url: str, timeout: float, request_timeout: float) -> None:
        super().__init__(base_url, timeout, request_timeout)
        self._token_watches: set[AsyncWatch] = set()

    async def send(self, api: ApiRequest, token: Token) -> ApiAnswer:
        """An API request and its answer; ``timeout`` is for each piece of a long one."""
        from ._async_network import AsyncWatch

        watch = AsyncWatch(self._timeout, self)
        return await self._watched(watch, api, self._send(watch, api, token))

    async def authenticate(self, auth: AuthRequest) -> AuthAnswer:
        """A request to the token endpoint, within ``request_timeout`` seconds in all."""
        from ._async_network import AsyncWatch

        watch = AsyncWatch(self._request_timeout, self, token=True)
        self._token_watches.add(watch)
        try:
            return await self._watched(watch, auth, self._authenticate(watch, auth))
        finally:
            self._token_watches.discard(watch)

    async def upload(self, upload: ApiRequest, content: AsyncIterator[bytes]) -> ApiAnswer:
        """Sends a long body to an address that needs no token; ``timeout`` as for ``send``."""
        from ._async_network import AsyncWatch

        watch = AsyncWatch(self._timeout, self, bounded=False)

        async def request() -> ApiAnswer:
            client = self._clients_here().api
            built = client.build_request(
                upload.method, upload.url, headers=upload.headers, content=content
            )
            built.extensions["trace"] = self._trace
            return await self._read(watch, upload, await client.send(built, stream=True))

        return await self._watched(watch, upload, request())

    def abandon(self) -> None:
        """Ends the token requests that are under way; from any thread."""
        for watch in tuple(self._token_watches):
            watch.stop("abandoned")

    async def aclose(self) -> None:
        """Closes the connections of this process; nothing is sent any more."""
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
        from ._quiet import QuietAsyncClient

        return QuietAsyncClient

    async def _trace(self, name: str, _: object) -> None:
        if name.endswith(SENDS):
            self.before_send()

    def _backend(self) -> Any:
        from ._async_network import AsyncBackend

        return AsyncBackend()

    def _fallback(self, limit: float) -> float | None:
        # None: asyncio's timers come before what arrived while the process was stopped.
        del limit
        return None

    async def _watched(
        self, watch: AsyncWatch, sent: ApiRequest | AuthRequest, request: Coroutine[Any, Any, T]
    ) -> T:
        watch.plain = sent.url.startswith("http:")
        closed: str | None = None
        failure: TransportError | None = None
        mark = CURRENT.set(watch)
        try:
            async with watch.limited():
                return await request
        except TransportError:
            raise
        except SessionClosedError as error:
            closed = str(error)  # its frames may be the HTTP library's, with a token in them
        except Exception as error:  # noqa: BLE001 - none may escape with its frames and its text
            failure = failed(sent.url, error, watch)
        finally:
            CURRENT.reset(mark)
        if failure is None:
            raise SessionClosedError(closed or "")
        if not failure.sent:
            self.refuse_closed()
        raise failure

    async def _send(self, watch: Watch, api: ApiRequest, token: Token) -> ApiAnswer:
        client, count = self._clients_here().api, 0
        while True:
            request = api_request(client, api, token, self._trace)
            response = await client.send(request, stream=True)
            try:
                another = next_request(api, response, count)
                if another is None:
                    return await self._read(watch, api, response)
            finally:
                await response.aclose()
            api, count = another, count + 1

    @staticmethod
    async def _read(watch: Watch, api: ApiRequest, response: Any) -> ApiAnswer:
        body = bytearray()
        try:
            async for chunk in response.aiter_bytes():
                take(watch, api, body, chunk)
        finally:
            await response.aclose()
        check_whole(watch, response)
        return ApiAnswer(response.status_code, response.headers, bytes(body))

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
                try:
                    await clients.api.aclose()
                finally:
                    await clients.token.aclose()
