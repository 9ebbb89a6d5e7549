"""A plain OAuth server with a small API, which knows nothing of Sharetribe; on loopback only."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CLIENT, PASSWORD = "acme-client", "acme-secret-SENTINEL"
PAGE = b"<!doctype html><html><body>Sign in to the network</body></html>"
Answer = tuple[int, Mapping[str, str], bytes]


class OAuthServer(ThreadingHTTPServer):
    """Rotates refresh tokens; who uses one twice loses all tokens of its family.

    ``counts`` has the requests by kind; ``sent`` the header ``Authorization`` of each API call, by
    path. ``answers`` are given to the next API calls in place of the own ones.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.latency = 0.0  # seconds that a token request takes
        self.lifetime = 3600.0
        self.counts: Counter[str] = Counter()
        self.sent: list[tuple[str, str]] = []
        self.bodies: list[bytes] = []
        self.answers: list[Answer] = []
        self.token_answers: list[Answer] = []
        self.refuses: Callable[[str], bool] = lambda path: False
        self.access: dict[str, int] = {}  # and its family
        self.refresh: dict[str, int] = {}
        self.used: dict[str, int] = {}
        self._issued = 0
        self._families = 0
        self._lock = threading.Lock()

    def expire(self) -> None:
        """No access token works any more."""
        with self._lock:
            self.access.clear()

    def new_token(self) -> dict[str, Any]:
        """A token as a sign-in gets it, without a request."""
        with self._lock:
            self._families += 1
            return self._issue(self._families)

    def _issue(self, family: int) -> dict[str, Any]:
        self._issued += 1
        access, refresh = f"access-{self._issued}-SENTINEL", f"refresh-{self._issued}-SENTINEL"
        self.access[access], self.refresh[refresh] = family, family
        return {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        }

    def token_request(self, form: Mapping[str, str]) -> Answer:
        """RFC 6749 sections 4.4 and 6."""
        time.sleep(self.latency)
        with self._lock:
            kind = form["grant_type"]
            self.counts[kind] += 1
            if self.token_answers:
                return self.token_answers.pop(0)
            if (form.get("client_id"), form.get("client_secret")) != (CLIENT, PASSWORD):
                return _json(401, {"error": "invalid_client"})
            if kind == "client_credentials":
                self._families += 1
                return _json(200, self._issue(self._families))
            given = form["refresh_token"]
            if given in self.used:
                self.counts["reused"] += 1
                self._revoke(self.used[given])
            if given not in self.refresh:
                return _json(400, {"error": "invalid_grant"})
            self.used[given] = self.refresh.pop(given)
            return _json(200, self._issue(self.used[given]))

    def _revoke(self, family: int) -> None:
        for tokens in (self.access, self.refresh):
            for each in [token for token, of in tokens.items() if of == family]:
                del tokens[each]

    def revocation(self, form: Mapping[str, str]) -> Answer:
        """RFC 7009."""
        with self._lock:
            self.counts["revoked"] += 1
            self._revoke(self.refresh.get(form["token"], 0))
        return _json(200, {})

    def api(self, path: str, query: Mapping[str, str], header: str, body: bytes) -> Answer:
        with self._lock:
            self.counts["api"] += 1
            self.sent.append((path, header))
            self.bodies.append(body)
            if self.answers:
                return self.answers.pop(0)
            good = header.removeprefix("Bearer ") in self.access and not self.refuses(path)
        if path == "/redirect":
            return int(query.get("status", "302")), {"Location": query["to"]}, b""
        if not good:
            self.counts["refused"] += 1
            return _json(401, {"error": "invalid_token"})
        return _json(200, {"length": len(body)})


class _Handler(BaseHTTPRequestHandler):
    server: OAuthServer
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: else each answer takes 40 ms

    def _answer(self) -> None:
        body = self._body()
        parts = urlsplit(self.path)
        form = {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}
        if parts.path == "/token":
            status, headers, answer = self.server.token_request(form)
        elif parts.path == "/revoke":
            status, headers, answer = self.server.revocation(form)
        else:
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, headers, answer = self.server.api(
                parts.path, query, self.headers.get("Authorization", ""), body
            )
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        chunks = b""
        while size := int(self.rfile.readline(), 16):
            chunks += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return chunks

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *args: Any) -> None:
        """Quiet."""


def _json(status: int, found: Any) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(found).encode()


@contextmanager
def oauth_server() -> Iterator[OAuthServer]:
    """Such a server, as long as the block runs."""
    server = OAuthServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
