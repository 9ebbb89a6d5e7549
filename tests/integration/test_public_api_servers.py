"""Every public call before a server that answers anything: an error of ours that says nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import flex_tokenstore
from flex_integration_sdk import (
    async_upload_file,
    create_async_instance,
    create_instance,
    upload_file,
)
from tests.support.handles import token as new_token
from tests.support.hostile import SENTINEL, Fails, SyncStore

from .test_public_api_faults import TOKEN, only_ours

KINDS = ("sync", "async")


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flex_tokenstore._session.flow.reading.SECOND_LOOK", 0.0)


class Peer:
    """A server that answers each connection with some bytes, whatever it is asked."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                head = connection.recv(65536)
                if self._answer is None:
                    continue  # dropped
                connection.sendall(self._answer.replace(b"<REQUEST>", head[-200:]))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

    def close(self) -> None:
        # Closing alone does not wake a thread in accept().
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


def answer(body: bytes, kind: str = "application/json", status: int = 200, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def token_answer(**changes: Any) -> bytes:
    return answer(json.dumps({**TOKEN, **changes}).encode())


GARBAGE: dict[str, bytes | None] = {
    "dropped": None,
    "nothing": b"",
    "no HTTP": b"\x00\x01\x02" * 99,
    "a status line with the request in it": b"HTTP/9.9 <REQUEST>\r\n\r\n",
    "a header with the request in it": b"HTTP/1.1 200 OK\r\nX <REQUEST>\r\n\r\n",
    "a wrong length": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: <REQUEST>\r\n\r\n",
    "wrong chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n<REQUEST>",
    "wrong gzip": answer(b"\x1f\x8bwrong", more="Content-Encoding: gzip\r\n"),
    "a redirect to nowhere": b"HTTP/1.1 302 X\r\nLocation: http://[<REQUEST>\r\n\r\n",
    "a redirect to itself": b"HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
    "HTML": answer(b"<html>busy</html>", "text/html"),
    "HTML 500": answer(b"<html>busy</html>", "text/html", 500),
    "503": answer(b"", status=503, more="Retry-After: " + "9" * 400 + "\r\n"),
    "429": answer(b"{}", status=429, more="Retry-After: " + "9" * 400 + "\r\n"),
    "400": answer(b'{"error": ["invalid_grant"]}', status=400),
    "401": answer(b'{"error": {"x": 1}}', status=401),
    "403": answer(b"[1]", status=403),
    "409": answer(b'{"errors": [{"code": {}, "title": []}, 5]}', status=409),
    "status 999": answer(b"{}", status=999),
    "no JSON": answer(b"{"),
    "not UTF-8": answer(b'{"access_token": "\xff"}'),
    "a JSON list": answer(b"[]"),
    "a JSON number": answer(b"1"),
    "null": answer(b"null"),
    "deep JSON": answer(b"[" * 200_000),
    "deep in a token": answer(b'{"access_token":"a","token_type":"bearer","x":' + b"[" * 5_000),
    "huge numbers": answer(b'{"data": ' + b"9" * 5_000 + b"}"),
    "token of a wrong type": token_answer(access_token=5),
    "token type of a wrong type": token_answer(token_type=["bearer"]),
    "scope of a wrong type": token_answer(scope={"a": 1}),
    "refresh token of a wrong type": token_answer(refresh_token=[1]),
    "a huge lifetime": token_answer(expires_in=10**300),
    "a lifetime that is none": token_answer(expires_in={"seconds": 5}),
    "a token with a line end": token_answer(access_token="a\n"),
    "our tag, wrong": token_answer(flex_tokenstore=5),
    "transit": answer(b'["~#unknown", ["~x"]]', "application/transit+json"),
    "wrong transit": answer(b'["^5", ["~:', "application/transit+json"),
}


@pytest.fixture(params=GARBAGE)
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    running = Peer(GARBAGE[request.param])
    yield running
    running.close()


STORED: dict[str, Any] = {"nothing stored": None, "a token stored": "live", "an old one": "old"}


def _store_for(url: str, stored: str | None) -> SyncStore:
    own = SyncStore(Fails("", KeyError))
    if stored is not None:
        identity = flex_tokenstore.TokenIdentity(url, "c", "integ")
        made = new_token("x", identity).to_dict()
        made["access_token"], made["refresh_token"] = SENTINEL, f"{SENTINEL}-r"
        if stored == "old":
            made["flex_tokenstore"]["expires_at"] = 0.0
        own.token = made
    return own


@pytest.mark.each_value
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stored", STORED)
def test_an_instance_before_a_server_that_answers_anything(
    kind: str, stored: str, peer: Peer, fast: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    options: dict[str, Any] = {
        "client_id": "c",
        "client_secret": f"{SENTINEL}-s",
        "base_url": peer.url,
        "token_store": _store_for(peer.url, STORED[stored]),
        "host_lock": "off",
        "timeout": 5,
        "request_timeout": 5,
        "max_retries": 1,  # one is enough to see what a repetition shows
    }
    works: list[Callable[[Any], Any]] = [
        lambda sdk: sdk.marketplace.show(),
        lambda sdk: sdk.users.update_profile(id="x", public_data={"a": 1}),
        lambda sdk: sdk.images.upload(image=b"x"),
        lambda sdk: sdk.auth_info(),
        lambda sdk: sdk.revoke(),
    ]
    if kind == "sync":
        with create_instance(**options) as sdk:
            for work in works:
                with only_ours():
                    work(sdk)
    else:

        async def main() -> None:
            async with create_async_instance(**options) as sdk:
                for work in works:
                    with only_ours():
                        await work(sdk)

        asyncio.run(main())
    assert SENTINEL not in caplog.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["PUT", "PUT\r\nX: 1", 5, ""])
@pytest.mark.parametrize(
    "headers", [{}, {"X": f"{SENTINEL}\n"}, {"X": 5}, ["X"], {"é": "1"}], ids=repr
)
def test_an_upload_with_a_wrong_target(kind: str, method: Any, headers: Any) -> None:
    peer = Peer(answer(b""))
    try:
        url = f"{peer.url}/x?signature={SENTINEL}"
        _upload(kind, {"attributes": {"url": url, "method": method, "headers": headers}}, b"x")
    finally:
        peer.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "url",
    [
        f"http://[{SENTINEL}",
        f"ftp://host/{SENTINEL}",
        f"//{SENTINEL}",
        f"http://127.0.0.1:99999/{SENTINEL}",
        f"http://127.0.0.1:1/x?{SENTINEL}",
        f"http://127.0.0.1:1/\n{SENTINEL}",
        5,
        [SENTINEL],
    ],
    ids=repr,
)
def test_an_upload_to_a_wrong_url(kind: str, url: Any) -> None:
    _upload(kind, {"attributes": {"url": url}}, b"x")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "upload", [{}, {"attributes": None}, {"attributes": 5}, {"attributes": []}, None]
)
def test_an_upload_that_is_none(kind: str, upload: Any) -> None:
    _upload(kind, upload, b"x")


