"""A file's name and its media type, as they can be sent."""

from __future__ import annotations

import re
from typing import Any

from flex_integration_sdk._values.exact import exact
from flex_integration_sdk.errors import ParameterError

# RFC 9110 section 8.3.1, with its parameters.
_MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\s*;[ -~]*)?")


def checked_label(parameter: str, value: Any) -> str | None:
    """A file's name or type as it can be sent; None if it was not given.

    Raises:
        ParameterError: It is not a string, or has a character that a header cannot carry.
    """
    if value is None:
        return None
    text = exact(value)
    if not isinstance(text, str):
        raise ParameterError(
            f"parameter {parameter!r} must be a string, got {type(value).__name__}"
        )
    if parameter == "name":
        if text and text.isprintable():
            return text
        raise ParameterError("parameter 'name' is empty, or contains a control character")
    if _MEDIA_TYPE.fullmatch(text):
        return text
    raise ParameterError(
        f"parameter 'mime_type' must be a media type such as 'image/webp', got {text[:60]!r}"
    )


def sendable(file: str) -> str:
    """A file's own name; a question mark for each byte of it that is not of the locale."""
    return file.encode(errors="replace").decode()
