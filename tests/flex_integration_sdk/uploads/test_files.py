"""A file's bytes: registered, sent to the signed URL, fetched again."""

from __future__ import annotations

import asyncio
import io
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import (
    IntegrationSDK,
    async_upload_file,
    create_async_instance,
    create_instance,
    file_metadata,
    upload_file,
)
from flex_integration_sdk.errors import (
    BadRequestError,
    ForbiddenError,
    NestedCallError,
    TransportError,
)
from flex_integration_sdk.sandbox import RunningSandbox
from tests.support.since import wait_until
from tests.support.slow_servers import Line, SlowServer, listening

CONTENT = b"%PDF-" + bytes(range(256)) * 12_000  # more than two pieces


@pytest.fixture
def sdk(flex_sandbox: RunningSandbox) -> Iterator[IntegrationSDK]:
    with create_instance(
        flex_sandbox.client_id, flex_sandbox.client_secret, base_url=flex_sandbox.base_url
    ) as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "terms.pdf"
    found.write_bytes(CONTENT)
    return found


def fetched(sdk: IntegrationSDK, file_id: Any) -> bytes:
    wait_until(lambda: sdk.files.query(ids=[file_id]).data[0].attributes["state"] == "available")
    download = sdk.file_downloads.create(file_id=file_id, expand=True).data
    with urllib.request.urlopen(download.attributes["url"], timeout=10) as answer:
        found: bytes = answer.read()
    return found


def test_metadata(path: Path) -> None:
    expected = {"name": "terms.pdf", "mime_type": "application/pdf", "size": len(CONTENT)}
    assert file_metadata(path) == file_metadata(str(path)) == expected
    with path.open("rb") as stream:
        stream.seek(5)
        assert file_metadata(stream) == {**expected, "size": len(CONTENT) - 5}
        assert stream.tell() == 5
    assert file_metadata(b"abc", name="a.unknown") == {
        "name": "a.unknown",
        "mime_type": "application/octet-stream",
        "size": 3,
    }
    assert file_metadata(path, name="x", mime_type="text/plain")["mime_type"] == "text/plain"
    with pytest.raises(ValueError, match="name="):
        file_metadata(b"abc")
    with pytest.raises(FileNotFoundError):
        file_metadata(path.parent / "absent")


@pytest.mark.parametrize("form", ["path", "text", "bytes", "open"])
def test_bytes_arrive(sdk: IntegrationSDK, path: Path, form: str) -> None:
    file: Any = {
        "path": path, "text": str(path), "bytes": CONTENT, "open": io.BytesIO(CONTENT)
    }[form]  # fmt: skip
    made = sdk.files.create(**file_metadata(path)).data
    upload_file(sdk.file_uploads.create(file_id=made.id, expand=True).data, file)
    assert fetched(sdk, made.id) == CONTENT


def test_bytes_arrive_from_an_asyncio_program(sdk: IntegrationSDK, path: Path) -> None:
    async def main() -> Any:
        async with create_async_instance(
            sdk.settings.client_id, "unused", base_url=sdk.settings.base_url
        ) as other:
            del other  # the URL is all that is needed
            made = sdk.files.create(**file_metadata(path)).data
            upload = sdk.file_uploads.create(file_id=made.id, expand=True).data
            await async_upload_file(upload, path)
            again = sdk.files.create(**file_metadata(path)).data
            upload = sdk.file_uploads.create(file_id=again.id, expand=True).data
            # Other bytes than were registered.
            with pytest.raises(BadRequestError, match="said is in the attribute body") as refused:
                await async_upload_file(upload, b"short")
            assert "The file must have" in refused.value.body
            return made.id

    assert fetched(sdk, asyncio.run(main())) == CONTENT


def test_what_goes_wrong_is_told_without_the_signature(sdk: IntegrationSDK, path: Path) -> None:
    made = sdk.files.create(**file_metadata(path)).data
    with pytest.raises(ValueError, match="expand=True"):
        upload_file(sdk.file_uploads.create(file_id=made.id).data, path)
    upload = sdk.file_uploads.create(file_id=made.id, expand=True).data
    url = upload["attributes"]["url"]
    upload["attributes"]["url"] = url + "0"
    with pytest.raises(ForbiddenError, match="make another") as refused:
        upload_file(upload, path)
    upload["attributes"]["url"] = "http://127.0.0.1:9/x?signature=s3cret"
    with pytest.raises(TransportError, match=r"127\.0\.0\.1:9") as failed:
        upload_file(upload, path)
    for error in (refused.value, failed.value):
        assert "signature" not in str(error)


def hasty(_: SlowServer, line: Line) -> None:
    """Responds after the head, and closes: as a proxy may that wants the user to sign in."""
    line.connection.recv(65536)
    line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_success_before_the_end_of_the_file_is_none(kind: str) -> None:
    def send(upload: Any, file: bytes) -> None:
        if kind == "sync":
            upload_file(upload, file)
        else:
            asyncio.run(async_upload_file(upload, file))

    with listening(hasty) as server:
        upload = {"attributes": {"url": f"{server.base_url}/a?sig=1", "method": "PUT"}}
        with pytest.raises(TransportError) as caught:
            send(upload, bytes(32 << 20))
    assert caught.value.sent


def test_a_progress_callback_that_makes_a_call_is_told_so(sdk: IntegrationSDK) -> None:
    with pytest.raises(NestedCallError, match="called from on_progress"):
        sdk.images.upload(image=b"GIF89a", on_progress=lambda *_: sdk.marketplace.show())