@pytest.mark.each_value
@pytest.mark.parametrize("kind", KINDS)
def test_an_upload_to_a_server_that_answers_anything(kind: str, peer: Peer) -> None:
    _upload(kind, {"attributes": {"url": f"{peer.url}/x?signature={SENTINEL}"}}, b"x" * 99)


def _upload(kind: str, upload: Any, file: Any) -> None:
    # TypeError, ValueError: a mistake in the program; both are documented.
    with only_ours(TypeError, ValueError):
        _send(kind, upload, file)


def _send(kind: str, upload: Any, file: Any) -> None:
    if kind == "sync":
        upload_file(upload, file, timeout=5)
    else:
        asyncio.run(async_upload_file(upload, file, timeout=5))


class BrokenFile:
    """A file that fails when it is read."""

    name = "x.txt"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def tell(self) -> int:
        return 0

    def seek(self, *where: int) -> int:
        return 4

    def read(self, size: int = -1) -> bytes:
        raise self._error


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_cannot_be_read_is_an_os_error(kind: str, tmp_path: Path) -> None:
    peer = Peer(answer(b""))
    upload: Any = {"attributes": {"url": f"{peer.url}/x"}}
    try:
        for file in (tmp_path, tmp_path / "missing", BrokenFile(OSError(5, "I/O error"))):
            with pytest.raises(OSError, match=r"[Dd]irectory|I/O"):
                _send(kind, upload, file)
    finally:
        peer.close()
