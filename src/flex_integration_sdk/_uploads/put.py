"""A file's bytes on their way to a signed URL: the request, and what the response means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flex_integration_sdk._sources.body import Body, Progress
from flex_integration_sdk._sources.choosing import source_of
from flex_integration_sdk._sources.part import Part
from flex_integration_sdk._values.shown import host_of
from flex_integration_sdk._wire.labels import checked_label
from flex_integration_sdk._wire.media_types import type_of
from flex_integration_sdk._wire.redirects import REDIRECTS, target
from flex_integration_sdk.errors import ApiError, ParameterError, class_for

from .target import upload_request

if TYPE_CHECKING:
    from flex_integration_sdk._transport.exchange import ApiAnswer
    from flex_integration_sdk._wire.requests import ApiRequest
    from flex_tokenstore import Secret

# The headers that say how long the body is; the body itself has them.
_LENGTH = {"content-length", "transfer-encoding"}


def body_of(parameter: str, file: Any, on_progress: Progress | None = None) -> Body:
    """The body of a request that sends a file's bytes, which are not read yet.

    Raises:
        ParameterError: It is not a file, or ``on_progress`` is not a function.
    """
    # Storage services take no body without a length.
    part = Part(parameter, source_of(parameter, file), needs_size=True)
    return Body([(b"", part)], on_progress=on_progress)


def put_request(
    upload: Secret[Any], body: Body, name: str | None = None, mime_type: str | None = None
) -> ApiRequest:
    """The request that sends a file's bytes to its signed URL.

    Raises:
        TypeError: It is not a response of ``file_uploads.create``.
        ValueError: It was not expanded, its URL, method or headers cannot be sent, or it was made
            for another media type.
    """
    made = upload_request(upload)
    headers = {name: value for name, value in made.headers.items() if name.lower() not in _LENGTH}
    request = made._replace(headers=headers, body=body)
    _label(request, name, mime_type)
    return request


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


def refusal_of(answer: ApiAnswer, request: ApiRequest) -> ApiError | None:
    """The error that a response stands for; None: the file was taken."""
    status = answer.status_code
    if 200 <= status < 300:
        return None
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
    return class_for(status)(
        message,
        status=status,
        body=answer.content.decode(errors="replace"),
        method=request.method,
        path=urlsplit(request.url).path,
        headers=answer.headers,
    )
