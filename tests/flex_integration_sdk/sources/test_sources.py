"""What can be uploaded, in every form, is sent whole, and again after a 401."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import threading
import urllib.request
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK, create_async_instance, create_instance
from flex_integration_sdk._sources import part
from flex_integration_sdk.errors import ParameterError, ServerError, SourceConsumedError
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

GIF = bytes.fromhex("474946383961010001008000000000000000002c00000000010001000002024401003b")
# More than two pieces, and no whole number of them.
CONTENT = GIF + bytes(range(256)) * 600


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(seed="small")) as running:
        yield running


@pytest.fixture
def sdk(sandbox: RunningSandbox) -> Iterator[IntegrationSDK]:
    with create_instance(
        sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url
    ) as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "bike.gif"
    found.write_bytes(CONTENT)
    return found


def parts(size: int = 50_000) -> Iterator[bytes]:
    yield b""  # which is not the end
    for start in range(0, len(CONTENT), size):
        yield CONTENT[start : start + size]


class Reads:
    """A stream of a library's own: it has nothing but ``read``."""

    def __init__(self) -> None:
        self._file = io.BytesIO(CONTENT)

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, 1000))


class AsyncReads:
    """As files of anyio and aiofiles are, without a way back."""

    def __init__(self) -> None:
        self._file = io.BytesIO(CONTENT)

    async def read(self, size: int) -> bytes:
        return self._file.read(size)


class AsyncFile(AsyncReads):
    """With it."""

    async def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    async def tell(self) -> int:
        return self._file.tell()


async def async_parts() -> AsyncIterator[bytes]:
    for each in parts():
        yield each


def pipe() -> io.BufferedReader:
    reads, writes = os.pipe()

    def feed() -> None:
        with os.fdopen(writes, "wb") as file:
            file.write(CONTENT)

    threading.Thread(target=feed).start()
    return os.fdopen(reads, "rb")


def open_behind(path: Path) -> io.BufferedReader:
    """Open at a place that is not its beginning."""
    path.write_bytes(b"before" + CONTENT)
    file = path.open("rb")
    file.seek(6)
    return file


def zipped(path: Path) -> Any:
    with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bike.gif", CONTENT)
    return zipfile.ZipFile(path.with_suffix(".zip")).open("bike.gif")


def compressed(path: Path) -> gzip.GzipFile:
    with gzip.open(path.with_suffix(".gz"), "wb") as file:
        file.write(CONTENT)
    return gzip.GzipFile(path.with_suffix(".gz"))


def fifo(path: Path) -> str:
    """The path of a named pipe."""
    found = path.with_suffix(".fifo")
    os.mkfifo(found)
    threading.Thread(target=found.write_bytes, args=(CONTENT,)).start()
    return str(found)


FORMS: dict[str, Callable[[Path], Any]] = {
    "path": lambda path: path,
    "text": str,
    "bytes": lambda _: CONTENT,
    "bytearray": lambda _: bytearray(CONTENT),
    "memoryview": lambda _: memoryview(CONTENT),
    "gaps": lambda _: memoryview(b"".join(bytes([each, 0]) for each in CONTENT))[::2],
    "file": lambda path: path.open("rb"),
    "behind": open_behind,
    "unbuffered": lambda path: path.open("rb", buffering=0),
    "BytesIO": lambda _: io.BytesIO(CONTENT),
    "zip": zipped,
    "gzip": compressed,
    "pipe": lambda _: pipe(),
    "fifo": fifo,
    "read": lambda _: Reads(),
    "generator": lambda _: parts(),
    "list": lambda _: list(parts()),
}
ASYNC: dict[str, Callable[[Path], Any]] = {
    "async generator": lambda _: async_parts(),
    "async read": lambda _: AsyncReads(),
    "async file": lambda _: AsyncFile(),
}
sync_forms = pytest.mark.parametrize(
    "form",
    [
        pytest.param(
            form,
            marks=pytest.mark.skipif(
                form == "fifo" and not hasattr(os, "mkfifo"), reason="no named pipes here"
            ),
        )
        for form in FORMS
    ],
)


