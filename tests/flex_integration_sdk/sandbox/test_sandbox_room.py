"""What a sandbox is sent, and what its disk refuses, is no reason for an answer of 500."""

from __future__ import annotations

import http.client
import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from flex_integration_sdk import create_instance
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk.errors import ServerError
from flex_integration_sdk.sandbox import (
    RunningSandbox,
    SandboxFileError,
    SandboxSettings,
    serve,
)

SETTINGS = SandboxSettings(client_id="c", client_secret="s")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SIGN_IN = "grant_type=client_credentials&client_id=c&client_secret=s&scope=integ"
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with serve(SETTINGS) as running:
        yield running


def post(sandbox: RunningSandbox, path: str, body: bytes | str, **headers: str) -> Any:
    """Status and body of the answer."""
    content = body.encode() if isinstance(body, str) else body
    address = urlsplit(sandbox.base_url).netloc
    with closing(http.client.HTTPConnection(address, timeout=10)) as connection:
        connection.request("POST", path, content, headers)
        response = connection.getresponse()
        return response.status, response.read()


def signed(sandbox: RunningSandbox) -> dict[str, str]:
    """The header of a client that has signed in."""
    token = json.loads(post(sandbox, "/v1/auth/token", SIGN_IN, **FORM)[1])
    return {"Authorization": f"Bearer {token['access_token']}"}


# What is nested.


def nested(depth: int) -> dict[str, bytes]:
    return {
        "arrays": b"[" * depth + b"]" * depth,
        "objects": b'{"a":' * depth + b"1" + b"}" * depth,
    }


@pytest.mark.parametrize("shape", ["arrays", "objects"])
@pytest.mark.parametrize("depth", [150, 1_000, 100_000])
def test_what_is_nested_too_deep_is_400(sandbox: RunningSandbox, depth: int, shape: str) -> None:
    body = nested(depth)[shape]
    assert post(sandbox, "/_sandbox/faults", body)[0] == 400
    bearer = signed(sandbox)
    for kind in ("application/json", "application/transit+json"):
        for value in (body, b'{"id":"x","publicData":' + body + b"}"):
            given = {"Content-Type": kind, **bearer}
            answer = post(sandbox, "/v1/integration_api/listings/update", value, **given)
            assert answer[0] == 400, kind


@pytest.mark.parametrize("value", ['"\\ud800"', "1e999", "NaN", "1" + "0" * 5000, '"\\u0000"'])
def test_odd_values_are_no_fault_of_the_server(sandbox: RunningSandbox, value: str) -> None:
    headers = {**signed(sandbox), "Content-Type": "application/json"}
    listing = "00000003-0000-4000-8000-000000000001"
    for endpoint in (each for each in ENDPOINTS.values() if each.method == "POST"):
        for param in endpoint.params:
            body = f'{{"id": "{listing}", "{param.name}": {value}}}'
            path = f"/v1/integration_api/{endpoint.path}"
            answer = post(sandbox, path, body, **headers)
            assert answer[0] < 500, (endpoint.name, param.name)


# The file.


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
@pytest.mark.parametrize("old", [None, 0o644])
def test_the_file_is_private(tmp_path: Path, old: int | None) -> None:
    path = tmp_path / "sandbox.sqlite"
    before = os.umask(0)
    try:
        if old is not None:
            with serve(SandboxSettings(db=str(path))):
                pass
            with closing(sqlite3.connect(path)) as db:
                db.execute("PRAGMA journal_mode = wal")
            path.chmod(old)
            for end in ("-wal", "-shm"):
                path.with_name(path.name + end).write_bytes(b"")
                path.with_name(path.name + end).chmod(old)
        with serve(SandboxSettings(client_id="c", client_secret="s", db=str(path))) as running:
            assert post(running, "/v1/auth/token", SIGN_IN, **FORM)[0] == 200
            modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}, modes


def test_a_full_disk_is_told_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SandboxSettings(db=str(tmp_path / "sandbox.sqlite"))
    limit_pages(monkeypatch, 8)
    with pytest.raises(SandboxFileError, match="full"):
        serve(settings).__enter__()


def test_a_full_disk_is_told_while_it_runs_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sandbox.sqlite"
    settings = SandboxSettings(client_id="c", client_secret="s", db=str(path))
    with serve(settings):
        pass
    limit_pages(monkeypatch, 1)  # SQLite takes the present size for the least limit
    with (
        serve(settings) as running,
        create_instance("c", "s", base_url=running.base_url) as sdk,
    ):
        listing = "00000003-0000-4000-8000-000000000001"

        def fill() -> None:
            for number in range(500):
                data = {"text": str(number) * 2000}
                sdk.listings.update(id=listing, public_data=data)
                sdk.images.upload(image=GIF + bytes(100_000))

        with pytest.raises(ServerError, match="507") as caught:
            fill()
        assert "full" in str(caught.value.errors)
        assert sdk.listings.show(id=listing).status == 200  # reading goes on
    assert "--db" in capfd.readouterr().err


def limit_pages(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    """Databases that are opened from now on meet a full disk (SQLITE_FULL) at that size."""
    connect = sqlite3.connect

    def limited(*arguments: Any, **options: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = connect(*arguments, **options)
        made.execute(f"PRAGMA max_page_count = {pages}")
        return made

    monkeypatch.setattr(sqlite3, "connect", limited)
