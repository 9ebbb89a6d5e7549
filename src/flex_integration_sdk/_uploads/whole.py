"""``sdk.files.upload``: the drivers of :mod:`.flow`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flex_integration_sdk._transport.bodies import aopened, opened
from flex_integration_sdk._transport.call_deadline import whole_call, whole_call_async
from flex_integration_sdk._wire.labels import checked_label
from flex_integration_sdk.errors import CallTimeoutError, ParameterError, TransportError

from .flow import Ask, Call, Flow, Pause, upload
from .metadata import metadata_of
from .put import body_of

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.response import Response
    from flex_integration_sdk._sources.body import Body, Progress
    from flex_integration_sdk._transport.closing import Closing
    from flex_integration_sdk._transport.exchange import ApiAnswer
    from flex_integration_sdk._wire.requests import ApiRequest
    from flex_integration_sdk.resources import File


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The arguments of ``sdk.files.upload``."""

    source: Any
    name: str | None
    mime_type: str | None
    on_progress: Progress | None
    wait: float | None

    def body(self, closing: Closing) -> Body:
        """The body that has the bytes; nothing of them is read yet.

        Raises:
            ParameterError: An argument is wrong.
        """
        checked_label("name", self.name)
        checked_label("mimeType", self.mime_type)
        wait: Any = self.wait
        number = isinstance(wait, (int, float)) and not isinstance(wait, bool)
        if wait is not None and not (number and 0 <= wait < float("inf")):
            raise ParameterError(f"wait must be a number of seconds, or None; got {wait!r}")
        made = body_of("source", self.source, self.on_progress)
        # Nothing is sent after the instance was closed.
        made.check = closing.check
        return made

    def flow(self, body: Body, max_retries: int) -> Flow:
        """The upload of a body that is open."""
        _, part = body.parts[0]
        metadata = metadata_of(part.parameter, part.source, self.name, self.mime_type)
        return upload(body, metadata, self.wait, max_retries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How an instance does what the flow asks for. Those of async ones return awaitables."""

    send: Callable[..., Any]
    """An API call, as the methods of the endpoints make it, after the seconds that it may take."""
    http: Callable[[str], Any]
    """Makes a client for the server of an address, which gets no token."""
    closing: Closing
    max_retries: int
    total_timeout: float | None
    """Seconds for all of it."""

    def left(self, began: float) -> float | None:
        """Seconds that are left; None: there is no limit."""
        if self.total_timeout is None:
            return None
        # Above 0, so that what is done next says that the time is over.
        return max(began + self.total_timeout - time.monotonic(), 0.001)


def upload_sync(ways: Ways, wanted: Wanted) -> Response[File]:
    """Uploads a file."""
    ways.closing.check()
    began = time.monotonic()
    body = wanted.body(ways.closing)
    with opened(body):
        flow, reply = wanted.flow(body, ways.max_retries), None
        while True:
            try:
                ask = flow.send(reply)
            except StopIteration as end:
                found: Response[File] = end.value
                return found
            reply = _done(ways, ask, ways.left(began))


def _done(ways: Ways, ask: Ask, left: float | None) -> Any:
    if isinstance(ask, Call):
        return ways.send(left, ask.endpoint, ask.arguments, {})
    if isinstance(ask, Pause):
        seconds = ask.seconds
        return whole_call(left, lambda: ways.closing.sleep(seconds))
    request = ask.request
    return whole_call(left, lambda: _put(ways, request))


def _put(ways: Ways, request: ApiRequest) -> ApiAnswer | TransportError:
    http = ways.http(request.url)
    try:
        answer: ApiAnswer = http.upload(request)
    except TransportError as error:
        if isinstance(error, CallTimeoutError) and error.limit == "total_timeout":
            raise
        return error.with_traceback(None)
    else:
        return answer
    finally:
        http.close()


async def upload_async(ways: Ways, wanted: Wanted) -> Response[File]:
    """Uploads a file, in an event loop."""
    ways.closing.check()
    began = time.monotonic()
    body = wanted.body(ways.closing)
    async with aopened(body):
        flow, reply = wanted.flow(body, ways.max_retries), None
        while True:
            try:
                ask = flow.send(reply)
            except StopIteration as end:
                found: Response[File] = end.value
                return found
            reply = await _adone(ways, ask, ways.left(began))


async def _adone(ways: Ways, ask: Ask, left: float | None) -> Any:
    if isinstance(ask, Call):
        sent: Awaitable[Any] = ways.send(left, ask.endpoint, ask.arguments, {})
        return await sent
    if isinstance(ask, Pause):
        seconds = ask.seconds
        return await whole_call_async(left, lambda: ways.closing.sleep_async(seconds))
    request = ask.request
    return await whole_call_async(left, lambda: _aput(ways, request))


async def _aput(ways: Ways, request: ApiRequest) -> ApiAnswer | TransportError:
    http = ways.http(request.url)
    try:
        answer: ApiAnswer = await http.upload(request)
    except TransportError as error:
        if isinstance(error, CallTimeoutError) and error.limit == "total_timeout":
            raise
        return error.with_traceback(None)
    else:
        return answer
    finally:
        await http.aclose()
