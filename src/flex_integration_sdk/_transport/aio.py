"""API calls and token requests of asyncio programs. A watch ends each of them in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from flex_integration_sdk._wire.token_messages import AuthAnswer, AuthRequest
from flex_integration_sdk.errors import TransportError
from flex_tokenstore.embedding import submit
from flex_tokenstore.errors import SessionClosedError

from . import aio_exchange
from .aio_clients import AsyncShared, load
from .bodies import apieces
from .call_deadline import bounding
from .clients import SENDS, ClientMaker, Key
from .connection_pool import Busy, Place, Slots
from .deadline import CURRENT
from .exchange import ApiAnswer, telling, upload_request
from .http_errors import busy, failed
from .signal_handlers import raised_by_handler

if TYPE_CHECKING:
    from flex_integration_sdk._wire.requests import ApiRequest
    from flex_tokenstore import Token

    from .aio_network import AsyncWatch
    from .connection_settings import ConnectionSettings
    from .proxy_and_tls import Options
    from .reporting import Exchange

T = TypeVar("T")


class AsyncHttp(ClientMaker[AsyncShared]):
    """For asyncio programs; its connections belong to one event loop at a time."""

    kind = "async"

    def __init__(
        self,
        base_url: str,
        timeout: float,
        request_timeout: float,
        busy_timeout: float | None = None,
        connection: ConnectionSettings | None = None,
    ) -> None:
        super().__init__(base_url, timeout, request_timeout, busy_timeout, connection)
        self._watches: set[AsyncWatch] = set()

    async def send(
        self, api: ApiRequest, token: Token, exchange: Exchange | None = None
    ) -> ApiAnswer:
        """An API request and its response; ``timeout`` is for each piece of a long one.

        Args:
            api: The request.
            token: Its token.
            exchange: Whom to tell about the connection; see ``begin``.
        """
        shared = await self._shared()
        limit = api.timeout or self._timeout

        async def request(client: Any, watch: AsyncWatch) -> ApiAnswer:
            return await aio_exchange.send(
                client, watch, api, token, self._trace, self._timeouts(limit)
            )

        watch = self._watch(limit, bounded=api.body is None)
        watch.exchange = exchange
        with bounding(watch):
            return await self._watched(shared, watch, api, request)

    async def authenticate(self, auth: AuthRequest) -> AuthAnswer:
        """A request to the token endpoint, within ``request_timeout`` seconds in all."""
        shared = await self._shared()

        async def request(client: Any, watch: AsyncWatch) -> AuthAnswer:
            return await aio_exchange.authenticate(
                client, watch, auth, self._timeouts(self._request_timeout)
            )

        watch = self._watch(self._request_timeout, token=True)
        with telling(self._begin_auth(auth), watch) as told:
            answer = told.answer = await self._watched(shared, watch, auth, request)
        return answer

    async def upload(self, upload: ApiRequest) -> ApiAnswer:
        """Sends a body to an address that needs no token; ``timeout`` as for ``send``."""
        shared = await self._shared()

        async def request(client: Any, watch: AsyncWatch) -> ApiAnswer:
            content = None if upload.body is None else apieces(upload.body)
            built = upload_request(
                client, upload, content, self._trace, self._timeouts(self._timeout)
            )
            return await aio_exchange.read(watch, upload, await client.send(built, stream=True))

        watch = self._watch(self._timeout, bounded=False)
        with telling(self.begin(upload), watch) as told, bounding(watch):
            answer = told.answer = await self._watched(shared, watch, upload, request)
        return answer

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A session holds this from before it acquires its lock until its token request is done.

        Raises:
            TransportError: There was none for ``busy_timeout``.
        """
        places, mine = await self._places(), Place()
        if places is None:
            yield
            return
        failure: TransportError | None = None
        try:
            if places.take(mine) is None:
                try:
                    await places.wait_async(mine, self._busy_timeout, self.closing)
                except SessionClosedError:
                    # A session that is being closed may want its lock to save a token.
                    pass
                except Busy:
                    failure = busy(self.base_url, mine, self._busy_timeout)
            if failure is not None:
                raise failure
            yield
        finally:
            places.give_back(mine)

    async def _places(self) -> Slots | None:
        """The slots; None if they cannot be made: a request will then raise the reason.

        A session asks before each lock, and may want the lock only to save a token.
        """
        try:
            return (await self._shared()).places
        except (SessionClosedError, TransportError):
            return None

    def abandon(self) -> None:
        """Ends the token requests that are under way; from any thread."""
        for watch in tuple(self._watches):
            if watch.token:
                watch.stop("abandoned")

    async def aclose(self) -> None:
        """Ends the requests of this instance; it sends nothing any more.

        The connections stay with the other instances; the last one closes them.
        """
        self._closed = True
        running = asyncio.get_running_loop()
        for key, shared in tuple(self._used.get().items()):
            if shared.loop is running:
                # Only its own: other instances have requests on the same connections.
                for watch in tuple(self._watches):
                    watch.stop("closed")
                await self._leave(key, shared)
            elif shared.loop.is_closed():
                self._let_go(key)
            # Else they are another loop's, and only that one can close them.

    async def _leave(self, key: int, shared: AsyncShared) -> None:
        self._used.get().pop(key, None)
        if shared.leave(self):
            await shared.keeper.aclose()

    async def _shared(self) -> AsyncShared:
        """The connections of the running loop.

        Raises:
            SessionClosedError: They belong to a loop that still lives, or the instance is closed.
            TransportError: What the environment says of TLS and proxies is wrong.
        """
        loop = asyncio.get_running_loop()
        mine, used = id(loop), self._used.get()
        found = used.get(mine)
        if found is not None and found.loop is loop and not (self._closed or found.closed):
            return found
        self.refuse_closed()
        options = await self._prepared()
        # Again: the instance may have been closed while the thread worked.
        self.refuse_closed()
        for key, other in tuple(used.items()):
            if key == mine and other.loop is loop and not other.closed:
                return other  # another task was quicker
            if key == mine:
                used.pop(key, None)
            elif other.loop.is_closed():
                self._let_go(key)
            else:
                raise SessionClosedError(
                    "this SDK instance belongs to another event loop; make one in each "
                    "asyncio.run(), or close that loop first"
                )
        return self._joined(loop, options)

    async def _prepared(self) -> Options:
        """Does slow work and reads files in a thread, so that the event loop does not wait."""

        def prepare() -> tuple[Options | None, TransportError | None]:
            try:
                load()
                return self._options(), None
            except TransportError as error:
                return None, error.with_traceback(None)

        options, failure = await asyncio.wrap_future(submit("io", prepare))
        if failure is not None:
            raise failure
        assert options is not None
        return options

    def _let_go(self, key: int) -> None:
        """Closes the connections of a closed loop, which cannot do it any more."""
        if shared := self._used.get().pop(key, None):
            shared.let_go()

    def _make_shared(self, key: Key, loop: Any) -> AsyncShared:
        return AsyncShared(key, self, loop)

    def _watch(self, limit: float, **options: bool) -> AsyncWatch:
        from .aio_network import AsyncWatch

        return AsyncWatch(limit, self, **options)

    def _client_class(self) -> Any:
        if self.connection.http_client is not None:
            from .own_client import OwnAsyncClient

            return OwnAsyncClient
        from .quiet import QuietAsyncClient

        return QuietAsyncClient

    async def _trace(self, name: str, _: object) -> None:
        if name.endswith(SENDS):
            self.closing.check()

    def _backend(self) -> Any:
        from .aio_network import AsyncBackend

        return AsyncBackend()

    def _fallback(self, limit: float) -> float | None:
        # None: asyncio's timers come before what arrived while the process was stopped.
        del limit
        return None

    async def _watched(
        self,
        shared: AsyncShared,
        watch: AsyncWatch,
        sent: ApiRequest | AuthRequest,
        request: Callable[[Any, AsyncWatch], Coroutine[Any, Any, T]],
    ) -> T:
        # Over plain http the first byte is of the request; over TLS the handshake comes first.
        watch.plain = sent.url.startswith("http:")
        closed: str | None = None
        failure: TransportError | None = None
        own: BaseException | None = None
        life = watch.live()
        mark = CURRENT.set(watch)
        self._watches.add(watch)
        whole = False
        try:
            async with watch.limited():
                client = await self._borrowed(shared, watch, sent)
                answer = await request(client, watch)
            whole = True
            return answer
        except TransportError:
            raise
        except SessionClosedError as error:
            closed = str(error)  # its frames may be the HTTP library's, with a token in them
        except Exception as error:  # noqa: BLE001 - none may escape with its frames and its text
            own = raised_by_handler(error)
            failure = None if own else failed(sent.url, error, watch, self.connection)
        finally:
            CURRENT.reset(mark)
            self._watches.discard(watch)
            # What is left of a failed exchange could be taken for the next response: it is closed.
            await shared.give_back(watch, whole=whole)
            # The traceback of an error keeps this frame, and would keep the request alive with it.
            del life
            # Of a program's own client nobody knows.
            if watch.exchange is not None and not watch.unseen and (watch.opened or watch.sent):
                watch.exchange.connected(new=bool(watch.opened))
        if own is not None:
            try:
                raise own
            finally:
                del own  # its traceback keeps this frame
        if not isinstance(sent, AuthRequest) and sent.body is not None:
            sent.body.raise_failure()
        if failure is None:
            raise SessionClosedError(closed or "")
        # If the instance was closed meanwhile, that is what the caller should be told.
        if not failure.sent:
            self.refuse_closed()
        raise failure

    async def _borrowed(
        self, shared: AsyncShared, watch: AsyncWatch, sent: ApiRequest | AuthRequest
    ) -> Any:
        """The HTTP client of a connection that only this request uses."""
        slot = shared.slots.take(watch)
        if slot is None:
            limit = self._wait_limit(watch, revokes=getattr(sent, "token", None) is not None)
            failure: TransportError | None = None
            with self._waiting(watch):
                try:
                    slot = await shared.slots.wait_async(watch, limit, self.closing)
                except Busy:
                    failure = busy(sent.url, watch, limit)
            if slot is None:
                raise failure or AssertionError
        watch.begin()
        return shared.client(slot)
