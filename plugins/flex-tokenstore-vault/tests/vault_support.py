"""What the tests of the Vault stores share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx2

from flex_tokenstore import Token
from tests.support.handles import IDENTITY

if TYPE_CHECKING:
    from tests.servers.openbao import OpenBao

KEY = f"flex-tokenstore/{IDENTITY.key}"
DATA = f"secret/data/{KEY}"
LOCK = f"{DATA}/lock"
METADATA = f"secret/metadata/{KEY}"

# As in the README.
POLICY = """
path "secret/data/flex-tokenstore/*" { capabilities = ["create", "read", "update"] }
path "secret/metadata/flex-tokenstore/*" { capabilities = ["read"] }
path "secret/destroy/flex-tokenstore/*" { capabilities = ["update"] }
"""
POLICY_KV1 = """
path "kv1/flex-tokenstore/*" { capabilities = ["create", "read", "update", "delete"] }
"""


Tamper = Callable[[str, str, bytes], tuple[int, bytes] | None]
"""What a proxy answers by itself, by method, path and body; None: what the server does."""


def fields(token: Token) -> dict[str, str]:
    """The fields of the secret that holds this token."""
    return {"token": json.dumps(token.to_dict())}


def config(server: OpenBao, **options: Any) -> dict[str, Any]:
    """The store's config, with the root token unless another way to sign in is given."""
    if not {"auth", "token", "token_file"} & set(options):
        options["token"] = server.root_token
    return {"name": "vault", "address": server.url, **options}


@contextmanager
def between(server: OpenBao, tamper: Tamper, *, agent: bool = False) -> Iterator[str]:
    """A proxy of the server that answers some requests itself.

    With ``agent`` it sends its own token with each request, as Vault Agent does.
    """

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            path = self.path.removeprefix("/v1/")
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = tamper(self.command, path, sent)
            if answer is None:
                # verify=False: reading the system's certificates takes longer than a test.
                with httpx2.Client(verify=False, trust_env=False) as client:
                    given = self.headers["X-Vault-Token"]
                    headers = {"X-Vault-Token": given or (server.root_token if agent else "")}
                    got = client.request(
                        self.command, server.url + self.path, content=sent, headers=headers
                    )
                answer = got.status_code, got.content
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        do_GET = do_POST = do_PUT = do_DELETE = _answer

        def log_message(self, *args: Any) -> None:
            pass

    with _serving(Handler) as address:
        yield address


Reply = Callable[[bytes], tuple[int, bytes]]


@contextmanager
def answering(status: int, body: bytes | Reply, **headers: str) -> Iterator[str]:
    """A server that always answers so, or as a function says for what is sent."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = body(sent) if callable(body) else (status, body)
            self.send_response(answer[0])
            for name, value in {"Content-Length": str(len(answer[1])), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer[1])

        do_GET = do_POST = do_PUT = _answer

        def log_message(self, *args: Any) -> None:
            pass

    with _serving(Handler) as address:
        yield address


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
