"""An API that answers from a script, to which both kinds of program make the same calls."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple

from flex_integration_sdk import Response, create_async_instance, create_instance

Kind = Literal["sync", "async"]


class Answer(NamedTuple):
    """One answer of the API. The status 0: the connection ends without one."""

    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012 - it is never changed
    body: bytes = b'{"data": {}}'
    kind: str = "application/json"
    cut: bool = False
    """The connection ends before the body does."""


class ScriptedApi:
    """Gives the answers in their order, then the last one. Tokens are issued at any time."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [Answer()]
        self.calls: list[tuple[str, bytes]] = []
        """Path and body of each API request."""
        self.authorizations: list[str | None] = []
        self.tokens = 0
        self.token_answers: list[Answer] = []
        """What token requests get, before they succeed."""
        self.called = threading.Event()
        self.base_url = ""

    def next(self, handler: Any, body: bytes) -> Answer:
        """The answer to a request."""
        if handler.path.startswith("/v1/auth/"):
            self.tokens += 1
            if self.token_answers:
                return self.token_answers.pop(0)
            token = {"access_token": f"a-{self.tokens}", "refresh_token": f"r-{self.tokens}"}
            return Answer(body=json.dumps({**token, "token_type": "bearer"}).encode())
        self.calls.append((handler.path.partition("?")[0].partition("_api/")[2], body))
        self.authorizations.append(handler.headers["Authorization"])
        self.called.set()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def call(self, kind: Kind, name: str = "marketplace.show", **given: Any) -> Response[Any]:
        """Makes a call with a new instance; ``options`` are the instance's."""
        options = {"base_url": self.base_url, "host_lock": "off", **given.pop("options", {})}
        resource, action = name.split(".")
        if kind == "sync":
            with create_instance("cid", "s3cret", **options) as sdk:
                found: Response[Any] = getattr(getattr(sdk, resource), action)(**given)
                return found

        async def main() -> Response[Any]:
            async with create_async_instance("cid", "s3cret", **options) as sdk:
                found: Response[Any] = await getattr(getattr(sdk, resource), action)(**given)
                return found

        return asyncio.run(main())


@contextmanager
def scripted_api(*answers: Answer) -> Iterator[ScriptedApi]:
    """A running server with these answers."""
    script = ScriptedApi()
    script.answers = list(answers) or script.answers

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(script.next(self, b""))

        def do_POST(self) -> None:
            size = self.headers["Content-Length"]
            body = self.rfile.read(int(size)) if size else b""
            self._answer(script.next(self, body))

        def _answer(self, answer: Answer) -> None:
            if not answer.status:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body) + answer.cut))
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = answer.cut

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script.base_url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
