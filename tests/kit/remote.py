"""A small server that keeps tokens, and stores on it: a correct one, and some with one fault each.

Its protocol is a line of JSON each way, on connections that are kept.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from flex_tokenstore import (
    ANY_REVISION,
    TokenConflictError,
    TokenIdentity,
    TokenUnavailableError,
    hookimpl,
    revision_of,
)


class Server(socketserver.ThreadingTCPServer):
    """The server, in threads of this process; several can share their tokens, as replicas do."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, tokens: dict[str, Any], *, is_primary: bool = True) -> None:
        self.tokens, self.is_primary = tokens, is_primary
        self.mutex = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.server_address[1]

    def answer(self, request: dict[str, Any]) -> Any:
        key, new, expected = request["key"], request.get("token"), request.get("expected")
        with self.mutex:
            stored = self.tokens.get(key)
            if request["do"] == "get":
                return {"token": stored}
            if not self.is_primary:
                return {"error": "readonly"}
            revision = None if stored is None else revision_of(stored)
            if expected not in (ANY_REVISION, revision):
                return {"error": "conflict", "stored": revision}
            if new is None:
                self.tokens.pop(key, None)
            else:
                self.tokens[key] = new
        return {}


class _Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        with suppress(OSError):  # the proxy has reset the connection
            for line in self.rfile:
                reply = json.dumps(self.server.answer(json.loads(line)))
                self.wfile.write(reply.encode() + b"\n")


@contextmanager
def running(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class TcpStore:
    """Keeps tokens on that server, and survives what a network does."""

    @dataclass(kw_only=True)
    class Options:
        port: int  #: the server's port on this host
        timeout: float = 1.0  #: seconds to wait for a reply

    tries = 2
    repeats_writes = True

    def __init__(self, options: Options, identity: TokenIdentity) -> None:
        self._options, self._key = options, identity.key
        self._mutex = threading.Lock()
        self._connection: Any = None
        self._pid = 0

    @hookimpl
    def get_token(self) -> Any:
        return self._ask({"do": "get"})["token"]

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        self._write(token, expected)

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        self._write(None, expected)

    @hookimpl
    def close(self) -> None:
        with self._mutex:
            self._drop()

    def _write(self, token: Any, expected: str | None) -> None:
        reply = self._ask({"do": "set", "token": token, "expected": expected})
        if "error" in reply and not self.is_own(reply, token):
            raise TokenConflictError("another token is stored; read it again")

    def is_own(self, reply: dict[str, Any], token: Any) -> bool:
        """An earlier try had done it, and its reply was lost."""
        wanted = None if token is None else revision_of(token)
        return bool(reply["stored"] == wanted)

    def _ask(self, request: dict[str, Any]) -> Any:
        text = json.dumps({**request, "key": self._key}).encode() + b"\n"
        for left in reversed(range(self.tries)):
            with self._mutex:
                try:
                    reply = json.loads(self._exchange(text))
                    if reply.get("error") != "readonly":
                        return reply
                    self.wrong_server()
                except (OSError, ValueError) as error:
                    self._drop()
                    if not left:
                        raise TokenUnavailableError(type(error).__name__) from None
        raise TokenUnavailableError("the server is not the primary")

    def wrong_server(self) -> None:
        self._drop()

    def _exchange(self, text: bytes) -> bytes:
        if self._pid != os.getpid():  # a forked child has its parent's connection
            self._connection, self._pid = None, os.getpid()
        if self._connection is None:
            where = ("127.0.0.1", self._options.port)
            self._connection = socket.create_connection(where, self._options.timeout)
            self._stream = self._connection.makefile("rb")
        self._connection.sendall(text)
        reply: bytes = self._stream.readline()
        if not reply.endswith(b"\n"):
            raise ConnectionError("it was cut")
        return reply

    def _drop(self) -> None:
        if self._connection is not None:
            self._stream.close()
            self._connection.close()
            self._connection = None


class NoSecondTry(TcpStore):
    """The first call on a dead connection fails."""

    tries = 1


class ConflictsWithItself(TcpStore):
    """Repeats a save, and takes its own token for somebody else's."""

    def is_own(self, reply: dict[str, Any], token: Any) -> bool:
        return False


class StaysWithTheOldServer(TcpStore):
    """Believes in its connection, whatever the server says."""

    def wrong_server(self) -> None:
        """Nothing."""


class TakesHalfAReply(TcpStore):
    """Takes what it cannot read for an empty store."""

    def _ask(self, request: dict[str, Any]) -> Any:
        try:
            return super()._ask(request)
        except TokenUnavailableError:
            return {"token": None}

    tries = 1
