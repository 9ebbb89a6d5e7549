"""The body of an upload to the API: ``multipart/form-data`` (RFC 7578), read while it is sent."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from flex_integration_sdk._sources.body import Body
from flex_integration_sdk._sources.choosing import source_of
from flex_integration_sdk._sources.part import Part
from flex_integration_sdk.errors import ParameterError

from .labels import checked_label, sendable
from .media_types import type_of

# Arguments of the SDK alone, which no form has.
LOCAL = {"name", "mimeType", "onProgress"}
# What browsers do (HTML, "multipart/form-data encoding algorithm"), and with a backslash too.
_ESCAPED = re.compile(r'["\\\x00-\x1a\x1c-\x1f]')


def form_of(members: Mapping[str, Any]) -> Body:
    """The body for the arguments of a command whose body is a form.

    Args:
        members: The files by their names in the form, and of the first one ``name`` and
            ``mimeType``; ``onProgress`` is called while they are sent.

    Raises:
        ParameterError: One of them cannot be sent.
    """
    files = dict(members)
    label = {name: checked_label(name, files.pop(name, None)) for name in ("name", "mimeType")}
    on_progress = files.pop("onProgress", None)
    # Nobody can guess it, so that no file contains it.
    boundary = os.urandom(16).hex()
    parts, start = [], f"--{boundary}\r\n"
    for name, value in files.items():
        parts.append(_part(name, value, start, **label))
        start = f"\r\n--{boundary}\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return Body(parts, f"\r\n--{boundary}--\r\n".encode(), headers, on_progress)


def _part(name: str, value: Any, start: str, /, **label: str | None) -> tuple[bytes, Part]:
    if name != sendable(name):
        raise ParameterError(f"parameter {name!r}: its name is not valid Unicode")
    source = source_of(name, value)
    known = label["name"] or sendable(source.name or "")
    kind = label["mimeType"] or type_of(known)
    head = (
        f'{start}Content-Disposition: form-data; name="{_quoted(name)}"; '
        f'filename="{_quoted(known or name)}"\r\nContent-Type: {kind}\r\n\r\n'
    )
    return head.encode(), Part(name, source)


def _quoted(text: str) -> str:
    return _ESCAPED.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    return "\\\\" if character == "\\" else f"%{ord(character):02X}"
