"""``sdk.files.upload``: a file registered, sent and waited for in one call, whatever happens."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK, create_async_instance, create_instance
from flex_integration_sdk._uploads import flow
from flex_integration_sdk._wire import repetition
from flex_integration_sdk.errors import (
    CallTimeoutError,
    FileNotReadyError,
    FileVerificationError,
    ForbiddenError,
    ParameterError,
    ServerError,
    SourceChangedError,
    TransportError,
)
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from flex_tokenstore import SessionClosedError
from tests.support.storage_front import Front, storage_front

CONTENT = b"%PDF-" + bytes(range(256)) * 1000
both = pytest.mark.parametrize("kind", ["sync", "async"])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(seed="small", file_verification=0.05)) as running:
        yield running


@pytest.fixture
def front(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    monkeypatch.setattr(repetition, "FIRST", 0.01)
    monkeypatch.setattr(flow, "FIRST_LOOK", 0.02)
    with storage_front(sandbox) as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "terms.pdf"
    found.write_bytes(CONTENT)
    return found


Upload = Callable[..., Any]


@pytest.fixture
def options(front: Front, sandbox: RunningSandbox) -> dict[str, Any]:
    return {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "base_url": front.base_url,
    }


@pytest.fixture
def sdk(options: dict[str, Any]) -> Iterator[IntegrationSDK]:
    with create_instance(**options) as made:
        yield made


@pytest.fixture
def upload(kind: str, options: dict[str, Any]) -> Upload:
    """``sdk.files.upload``, with further options of the instance as ``instance``."""

    def sync(*args: Any, instance: Any = None, **given: Any) -> Any:
        with create_instance(**options, **(instance or {})) as sdk:
            return sdk.files.upload(*args, **given)

    async def main(*args: Any, instance: Any = None, **given: Any) -> Any:
        async with create_async_instance(**options, **(instance or {})) as sdk:
            return await sdk.files.upload(*args, **given)

    return sync if kind == "sync" else lambda *args, **given: asyncio.run(main(*args, **given))


def fetched(sdk: IntegrationSDK, file_id: Any) -> bytes:
    import urllib.request

    download = sdk.file_downloads.create(file_id=file_id, expand=True).data
    with urllib.request.urlopen(download.attributes["url"], timeout=10) as answer:
        found: bytes = answer.read()
    return found


@both
@pytest.mark.parametrize("form", ["path", "open", "bytes"])
def test_a_file_is_uploaded_and_waited_for(
    sdk: IntegrationSDK, upload: Upload, front: Front, path: Path, form: str
) -> None:
    seen: list[tuple[int, int | None]] = []
    with path.open("rb") as file:
        source = {"path": path, "open": file, "bytes": CONTENT}[form]
        name = "a.pdf" if form == "bytes" else None
        response = upload(source, name=name, wait=10, on_progress=lambda *now: seen.append(now))
    attributes = response.data.attributes
    assert (attributes["state"], attributes["size"]) == ("available", len(CONTENT))
    assert (attributes["name"], attributes["mimeType"]) == (name or "terms.pdf", "application/pdf")
    assert fetched(sdk, response.data.id) == CONTENT
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert front.puts == [len(CONTENT)]


def test_from_where_an_open_file_stands(sdk: IntegrationSDK, path: Path) -> None:
    with path.open("rb") as file:
        file.seek(1000)
        response = sdk.files.upload(file, name="rest.bin", mime_type="text/plain", wait=10)
    assert response.data.attributes["mimeType"] == "text/plain"
    assert fetched(sdk, response.data.id) == CONTENT[1000:]


def test_an_async_file(options: dict[str, Any], sdk: IntegrationSDK) -> None:
    class File:
        name = "/tmp/terms.pdf"

        def __init__(self) -> None:
            self._file = io.BytesIO(CONTENT)

        async def read(self, size: int) -> bytes:
            return self._file.read(size)

        async def seek(self, place: int, whence: int = 0) -> int:
            return self._file.seek(place, whence)

        async def tell(self) -> int:
            return self._file.tell()

    async def main() -> Any:
        async with create_async_instance(**options) as other:
            return (await other.files.upload(File(), wait=10)).data

    found = asyncio.run(main())
    assert found.attributes["name"] == "terms.pdf"
    assert fetched(sdk, found.id) == CONTENT
    with pytest.raises(ParameterError, match="create_async_instance"):
        sdk.files.upload(File())  # type: ignore[arg-type]  # the mistake


@both
@pytest.mark.parametrize(
    ("planned", "puts"),
    [
        ([403], 2),  # the signed URL had expired
        ([503], 2),
        (["drop"], 2),
        (["lose"], 2),  # it had arrived: the second one gets 409, and the file is there
        ([500, "drop"], 3),
        ([401, 429], 3),
    ],
)
def test_it_arrives_once_in_spite_of(
    sdk: IntegrationSDK, upload: Upload, front: Front, planned: list[Any], puts: int
) -> None:
    front.planned[:] = planned
    before = sdk.files.query().meta["totalItems"]
    found = upload(io.BytesIO(CONTENT), name="a.pdf", wait=10).data
    assert fetched(sdk, found.id) == CONTENT
    assert front.puts == [len(CONTENT)] * puts
    assert sdk.files.query().meta["totalItems"] == (before or 0) + 1


@both
@pytest.mark.parametrize(
    ("planned", "retries", "kind_of", "puts"),
    [
        ([403, 403], 2, ForbiddenError, 2),
        ([500, 502, 503], 2, ServerError, 3),
        ([501], 2, ServerError, 1),  # it lasts
        (["drop"], 0, TransportError, 1),
        ([500], 0, ServerError, 1),
    ],
)
def test_it_gives_up_after(
    upload: Upload, front: Front, planned: list[Any], retries: int, kind_of: Any, puts: int
) -> None:
    front.planned[:] = planned
    with pytest.raises(kind_of) as error:
        upload(CONTENT, name="a.pdf", instance={"max_retries": retries})
    assert len(front.puts) == puts
    assert "signature" not in str(error.value)


@both
def test_a_file_that_changes_between_two_sendings(upload: Upload, front: Front, path: Path) -> None:
    front.planned[:] = [503]
    with pytest.raises(SourceChangedError, match="source changed"):
        upload(path, on_progress=lambda sent, total: path.write_bytes(b"x") if sent == total else 0)
    assert front.puts == [len(CONTENT)]


@both
def test_a_limit_for_all_of_it(
    upload: Upload, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repetition, "FIRST", 60)
    front.planned[:] = [503]
    began = time.monotonic()
    with pytest.raises(CallTimeoutError, match="total_timeout"):
        upload(CONTENT, name="a.pdf", instance={"total_timeout": 0.5})
    assert time.monotonic() - began < 10


@both
def test_a_file_that_is_not_available_in_time(upload: Upload, front: Front) -> None:
    del front
    with pytest.raises(FileNotReadyError, match="still pendingVerification after 0 s") as error:
        upload(CONTENT, name="a.pdf", wait=0)
    assert error.value.state == "pendingVerification"
    assert error.value.file_id


def test_a_file_that_the_api_does_not_accept(
    sdk: IntegrationSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox accepts each content: the state is changed on its way."""
    send = type(sdk)._send

    def refused(self: Any, name: str, *given: Any) -> Any:
        response = send(self, name, *given)
        if name == "files.query":
            response.body["data"][0]["attributes"]["state"] = "verificationFailed"
        return response

    monkeypatch.setattr(type(sdk), "_send", refused)
    with pytest.raises(FileVerificationError, match="verificationFailed") as error:
        sdk.files.upload(CONTENT, name="a.pdf", wait=10)
    assert error.value.file_id


