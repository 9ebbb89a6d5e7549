"""A program's own HTTP client, as the SDK uses it: its TLS, proxies and pool, and our rules.

It is never closed here. Its sockets are out of our reach, so that the HTTP library's own time-outs
must do; they are set for each request.
"""

from __future__ import annotations

import os
import weakref
from typing import Any

import httpx2

from flex_integration_sdk.errors import TransportError

from .clients import SENDS
from .deadline import CURRENT, RECEIVING, Watch
from .quiet import send_quietly, send_quietly_async

# Which process sent the first request of ours by a client: a fork must not use the same sockets.
_first: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


class _Own:
    """What both kinds share; it stands where a client of our own would."""

    def __init__(self, client: Any, user_agent: str) -> None:
        self._client, self._user_agent = client, user_agent

    def build_request(
        self, method: str, url: str, *, headers: Any = None, **parts: Any
    ) -> httpx2.Request:
        """A request with what the client adds to each; ours win."""
        ours = {"User-Agent": self._user_agent, **(headers or {})}
        request: httpx2.Request = self._client.build_request(method, url, headers=ours, **parts)
        # The client's own default parameters would take the place of the query.
        request.url = httpx2.URL(url)
        # Its credentials are for another server; ours are added where there are any.
        request.headers.pop("Authorization", None)
        return request

    def build_bare_request(
        self, method: str, url: str, *, headers: Any, content: Any, timeout: Any
    ) -> httpx2.Request:
        """A request without the client's default headers, parameters and cookies."""
        return httpx2.Request(
            method,
            url,
            headers={"User-Agent": self._user_agent, **headers},
            content=content,
            extensions={"timeout": httpx2.Timeout(timeout).as_dict()},
        )

    def _begun(self) -> Watch | None:
        """Called before each request.

        Raises:
            TransportError: The client cannot be used.
        """
        problem = ""
        if self._client.is_closed:
            problem = "the program has closed its http_client: close the SDK instance first"
        elif _first.setdefault(self._client, os.getpid()) != os.getpid():
            problem = (
                "this process was forked after its http_client had been used, and shares its "
                "connections with the other process: make a client and an instance in each process"
            )
        if problem:
            failure = TransportError(f"nothing was sent: {problem}")
            failure.sent = False
            raise failure
        if watch := CURRENT.get():
            watch.unseen = True
            watch.phase = RECEIVING
        return watch


class OwnClient(_Own):
    """For sync programs."""

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Sends a request without the client's own rules for redirects and credentials."""
        watch, told = self._begun(), request.extensions.get("trace")

        def trace(name: str, info: Any) -> None:
            if told is not None:
                told(name, info)
            _note(watch, name)

        request.extensions["trace"] = trace
        return send_quietly(
            self._client.send, request, auth=None, follow_redirects=False, **options
        )

    def close(self) -> None:
        """Leaves it open: it is the program's."""


class OwnAsyncClient(_Own):
    """For asyncio programs."""

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Sends a request without the client's own rules for redirects and credentials."""
        watch, told = self._begun(), request.extensions.get("trace")

        async def trace(name: str, info: Any) -> None:
            if told is not None:
                await told(name, info)
            _note(watch, name)

        request.extensions["trace"] = trace
        return await send_quietly_async(
            self._client.send, request, auth=None, follow_redirects=False, **options
        )

    async def aclose(self) -> None:
        """Leaves it open: it is the program's."""


def _note(watch: Watch | None, name: str) -> None:
    if watch is not None and name.endswith(SENDS):
        watch.sent = True
