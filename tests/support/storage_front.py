"""A server in front of a sandbox that answers chosen PUT requests itself, as storage might.

Signed URLs are made for the address that the client called, so that a client of this server sends
files here.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from flex_integration_sdk.sandbox import RunningSandbox


@dataclass
class Front:
    """Its address, what it answers to the next PUT requests, and how many bytes each had."""

    base_url: str
    planned: list[int | str] = field(default_factory=list)
    """A status; ``drop``: no answer, nothing done; ``lose``: done, and no answer."""
    puts: list[int] = field(default_factory=list)
    """Sizes of the bodies of all PUT requests that came whole."""


@contextmanager
def storage_front(sandbox: RunningSandbox) -> Iterator[Front]:
    """Runs one on a free port."""
    there = urlsplit(sandbox.base_url)
    assert there.hostname is not None

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._forward(b"")

        def do_POST(self) -> None:
            self._forward(self._body())

        def do_PUT(self) -> None:
            body = self._body()
            if len(body) != int(self.headers["Content-Length"]):
                self.close_connection = True  # broken off: it is no request
                return
            front.puts.append(len(body))
            plan = front.planned.pop(0) if front.planned else ""
            if plan == "lose":
                self._answer_of(body)
            if isinstance(plan, str) and plan:
                self.close_connection = True
                return
            if isinstance(plan, int):
                self.send_response(plan)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self._forward(body)

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def _answer_of(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
            connection = http.client.HTTPConnection(str(there.hostname), there.port or 80)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                return answer, answer.read()
            finally:
                connection.close()

        def _forward(self, body: bytes) -> None:
            answer, content = self._answer_of(body)
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    front = Front(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
