"""What the API wants to know of a file before it is uploaded."""

from __future__ import annotations

from typing import TypedDict

from flex_integration_sdk._endpoints.param_types import Upload
from flex_integration_sdk._sources.choosing import source_of
from flex_integration_sdk._sources.part import unsized
from flex_integration_sdk._sources.source import Source
from flex_integration_sdk._wire.labels import checked_label, sendable
from flex_integration_sdk._wire.media_types import type_of
from flex_integration_sdk.errors import ParameterError


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
        ValueError: ``file`` has no name, and ``name`` is omitted; or it is a stream, whose size is
            not known.
        TypeError: ``file`` has another type, or ``name`` or ``mime_type`` is not a string.
    """
    from flex_integration_sdk._transport.bodies import refuse_async

    name, mime_type = checked_label("name", name), checked_label("mimeType", mime_type)
    source = source_of("file", file)
    refuse_async("file", source)
    try:
        source.open()
        return metadata_of("file", source, name, mime_type)
    finally:
        source.close()


def metadata_of(
    parameter: str, source: Source, name: str | None, mime_type: str | None
) -> FileMetadata:
    """The same for a source that is open.

    Raises:
        ParameterError: It has no name, or its size is not known.
    """
    name = name or sendable(source.name or "")
    if not name:
        raise ParameterError(f"{parameter} has no file name: pass one, name='terms.pdf'")
    if source.size is None:
        raise unsized(parameter)
    return {"name": name, "mime_type": mime_type or type_of(name), "size": source.size}
