"""How a file is uploaded in one call: registered, sent to a signed URL, and waited for.

No I/O happens here: a driver for sync and one for asyncio programs, in :mod:`.whole`, do what the
generator asks for.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._wire.repetition import KEPT, may_pass, own_pause
from flex_integration_sdk.errors import (
    FileNotReadyError,
    FileVerificationError,
    TransportError,
)
from flex_tokenstore import Secret

from .put import put_request, refusal_of

if TYPE_CHECKING:
    from flex_integration_sdk._sources.body import Body
    from flex_integration_sdk._transport.exchange import ApiAnswer
    from flex_integration_sdk._wire.requests import ApiRequest
    from flex_integration_sdk.errors import ApiError
    from flex_integration_sdk.resources import File

    from .metadata import FileMetadata

# Seconds between two questions for the file's state: the first, and the most. Verification takes
# from less than a second to some minutes.
FIRST_LOOK, LAST_LOOK = 0.25, 5.0
URL_EXPIRED = "the signed URL was refused (HTTP {}), and there is a new one now"


class Call(NamedTuple):
    """An API call. Its reply is a ``Response``."""

    endpoint: str
    arguments: Mapping[str, Any]


class Put(NamedTuple):
    """The bytes, sent to the signed URL. Its reply is an ``ApiAnswer``, or a ``TransportError``."""

    request: ApiRequest


class Pause(NamedTuple):
    """A wait."""

    seconds: float


Ask: TypeAlias = "Call | Put | Pause"
Flow: TypeAlias = "Generator[Ask, Any, Any]"


def upload(
    body: Body, metadata: FileMetadata, wait: float | None, max_retries: int
) -> Generator[Ask, Any, Response[File]]:
    """Uploads a file.

    Raises:
        FileVerificationError: The API did not accept the file's content.
        FileNotReadyError: The file was not available in time.
        ApiError: The storage server refused the bytes.
        TransportError: It did not respond.
    """
    arguments = {
        "name": metadata["name"],
        "mimeType": metadata["mime_type"],
        "size": metadata["size"],
        "expand": True,
    }
    created: Response[File] = yield Call("files.create", arguments)
    file_id = created.data.id
    yield from _send(body, file_id, max_retries)
    return created if wait is None else (yield from _wait(file_id, wait))


def _send(body: Body, file_id: Any, max_retries: int) -> Flow:
    signed = yield from _signed(file_id)
    renewed, repeated = False, 0
    while True:
        request = put_request(signed, body)
        reply: ApiAnswer | TransportError = yield Put(request)
        error = reply if isinstance(reply, TransportError) else refusal_of(reply, request)
        if error is None:
            return
        # Of an earlier sending whose response was lost, the bytes may be there.
        if repeated and (yield from _is_there(file_id)):
            return
        if error.status in (401, 403) and not renewed:
            body.check_repeatable(URL_EXPIRED.format(error.status))
            renewed, signed = True, (yield from _signed(file_id))
            continue
        pause = _pause_after(error, repeated)
        if repeated >= max_retries or pause is None or not body.repeatable:
            raise error
        repeated += 1
        yield Pause(pause)


def _signed(file_id: Any) -> Flow:
    reply = yield Call("fileUploads.create", {"fileId": file_id, "expand": True})
    return Secret(reply.data)


def _pause_after(error: ApiError | TransportError, repeated: int) -> float | None:
    """Seconds until the bytes may be sent again; None: that would not help."""
    if not may_pass(error):
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= KEPT else None
    return own_pause(repeated + 1)


def _state(file_id: Any) -> Flow:
    """The file's state, and the response that has it."""
    found: Response[list[File]] = yield Call("files.query", {"ids": [file_id]})
    state = found.data[0].attributes["state"] if found.data else None
    if state == "verificationFailed":
        raise FileVerificationError(
            f"the API did not accept the content of the file {file_id}: its state is "
            "verificationFailed. Upload another file",
            file_id=file_id,
        )
    return state, found


def _is_there(file_id: Any) -> Flow:
    state, _ = yield from _state(file_id)
    return state in ("pendingVerification", "available")


def _wait(file_id: Any, seconds: float) -> Flow:
    end, pause = time.monotonic() + seconds, FIRST_LOOK
    while True:
        state, found = yield from _state(file_id)
        if state == "available":
            return Response(found.status, {"data": found.body["data"][0]}, found.headers)
        left = end - time.monotonic()
        if left <= 0:
            raise FileNotReadyError(
                f"the file {file_id} was uploaded and is still {state or 'unknown'} after "
                f"{seconds:g} s: ask files.query for its state later, or wait longer",
                file_id=file_id,
                state=state,
            )
        yield Pause(min(pause, left))
        pause = min(pause * 1.5, LAST_LOOK)
