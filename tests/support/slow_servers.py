"""Servers that are slow in every way a server, a name server or a proxy can be; on loopback only.

Each takes a request and then never ends its answer in some way of its own. ``SlowServer`` does so
for the requests it is told to, and answers all others at once.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

TOKEN = {"access_token": "a-1", "refresh_token": "r-1", "token_type": "bearer", "expires_in": 600}
PAUSE = 0.02  # seconds between two drops
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Line:
    """A connection to a client."""

    def __init__(self, connection: socket.socket, stop: threading.Event) -> None:
        self.connection, self.stop = connection, stop

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def drip(self, data: bytes) -> None:
        """One byte after the other, and the first ones again at the end."""
        while not self.stop.is_set():
            for byte in data:
                self.send(bytes([byte]))
                if self.stop.wait(PAUSE):
                    return

    def flood(self, data: bytes) -> None:
        """The same again and again."""
        while not self.stop.wait(0.002):
            self.send(data)

    def wait(self) -> None:
        self.stop.wait(60)


Way = Callable[[Line], None]


def silent(line: Line) -> None:
    """Never answers."""
    line.wait()


def flood_of_1xx(line: Line) -> None:
    """``103 Early Hints``, endlessly."""
    line.flood(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 20)


def dripping_1xx(line: Line) -> None:
    line.drip(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n")


def dripping_head(line: Line) -> None:
    line.send(JSON)
    line.drip(b"X-Header: value\r\n")


def dripping_body(line: Line) -> None:
    line.send(JSON + b"Content-Length: 1000000\r\n\r\n")
    line.drip(b" ")


def endless_body(line: Line) -> None:
    """Chunks, endlessly, but slower than a useful line."""
    line.send(JSON + b"Transfer-Encoding: chunked\r\n\r\n")
    line.drip(b"1\r\n \r\n")


def body_without_end(line: Line) -> None:
    """All is there, but the connection's end, which would be the body's."""
    line.send(JSON + b"Connection: close\r\n\r\n" + json.dumps(TOKEN).encode())
    line.wait()


def gzip_of_nothing(line: Line) -> None:
    """Compressed data that go on and on and never give a byte."""
    head = zlib.compressobj(wbits=31).flush(zlib.Z_FULL_FLUSH)
    line.send(JSON + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
    line.send(b"%x\r\n%s\r\n" % (len(head), head))
    empty = b"\x00\x00\x00\xff\xff"  # a stored block of no bytes (RFC 1951, section 3.2.4)
    line.flood(b"%x\r\n%s\r\n" % (len(empty), empty))


def half_of_a_gzip(line: Line) -> None:
    packed = gzip.compress(json.dumps(TOKEN).encode())
    line.send(JSON + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed))
    line.send(packed[:-9])
    line.wait()


ANSWERS: tuple[Way, ...] = (
    silent, flood_of_1xx, dripping_1xx, dripping_head, dripping_body, endless_body,
    body_without_end, gzip_of_nothing, half_of_a_gzip,
)  # fmt: skip


@dataclass
class SlowServer:
    """What listens, and what came."""

    port: int
    paths: list[str] = field(default_factory=list)
    connections: int = 0
    token: Way | None = None
    """For token requests; None: answered at once."""
    api: Way | None = None
    """For API calls."""
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, line: Line) -> None:
        stream = line.connection.makefile("rb")
        while request := stream.readline():
            length = 0
            while (header := stream.readline().lower()) not in (b"\r\n", b""):
                if header.startswith(b"content-length:"):
                    length = int(header.partition(b":")[2])
            stream.read(length)
            path = request.split(b" ")[1].decode()
            self.paths.append(path)
            is_token = "/auth/" in path
            way = self.token if is_token else self.api
            if way is not None:
                return way(line)
            body = json.dumps(TOKEN if is_token else {"data": {"id": "1", "type": "x"}}).encode()
            line.send(JSON + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return None


@contextlib.contextmanager
def listening(
    serve: Callable[[SlowServer, Line], None] = SlowServer.serve,
    *,
    address: str = "127.0.0.1",
    port: int = 0,
    context: ssl.SSLContext | None = None,
) -> Iterator[SlowServer]:
    """A server that serves each connection in a thread; with a ``context``, behind TLS."""
    with socket.create_server((address, port), backlog=128) as listener:
        server = SlowServer(listener.getsockname()[1])
        threads: list[threading.Thread] = []

        def converse(connection: socket.socket) -> None:
            with contextlib.suppress(OSError, ValueError), connection:
                if context is None:
                    serve(server, Line(connection, server.stop))
                else:
                    with context.wrap_socket(connection, server_side=True) as private:
                        serve(server, Line(private, server.stop))

        def accept() -> None:
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                server.connections += 1
                connection.settimeout(30)
                thread = threading.Thread(target=converse, args=(connection,), daemon=True)
                threads.append(thread)
                thread.start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.stop.set()
            # Closing alone would not wake the thread that accepts.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            accepting.join(10)


def stalled(_: SlowServer, line: Line) -> None:
    """Takes what comes and says nothing: a TLS handshake, or a proxy, that stalls."""
    line.wait()


def dripping_handshake(_: SlowServer, line: Line) -> None:
    """A TLS record (a handshake of 16 KB) that comes byte by byte."""
    line.connection.recv(65536)
    line.send(b"\x16\x03\x03\x40\x00")
    line.drip(b"\x02")


def proxy_that_drips(_: SlowServer, line: Line) -> None:
    line.connection.recv(65536)
    line.send(b"HTTP/1.1 200 Connection established\r\n")
    line.drip(b"X-Header: value\r\n")


def proxy_that_floods(_: SlowServer, line: Line) -> None:
    line.connection.recv(65536)
    line.flood(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20)


def proxy_to_a_stall(_: SlowServer, line: Line) -> None:
    """The tunnel is there; what is behind it says nothing to the TLS handshake."""
    line.connection.recv(65536)
    line.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    line.wait()


@contextlib.contextmanager
def black_hole(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port where connections are neither accepted nor refused (Linux: its queue is full)."""
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.bind((address, port))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex((address, port))
        yield port
