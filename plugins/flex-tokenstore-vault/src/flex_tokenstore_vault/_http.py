"""A request as the HTTP client takes it: without a secret in what it is called with.

Tracing and error trackers wrap the client's ``request`` and ``send`` and may record arguments,
headers and bodies. So the Vault token is put into the headers within the client, and the body is a
stream that only the connection reads.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import httpx2

from flex_tokenstore import Secret

from ._loops import end_transport
from ._steps import Request


class Content:
    """A body; it may be read again."""

    def __init__(self, data: Secret[bytes]) -> None:
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self._data.reveal()


class AsyncContent:
    """A body, in an asyncio program."""

    def __init__(self, data: Secret[bytes]) -> None:
        self._data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data.reveal()


class TokenHeader(httpx2.Auth):
    """Puts the Vault token into the headers."""

    def __init__(self, token: Secret[str]) -> None:
        self._token = token

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response]:
        """Called by the client when it sends the request."""
        request.headers["X-Vault-Token"] = self._token.reveal()
        yield request


def arguments(request: Request, content: type[Content] | type[AsyncContent]) -> dict[str, Any]:
    """What to call the client's ``request`` with."""
    made: dict[str, Any] = {"method": request.method, "url": request.path}
    if request.token is not None:
        made["auth"] = TokenHeader(request.token)
    if request.body is not None:
        data = Secret(json.dumps(request.body.reveal()).encode())
        made["content"] = content(data)
        # httpx2 does not know the length of a stream, and would send it in chunks.
        made["headers"] = {"Content-Length": str(len(data.reveal()))}
    return made


def let_go(client: httpx2.AsyncClient) -> None:
    """Closes the connections of a client whose event loop is closed; nothing is awaited."""
    made: Any = client
    for transport in (made._transport, *made._mounts.values()):
        pool = getattr(transport, "_pool", None)
        for connection in () if pool is None else pool.connections:
            stream = _stream_of(connection)
            if stream is not None:
                end_transport(stream)


def _stream_of(connection: Any) -> Any:
    """The event loop's transport, below the layers of httpcore2 and anyio."""
    found = connection
    # The layers are private and may change; ten steps also end a circle.
    for _ in range(10):
        if found is None or (hasattr(found, "get_extra_info") and hasattr(found, "abort")):
            return found
        names = ("_connection", "_network_stream", "_stream", "transport_stream", "_transport")
        found = next((getattr(found, name) for name in names if hasattr(found, name)), None)
    return None
