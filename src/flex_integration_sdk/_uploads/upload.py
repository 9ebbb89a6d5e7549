"""A file's own bytes, which go to a signed URL and not to the API."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypedDict
from urllib.parse import urlsplit

from flex_integration_sdk._endpoints.param_types import Upload
from flex_integration_sdk._transport.sync import Http
from flex_integration_sdk._values.exact import exact
from flex_integration_sdk._values.shown import host_of
from flex_integration_sdk._wire.media_types import type_of
from flex_integration_sdk._wire.redirects import REDIRECTS, target
from flex_integration_sdk._wire.requests import ApiRequest, checked_label
from flex_integration_sdk.errors import ParameterError, TransportError, class_for
from flex_integration_sdk.resources import FileUpload
from flex_tokenstore import Secret
from flex_tokenstore.embedding import running_loop

from .target import upload_request

if TYPE_CHECKING:
    from flex_integration_sdk._transport.exchange import ApiAnswer

_CHUNK = 1 << 20  # bytes


class FileMetadata(TypedDict):
    """The arguments of ``files.create``: the file's name, its MIME type and its size in bytes."""

    name: str
    mime_type: str
    size: int


def file_metadata(
    file: Upload, *, name: str | None = None, mime_type: str | None = None
) -> FileMetadata:
    """The arguments of ``files.create`` for a file: ``sdk.files.create(**file_metadata(path))``.

    Args:
        file: The file's path, its bytes, or the file opened for reading bytes.
        name: The file's name for others. If omitted: the name in the path.
        mime_type: Such as ``"application/pdf"``. If omitted: the type for the name's ending.

    Raises:
        OSError: The file cannot be read.
        ValueError: ``file`` is bytes, and ``name`` is omitted.
        TypeError: ``file`` has another type, or ``name`` or ``mime_type`` is not a string.
    """
    name, mime_type = checked_label("name", name), checked_label("mimeType", mime_type)
    with _opened(file) as stream:
        size = _size(stream)
        source = file if isinstance(file, os.PathLike) else getattr(stream, "name", None)
    if name is None and isinstance(source, (str, os.PathLike)):
        name = Path(source).name
    if not name:
        raise ValueError("bytes have no file name: pass one, file_metadata(…, name=…)")
    return {"name": name, "mime_type": mime_type or type_of(name), "size": size}


def upload_file(
    upload: FileUpload,
    file: Upload,
    *,
    name: str | None = None,
    mime_type: str | None = None,
    timeout: float = 30.0,
) -> None:
    """Sends a file's bytes to the signed URL from ``file_uploads.create``.

    The URL works for minutes. The request carries no token. The file is read in pieces of 1 MiB.

    The API checks the file afterwards: its ``state`` is ``pendingVerification`` before it is
    ``available``. To download it, ask ``files.query`` until it is.

    Args:
        upload: Response data of ``file_uploads.create(file_id=…, expand=True)``.
        file: The file's path, its bytes, or the file opened for reading bytes.
        name: A file name. If the API asked for no type, the name's ending decides which type is
            sent.
        mime_type: That type itself, such as ``"application/pdf"``. Others see the name and the type
            that you gave to ``files.create``, not these.
        timeout: Seconds that the server may take for each further 64 KB, and for its response.

    Raises:
        ApiError: The server refused the file; a subclass for each status.
        TransportError: No response came.
        OSError: The file cannot be read.
        ValueError: ``upload`` was not expanded, its URL or headers cannot be sent, or it was made
            for another ``mime_type``.
        TypeError: ``upload`` is not such data, or ``file`` is not a file.
    """
    signed = Secret(upload)
    del upload  # a traceback may show locals, and its URL has the signature
    request = upload_request(signed)
    _label(request, name, mime_type)
    with _opened(file) as stream:
        request.headers["Content-Length"] = str(_size(stream))
        pieces = _Pieces(stream)
        # A client of its own: the URL is of another host, which must never get a token.
        http = Http(request.url, timeout, timeout)
        try:
            answer = http.upload(request, iter(pieces.read, b""))
        except TransportError:
            # The HTTP library may wrap what the file raised; the program gets the file's own error.
            pieces.raise_failure()
            raise
        finally:
            http.close()
    _check(answer, request)


