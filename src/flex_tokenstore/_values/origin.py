"""Who sent a response: the server that was asked, or something between it and this program.

Gateways, proxies, firewalls and the sign-in page of a hotel's network answer in the server's
place, nearly always with an HTML page. A token endpoint or an API answers in JSON or plain text.
"""

from __future__ import annotations

import json
import re

from .secret import Secret
from .token import TokenObject

_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_TAG_LATER = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_LOOKED_AT = 1024  # bytes; a page names itself at its beginning
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # in no text that a server writes


def is_page(content_type: str, body: bytes) -> bool:
    """Whether a response is HTML or other markup, by its type or because it begins with a tag.

    A page says nothing about a token: a gateway, not the API, has sent it.

    Args:
        content_type: The header ``Content-Type``; "" if there is none.
        body: The body, decompressed.
    """
    start = body[:_LOOKED_AT].removeprefix(_BYTE_ORDER_MARK).lstrip()
    return (
        _media_type(content_type) in _HTML_TYPES
        or start.startswith(b"<")
        or _TAG_LATER.search(start) is not None
    )


def is_refusal(content_type: str, body: Secret[bytes]) -> bool:
    """Whether the token endpoint can have sent a 401 with this body: JSON object, text, empty.

    RFC 6749 section 5.2 asks for JSON, but there are servers that send the bare word
    ``Unauthorized``.

    Args:
        content_type: The header ``Content-Type``; "" if there is none.
        body: The body, decompressed.
    """
    kind = _media_type(content_type)
    if is_page(content_type, body.reveal()):
        return False
    if kind not in ("", "text/plain") and not _is_json(kind):
        return False
    if json_object(body) is not None:
        return True
    return _is_text(kind, body.reveal())


def json_object(body: Secret[bytes]) -> TokenObject | None:
    """Returns the JSON object, with a ``repr`` that hides it; None if the body is not one.

    Args:
        body: The body, decompressed.
    """
    try:
        found = json.loads(body.reveal(), object_pairs_hook=TokenObject)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, TokenObject) else None


def _is_text(kind: str, body: bytes) -> bool:
    try:
        # Some servers begin a text with a byte order mark.
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    if _CONTROLS.search(text):
        return False
    # What says that it is JSON, and is, but is not an object: no token endpoint writes that.
    return not (_is_json(kind) and _parses(text))


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")
