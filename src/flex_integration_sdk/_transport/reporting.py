"""Tells of each request: to the program's ``on_request``, and to the log that a variable asks for.

Nothing that is told is a secret or a personal value: parameters are told by their names, a path of
another server's not at all, an error by its class.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from flex_integration_sdk.errors import NestedCallError

from .argument_types import OnRequest
from .request_event import RequestEvent

logger = logging.getLogger("flex_integration_sdk")

_OWN_PATHS = "/v1/"  # none has an id or a name in it; that of a signed URL may
_LONGEST_ID = 100  # characters of a request id: more is not one


class Reporting:
    """Who is told of requests.

    Args:
        on_request: The program's callback.
        log: Writes an event to the log; its second argument has further facts.
    """

    def __init__(
        self,
        on_request: OnRequest | None,
        log: Callable[[RequestEvent, Mapping[str, Any]], object] | None = None,
    ) -> None:
        self._on_request, self._log = on_request, log

    def begin(
        self,
        method: str,
        url: str,
        *,
        parameters: tuple[str, ...] = (),
        attempt: int = 1,
        headers: Mapping[str, str] | None = None,
        size: int | None = None,
    ) -> Exchange:
        """Notes that a request begins.

        Args:
            method: Its method.
            url: Its address, of which only host and path are told.
            parameters: The names of its parameters.
            attempt: 1, or more for a repetition.
            headers: Its headers, of which the names are told.
            size: Bytes of its body; None: not known.
        """
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        path = parts.path if parts.path.startswith(_OWN_PATHS) else "/…"
        names = tuple(each if each.isprintable() else repr(each) for each in parameters)
        event = RequestEvent(method=method, host=host, path=path, parameters=names, attempt=attempt)
        return Exchange(self, event, {"sent_headers": sorted(headers or ()), "sent_bytes": size})

    def tell(self, event: RequestEvent, facts: Mapping[str, Any]) -> None:
        """Hands an event on. What a callback or a log handler raises changes nothing."""
        if sys.is_finalizing():
            return  # nothing can be imported any more, and logging has ended
        if self._log is not None:
            _shielded("the log of requests", self._log, event, facts)
        if self._on_request is not None:
            with _telling():
                _shielded("on_request", self._on_request, event)


class Exchange:
    """One request that is under way."""

    def __init__(self, reporting: Reporting, event: RequestEvent, facts: dict[str, Any]) -> None:
        self._reporting, self._event, self._facts = reporting, event, facts
        self._began = time.monotonic()
        self._seconds: float | None = None

    def connected(self, *, new: bool) -> None:
        """Notes whether a connection was made for it."""
        self._facts["connection"] = "new" if new else "kept"

    def ended(self) -> None:
        """Notes that the response is there; what is decided about it takes no time of its own."""
        if self._seconds is None:
            self._seconds = time.monotonic() - self._began

    def answered(
        self,
        status: int,
        headers: Mapping[str, str],
        size: int | None = None,
        *,
        retry_in: float | None = None,
    ) -> None:
        """Tells of a response.

        Args:
            status: HTTP status.
            headers: Its headers; their names are told, and the request id.
            size: Bytes of its body, decompressed.
            retry_in: Seconds until the request is repeated.
        """
        self._facts.update(received_headers=sorted(headers), received_bytes=size)
        self._tell(status=status, request_id=_request_id(headers), retry_in=retry_in)

    def failed(self, error: BaseException, *, retry_in: float | None = None) -> None:
        """Tells that there is no response."""
        self._tell(error=type(error).__name__, retry_in=retry_in)

    def _tell(self, **outcome: Any) -> None:
        self.ended()
        event = replace(self._event, seconds=self._seconds or 0.0, **outcome)
        self._reporting.tell(event, self._facts)


def _request_id(headers: Mapping[str, str]) -> str | None:
    found = headers.get("x-request-id")
    return found if found and found.isprintable() and len(found) <= _LONGEST_ID else None


def check_on_request(on_request: object) -> None:
    """Raises TypeError if it cannot be called, or is a coroutine function."""
    import inspect

    if not callable(on_request):
        raise TypeError(f"on_request must be callable, got {type(on_request).__name__}")
    call = getattr(on_request, "__call__", None)  # noqa: B004 - an object's own, to look at its kind
    if inspect.iscoroutinefunction(on_request) or inspect.iscoroutinefunction(call):
        raise TypeError(
            "on_request must be a plain function, not a coroutine function; in asyncio let it put "
            "the event into a queue, or start a task"
        )


# Per thread: a callback may hand the event to another one, which may use the instance.
_here = threading.local()


def refuse_within_on_request() -> None:
    """Raises NestedCallError if ``on_request`` called the caller, in this thread."""
    if getattr(_here, "telling", False):
        raise NestedCallError(
            "on_request must not use the SDK instance: the call that it is told of is not over. "
            "Put the event into a queue, and let another thread or task use the instance"
        )


@contextlib.contextmanager
def _telling() -> Iterator[None]:
    before = getattr(_here, "telling", False)
    _here.telling = True
    try:
        yield
    finally:
        _here.telling = before


def _shielded(what: str, function: Callable[..., object], *arguments: object) -> None:
    """Calls the function. Logs only the type of a failure, since its text may hold a secret."""
    try:
        function(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a response that is there must not be lost for it
        with contextlib.suppress(Exception):
            logger.error("%s failed: %s", what, type(error).__name__)
