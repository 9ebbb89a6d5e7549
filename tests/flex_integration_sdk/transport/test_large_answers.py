"""An answer larger than any page: a typed error, and the instance goes on."""

from __future__ import annotations

import asyncio
import json
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.errors import BadRequestError, TransportError

TOKEN = {"access_token": "a", "refresh_token": "r", "token_type": "bearer", "expires_in": 600}


def bomb(size: int) -> bytes:
    """So many blanks, in 16 MB steps, as gzip."""
    packer = zlib.compressobj(1, wbits=31)
    parts = [packer.compress(b" " * (16 << 20)) for _ in range(size >> 24)]
    return b"".join([*parts, packer.flush()])


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A server whose users are too many and whose listings are wrong at length."""
    packed = {"users": bomb(144 << 20), "listings": bomb(16 << 20)}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.path.split("/")[3]
            if name in packed:
                self._answer(200, packed[name], "gzip")
            elif name == "events":
                self._answer(400, {"errors": [{"code": "bad-request", "title": "x" * 100_000}]})
            else:
                self._answer(200, {"data": {"id": "1", "type": "marketplace"}})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(200, TOKEN)

        def _answer(self, status: int, body: Any, encoding: str = "identity") -> None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Encoding", encoding)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_answer_beyond_the_limit_is_not_read_on(base_url: str) -> None:
    with create_instance("id", "secret", base_url=base_url) as sdk:
        for _ in range(2):
            with pytest.raises(TransportError, match=r"more than 128 MB: .*per_page"):
                sdk.users.query()
            assert sdk.marketplace.show().data.type == "marketplace"
        with pytest.raises(TransportError, match="cannot be decoded"):
            sdk.listings.query()


def test_the_async_sdk_has_the_same_limit(base_url: str) -> None:
    async def main() -> None:
        async with create_async_instance("id", "secret", base_url=base_url) as sdk:
            with pytest.raises(TransportError, match=r"more than 128 MB: .*per_page"):
                await sdk.users.query()
            assert (await sdk.marketplace.show()).data.type == "marketplace"

    asyncio.run(main())


def test_a_message_does_not_repeat_an_answer_of_any_length(base_url: str) -> None:
    with (
        create_instance("id", "secret", base_url=base_url) as sdk,
        pytest.raises(BadRequestError) as caught,
    ):
        sdk.events.query()
    assert len(str(caught.value)) < 500
    assert len(caught.value.errors[0]["title"]) == 100_000
