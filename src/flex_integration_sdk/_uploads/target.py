"""Where a file's bytes go: what ``file_uploads.create`` answered, checked before it is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flex_integration_sdk._wire.requests import ApiRequest
from flex_tokenstore import Secret

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
# A tab and printable ASCII: a line end in a value would begin another header.
_VALUE = re.compile(r"[\t -~]*")


def upload_request(upload: Secret[Any]) -> ApiRequest:
    """The request for a file's bytes, without them.

    Raises:
        TypeError: It is not a response of ``file_uploads.create``.
        ValueError: It was not expanded, or its URL, method or headers cannot be sent.
    """
    if not isinstance(upload.reveal(), Mapping):
        raise TypeError(
            "upload is the data that file_uploads.create(…, expand=True) returned, got "
            f"{type(upload.reveal()).__name__}"
        )
    attributes = Secret(upload.reveal().get("attributes") or {})
    known = isinstance(attributes.reveal(), Mapping)
    if not known or not attributes.reveal().get("url"):
        raise ValueError("this upload has no URL: file_uploads.create needs expand=True")
    problem = _problem_of(attributes.reveal())
    if problem:
        raise ValueError(
            f"this upload cannot be sent: {problem}; pass what file_uploads.create returned"
        )
    return _made(attributes.reveal())


def _made(attributes: Mapping[str, Any]) -> ApiRequest:
    headers = {**(attributes.get("headers") or {})}
    return ApiRequest(attributes.get("method") or "PUT", attributes["url"], headers)


def _problem_of(attributes: Mapping[str, Any]) -> str:
    """Why it cannot be sent, without a value: the URL and the headers may hold a signature."""
    if not _is_address(attributes["url"]):
        return "its URL is not an http or https address"
    method, headers = attributes.get("method") or "PUT", attributes.get("headers") or {}
    if not isinstance(method, str) or not _TOKEN.fullmatch(method):
        return "its method is not an HTTP method"
    if not isinstance(headers, Mapping):
        return f"its headers are a {type(headers).__name__}, not an object"
    for name, value in headers.items():
        if not (isinstance(name, str) and _TOKEN.fullmatch(name)):
            return "the name of a header has a character that is not allowed"
        if not (isinstance(value, str) and _VALUE.fullmatch(value)):
            return f"the value of header {name!r} cannot be sent"
    return ""


def _is_address(url: object) -> bool:
    if not isinstance(url, str) or not (url.isascii() and url.isprintable()):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its brackets or its port
        return False