def fetched(image: Any) -> bytes:
    with urllib.request.urlopen(image["attributes"]["variants"]["default"]["url"]) as answer:
        found: bytes = answer.read()
    return found


def close(source: Any) -> None:
    if hasattr(source, "close"):
        source.close()


@sync_forms
def test_it_arrives_once_though_the_token_has_expired(
    sdk: IntegrationSDK, sandbox: RunningSandbox, path: Path, form: str
) -> None:
    sdk.marketplace.show()
    sandbox.expire()
    source, seen = FORMS[form](path), list[tuple[int, int | None]]()
    image = sdk.images.upload(image=source, on_progress=lambda *now: seen.append(now), expand=True)
    assert fetched(image.data) == CONTENT
    # Sent twice, each time from the beginning to the end.
    counts = [count for count, _ in seen]
    assert counts.count(0) == counts.count(len(CONTENT)) == 2
    half = seen[: len(seen) // 2]
    assert half == seen[len(seen) // 2 :] == sorted(half)
    assert {total for _, total in seen} <= {None, len(CONTENT)}
    # What the program has opened stays open.
    assert not getattr(source, "closed", False)
    close(source)


@pytest.mark.parametrize("form", [*ASYNC, "path", "BytesIO", "pipe", "generator"])
def test_it_arrives_once_from_an_asyncio_program(
    sandbox: RunningSandbox, path: Path, form: str
) -> None:
    source = {**FORMS, **ASYNC}[form](path)

    async def main() -> Any:
        async with create_async_instance(
            sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url
        ) as sdk:
            await sdk.marketplace.show()
            sandbox.expire()
            return (await sdk.images.upload(image=source, expand=True)).data

    assert fetched(asyncio.run(main())) == CONTENT
    close(source)


@pytest.mark.parametrize("form", ["generator", "pipe", "read"])
def test_a_stream_that_is_too_long_to_be_kept_is_not_sent_again(
    sdk: IntegrationSDK,
    sandbox: RunningSandbox,
    path: Path,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(part, "KEEP", len(CONTENT) - 1)
    sdk.marketplace.show()
    sandbox.expire()
    source = FORMS[form](path)
    with pytest.raises(SourceConsumedError) as error:
        sdk.images.upload(image=source)
    close(source)
    said = str(error.value)
    assert said.startswith("image was not uploaded: the API refused the token, which had expired")
    assert "cannot be read a second time" in said
    assert "Pass a path, bytes or a file" in said
    # There is a new token now: the same call with a new stream is not refused.
    before = sandbox.stats()["refresh_token"]
    with_new = FORMS[form](path)
    assert fetched(sdk.images.upload(image=with_new, expand=True).data) == CONTENT
    close(with_new)
    assert sandbox.stats()["refresh_token"] == before


def test_a_stream_of_an_asyncio_program_that_is_too_long(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "KEEP", 1000)

    async def main() -> None:
        async with create_async_instance(
            sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url
        ) as sdk:
            await sdk.marketplace.show()
            sandbox.expire()
            with pytest.raises(SourceConsumedError, match="HTTP 401"):
                await sdk.images.upload(image=async_parts())

    asyncio.run(main())


@pytest.mark.parametrize("form", ["path", "generator"])
def test_it_is_repeated_after_an_error_of_the_server(
    sdk: IntegrationSDK, sandbox: RunningSandbox, path: Path, form: str
) -> None:
    sandbox.fault(status=503, path="images/upload", headers={"Retry-After": "0"})
    image = sdk.images.upload(image=FORMS[form](path), expand=True).data
    assert fetched(image) == CONTENT


def test_a_long_stream_is_not_repeated_after_an_error_of_the_server(
    sdk: IntegrationSDK, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "KEEP", 1000)
    sandbox.fault(status=503, path="images/upload")
    with pytest.raises(ServerError, match="not repeated, since the stream"):
        sdk.images.upload(image=parts())


def closed_file() -> io.BytesIO:
    found = io.BytesIO(CONTENT)
    found.close()
    return found


class NotBlocking:
    def read(self, size: int) -> None:
        return None


class OwnTextFile:
    """One of a program, or of a library, which is none of Python's."""

    def __init__(self) -> None:
        self._place = 0

    def read(self, size: int) -> str:
        return "secret"[self._place : self._place + size]

    def seek(self, place: int, whence: int = 0) -> int:
        self._place = place if whence == 0 else len("secret")
        return self._place

    def tell(self) -> int:
        return self._place


WRONG: dict[str, tuple[Callable[[Path], Any], type[Exception], str]] = {
    "text file": (lambda path: path.open(encoding="latin-1"), ParameterError, "text mode"),
    "text file of its own": (lambda _: OwnTextFile(), ParameterError, "returned a string"),
    "StringIO": (lambda _: io.StringIO("secret content"), ParameterError, "BytesIO"),
    "content": (lambda _: "GIF89a\nsecret content", ParameterError, "pass it as bytes"),
    "long content": (lambda _: "secret" * 100, ParameterError, "pass it as bytes"),
    "data URL": (lambda _: "data:image/gif;secret", ParameterError, "pass it as bytes"),
    "null byte": (lambda _: "secret\0", ParameterError, "pass it as bytes"),
    "URL": (lambda _: "https://x.example/secret", ParameterError, "is an address"),
    "folder": (lambda path: path.parent, OSError, "."),
    "absent": (lambda path: path.parent / "absent.gif", FileNotFoundError, "absent.gif"),
    "empty": (lambda _: b"", ParameterError, "image is empty"),
    "at its end": (lambda path: at_end(path), ParameterError, r"seek\(0\)"),
    "empty generator": (lambda _: iter([b"", b""]), ParameterError, "image is empty"),
    "closed": (lambda _: closed_file(), ParameterError, "closed file"),
    "for writing": (lambda path: path.open("ab"), ParameterError, "not opened for reading"),
    "strings": (lambda _: iter(["secret"]), ParameterError, "returned a string"),
    "numbers": (lambda _: [1, 2], ParameterError, "type int, not bytes"),
    "mapping": (lambda _: {b"secret": 1}, ParameterError, "got dict"),
    "class": (lambda _: io.BytesIO, ParameterError, "got type"),
    "None": (lambda _: None, ParameterError, "got NoneType"),
    "non-blocking": (lambda _: NotBlocking(), BlockingIOError, "non-blocking mode"),
    "async": (lambda _: AsyncReads(), ParameterError, "create_async_instance"),
}


def at_end(path: Path) -> io.BytesIO:
    del path
    found = io.BytesIO()
    found.write(CONTENT)
    return found


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_uploaded_is_told_before_anything_is_sent(
    sdk: IntegrationSDK, sandbox: RunningSandbox, path: Path, name: str
) -> None:
    make, kind, says = WRONG[name]
    source, before = make(path), sandbox.stats()
    with pytest.raises(kind, match=says) as error:
        sdk.images.upload(image=source)
    assert "secret" not in str(error.value)
    assert sandbox.stats() == before
    if hasattr(source, "close") and not isinstance(source, type):
        source.close()


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read each file"
)
def test_a_file_that_may_not_be_read(sdk: IntegrationSDK, path: Path) -> None:
    path.chmod(0)
    with pytest.raises(PermissionError):
        sdk.images.upload(image=path)


def test_a_bytearray_can_change_its_size_after_the_call(sdk: IntegrationSDK) -> None:
    data = bytearray(CONTENT)
    sdk.images.upload(image=data)
    data.clear()
