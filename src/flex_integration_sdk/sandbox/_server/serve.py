"""Runs a sandbox: in a thread for tests, or in the foreground for the command line."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import uvicorn

from flex_integration_sdk.errors import FlexError
from flex_integration_sdk.sandbox._settings import AuthErrors, SandboxSettings

from .asgi_app import create_app
from .controls import RunningSandbox
from .faulty_answers import Dropped

__all__ = ["START_WAIT", "RunningSandbox", "SandboxAddressError", "run", "serve"]

# Seconds. A start takes about 13 ms, and longer on a busy machine.
START_WAIT = 15.0
_IDLE = 60  # seconds; a client must give up a connection first, or a call may find it closed
_GRACE = 1  # seconds that requests in flight get when the sandbox ends
# Connections that wait to be accepted: tests open hundreds at the same moment.
_BACKLOG = 512
_WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound here


class SandboxAddressError(FlexError, OSError):
    """The sandbox cannot listen there: the port is in use, or the address is not this host's."""


@contextmanager
def serve(
    settings: SandboxSettings | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    auth_errors: AuthErrors | None = None,
) -> Iterator[RunningSandbox]:
    """Runs a sandbox in a thread of this process, until the block is left.

    Args:
        settings: Client and rules; without, a client with a random secret.
        host: Address to listen on.
        port: Port to listen on; 0: one that is free.
        auth_errors: How the authentication endpoints answer 401, in place of what the settings
            say: ``"json"``, ``"text"`` or ``"html"``.

    Raises:
        SandboxAddressError: The port is in use, or the address is not this host's.
        SandboxFileError: The settings' file cannot be used.
        ValueError: ``auth_errors`` is not one of the three.
    """
    settings = settings or SandboxSettings()
    if auth_errors is not None:
        settings = replace(settings, auth_errors=auth_errors)
    started = threading.Event()
    with _bound(host, port) as listening:
        server = _Server(settings, host, started.set)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name="flex-sandbox", daemon=True
        )
        thread.start()
        try:
            if not started.wait(START_WAIT):
                raise SandboxAddressError(f"the sandbox did not start within {START_WAIT:.0f} s")
            yield _running(settings, host, listening)
        finally:
            server.should_exit = True
            # Until then the port is in use, and the next test may want it.
            thread.join()


def run(settings: SandboxSettings, host: str = "127.0.0.1", port: int = 0) -> None:
    """Runs a sandbox in the foreground; returns after SIGINT (Ctrl-C) or SIGTERM.

    Prints one JSON line when it listens: ``base_url``, ``client_id``, ``client_secret``.

    Raises:
        SandboxAddressError: The port is in use, or the address is not this host's.
        SandboxFileError: The settings' file cannot be used.
    """
    with _bound(host, port) as listening:
        running = _running(settings, host, listening)
        server = _Server(settings, host, lambda: _announce(running))
        with _ended_by_signals(server):
            server.run(sockets=[listening])


def _announce(running: RunningSandbox) -> None:
    names = ("base_url", "client_id", "client_secret")
    print(json.dumps({name: getattr(running, name) for name in names}), flush=True)  # noqa: T201 - its interface


@contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Turns a signal into a normal end.

    uvicorn catches signals while it runs and raises them again afterwards; left to their default
    handlers that would be exit code -15, or a traceback.
    """

    def end(*_: object) -> None:
        server.should_exit = True

    names: tuple[str, ...] = ("SIGINT", "SIGTERM", "SIGBREAK")  # the last on Windows only
    if threading.current_thread() is not threading.main_thread():
        names = ()  # only the main thread may set handlers
    wanted = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = [(each, signal.signal(each, end)) for each in wanted]
    try:
        yield
    finally:
        for each, handler in before:
            signal.signal(each, handler)


class _Server(uvicorn.Server):
    def __init__(
        self, settings: SandboxSettings, host: str, on_started: Callable[[], object]
    ) -> None:
        settings = replace(settings, allow_hosts=(*settings.allow_hosts, host))
        super().__init__(
            uvicorn.Config(
                _dropping(create_app(settings)),
                log_level="critical",  # a dropped connection is logged as an error
                access_log=False,
                lifespan="off",
                http="h11",
                ws="none",
                timeout_keep_alive=_IDLE,
                timeout_graceful_shutdown=_GRACE,
            )
        )
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()


def _dropping(app: Any) -> Any:
    async def dropping(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except Dropped:
            # ASGI has no message that ends a connection without an answer: an application that
            # just returns gets a 500 sent by uvicorn. So end the connection beneath it.
            send.__self__.transport.abort()

    return dropping


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """Opens the listening socket, so that the port is known and taken before the server starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer on a
    # connection that is kept takes 40 ms, the delayed acknowledgement of its head.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        if os.name != "nt":  # there it would let two servers share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            listening.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise SandboxAddressError(
                f"the sandbox cannot listen on {host} port {port}: {why}; "
                "choose another port, or 0 for one that is free"
            ) from None
        yield listening


def _running(settings: SandboxSettings, host: str, listening: socket.socket) -> RunningSandbox:
    reached = _WILDCARDS.get(host, host)
    shown = f"[{reached}]" if ":" in reached else reached
    address = f"http://{shown}:{listening.getsockname()[1]}"
    return RunningSandbox(address, settings.client_id, settings.client_secret)
