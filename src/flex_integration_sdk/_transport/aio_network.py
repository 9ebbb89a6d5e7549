"""Look-ups and connections for httpcore2 in asyncio programs.

asyncio's own look-up runs in the loop's thread pool, and ``asyncio.run`` waits for that at its end:
a name server that does not answer would hold the program. A daemon thread is left behind instead.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpcore2

from .deadline import CURRENT, GAP, PIECE, RECEIVING, Reason, Watch, connected, connects_to
from .new_connections import NEXT_ADDRESS, addresses


class AsyncWatch(Watch):
    """Ends its request: a timer of the loop cancels what the task waits for."""

    _stop: Callable[[], object] | None = None

    @asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        """Raises TimeoutError in the block when the watch ends it; cancelling the task works."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle | None = None
        async with asyncio.timeout(None) as scope:

            def look(due: float) -> None:
                nonlocal timer
                now = time.monotonic()
                if not self.ended and self.over(now, stopped=now - due > GAP):
                    self.ended = "late"
                if self.ended:
                    scope.reschedule(loop.time())
                    return
                # Until it has a connection an API call has no end; ``moved`` puts it off.
                seconds = min(self.left(), self.limit)
                timer = loop.call_later(seconds, look, now + seconds)

            look(time.monotonic())
            self._stop = lambda: loop.call_soon_threadsafe(stop)

            def stop() -> None:
                if self._stop is not None:
                    look(time.monotonic())

            try:
                yield
            finally:
                self._stop = None
                if timer is not None:
                    timer.cancel()

    def stop(self, reason: Reason) -> None:
        """Shuts the connection down, from any thread; the task notices when it runs next."""
        super().stop(reason)
        if stop := self._stop:
            with suppress(RuntimeError):  # the loop is closed
                stop()


class AsyncBackend(httpcore2.AsyncNetworkBackend):
    """Makes connections that any thread can shut down."""

    def __init__(self) -> None:
        self._inner: Any = httpcore2.AnyIOBackend()  # typed as missing, for lack of anyio
        self.open: set[AsyncStream] = set()
        self.keeper: Any = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        async def connect(address: str) -> httpcore2.AsyncNetworkStream:
            made: httpcore2.AsyncNetworkStream = await self._inner.connect_tcp(
                address, port, timeout, local_address, socket_options
            )
            return made

        watch = CURRENT.get()
        if watch is not None:
            watch.begin()
            watch.phase = f"the name {host} could not be looked up"
            connects_to(watch, host, port)
        found = await _look_up(host, port)
        if watch is not None:
            watch.phase = "no connection could be made"
        made = AsyncStream(await _first(found, connect, timeout), self)
        connected(watch, made)
        return made

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's signature
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        return AsyncStream(
            await self._inner.connect_unix_socket(path, timeout, socket_options), self
        )

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    def let_go(self) -> None:
        """Closes the sockets of a closed loop, which cannot do it any more."""
        for stream in tuple(self.open):
            stream.let_go()


class AsyncStream(httpcore2.AsyncNetworkStream):
    """A connection whose bytes are counted for the watch of the request that uses it."""

    def __init__(
        self, inner: httpcore2.AsyncNetworkStream, backend: AsyncBackend, *, private: bool = False
    ) -> None:
        self._inner, self._backend = inner, backend
        self._private = private
        self._user: Watch | None = None
        backend.open.add(self)

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's signature
    ) -> bytes:
        self._used()
        return await self._inner.read(max_bytes, timeout)

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's signature
    ) -> None:
        watch = self._used()
        if watch is None:
            return await self._inner.write(buffer, timeout)
        watch.sent = watch.sent or self._private or watch.plain
        # In pieces: a long upload shows that it moves, and its time begins again.
        for start in range(0, len(buffer), PIECE):
            piece = buffer[start : start + PIECE]
            await self._inner.write(piece, timeout)
            watch.moved(len(piece))
        return None

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's signature
    ) -> httpcore2.AsyncNetworkStream:
        watch = self._used()
        if watch is not None:
            watch.phase = "the TLS handshake was not completed"
            connects_to(watch, server_hostname or "")
        try:
            inner = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self.aclose()
            raise
        # From here on the new stream has the socket.
        self._backend.open.discard(self)
        connected(watch)
        return AsyncStream(inner, self._backend, private=True)

    async def aclose(self) -> None:
        self._backend.open.discard(self)
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def stop(self, watch: Watch) -> None:
        """Shuts the connection down, if it is still in use for that request; from any thread."""
        if self._user is watch:
            with suppress(OSError, AttributeError):
                # Not closed: another socket could get its number while the task still reads from
                # it.
                self.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def let_go(self) -> None:
        self._backend.open.discard(self)
        with suppress(OSError, AttributeError):
            found = self.get_extra_info("socket")
            found.shutdown(socket.SHUT_RDWR)
            # What asyncio hands out cannot be closed; what is in it can, and the transport of a
            # closed loop only does so when it is collected.
            found._sock.close()

    def _used(self) -> Watch | None:
        watch = CURRENT.get()
        if watch is not None and self._user is not watch:
            self._user = watch
            watch.use(self)
            watch.phase = RECEIVING
        return watch


async def _first(
    found: list[str], connect: Any, seconds: float | None
) -> httpcore2.AsyncNetworkStream:
    """The first connection that succeeds; each address gets a head start over the next one."""
    if len(found) == 1:
        only: httpcore2.AsyncNetworkStream = await connect(found[0])
        return only
    failure: BaseException = httpcore2.ConnectTimeout("no address responded")
    to_try = list(found)
    pending: set[asyncio.Task[httpcore2.AsyncNetworkStream]] = set()
    try:
        async with asyncio.timeout(seconds):
            while to_try or pending:
                if to_try:
                    pending.add(asyncio.ensure_future(connect(to_try.pop(0))))
                done, pending = await asyncio.wait(
                    pending,
                    timeout=NEXT_ADDRESS if to_try else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for each in done:
                    if (error := each.exception()) is None:
                        # Another may have succeeded at the same moment; it is closed below.
                        pending |= done - {each}
                        return each.result()
                    failure = error
    except TimeoutError:
        pass
    finally:
        for each in pending:
            # A connection that is made in spite of the cancellation is closed.
            each.add_done_callback(_drop_late)
            each.cancel()
    raise failure


def _drop_late(task: asyncio.Task[httpcore2.AsyncNetworkStream]) -> None:
    if not task.cancelled() and task.exception() is None:
        closing = asyncio.ensure_future(task.result().aclose())
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)


# asyncio itself keeps only weak references to tasks.
_closing: set[asyncio.Future[None]] = set()


async def _look_up(host: str, port: int) -> list[str]:
    # An address needs no look-up, and so no thread.
    with suppress(OSError):
        return addresses(host, port, socket.AI_NUMERICHOST)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def work() -> None:
        found: list[str] | Exception
        try:
            found = addresses(host, port)
        except Exception as error:  # noqa: BLE001 - raised in the waiter
            # Else the error would keep the thread's frames, and all that they hold.
            found = error.with_traceback(None)
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(_settle, answer, found)

    if not sys.is_finalizing():
        try:
            threading.Thread(target=work, name="flex-sdk-look-up", daemon=True).start()
        except RuntimeError:
            pass  # the interpreter ends
        else:
            return await answer
    return addresses(host, port)


def _settle(answer: asyncio.Future[list[str]], found: list[str] | Exception) -> None:
    if answer.done():
        return  # nobody waits any more
    if isinstance(found, Exception):
        answer.set_exception(found)
    else:
        answer.set_result(found)
