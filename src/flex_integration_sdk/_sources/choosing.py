"""Which source stands for a value that a program wants to upload."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterable, Iterable, Mapping
from inspect import iscoroutinefunction
from typing import Any

from flex_integration_sdk._values.exact import exact
from flex_integration_sdk.errors import ParameterError

from .files import Bytes, FilePath, OpenFile
from .source import Source
from .streams import AsyncFile, AsyncPieces, Pieces


def source_of(parameter: str, value: Any) -> Source:
    """The source for a value. Nothing is opened or read yet.

    Args:
        parameter: The parameter's name, for messages.
        value: A path, bytes, an open file, a stream, or an iterable of bytes, sync or async.

    Raises:
        ParameterError: It is of another type.
    """
    value = exact(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return Bytes(value)
    if isinstance(value, os.PathLike):
        value = os.fsdecode(value)
    if isinstance(value, str):
        return FilePath(parameter, value)
    if isinstance(value, io.StringIO):
        raise ParameterError(f"{parameter} is a StringIO, which has no bytes: use a BytesIO")
    found = None if isinstance(value, type) else _stream(parameter, value)
    if found is None:
        raise ParameterError(
            f"{parameter} must be a path, bytes, a file opened in binary mode, a stream or an "
            f"iterable of bytes; got {type(value).__name__}"
        )
    return found


def _stream(parameter: str, value: Any) -> Source | None:
    read = getattr(value, "read", None)
    if callable(read):
        return (AsyncFile if iscoroutinefunction(read) else OpenFile)(parameter, value)
    if isinstance(value, AsyncIterable):
        return AsyncPieces(parameter, value)
    # The items of a mapping are its keys.
    if isinstance(value, Iterable) and not isinstance(value, (str, Mapping)):
        return Pieces(parameter, value)
    return None
