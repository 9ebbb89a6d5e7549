"""A file's own bytes, which go to a signed URL and not to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flex_integration_sdk._endpoints.param_types import AsyncUpload, Progress, Upload
from flex_integration_sdk._transport.bodies import aopened, opened
from flex_integration_sdk._transport.sync import Http
from flex_integration_sdk.resources import FileUpload
from flex_tokenstore import Secret
from flex_tokenstore.embedding import running_loop

from .put import body_of, put_request, refusal_of

if TYPE_CHECKING:
    from flex_integration_sdk._transport.exchange import ApiAnswer
    from flex_integration_sdk._wire.requests import ApiRequest


def upload_file(
    upload: FileUpload,
    file: Upload,
    *,
    name: str | None = None,
    mime_type: str | None = None,
    on_progress: Progress | None = None,
    timeout: float = 30.0,
) -> None:
    """Sends a file's bytes to the signed URL from ``file_uploads.create``.

    The URL works for minutes. The request carries no token. The file is read while it is sent.

    The API checks the file afterwards: its ``state`` is ``pendingVerification`` before it is
    ``available``. To download it, ask ``files.query`` until it is.

    Args:
        upload: Response data of ``file_uploads.create(file_id=…, expand=True)``.
        file: The file's path, its bytes, or the file opened for reading bytes; its size must be
            known.
        name: A file name. If the API asked for no type, the name's ending decides which type is
            sent.
        mime_type: That type itself, such as ``"application/pdf"``. Others see the name and the type
            that you gave to ``files.create``, not these.
        on_progress: Called with the bytes that were sent, and with their number. What it raises
            ends the upload.
        timeout: Seconds that the server may take for each further 64 KB, and for its response.

    Raises:
        ApiError: The server refused the file; a subclass for each status.
        TransportError: No response came.
        SourceChangedError: The file changed while it was sent.
        OSError: The file cannot be read.
        ValueError: ``upload`` was not expanded, its URL or headers cannot be sent, or it was made
            for another ``mime_type``.
        TypeError: ``upload`` is not such data, or ``file`` is not a file, is empty, or has no size.
    """
    signed = Secret(upload)
    del upload  # a traceback may show locals, and its URL has the signature
    body = body_of("file", file, on_progress)
    request = put_request(signed, body, name, mime_type)
    with opened(body):
        # A client of its own: the URL is of another host, which must never get a token.
        http = Http(request.url, timeout, timeout)
        try:
            answer = http.upload(request)
        finally:
            http.close()
    _check(answer, request)


async def async_upload_file(
    upload: FileUpload,
    file: AsyncUpload,
    *,
    name: str | None = None,
    mime_type: str | None = None,
    on_progress: Progress | None = None,
    timeout: float = 30.0,  # noqa: ASYNC109 - of silence, not of the whole
) -> None:
    """Sends a file's bytes to the signed URL from ``file_uploads.create``, in an asyncio program.

    The URL works for minutes. The request carries no token. A thread reads the file while it is
    sent.

    The API checks the file afterwards: its ``state`` is ``pendingVerification`` before it is
    ``available``. To download it, ask ``files.query`` until it is.

    Args:
        upload: Response data of ``file_uploads.create(file_id=…, expand=True)``.
        file: The file's path, its bytes, or the file opened for reading bytes; its size must be
            known.
        name: A file name. If the API asked for no type, the name's ending decides which type is
            sent.
        mime_type: That type itself, such as ``"application/pdf"``. Others see the name and the type
            that you gave to ``files.create``, not these.
        on_progress: Called with the bytes that were sent, and with their number. What it raises
            ends the upload.
        timeout: Seconds that the server may take for each further 64 KB, and for its response.

    Raises:
        ApiError: The server refused the file; a subclass for each status.
        TransportError: No response came.
        SourceChangedError: The file changed while it was sent.
        OSError: The file cannot be read.
        ValueError: ``upload`` was not expanded, its URL or headers cannot be sent, or it was made
            for another ``mime_type``.
        TypeError: ``upload`` is not such data, or ``file`` is not a file, is empty, or has no size.
    """
    from flex_integration_sdk._transport.aio import AsyncHttp

    signed = Secret(upload)
    del upload  # as in upload_file
    running_loop()
    body = body_of("file", file, on_progress)
    request = put_request(signed, body, name, mime_type)
    async with aopened(body):
        http = AsyncHttp(request.url, timeout, timeout)
        try:
            answer = await http.upload(request)
        finally:
            await http.aclose()
    _check(answer, request)


def _check(answer: ApiAnswer, request: ApiRequest) -> None:
    if (error := refusal_of(answer, request)) is not None:
        raise error
