"""HTTP clients whose requests leave no secret and no personal value in a log.

httpx2 logs each URL at INFO, with its query: that is the signature of an upload, or a user's e-mail
address. httpcore2 logs headers and errors at DEBUG, which can quote a token. The records of these
clients' requests are shortened to what is harmless. Those of a program's own clients stay as they
are.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import httpx2

# All that the two libraries have: a filter of a logger does not see the records of those below.
# Looked up once, since that takes a lock, which a thread of a parent process may have held.
LOGGERS = [
    logging.getLogger(name)
    for name in (
        "httpx2",
        "httpcore2.connection",
        "httpcore2.http11",
        "httpcore2.http2",
        "httpcore2.proxy",
        "httpcore2.socks",
    )
]

_ours: ContextVar[bool] = ContextVar("flex_integration_sdk_request", default=False)
_PHASE = re.compile(r"[a-z0-9_]+\.(?:started|complete|failed)")
_OWN_PATHS = "/v1/"  # none has an id or a name in it

told_elsewhere = False
"""Whether the SDK's own log tells of each request, so that httpx2's record would be a second."""


class QuietClient(httpx2.Client):
    """A client for sync programs."""

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Sends a request as the base class does, with short log records."""
        return send_quietly(super().send, request, **options)


class QuietAsyncClient(httpx2.AsyncClient):
    """A client for asyncio programs."""

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Sends a request as the base class does, with short log records."""
        return await send_quietly_async(super().send, request, **options)


def send_quietly(
    send: Callable[..., httpx2.Response], request: httpx2.Request, **options: Any
) -> httpx2.Response:
    """Sends a request of ours by ``send``, with short log records."""
    _install()
    with _as(True):
        response = send(request, **options)
    if options.get("stream"):
        response.stream = _Stream(response.stream)
    return response


async def send_quietly_async(
    send: Callable[..., Awaitable[httpx2.Response]], request: httpx2.Request, **options: Any
) -> httpx2.Response:
    """Sends a request of ours by ``send``, with short log records."""
    _install()
    with _as(True):
        response = await send(request, **options)
    if options.get("stream"):
        response.stream = _AsyncStream(response.stream)
    return response


@contextmanager
def programs_own() -> Iterator[None]:
    """A block for the program's own code within a request of ours, such as reading its file."""
    with _as(False):
        yield


@contextmanager
def _as(ours: bool) -> Iterator[None]:
    before = _ours.get()
    _ours.set(ours)
    try:
        yield
    finally:
        _ours.set(before)  # not by a token: an async generator may be closed in another context


class _Stream(httpx2.SyncByteStream):
    """The body of a response that is read after ``send`` has returned."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._inner)
        while True:
            with _as(True):
                try:
                    chunk = next(chunks)
                except StopIteration:
                    return
            yield chunk
            del chunk  # may hold a token, and a traceback shows the locals of this frame

    def close(self) -> None:
        with _as(True):
            self._inner.close()


class _AsyncStream(httpx2.AsyncByteStream):
    """The body of an async response that is read after ``send`` has returned."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._inner)
        while True:
            with _as(True):
                try:
                    chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
            yield chunk
            del chunk  # as above

    async def aclose(self) -> None:
        with _as(True):
            await self._inner.aclose()


def _install() -> None:
    # At each request: a program may configure its logging at any time, and drop filters by that.
    for logger in LOGGERS:
        logger.addFilter(_shortened)


def _shortened(record: logging.LogRecord) -> bool:
    """Shortens a log record of our requests to what is harmless; False drops it."""
    # These loggers are shared with the program's own clients, whose records stay as they are.
    if not _ours.get():
        return True
    record.exc_info = record.exc_text = None
    if record.name == "httpx2":
        return _shorten_request(record)
    phase = _PHASE.match(record.getMessage())
    record.msg, record.args = (phase[0] if phase else ""), ()
    return phase is not None


def _shorten_request(record: logging.LogRecord) -> bool:
    args = record.args
    if told_elsewhere:
        return False
    if not isinstance(args, tuple) or len(args) < 4 or not isinstance(args[3], int):
        return False  # another version's record: nobody knows what is in it
    url = urlsplit(str(args[1]))
    path = url.path if url.path.startswith(_OWN_PATHS) else "/…"
    record.msg = 'HTTP Request: %s %s "%d"'
    record.args = (args[0], f"{url.scheme}://{url.hostname}{path}", args[3])
    return True
