"""``sdk.files.upload``: several calls of the API and a request to a storage server, as one method.

The generated classes of ``sdk.files`` inherit it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from .lazy import AsyncSend, Send
from .response import Response
from .suggesting import Suggesting

if TYPE_CHECKING:
    from flex_integration_sdk.resources import File

    from .param_types import AsyncUpload, Progress, Upload


UploadFile = Callable[..., Response[Any]]
"""Uploads a file, with the arguments of ``upload``; an instance has it."""
AsyncUploadFile = Callable[..., Awaitable[Response[Any]]]
"""The same in an event loop."""


class FileUploading(Suggesting):
    """The part of ``sdk.files`` that is more than one call of the API."""

    def __init__(self, send: Send, upload: UploadFile) -> None:
        self._send = send
        self._upload = upload

    def upload(
        self,
        source: Upload,
        *,
        name: str | None = None,
        mime_type: str | None = None,
        on_progress: Progress | None = None,
        wait: float | None = None,
    ) -> Response[File]:
        """Uploads a file: registers it, makes a signed URL, and sends the bytes there.

        The API then checks the file, in its own time: its ``state`` is ``pendingVerification``
        before it is ``available`` and can be downloaded.

        If the connection fails or the storage server has an error, the bytes are sent again, as
        often as ``max_retries`` says; if the signed URL has expired, a new one is made.

        Args:
            source: The file's path, its bytes, or the file opened for reading bytes, from where it
                stands. It is read while it is sent. Its size must be known: not a pipe.
            name: The file's name for others. If omitted: the path's or the open file's.
            mime_type: Such as ``application/pdf``. If omitted: by the name's ending.
            on_progress: Called with the bytes that were sent, and with their number. It begins
                again from 0 if the file has to be sent again. What it raises ends the upload.
            wait: Seconds to wait until the file is ``available``. None: do not wait.

        Returns:
            The file. If you did not wait, it is as before its upload, with the state
            ``pendingUpload``.

        Raises:
            FileVerificationError: The API did not accept the file's content.
            FileNotReadyError: The file was uploaded, and is not ``available`` after ``wait``.
            SourceChangedError: The file changed while it was sent.
            ParameterError: An argument is wrong; nothing was sent.
            OSError: The file cannot be read.
            FlexError: A server refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._upload(
            source, name=name, mime_type=mime_type, on_progress=on_progress, wait=wait
        )


class AsyncFileUploading(Suggesting):
    """The part of ``sdk.files`` that is more than one call of the API."""

    def __init__(self, send: AsyncSend, upload: AsyncUploadFile) -> None:
        self._send = send
        self._upload = upload

    async def upload(
        self,
        source: AsyncUpload,
        *,
        name: str | None = None,
        mime_type: str | None = None,
        on_progress: Progress | None = None,
        wait: float | None = None,
    ) -> Response[File]:
        """Uploads a file: registers it, makes a signed URL, and sends the bytes there.

        The API then checks the file, in its own time: its ``state`` is ``pendingVerification``
        before it is ``available`` and can be downloaded.

        If the connection fails or the storage server has an error, the bytes are sent again, as
        often as ``max_retries`` says; if the signed URL has expired, a new one is made.

        Args:
            source: The file's path, its bytes, or the file opened for reading bytes, from where it
                stands; an async file too. It is read while it is sent. Its size must be known: not
                a pipe.
            name: The file's name for others. If omitted: the path's or the open file's.
            mime_type: Such as ``application/pdf``. If omitted: by the name's ending.
            on_progress: A plain function that is called with the bytes that were sent, and with
                their number. It begins again from 0 if the file has to be sent again. What it
                raises ends the upload.
            wait: Seconds to wait until the file is ``available``. None: do not wait.

        Returns:
            The file. If you did not wait, it is as before its upload, with the state
            ``pendingUpload``.

        Raises:
            FileVerificationError: The API did not accept the file's content.
            FileNotReadyError: The file was uploaded, and is not ``available`` after ``wait``.
            SourceChangedError: The file changed while it was sent.
            ParameterError: An argument is wrong; nothing was sent.
            OSError: The file cannot be read.
            FlexError: A server refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._upload(
            source, name=name, mime_type=mime_type, on_progress=on_progress, wait=wait
        )
