"""Requests as the HTTP client takes them: without a secret in what it is called with.

Tracing and error trackers wrap the client's ``request`` and ``send`` and may record arguments,
headers and bodies. So the Vault token is put into the headers within the client, and the body is a
stream that only the connection reads.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx2

from flex_tokenstore import Secret, StoreOptionsError, read_secret_file
from flex_tokenstore.records import end_transport

from ._options import Options
from ._problems import Answer, Refused, Request, problem

IDLE = 2.0  # seconds after which an unused connection is closed: a firewall may have forgotten it
SOON = 0.25  # seconds to wait at least if the server asks to: it says whole ones, cut


class ReadFile(NamedTuple):
    """A command: a file with a secret to read; answered by its text, without blanks around it."""

    path: str

    def read(self, options: Options) -> Secret[str]:
        """Reads it."""
        try:
            return read_secret_file(self.path)
        except ValueError as error:
            found = problem("file", options, path=self.path, fault=error)
        raise Refused(found)


def content(data: Secret[bytes]) -> Iterator[bytes]:
    """A body."""
    yield data.reveal()


async def async_content(data: Secret[bytes]) -> AsyncIterator[bytes]:
    """A body, in an asyncio program."""
    yield data.reveal()


class TokenHeader(httpx2.Auth):
    """Puts the Vault token into the headers."""

    def __init__(self, token: Secret[str]) -> None:
        self._token = token

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response]:
        """Called by the client when it sends the request."""
        request.headers["X-Vault-Token"] = self._token.reveal()
        yield request


def make_client(cls: type[Any], options: Options) -> Any:
    """A client of either class; nothing is sent yet. With TLS, reading certificates takes 50 ms."""
    # Vault Agent and Vault Proxy can demand this header (`require_request_header`), since a forged
    # request (SSRF) rarely has it.
    headers = {"X-Vault-Request": "true"}
    if options.namespace:
        headers["X-Vault-Namespace"] = options.namespace
    try:
        return cls(
            base_url=f"{options.address}/v1/",
            headers=headers,
            verify=options.context(),
            timeout=httpx2.Timeout(options.timeout, connect=options.connect_timeout),
            limits=httpx2.Limits(
                max_connections=100, max_keepalive_connections=20, keepalive_expiry=IDLE
            ),
        )
    except StoreOptionsError:
        raise
    except OSError as error:
        found = problem("system ca", options, error=type(error).__name__)
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        found = problem("proxy", options, error=type(error).__name__)
    raise Refused(found)


def arguments(request: Request, body: Callable[[Secret[bytes]], Any]) -> dict[str, Any]:
    """What to call the client's ``request`` with."""
    made: dict[str, Any] = {"method": request.method, "url": quote(request.path)}
    if request.token is not None:
        made["auth"] = TokenHeader(request.token)
    if request.body is not None:
        data = Secret(json.dumps(request.body.reveal()).encode())
        made["content"] = body(data)
        # httpx2 does not know the length of a stream, and would send it in chunks.
        made["headers"] = {"Content-Length": str(len(data.reveal()))}
    return made


def read_answer(response: httpx2.Response) -> Answer:
    """The server's answer."""
    body, understood = _json(response)
    if response.status_code == 404:
        # Not a load balancer's, or another program's: that would be taken for an empty store.
        understood = understood and _says_nothing_there(body)
    date = _time(response.headers.get("Date"))
    later = response.headers.get("Retry-After") or ""
    pause = 0.0
    if later.isdecimal():
        pause = max(float(later), SOON)
    elif date is not None:
        pause = max((_time(later) or 0.0) - date, 0.0)
    return Answer(response.status_code, body, understood, date, response.is_redirect, pause)


def abandon(client: httpx2.AsyncClient) -> None:
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


def _time(header: str | None) -> float | None:
    """Unix time in seconds."""
    with suppress(ValueError, TypeError, OverflowError):
        return parsedate_to_datetime(header or "").timestamp()
    return None


def _json(response: httpx2.Response) -> tuple[Secret[dict[str, Any]], bool]:
    if not response.content:
        return Secret({}), True
    with suppress(ValueError, RecursionError):
        parsed = Secret(response.json())
        if isinstance(parsed.reveal(), dict):
            return parsed, True
    return Secret({}), False


def _says_nothing_there(body: Secret[dict[str, Any]]) -> bool:
    """As Vault and OpenBao say it: a list of texts, or the remains of a version."""
    errors = body.reveal().get("errors")
    if isinstance(errors, list):
        return all(isinstance(each, str) for each in errors)
    return "request_id" in body.reveal()
