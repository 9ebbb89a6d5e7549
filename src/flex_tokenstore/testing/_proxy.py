"""A TCP proxy that breaks connections in the ways in which networks and servers do."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

How = Literal["reset", "close"]

_POLL = 0.05  # seconds; a listener that is closed does not wake who waits in accept() everywhere
_CONNECT = 5.0  # seconds
_CHUNK = 65_536  # bytes
# Linger for 0 seconds: close() sends a reset then, and no FIN.
_RESET = struct.pack("ii", 1, 0)


class FaultProxy:
    """A TCP proxy on loopback, between a store and its server, that can break connections.

    Use it in a ``with`` block. The store connects to :attr:`address` in place of its server::

        with FaultProxy("127.0.0.1", 6379) as proxy:
            url = f"redis://127.0.0.1:{proxy.port}/0"
            with open_store({"name": "redis", "url": url}, identity) as store:
                store.get_token()
                proxy.forget()  # as a NAT does with idle connections
                store.get_token()

    It passes bytes on, and knows no protocol. Methods that return a context manager break
    connections within the block; the others act once. Threads and processes can use it at once.

    Args:
        host: The server's host.
        port: The server's port.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._mutex = threading.Condition()
        self._connecting = 0  # accepted, and not linked to the server yet
        self._links: set[_Link] = set()
        self._forgotten: set[_Link] = set()
        self._is_down = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address: tuple[str, int] = ("127.0.0.1", self._listener.getsockname()[1])
        """Host and port on which it listens."""
        self.accepted = 0
        """How many connections were made through it so far."""
        self.lost = 0
        """How many replies :meth:`lose_reply` and :meth:`cut_reply` have dropped or cut."""
        self._silent = False
        self._delay = 0.0
        self._marker: tuple[bytes, bool] | None = None
        self._listen(self._listener)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return self.address[1]

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections, and accepts no more."""
        self._is_down = True
        _close_listener(self._listener)
        self.cut()
        with self._mutex:
            forgotten = tuple(self._forgotten)
        for link in forgotten:
            link.end("reset")

    @contextmanager
    def down(self) -> Iterator[None]:
        """The server is down: open connections are reset, and new ones are refused."""
        self._is_down = True
        _close_listener(self._listener)
        # Bound and not listening: connections are refused, and nobody else gets the port.
        kept = socket.socket()
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(self.address)
        self.cut()
        try:
            yield
        finally:
            self._is_down = False
            kept.listen(128)
            self._listener = kept
            self._listen(kept)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """The server hangs: connections and requests are accepted, and nothing is answered.

        Requests do not reach it. At the end of the block open connections are reset.
        """
        self._silent = True
        try:
            yield
        finally:
            self.cut()
            self._silent = False

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Each part of a reply is delayed.

        Args:
            seconds: For how long.
        """
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    def cut(self, how: How = "reset") -> None:
        """Ends all open connections; new ones work.

        Args:
            how: ``"reset"`` (RST), as after a crash; ``"close"`` (FIN), as a server does with
                connections that were idle for too long.
        """
        for link in self._all_links():
            link.end(how)

    def forget(self) -> None:
        """Open connections go silent for ever, without a word to either side; new ones work.

        That is what a firewall, a NAT or a load balancer does with a connection that was idle.
        """
        for link in self._all_links(forgotten=True):
            link.is_forgotten = True

    def lose_reply(self, request: bytes) -> None:
        """The next request that contains these bytes reaches the server; its reply does not return.

        The connection is reset instead.

        Args:
            request: Bytes of the request, as they are on the wire.
        """
        self._marker = request, False

    def cut_reply(self, request: bytes) -> None:
        """Half of the reply to the next request that contains these bytes returns; then a reset.

        Args:
            request: Bytes of the request, as they are on the wire.
        """
        self._marker = request, True

    def switch(self, host: str, port: int) -> None:
        """New connections go to another server; open ones stay where they are.

        That is what a DNS name or a service does in a fail-over.

        Args:
            host: The other server's host.
            port: The other server's port.
        """
        self._target = (host, port)

    def _all_links(self, *, forgotten: bool = False) -> set[_Link]:
        """All that there are now, also those that are just being made; there are none then."""
        with self._mutex:
            self._mutex.wait_for(lambda: not self._connecting, _CONNECT)
            links, self._links = self._links, set()
            if forgotten:
                self._forgotten |= links
            return links

    def _listen(self, listener: socket.socket) -> None:
        listener.settimeout(_POLL)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client = listener.accept()[0]
            except TimeoutError:
                continue
            except OSError:  # it was closed
                return
            with self._mutex:
                self.accepted += 1
                self._connecting += 1
            client.setblocking(True)
            # Not here: to connect to a server that hangs would hold up the others.
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        link = None
        try:
            link = self._link(client)
        finally:
            with self._mutex:
                if link is not None and not self._is_down:
                    self._links.add(link)
                self._connecting -= 1
                self._mutex.notify_all()
        if link is None:
            return
        if self._is_down:
            link.end("reset")
            return
        threading.Thread(target=self._pump_replies, args=(link,), daemon=True).start()
        self._pump_requests(link)

    def _link(self, client: socket.socket) -> _Link | None:
        try:
            server = socket.create_connection(self._target, _CONNECT)
        except OSError:
            _end(client, "reset")
            return None
        server.settimeout(None)
        for each in (client, server):  # else small packets wait for each other
            with suppress(OSError):  # it was reset meanwhile
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Link(client, server)

    def _pump_requests(self, link: _Link) -> None:
        seen = b""
        with suppress(OSError):
            while data := link.client.recv(_CHUNK):
                if self._silent or link.is_forgotten:
                    continue
                marker = self._marker
                if marker is not None:
                    seen = seen[-len(marker[0]) :] + data
                    if marker[0] in seen:
                        self._marker = None
                        link.doom = marker
                link.server.sendall(data)
        self._end(link)

    def _pump_replies(self, link: _Link) -> None:
        with suppress(OSError):
            while data := link.server.recv(_CHUNK):
                if self._delay:
                    time.sleep(self._delay)
                if link.doom is not None:
                    self._lose(link, data)
                    return
                if not (self._silent or link.is_forgotten):
                    link.client.sendall(data)
        if not link.is_forgotten:  # its client is not told of anything
            self._end(link)

    def _lose(self, link: _Link, reply: bytes) -> None:
        self.lost += 1
        if link.doom is not None and link.doom[1]:
            link.client.sendall(reply[: len(reply) // 2])
            time.sleep(_POLL)  # a reset would overtake it
        self._end(link, "reset")

    def _end(self, link: _Link, how: How = "close") -> None:
        with self._mutex:
            self._links.discard(link)
            self._forgotten.discard(link)
        link.end(how)


class _Link:
    """A connection of a client, and the one to the server that belongs to it."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.is_forgotten = False
        self._ending = threading.Lock()
        self.doom: tuple[bytes, bool] | None = None
        """The request whose reply is to be lost, and whether half of it returns."""

    def end(self, how: How) -> None:
        """The first call decides how; it wakes the threads of the link, which call it too."""
        if not self._ending.acquire(blocking=False):
            return
        _end(self.client, how)
        _end(self.server, how)


def _end(connection: socket.socket, how: How) -> None:
    with suppress(OSError):
        # Wakes the thread that waits in recv(), which would keep the connection open.
        if how == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.shutdown(socket.SHUT_RD)  # sends nothing
        else:
            connection.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        connection.close()


def _close_listener(listener: socket.socket) -> None:
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)  # wakes accept() on Linux
    listener.close()
