"""The type of an upload, on machines with and without a table of types of their own."""

from __future__ import annotations

import asyncio
import base64
import io
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import async_upload_file, create_instance, file_metadata, upload_file
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._uploads.put import _label
from flex_integration_sdk._wire.media_types import _TYPES, type_of
from flex_integration_sdk._wire.requests import ApiRequest, prepare
from flex_integration_sdk.errors import BadRequestError, ParameterError
from flex_integration_sdk.resources import FileUpload
from flex_integration_sdk.sandbox import RunningSandbox
from tests.support.sent_form import sent_files

PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
EXPECTED = {
    "a.webp": "image/webp",
    "a.heic": "image/heic",
    "a.heif": "image/heif",
    "a.avif": "image/avif",
    "a.JPG": "image/jpeg",
    "a.jpeg": "image/jpeg",
    "a.png": "image/png",
    "a.gif": "image/gif",
    "a.svg": "image/svg+xml",
    "a.b.pdf": "application/pdf",
    "a.docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "a.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "a.csv": "text/csv",
    "a.txt": "text/plain",
    "a.json": "application/json",
    "a.mp4": "video/mp4",
    "a.unknown": "application/octet-stream",
    "pdf": "application/octet-stream",
    "a.": "application/octet-stream",
    "a.tar.gz": "application/octet-stream",
    "": "application/octet-stream",
}


@pytest.fixture(params=["bare", "wrong"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that knows no types, as a slim image; or has others in its registry, as Windows may."""
    known = mimetypes.MimeTypes()
    known.types_map = ({}, {})
    if request.param == "wrong":
        for ending in _TYPES:
            known.add_type("application/x-wrong", f".{ending}")
    monkeypatch.setattr(mimetypes, "guess_type", known.guess_type)


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("name", EXPECTED)
def test_the_type_is_the_same_on_every_machine(name: str) -> None:
    assert type_of(name) == EXPECTED[name]
    if name:
        assert file_metadata(b"x", name=name)["mime_type"] == EXPECTED[name]


def test_other_types_are_those_of_the_machine() -> None:
    mimetypes.add_type("model/x-test", ".flextest")
    assert type_of("a.flextest") == "model/x-test"


def sent(**given: Any) -> tuple[str, bytes, str]:
    return sent_files(prepare("https://x", ENDPOINTS["images.upload"], given, {}).body)["image"]


def test_bytes_of_a_name_that_are_not_unicode_are_question_marks(tmp_path: Path) -> None:
    path = tmp_path / "a\udcff.png"
    try:
        path.write_bytes(b"x")
    except (OSError, UnicodeError):
        pytest.skip("the file system takes Unicode names only")
    assert sent(image=path) == ("a?.png", b"x", "image/png")


def test_an_image_can_have_a_name_and_a_type_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"x")
    forms: list[Callable[[], Any]] = [lambda: b"x", lambda: path, lambda: io.BytesIO(b"x")]
    for image in forms:
        assert sent(image=image(), name="b.webp") == ("b.webp", b"x", "image/webp")
        assert sent(image=image(), name="b", mimeType="image/heic") == ("b", b"x", "image/heic")
        assert sent(image=image(), mimeType="image/heic")[2] == "image/heic"
    assert sent(image=path) == ("a.png", b"x", "image/png")
    assert sent(image=b"x") == ("image", b"x", "application/octet-stream")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "a\r\nX: y"}, "'name'"),
        ({"name": ""}, "'name'"),
        ({"name": 5}, "'name' must be a string, got int"),
        ({"mimeType": "webp"}, "image/webp.*'webp'"),
        ({"mimeType": "image/webp\r\nX: y"}, "mime_type"),
        ({"mimeType": 5}, "got int"),
    ],
)
def test_a_name_or_type_that_a_header_cannot_carry(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        sent(image=b"x", **given)


def test_upload_calls_take_them(flex_sandbox: RunningSandbox) -> None:
    with create_instance(
        flex_sandbox.client_id, flex_sandbox.client_secret, base_url=flex_sandbox.base_url
    ) as sdk:
        assert sdk.images.upload(image=PICTURE, name="a.gif", mime_type="image/gif").data.id

        def upload() -> FileUpload:
            made = sdk.files.create(**file_metadata(b"x", name="a", mime_type="text/plain")).data
            return sdk.file_uploads.create(file_id=made.id, expand=True).data

        upload_file(upload(), b"x", name="a.txt", mime_type="text/plain")
        asyncio.run(async_upload_file(upload(), b"x", name="a.txt", mime_type="TEXT/plain"))
        with pytest.raises(ParameterError, match="made for another type"):
            upload_file(upload(), b"x", mime_type="image/png")
        with pytest.raises(ParameterError, match="made for another type"):
            asyncio.run(async_upload_file(upload(), b"x", mime_type="image/png"))
        with pytest.raises(BadRequestError):
            upload_file(upload(), b"other bytes", mime_type="text/plain")


@pytest.mark.parametrize(
    ("headers", "given", "expected"),
    [
        ({}, (None, None), None),
        ({}, ("a.webp", None), "image/webp"),
        ({}, ("a.webp", "image/x"), "image/x"),
        ({"content-type": "image/png"}, ("a.webp", None), "image/png"),
    ],
)
def test_the_type_that_a_signed_url_asks_for_stays(
    headers: dict[str, str], given: tuple[str | None, str | None], expected: str | None
) -> None:
    request = ApiRequest("PUT", "https://x", dict(headers))
    _label(request, *given)
    assert list(request.headers.values()) == ([] if expected is None else [expected])