@pytest.mark.parametrize(
    ("source", "given", "says"),
    [
        (lambda: iter([b"x"]), {"name": "a"}, "the size of source is not known .*TemporaryFile"),
        (lambda: b"", {"name": "a"}, "source is empty"),
        (lambda: b"x", {}, "no file name"),
        (lambda: b"x", {"name": "a\r\n"}, "'name'"),
        (lambda: b"x", {"name": "a", "mime_type": "x"}, "mime_type"),
        (lambda: b"x", {"name": "a", "wait": -1}, "wait must be"),
        (lambda: b"x", {"name": "a", "wait": True}, "wait must be"),
        (lambda: 5, {"name": "a"}, "source must be a path, bytes"),
        (lambda: b"x", {"name": "a", "on_progress": 5}, "on_progress must be"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_sent(
    sdk: IntegrationSDK, sandbox: RunningSandbox, source: Any, given: Any, says: str
) -> None:
    before = sandbox.stats()
    with pytest.raises(ParameterError, match=says):
        sdk.files.upload(source(), **given)
    assert sandbox.stats() == before


def test_closing_the_instance_ends_it(options: dict[str, Any], front: Front) -> None:
    with create_instance(**options) as sdk, pytest.raises(SessionClosedError):
        sdk.files.upload(
            CONTENT, name="a.pdf", on_progress=lambda sent, _: sdk.close() if sent else None
        )
    assert front.puts == []
    with pytest.raises(SessionClosedError):
        sdk.files.upload(CONTENT, name="a.pdf")
