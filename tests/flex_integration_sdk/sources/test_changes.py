"""A file that changes while it is uploaded is not sent as a mixture; progress and its errors."""

from __future__ import annotations

import asyncio
import io
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK, create_async_instance, create_instance
from flex_integration_sdk.errors import ParameterError, SourceChangedError
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

from .test_sources import CONTENT, GIF


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(seed="small")) as running:
        yield running


@pytest.fixture
def sdk(sandbox: RunningSandbox) -> Iterator[IntegrationSDK]:
    with create_instance(
        sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url
    ) as made:
        made.marketplace.show()
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "bike.gif"
    found.write_bytes(CONTENT)
    return found


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def shrink(path: Path) -> None:
    os.truncate(path, len(CONTENT) - 1000)


def rewrite(path: Path) -> None:
    """Other content of the same size, in place."""
    os.utime(path, ns=(1, 1))
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"other")


def replace(path: Path) -> None:
    """Another file of the same size and time takes its place."""
    other = path.with_suffix(".new")
    other.write_bytes(CONTENT)
    found = path.stat()
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    os.replace(other, path)


def once(at: int, change: Callable[[], None]) -> Callable[[int, int | None], None]:
    """Makes the change when so many bytes were sent."""
    done: list[int] = []

    def report(sent: int, _: int | None) -> None:
        if sent >= at and not done:
            done.append(sent)
            change()

    return report


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("change", [grow, shrink, rewrite])
def test_a_change_during_a_sending(
    sdk: IntegrationSDK, path: Path, change: Callable[[Path], None], opened: bool
) -> None:
    report = once(1, lambda: change(path))
    with path.open("rb") as file, pytest.raises(SourceChangedError, match="image changed while"):
        sdk.images.upload(image=file if opened else path, on_progress=report)
    assert sdk.images.upload(image=GIF).data.id  # the connection is not used again


@pytest.mark.parametrize("change", [grow, shrink, rewrite, replace, Path.unlink])
def test_a_change_between_two_sendings(
    sdk: IntegrationSDK, sandbox: RunningSandbox, path: Path, change: Callable[[Path], None]
) -> None:
    sandbox.expire()
    # Of the last piece it is told when the next request for one comes: the file was whole then.
    report = once(len(CONTENT), lambda: change(path))
    expected = FileNotFoundError if change is Path.unlink else SourceChangedError
    with pytest.raises(expected):
        sdk.images.upload(image=path, on_progress=report)
    assert sdk.images.upload(image=GIF).data.id


def test_a_list_that_changes_in_an_asyncio_program(sandbox: RunningSandbox) -> None:
    pieces = [CONTENT, b"end"]

    async def main() -> None:
        async with create_async_instance(
            sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url
        ) as sdk:
            with pytest.raises(SourceChangedError, match="bytes of"):
                await sdk.images.upload(image=pieces, on_progress=once(1, pieces.clear))

    asyncio.run(main())


class Stopped(Exception):
    pass


def stop(sent: int, _: int | None) -> None:
    if sent:
        raise Stopped


@pytest.mark.parametrize("form", ["sync", "async"])
def test_an_error_of_the_callback_passes_out(sandbox: RunningSandbox, form: str) -> None:
    account: Any = (sandbox.client_id, sandbox.client_secret)

    async def main() -> None:
        async with create_async_instance(*account, base_url=sandbox.base_url) as sdk:
            await sdk.images.upload(image=CONTENT, on_progress=stop)

    def upload() -> None:
        with create_instance(*account, base_url=sandbox.base_url) as sdk:
            sdk.images.upload(image=CONTENT, on_progress=stop)

    with pytest.raises(Stopped) as error:
        asyncio.run(main()) if form == "async" else upload()
    frames = [
        frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(error.value.__traceback__)
    ]
    # No frame of the HTTP library, which has the token in it, and the callback's own.
    assert not [name for name in frames if name.startswith(("httpx2", "httpcore2", "h11"))]
    assert frames[-1] == __name__
    assert error.value.__cause__ is None


class Broken(io.RawIOBase):
    """Fails in the middle."""

    def __init__(self) -> None:
        self._reads = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        self._reads += 1
        if self._reads > 3:
            raise OSError(5, "the disk is gone")
        return bytes(size or 0)


def test_an_error_of_the_file_passes_out(sdk: IntegrationSDK) -> None:
    with pytest.raises(OSError, match="the disk is gone") as error:
        sdk.images.upload(image=Broken())
    assert type(error.value) is OSError


async def a_coroutine(sent: int, total: int | None) -> None:
    del sent, total


class Awaited:
    async def __call__(self, sent: int, total: int | None) -> None:
        del sent, total


@pytest.mark.parametrize(
    ("callback", "says"),
    [
        (a_coroutine, "a coroutine function"),
        (Awaited(), "a coroutine function"),
        (5, "int"),
    ],
)
def test_a_callback_that_cannot_be_called(sdk: IntegrationSDK, callback: Any, says: str) -> None:
    with pytest.raises(ParameterError, match=f"on_progress must be a plain function.*{says}"):
        sdk.images.upload(image=GIF, on_progress=callback)
