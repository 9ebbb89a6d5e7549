"""Headers that a program adds to its calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from flex_integration_sdk.errors import ConfigurationError

# RFC 9110 sections 5.1 and 5.5.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[ -~\t]*")
# What the request is made of: another value would break it, or send a token elsewhere.
_OURS = {
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-transit-verbose",
}


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, by their names in small letters.

    Raises:
        ConfigurationError: They are no mapping of strings, cannot be sent, or are the SDK's own.
            The message does not show a value, which may be a secret.
    """
    if not isinstance(cast("object", headers), Mapping):
        kind = type(headers).__name__
        raise ConfigurationError(f"headers must be a mapping of names to values, got {kind}")
    checked: dict[str, str] = {}
    for name, value in headers.items():
        if not isinstance(cast("object", name), str) or not _NAME.fullmatch(name):
            # What is before a colon or a blank: after it there may be a value.
            found = str(name)[:60]
            shown = re.split(r"[:\s]", found)[0]
            cut = "" if shown == found else "…"
            raise ConfigurationError(f"headers: {shown + cut!r} is not the name of a header")
        if name.lower() in _OURS:
            raise ConfigurationError(f"headers: the SDK itself sets {name!r}; omit it")
        if not isinstance(cast("object", value), str) or not _VALUE.fullmatch(value):
            raise ConfigurationError(
                f"headers: the value of {name!r} must be a string of printable ASCII characters"
            )
        checked[name.lower()] = value.strip(" \t")
    return checked
