"""Clients of the sandbox that are no SDK: curl, Node's fetch and form-data, bare sockets."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from tests.support.plain_http import refusal, signed_in

MODULES = Path(sys.prefix) / "js" / "node_modules"
FOLDER = Path(__file__).parent / "javascript"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (4).to_bytes(4) + (7).to_bytes(4) + bytes(5)
API = "/v1/integration_api"

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: RunningSandbox) -> Iterator[httpx2.Client]:
    with signed_in(sandbox) as client:
        yield client


def bearer(client: httpx2.Client) -> str:
    return client.headers["Authorization"]


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/json",
        "application/json, text/plain, */*",
        "application/json;charset=utf-8",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        None,
    ],
)
def test_json_is_what_others_get(client: httpx2.Client, accept: str | None) -> None:
    request = client.build_request("GET", "marketplace/show")
    del request.headers["Accept"]
    if accept:
        request.headers["Accept"] = accept
    response = client.send(request)
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.json()["data"]["type"] == "marketplace"


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json;charset=utf-8",
        "application/json; charset=UTF-8",
        "Application/JSON",
    ],
)
def test_json_bodies(client: httpx2.Client, kind: str) -> None:
    user = client.get("users/query?perPage=1").json()["data"][0]["id"]
    body = json.dumps({"id": user, "bio": "Hyvää päivää"}, ensure_ascii=False).encode()
    changed = client.post(
        "users/update_profile?expand=true", content=body, headers={"Content-Type": kind}
    )
    assert changed.json()["data"]["attributes"]["profile"]["bio"] == "Hyvää päivää"


@pytest.mark.parametrize("encoding", ["gzip, compress, deflate, br", "identity", "gzip;q=1.0"])
def test_compression_that_a_client_offers(client: httpx2.Client, encoding: str) -> None:
    found = client.get("listings/query", headers={"Accept-Encoding": encoding})
    assert len(found.json()["data"]) == 100


def test_errors_say_where(client: httpx2.Client) -> None:
    asked = client.get("listings/query?perPage=0").json()["errors"][0]
    assert asked["source"] == {"path": ["perPage"], "type": "query"}
    sent = client.post("listings/close", json={"id": "7"}).json()["errors"][0]
    assert sent["source"] == {"path": ["id"], "type": "body"}
    assert set(sent) >= {"id", "status", "code", "title", "source"}
    assert sent["status"] == 400


def test_429_is_an_error_as_others_are(capfd: pytest.CaptureFixture[str]) -> None:
    with serve(SandboxSettings(limits="live")) as limited, signed_in(limited) as client:
        user = client.get("users/query?perPage=1").json()["data"][0]
        body = {"id": user["id"], "email": user["attributes"]["email"]}
        for _ in range(20):
            response = client.post("users/verify_email", json=body)
            if response.status_code == 429:
                break
    assert refusal(response)[:2] == (429, "too-many-requests")
    # No published probe saw a header about limits.
    assert not {"retry-after", "x-ratelimit-remaining"} & set(response.headers)


def curl(client: httpx2.Client, path: str, *options: str) -> tuple[int, Any]:
    address = f"{str(client.base_url).rstrip('/')}/{path}"
    done = subprocess.run(
        [
            "curl", "-q", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30",
            "--write-out", "\\n%{http_code}", "-K", "-", *options, address,
        ],
        input=f'header = "Authorization: {bearer(client).lower()[:6]} {bearer(client)[7:]}"\n',
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    text, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(text)


@needs_curl
@pytest.mark.parametrize("option", ["--http1.0", "--http1.1", "--compressed", "--no-keepalive"])
def test_curl_asks(client: httpx2.Client, option: str) -> None:
    status, found = curl(
        client, "users/show?email=user1%40example.com&include=profileImage", option
    )
    assert status == 200
    assert found["data"]["attributes"]["email"] == "user1@example.com"


@needs_curl
def test_curl_asks_with_a_form_that_it_makes_a_query_of(client: httpx2.Client) -> None:
    asked = ["--get", "--data-urlencode", "createdAtStart=2020-01-01T00:00:00+00:00"]
    status, found = curl(client, "users/query", *asked, "-d", "perPage=2", "-d", "states=")
    assert (status, found["errors"][0]["code"]) == (400, "validation-disallowed-key")
    status, found = curl(client, "users/query", *asked, "-d", "perPage=2")
    assert (status, len(found["data"])) == (200, 2)


@needs_curl
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--header", "Transfer-Encoding: chunked"],
        ["--header", "Expect: 100-continue", "--expect100-timeout", "20"],
    ],
    ids=["plain", "chunked", "expect"],
)
def test_curl_sends(client: httpx2.Client, tmp_path: Path, options: list[str]) -> None:
    _, users = curl(client, "users/query?perPage=1")
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"id": users["data"][0]["id"], "bio": "x" * 40_000}))
    sent = ["--header", "Content-Type: application/json", "--data-binary", f"@{body}"]
    status, found = curl(client, "users/update_profile?expand=true", *sent, *options)
    assert status == 200
    assert len(found["data"]["attributes"]["profile"]["bio"]) == 40_000


@needs_curl
def test_curl_sends_what_is_not_json(client: httpx2.Client) -> None:
    # Its own media type for data is that of forms.
    status, found = curl(client, "users/approve", "--data-binary", "id=7")
    assert (status, found["errors"][0]["code"]) == (400, "unsupported-content-type")


@needs_curl
def test_curl_uploads(client: httpx2.Client, tmp_path: Path) -> None:
    picture = tmp_path / "me.png"
    picture.write_bytes(PNG)
    status, found = curl(client, "images/upload?expand=true", "--form", f"image=@{picture}")
    assert status == 200
    assert found["data"]["attributes"]["variants"]["default"]["width"] == 4


def node(sandbox: RunningSandbox, program: str, argument: str, access: str = "") -> list[str]:
    done = subprocess.run(
        ["node", str(FOLDER / program), argument],
        capture_output=True,
        text=True,
        timeout=60,
        env={
            "PATH": str(Path(shutil.which("node") or "").parent),
            "OFFICIAL_SDK": str(MODULES / "sharetribe-flex-integration-sdk"),
            "SANDBOX_URL": sandbox.base_url,
            "SANDBOX_CLIENT": sandbox.client_id,
            "SANDBOX_SECRET": sandbox.client_secret,
            "SANDBOX_TOKEN": access,
        },
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@needs_node
def test_fetch_of_node(sandbox: RunningSandbox) -> None:
    told = node(sandbox, "fetch_and_upload.js", base64.b64encode(PNG).decode())
    assert told == ["200 4", "200", "200 application/json 1", "1"]


@needs_node
@pytest.mark.skipif(not (MODULES / "form-data").exists(), reason="form-data is not installed")
def test_form_data_of_node(sandbox: RunningSandbox, client: httpx2.Client, tmp_path: Path) -> None:
    picture = tmp_path / "me.png"
    picture.write_bytes(PNG)
    access = bearer(client).partition(" ")[2]
    told = node(sandbox, "form_data.js", str(picture), access)
    # Bytes without a file name are an ordinary field of a form (RFC 7578 section 4.2).
    refused = "400 image is not a file: its part of the form needs a file name"
    assert told == ["200 7", refused, "200 7"]


def exchange(sandbox: RunningSandbox, *parts: bytes) -> bytes:
    """What a bare socket gets for those bytes, until the sandbox ends the connection."""
    address = urlsplit(sandbox.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def head(client: httpx2.Client, line: str, *headers: str) -> bytes:
    host = urlsplit(str(client.base_url)).netloc
    fields = [line, f"Host: {host}", f"Authorization: {bearer(client)}", *headers, "", ""]
    return "\r\n".join(fields).encode()


def test_http_1_0_ends_with_its_response(sandbox: RunningSandbox, client: httpx2.Client) -> None:
    got = exchange(sandbox, head(client, f"GET {API}/marketplace/show HTTP/1.0"))
    assert got.startswith(b"HTTP/1.1 200 ")
    headers, _, body = got.partition(b"\r\n\r\n")
    assert b"connection: close" in headers.lower()
    assert json.loads(body)["data"]["type"] == "marketplace"


def test_several_requests_on_one_connection(sandbox: RunningSandbox, client: httpx2.Client) -> None:
    line = f"GET {API}/marketplace/show HTTP/1.1"
    # A trailing question mark, and two requests before the first response.
    got = exchange(
        sandbox,
        head(client, line) + head(client, line.replace("show", "show?")),
        head(client, line, "Connection: close"),
    )
    assert got.count(b"HTTP/1.1 200 ") == 3


def test_a_body_after_100_continue(sandbox: RunningSandbox, client: httpx2.Client) -> None:
    user = client.get("users/query?perPage=1").json()["data"][0]["id"]
    body = json.dumps({"id": user, "bio": "Patient"}).encode()
    asked = head(
        client,
        f"POST {API}/users/update_profile?expand=true HTTP/1.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Expect: 100-continue",
        "Connection: close",
    )
    address = urlsplit(sandbox.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(asked)
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        got = b"".join(iter(lambda: connection.recv(65536), b""))
    assert got.startswith(b"HTTP/1.1 200 ")
    assert b"Patient" in got


def test_a_body_in_chunks(client: httpx2.Client) -> None:
    user = client.get("users/query?perPage=1").json()["data"][0]["id"]
    body = json.dumps({"id": user, "bio": "In parts"}).encode()
    changed = client.post(
        "users/update_profile?expand=true",
        content=iter([body[:7], body[7:]]),
        headers={"Content-Type": "application/json"},
    )
    assert changed.request.headers["Transfer-Encoding"] == "chunked"
    assert changed.json()["data"]["attributes"]["profile"]["bio"] == "In parts"