async def async_upload_file(
    upload: FileUpload,
    file: Upload,
    *,
    name: str | None = None,
    mime_type: str | None = None,
    timeout: float = 30.0,  # noqa: ASYNC109 - of silence, not of the whole
) -> None:
    """Sends a file's bytes to the signed URL from ``file_uploads.create``, in an asyncio program.

    The URL works for minutes. The request carries no token. A thread reads the file, in pieces of 1
    MiB.

    The API checks the file afterwards: its ``state`` is ``pendingVerification`` before it is
    ``available``. To download it, ask ``files.query`` until it is.

    Args:
        upload: Response data of ``file_uploads.create(file_id=…, expand=True)``.
        file: The file's path, its bytes, or the file opened for reading bytes.
        name: A file name. If the API asked for no type, the name's ending decides which type is
            sent.
        mime_type: That type itself, such as ``"application/pdf"``. Others see the name and the type
            that you gave to ``files.create``, not these.
        timeout: Seconds that the server may take for each further 64 KB, and for its response.

    Raises:
        ApiError: The server refused the file; a subclass for each status.
        TransportError: No response came.
        OSError: The file cannot be read.
        ValueError: ``upload`` was not expanded, its URL or headers cannot be sent, or it was made
            for another ``mime_type``.
        TypeError: ``upload`` is not such data, or ``file`` is not a file.
    """
    import asyncio

    from flex_integration_sdk._transport.aio import AsyncHttp

    async def read(pieces: _Pieces) -> AsyncIterator[bytes]:
        while piece := await asyncio.to_thread(pieces.read):
            yield piece

    signed = Secret(upload)
    del upload  # as in upload_file
    running_loop()
    request = upload_request(signed)
    _label(request, name, mime_type)
    async with _opened_in_thread(file) as stream:
        request.headers["Content-Length"] = str(await asyncio.to_thread(_size, stream))
        pieces = _Pieces(stream)
        http = AsyncHttp(request.url, timeout, timeout)
        try:
            answer = await http.upload(request, read(pieces))
        except TransportError:
            # As in upload_file: the program gets the file's own error.
            pieces.raise_failure()
            raise
        finally:
            await http.aclose()
    _check(answer, request)


def _label(request: ApiRequest, name: str | None, mime_type: str | None) -> None:
    """Sets the media type of the bytes, if the API asks for none.

    The signature may hold the type that the API asks for, so another one is an error.
    """
    name, mime_type = checked_label("name", name), checked_label("mimeType", mime_type)
    asked = next((v for k, v in request.headers.items() if k.lower() == "content-type"), None)
    if asked is not None:
        if mime_type is not None and mime_type.lower() != asked.lower():
            raise ParameterError(
                f"mime_type is {mime_type!r}, but this upload was made for another type: pass it "
                "to file_metadata, or to files.create"
            )
    elif found := mime_type or (type_of(name) if name else None):
        request.headers["Content-Type"] = found


class _Pieces:
    """A file, read in pieces. Its errors are kept apart from those of the network."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._failure: Exception | None = None

    def read(self) -> bytes:
        from flex_integration_sdk._transport.quiet import programs_own

        try:
            with programs_own():  # the file may be one that logs what it does
                return self._stream.read(_CHUNK)
        except Exception as error:
            self._failure = error
            raise

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure from None


@contextmanager
def _opened(file: Upload) -> Iterator[IO[bytes]]:
    """The file, opened for reading. A file that was passed open stays open."""
    file = exact(file)
    if isinstance(file, (bytes, bytearray)):
        yield io.BytesIO(file)
    elif isinstance(file, (str, os.PathLike)):
        with Path(file).open("rb") as stream:
            yield stream
    elif hasattr(file, "read") and hasattr(file, "seek"):
        yield file
    else:
        raise TypeError(
            "a file must be a path, bytes, or a file opened in binary mode, got "
            f"{type(file).__name__}"
        )


@asynccontextmanager
async def _opened_in_thread(file: Upload) -> AsyncIterator[IO[bytes]]:
    """As ``_opened``, without blocking the event loop."""
    import asyncio

    opened = _opened(file)
    stream = await asyncio.to_thread(opened.__enter__)
    try:
        yield stream
    finally:
        await asyncio.to_thread(opened.__exit__, None, None, None)


def _size(stream: IO[bytes]) -> int:
    """The number of bytes from the file's position to its end."""
    start = stream.tell()
    size = stream.seek(0, os.SEEK_END) - start
    stream.seek(start)
    return size


def _check(answer: ApiAnswer, request: ApiRequest) -> None:
    status = answer.status_code
    if 200 <= status < 300:
        return
    # Without the query, which is the signature.
    message = f"{request.method} to {host_of(request.url)} failed: HTTP {status}"
    if status in (401, 403):
        message += "; the signed URL may have expired: make another with file_uploads.create"
    elif status in REDIRECTS:
        # The file would go elsewhere, and the signature is for this host.
        there = target(request.url, answer.headers.get("location", ""))
        where = "an address that cannot be read" if there is None else host_of(there.geturl())
        message += f", a redirect to {where}; it is not followed: make another with "
        message += "file_uploads.create"
    elif answer.content:
        # Not in the message: a storage service may quote what it compared with the signature.
        message += "; what the server said is in the attribute body of this error"
    raise class_for(status)(
        message,
        status=status,
        body=answer.content.decode(errors="replace"),
        method=request.method,
        path=urlsplit(request.url).path,
    )
