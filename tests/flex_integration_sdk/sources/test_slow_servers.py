"""An upload to a server that stops reading, and what a server gets of one that was broken off."""

from __future__ import annotations

import asyncio
import io
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.config import resolve
from flex_integration_sdk.errors import TransportError
from flex_tokenstore import Token
from tests.support import slow_servers
from tests.support.slow_servers import Line, SlowServer, listening

LIMIT = 0.3  # seconds
SOON = LIMIT + 2  # on a busy machine
# More than the buffers of a connection on this machine take.
LONG = 24 << 20
PIECE = 1 << 18
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 53\r\n\r\n"
    b'{"data":{"id":"00000000-0000-4000-8000-000000000000"}}'
).replace(b": 53", b": 54")
both = pytest.mark.parametrize("kind", ["sync", "async"])


class Own:
    """A store of the user's own, with a token that another run had."""

    def __init__(self, base_url: str) -> None:
        key = resolve(client_id="cid", base_url=base_url, environ={}).identity.key
        token = Token.issued(slow_servers.TOKEN, identity_key=key, obtained_at=time.time())
        self.token: Any = token.to_dict()

    def get_token(self) -> Any:
        return self.token

    def set_token(self, token: Any) -> None:
        self.token = token

    def remove_token(self) -> None:
        self.token = None


def upload(kind: str, port: int, image: Any, **options: Any) -> Any:
    base_url = f"http://127.0.0.1:{port}"
    made: dict[str, Any] = {"base_url": base_url, "token_store": Own(base_url), "timeout": LIMIT}
    made |= {"max_retries": 0, "host_lock": "off"}
    if kind == "sync":
        with create_instance("cid", "s3cret", **made) as sdk:
            return sdk.images.upload(image=image, **options)

    async def main() -> Any:
        async with create_async_instance("cid", "s3cret", **made) as sdk:
            return await sdk.images.upload(image=image, **options)

    return asyncio.run(main())


def head_of(line: Line) -> tuple[bytes, bytes]:
    """The head of a request, and what came of its body with it."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += line.connection.recv(4096)
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


@both
def test_a_server_that_stops_reading(kind: str) -> None:
    def serve(_: SlowServer, line: Line) -> None:
        head_of(line)
        line.connection.recv(PIECE)
        line.wait()

    began = time.monotonic()
    with (
        listening(serve) as server,
        pytest.raises(
            TransportError, match=r"did not take the next 64 KB of the upload within 0\.3"
        ),
    ):
        upload(kind, server.port, bytes(LONG))
    assert time.monotonic() - began < SOON


@both
def test_a_server_that_reads_slowly_but_goes_on_reading(kind: str) -> None:
    """It takes far longer than the time limit in all."""

    def serve(server: SlowServer, line: Line) -> None:
        head, rest = head_of(line)
        found = re.search(rb"content-length: (\d+)", head.lower())
        assert found is not None
        left = int(found[1]) - len(rest)
        slow = 8  # of the pieces; then the rest at once
        while left:
            left -= len(line.connection.recv(min(left, 1 << 22 if slow else 1 << 24)))
            if slow:
                slow -= 1
                server.stop.wait(LIMIT / 4)
        line.send(ANSWER)

    began = time.monotonic()
    with listening(serve) as server:
        assert upload(kind, server.port, io.BytesIO(bytes(LONG))).status == 200
    assert time.monotonic() - began > LIMIT


@both
def test_a_slow_file_is_not_the_servers_fault(kind: str) -> None:
    slow = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield bytes(100_000)
        slow.wait(LIMIT * 1.5)
        yield b"end"

    def serve(_: SlowServer, line: Line) -> None:
        data = head_of(line)[1]
        while not data.endswith(b"0\r\n\r\n"):
            data += line.connection.recv(PIECE)
        line.send(ANSWER)

    with listening(serve) as server:
        assert upload(kind, server.port, pieces()).status == 200


class Stopped(Exception):
    pass


def stop(sent: int, _: int | None) -> None:
    if sent:
        raise Stopped


@pytest.mark.parametrize("image", [lambda: bytes(300_000), lambda: iter([bytes(300_000)])])
@both
def test_what_was_broken_off_is_no_request(kind: str, image: Callable[[], Any]) -> None:
    """Neither its length nor its end is there, so that no server takes it for whole."""
    got: list[bytes] = []
    ended = threading.Event()

    def serve(_: SlowServer, line: Line) -> None:
        head, data = head_of(line)
        while piece := line.connection.recv(PIECE):
            data += piece
        got.extend((head.lower(), data))
        ended.set()

    with listening(serve) as server:
        with pytest.raises(Stopped):
            upload(kind, server.port, image(), on_progress=stop)
        assert ended.wait(10)
    head, data = got
    assert b"authorization: bearer" in head
    length = re.search(rb"content-length: (\d+)", head)
    if length is None:
        assert b"transfer-encoding: chunked" in head
        assert not data.endswith(b"0\r\n\r\n")
    else:
        assert len(data) < int(length[1])
