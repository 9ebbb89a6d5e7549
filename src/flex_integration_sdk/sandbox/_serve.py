"""Running a sandbox: in a thread for tests, or in the foreground for the command line."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from ._app import Dropped, create_app
from ._settings import SandboxSettings

START_WAIT = 15.0


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox that listens, and its controls."""

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)

    def stats(self) -> dict[str, int]:
        """What came over the wire since the start or the last reset."""
        found: dict[str, int] = self._call("GET", "stats")
        return found

    def expire(self) -> None:
        """Expires all access tokens."""
        self._call("POST", "expire")

    def reset(self) -> None:
        """Starts over: no token is known, all counters are 0."""
        self._call("POST", "reset")

    def fault(self, kind: str, **details: Any) -> None:
        """Plans a fault for the next requests.

        Args:
            kind: ``status``, ``delay``, ``drop``, ``lose_answer``, ``html`` or ``token_type``.
            details: ``target`` (``token``, ``api``, ``revoke``, ``any``), ``count``, ``status``,
                ``seconds``.
        """
        self._call("POST", "faults", {"kind": kind, **details})

    def _call(self, method: str, name: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=10)
        try:
            connection.request(method, f"/_sandbox/{name}", json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(f"the sandbox refused: {answer}")
        return answer


@contextmanager
def serve(
    settings: SandboxSettings | None = None, host: str = "127.0.0.1", port: int = 0
) -> Iterator[RunningSandbox]:
    """A sandbox in a thread of this process, ended on leaving.

    Raises:
        OSError: The address is in use or not of this host.
    """
    settings = settings or SandboxSettings()
    with _bound(host, port) as listening:
        server = _server(settings)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name="flex-sandbox", daemon=True
        )
        started = threading.Event()
        server.on_started = started.set
        thread.start()
        try:
            if not started.wait(START_WAIT):
                raise OSError("the sandbox did not start")
            yield _running(settings, host, listening)
        finally:
            server.should_exit = True
            thread.join()


def run(settings: SandboxSettings, host: str, port: int) -> None:
    """A sandbox in the foreground, until Ctrl-C; prints one JSON line when it listens."""
    with _bound(host, port) as listening:
        server = _server(settings)
        running = _running(settings, host, listening)
        line = json.dumps(
            {
                "base_url": running.base_url,
                "client_id": settings.client_id,
                "client_secret": settings.client_secret,
            }
        )
        server.on_started = lambda: print(line, flush=True)  # noqa: T201 - that is its interface
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:
            return


class _Server(uvicorn.Server):
    def on_started(self) -> None:
        """Called when it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_started()


def _server(settings: SandboxSettings) -> Any:
    app = create_app(settings)

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except Dropped:
            # An ASGI application that ends without an answer; uvicorn then has none to give
            # but its own 500, so the connection itself is closed.
            transport = send.__self__.transport
            transport.abort()

    config = uvicorn.Config(
        guarded, log_level="critical", access_log=False, lifespan="off", http="h11", ws="none"
    )
    return _Server(config)


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(512)
        yield listening


def _running(settings: SandboxSettings, host: str, listening: socket.socket) -> RunningSandbox:
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listening.getsockname()[1]}"
    return RunningSandbox(address, settings.client_id, settings.client_secret)
