"""What is a token object, and why something is not. Says it without a value, and does not raise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .secret import Secret

TAG = "flex_tokenstore"
"""The one key of ours in a stored token; other readers of the JSON ignore it."""


def problem_of(data: object, wrapped: bool) -> str:
    """Why ``data`` is not a token object; "" if it is one.

    Only what is needed later is checked. A server may write ``scope`` as a list, or omit
    ``token_type``; to refuse its response for that would lose a refresh token that it has rotated.
    """
    if not isinstance(data, Mapping):
        return f"a JSON object was expected, got {type(data).__name__}"
    if "access_token" not in data:
        return "access_token is missing"
    text, number = (str, type(None)), (int, float, type(None))
    problem = (
        _wrong_type(data, "access_token", (str,), "a string")
        or ("" if data["access_token"] else "access_token is empty")
        or _wrong_type(data, "refresh_token", text, "a string")
        or _wrong_type(data, TAG, (Mapping,), "an object")
    )
    if problem:
        return problem
    tag = data.get(TAG, {})
    problem = _wrong_type(tag, "identity", text, "a string") or _wrong_type(
        tag, "revision", (str,), "a string"
    )
    for name in ("format", "obtained_at", "expires_at"):
        problem = problem or _wrong_type(tag, name, number, "a number")
    if problem or wrapped or "revision" in tag:
        return problem
    return unsendable(data)


def unsendable(data: Mapping[str, Any]) -> str:
    """Why one of the tokens cannot be sent; "" if both can.

    RFC 6749 appendix A.12 and A.17 allow the characters 0x20 to 0x7E. An access token becomes a
    header (RFC 6750 section 2.1), where a space ends it. The narrower syntax that RFC 6750 has
    is not asked for: servers issue tokens with ``%``, ``#`` or ``:``.
    """
    access: Secret[str] = Secret(data["access_token"])
    refresh: Secret[str] = Secret(data.get("refresh_token") or "")
    if not _is_visible(access.reveal()) or " " in access.reveal():
        return (
            "access_token contains a line end, a space, a control character or a character that "
            "is not ASCII, which an HTTP header cannot carry"
        )
    if not _is_visible(refresh.reveal()):
        return (
            "refresh_token contains a line end, a control character or a character that is not "
            "ASCII, which RFC 6749 does not allow"
        )
    return ""


def _is_visible(text: str) -> bool:
    # A quarter of the time that isprintable() takes for the length of a usual token.
    return text.isascii() and not text.encode().translate(None, _VISIBLE)


_VISIBLE = bytes(range(0x20, 0x7F))


def shown_identity(key: str | None) -> str | None:
    """An identity tag for a message, if it could be a ``TokenIdentity.key``.

    Another program may have written anything there: a line end, or the token itself.
    """
    plain = key is None or re.fullmatch("[a-z0-9-]{1,41}", key)  # the length of the longest key
    return key if plain else "(not the key of an identity)"


def _wrong_type(data: Mapping[str, Any], name: str, types: tuple[type, ...], kind: str) -> str:
    if name not in data:
        return ""
    given = type(data[name])
    # True and False are ints in Python.
    if issubclass(given, types) and not issubclass(given, bool):
        return ""
    return f"{name} must be {kind}, got {given.__name__}"
