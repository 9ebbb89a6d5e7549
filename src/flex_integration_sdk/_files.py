"""A file's own bytes, which go to a signed URL and not to the API."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypedDict
from urllib.parse import urlsplit

from flex_tokenstore.errors import without_frames

from ._arguments import Upload
from ._http import USER_AGENT, failed
from ._requests import type_of
from .config import is_loopback
from .errors import class_for
from .resources import FileUpload

_CHUNK = 1 << 20  # bytes


class FileMetadata(TypedDict):
    """What ``files.create`` takes."""

    name: str
    mime_type: str
    size: int


def file_metadata(
    file: Upload, *, name: str | None = None, mime_type: str | None = None
) -> FileMetadata:
    """The arguments of ``files.create`` for a file: ``sdk.files.create(**file_metadata(path))``.

    Args:
        file: Its path, its bytes, or the file opened for reading bytes.
        name: Its name for others; else that of the path.
        mime_type: Such as ``"application/pdf"``; else by the name's ending.

    Raises:
        OSError: The file cannot be read.
        ValueError: It has no name: bytes have none.
        TypeError: ``file`` is none of these.
    """
    with _opened(file) as stream:
        size = _size(stream)
        source = file if isinstance(file, (str, os.PathLike)) else getattr(stream, "name", None)
    if name is None and isinstance(source, (str, os.PathLike)):
        name = Path(source).name
    if not name:
        raise ValueError("bytes have no name: give one, file_metadata(…, name=…)")
    return {"name": name, "mime_type": mime_type or type_of(name), "size": size}


def upload_file(upload: FileUpload, file: Upload, *, timeout: float = 30.0) -> None:
    """Sends a file's bytes to the signed URL that ``file_uploads.create`` gave.

    The URL lives for minutes, and nobody's token goes there.

    Args:
        upload: Answer of ``file_uploads.create(file_id=…, expand=True)``.
        file: Its path, its bytes, or the file opened for reading bytes; read in pieces.
        timeout: Seconds that the server may be silent.

    Raises:
        ApiError: The server refused; a subclass by status.
        OSError: The file cannot be read; ``TransportError`` if no answer came.
        ValueError: ``upload`` was not expanded.
    """
    import httpx2

    method, url, headers = _target(upload)
    with _opened(file) as stream:
        headers["Content-Length"] = str(_size(stream))
        pieces = iter(lambda: stream.read(_CHUNK), b"")
        try:
            with httpx2.Client(timeout=timeout, trust_env=not is_loopback(url)) as client:
                response = client.request(method, url, headers=headers, content=pieces)
        except httpx2.RequestError as error:
            raise failed(url, error) from without_frames(error)
    _check(response, method, url)


async def async_upload_file(
    upload: FileUpload,
    file: Upload,
    *,
    timeout: float = 30.0,  # noqa: ASYNC109 - of silence, not of the whole
) -> None:
    """As :func:`upload_file`, for asyncio programs; the file is read in a thread."""
    import asyncio

    import httpx2

    method, url, headers = _target(upload)

    async def pieces(stream: IO[bytes]) -> AsyncIterator[bytes]:
        while piece := await asyncio.to_thread(stream.read, _CHUNK):
            yield piece

    with _opened(file) as stream:
        headers["Content-Length"] = str(_size(stream))
        try:
            async with httpx2.AsyncClient(
                timeout=timeout, trust_env=not is_loopback(url)
            ) as client:
                response = await client.request(
                    method, url, headers=headers, content=pieces(stream)
                )
        except httpx2.RequestError as error:
            raise failed(url, error) from without_frames(error)
    _check(response, method, url)


def _target(upload: Mapping[str, Any]) -> tuple[str, str, dict[str, str]]:
    attributes = upload.get("attributes") or {}
    if not attributes.get("url"):
        raise ValueError("this upload has no URL: file_uploads.create needs expand=True")
    headers = {"User-Agent": USER_AGENT, **(attributes.get("headers") or {})}
    return attributes.get("method") or "PUT", attributes["url"], headers


@contextmanager
def _opened(file: Upload) -> Iterator[IO[bytes]]:
    """The file for reading; one that was given open stays open."""
    if isinstance(file, (bytes, bytearray)):
        yield io.BytesIO(file)
    elif isinstance(file, (str, os.PathLike)):
        with Path(file).open("rb") as stream:
            yield stream
    elif hasattr(file, "read") and hasattr(file, "seek"):
        yield file
    else:
        raise TypeError(
            "a file is its path, its bytes, or the file opened for reading bytes, got "
            f"{type(file).__name__}"
        )


def _size(stream: IO[bytes]) -> int:
    """Bytes from where it is."""
    start = stream.tell()
    size = stream.seek(0, os.SEEK_END) - start
    stream.seek(start)
    return size


def _check(response: Any, method: str, url: str) -> None:
    if response.is_success:
        return
    # Without the query, which is the signature.
    host = urlsplit(url).netloc
    status = response.status_code
    message = f"{method} to {host} failed: HTTP {status}"
    if status in (401, 403):
        message += "; the signed URL may have expired: make another with file_uploads.create"
    raise class_for(status)(
        message, status=status, body=response.text, method=method, path=urlsplit(url).path
    )
