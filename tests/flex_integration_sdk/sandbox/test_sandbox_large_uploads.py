"""Images and files of many megabytes: in one piece or chunked, and before an expired token."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from flex_integration_sdk.sandbox import RunningSandbox

pytest_plugins = ["flex_integration_sdk.testing"]
API = "/v1/integration_api/"
MB = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big")
START = b'--B\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
END = b"\r\n--B--\r\n"
FORM = {"Content-Type": "multipart/form-data; boundary=B"}


class Caller:
    """Raw requests to a sandbox, with a token."""

    def __init__(self, base_url: str, client_id: str, client_secret: str) -> None:
        self.host = urlsplit(base_url).netloc
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        }
        with urllib.request.urlopen(f"{base_url}/v1/auth/token", urlencode(form).encode()) as it:
            self.token = {"Authorization": f"Bearer {json.load(it)['access_token']}"}

    def send(self, method: str, path: str, body: Any, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def command(self, command: str, /, **body: Any) -> Any:
        kind = {"Content-Type": "application/json"}
        path = f"{API}{command}?expand=true"
        status, answer = self.send("POST", path, json.dumps(body), **kind, **self.token)
        assert status == 200, answer
        return json.loads(answer)["data"]


@pytest.fixture
def caller(flex_sandbox: RunningSandbox) -> Caller:
    it = flex_sandbox
    return Caller(it.base_url, it.client_id, it.client_secret)


def image(megabytes: int) -> Iterator[bytes]:
    """A form with an image; it is never whole in the memory."""
    yield START + PNG + bytes(MB - len(PNG))
    for number in range(1, megabytes):
        yield bytes([number]) * MB
    yield END


@pytest.mark.parametrize("chunked", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_large_image(caller: Caller, chunked: bool) -> None:
    length = len(START) + 50 * MB + len(END)
    headers = {} if chunked else {"Content-Length": str(length)}
    path = f"{API}images/upload?expand=true"
    status, answer = caller.send("POST", path, image(50), **FORM, **headers, **caller.token)
    assert status == 200, answer
    variant = json.loads(answer)["data"]["attributes"]["variants"]["default"]
    assert (variant["width"], variant["height"]) == (640, 480)
    with urllib.request.urlopen(variant["url"]) as kept:
        assert kept.headers["Content-Type"] == "image/png"
        found = kept.read()
    assert len(found) == 50 * MB
    assert found[:24] == PNG
    assert [found[number * MB] for number in range(1, 50)] == list(range(1, 50))


@pytest.mark.parametrize("chunked", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_large_file(caller: Caller, chunked: bool) -> None:
    size = 50 * MB
    made = caller.command("files/create", name="a.bin", mimeType="application/x-a", size=size)
    upload = caller.command("file_uploads/create", fileId=made["id"])["attributes"]
    headers = upload["headers"] | ({} if chunked else {"Content-Length": str(size)})
    pieces = (bytes([number]) * MB for number in range(50))
    target = urlsplit(upload["url"])
    path = f"{target.path}?{target.query}"
    assert caller.send(upload["method"], path, pieces, **headers) == (200, b"")
    status, answer = caller.send("PUT", path, b"again", **upload["headers"])
    assert (status, json.loads(answer)["errors"][0]["code"]) == (409, "conflict")


def test_a_file_of_another_size_is_refused(caller: Caller) -> None:
    made = caller.command("files/create", name="a.bin", mimeType="application/x-a", size=3)
    upload = caller.command("file_uploads/create", fileId=made["id"])["attributes"]
    target = urlsplit(upload["url"])
    path = f"{target.path}?{target.query}"
    status, answer = caller.send("PUT", path, b"four", **upload["headers"])
    assert status == 400
    assert "must have 3 bytes" in json.loads(answer)["errors"][0]["title"]
    assert caller.send("PUT", path, b"two", **upload["headers"])[0] == 200


@pytest.mark.slow
def test_a_body_beyond_64_mb_is_413(caller: Caller) -> None:
    status, answer = caller.send("POST", f"{API}images/upload", image(65), **FORM, **caller.token)
    assert (status, json.loads(answer)["errors"][0]["code"]) == (413, "request-upload-over-limit")


def test_a_token_that_does_not_work_is_answered_before_the_body_is_read(
    flex_sandbox: RunningSandbox, caller: Caller
) -> None:
    """As servers do. What comes after that is read and forgotten: the connection lives on."""
    flex_sandbox.expire()
    host, port = caller.host.split(":")
    head = [
        f"POST {API}images/upload HTTP/1.1",
        f"Host: {caller.host}",
        f"Content-Length: {50 * MB}",
        *(f"{name}: {value}" for name, value in (FORM | caller.token).items()),
    ]
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + START)
        answer = http.client.HTTPResponse(connection)
        answer.begin()  # it came: 50 MB are still to be sent
        assert answer.status == 401
        assert json.loads(answer.read())["errors"][0]["code"] == "auth-invalid-access-token"
        left = 50 * MB - len(START)
        while left:
            left -= connection.send(bytes(min(left, MB)))
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {caller.host}\r\n\r\n".encode())
        again = http.client.HTTPResponse(connection)
        again.begin()
        assert again.status == 200


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_large_upload_is_never_whole_in_the_memory(tmp_path: Path) -> None:
    """With ``--db``: else the memory is where it is kept."""
    options = ["--db", str(tmp_path / "market.db"), "--seed", "small"]
    command = [sys.executable, "-m", "flex_integration_sdk.cli", "sandbox", *options]
    with Popen(command, stdout=PIPE, env={**os.environ, "HOME": str(tmp_path)}) as process:
        try:
            assert process.stdout is not None
            caller = Caller(**json.loads(process.stdout.readline()))
            path = f"{API}images/upload"
            assert caller.send("POST", path, image(2), **FORM, **caller.token)[0] == 200
            before = _most_memory(process.pid)
            assert caller.send("POST", path, image(50), **FORM, **caller.token)[0] == 200
            assert _most_memory(process.pid) - before < 20 * 1024
        finally:
            process.terminate()


def _most_memory(process: int) -> int:
    """KB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])
