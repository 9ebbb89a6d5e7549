"""Connections that a watch can end, for httpcore2: look-ups, sockets and TLS of sync requests.

Only public parts of httpcore2 are used: its ``SyncBackend`` does all the work, and what it returns
is wrapped, so that the watch of a request knows which socket the request is using.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore2

from .deadline import CURRENT, PIECE, RECEIVING, Watch, connected, connects_to
from .new_connections import Connecting


class Backend(httpcore2.NetworkBackend):
    """Makes connections that the current watch can end."""

    def __init__(self) -> None:
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        def connect(address: str, seconds: float) -> httpcore2.NetworkStream:
            return self._inner.connect_tcp(address, port, seconds, local_address, socket_options)

        watch = CURRENT.get()
        with Connecting(watch) as connecting:
            _now(watch, f"the name {host} could not be looked up")
            connects_to(watch, host, port)
            addresses = connecting.look_up(host, port)
            _now(watch, "no connection could be made")
            stream = connecting.first(addresses, connect, 60.0 if timeout is None else timeout)
        made = Stream(stream)
        connected(watch, made)
        return made

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        return Stream(self._inner.connect_unix_socket(path, timeout, socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class Stream(httpcore2.NetworkStream):
    """A connection, and the watch of the request that uses it.

    It is shut down only under the request that its watch belongs to: a connection goes back to the
    pool, and to the next request, before the last one is done with its watch.
    """

    def __init__(self, inner: httpcore2.NetworkStream, *, private: bool = False) -> None:
        self._inner = inner
        self._socket: socket.socket = inner.get_extra_info("socket")
        # Behind TLS what is written is the request; before, it may be a CONNECT to a proxy.
        self._private = private
        self._user: Watch | None = None
        self._shut = False
        # A signal handler may ask to end a request while its thread is in here.
        self._lock = threading.RLock()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._used()
        return self._inner.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        watch = self._used()
        if watch is None:
            return self._inner.write(buffer, timeout)
        watch.sent = watch.sent or self._private or watch.plain
        # In pieces: a long upload shows that it moves, and its time begins again.
        for start in range(0, len(buffer), PIECE):
            piece = buffer[start : start + PIECE]
            self._inner.write(piece, timeout)
            watch.moved(len(piece))
        return None

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        watch = self._used()
        if watch is not None:
            watch.phase = "the TLS handshake was not completed"
            connects_to(watch, server_hostname or "")
        # The handshake moves the socket into a new object, which is out of reach until it ends.
        # What is done to a duplicate is done to the connection. (TLS in TLS moves nothing.)
        handle = None if isinstance(self._socket, ssl.SSLSocket) else self._socket.dup()
        self._socket = handle or self._socket
        inner: httpcore2.NetworkStream = self._inner
        try:
            self._used()  # it may have been ended meanwhile, through the old object
            inner = inner.start_tls(ssl_context, server_hostname, timeout)
            stream = Stream(inner, private=True)
            stream._used()
        except BaseException:
            inner.close()
            raise
        finally:
            if handle is not None:
                with self._lock:
                    handle.close()
        connected(watch)
        return stream

    def close(self) -> None:
        with self._lock:
            self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def stop(self, watch: Watch) -> None:
        """Shuts the connection down, if it is still in use for that request."""
        with self._lock:
            if self._user is watch:
                self._shut = True
                # Not the method of SSLSocket: that would go on without TLS, in the clear.
                with suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _used(self) -> Watch | None:
        watch = CURRENT.get()
        if watch is None:
            return None
        if self._user is watch:
            watch.check()
            return watch
        with self._lock:
            if self._shut:
                # By the watch of the last request, at its very end. Nothing of this one was sent:
                # the pool takes another connection.
                raise httpcore2.ConnectionNotAvailable
            self._user = watch
        watch.use(self)
        watch.phase = RECEIVING
        return watch


def _now(watch: Watch | None, phase: str) -> None:
    if watch is not None:
        watch.phase = phase
