"""Keys as people keep them: 32 raw bytes, or lines of base64.

Nothing here raises: a frame that an exception passes through would hold the keys. Each function
returns what it found, or what is wrong, in words that quote none of it.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import re
import string

from flex_tokenstore import Secret

SIZE = 32  # bytes of a key
_LETTERS = 43  # of base64 without its padding, for 32 bytes
_PRINTABLE = frozenset(string.printable.encode())
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEX = re.compile(r"[0-9A-Fa-f]{64}")

Keys = tuple[Secret[bytes], ...]
Found = tuple[Keys, str]
"""The keys, the first one first; or none, and what is wrong."""


def key_id(key: Secret[bytes]) -> str:
    """What an envelope names its key by; nothing can be learnt about the key from it."""
    # In one expression: the key stands in no local variable.
    return hashlib.sha256(b"flex-tokenstore-encrypted key id" + key.reveal()).hexdigest()[:16]


def from_bytes(data: Secret[bytes]) -> Found:
    """The keys in a file or in the output of a program."""
    size = len(data.reveal())
    printable = _PRINTABLE.issuperset(data.reveal())
    if size == SIZE and not printable:
        return _checked([data], [1])
    if size == SIZE + 1 and not printable and data.reveal().endswith(b"\n"):
        return (), (
            f"has {SIZE} raw bytes and a line end: write exactly {SIZE} bytes, or the key as base64"
        )
    text = _decoded(data)
    if text is None or "\0" in text.reveal():
        return (), f"has {size} bytes that are not text: a raw key has exactly {SIZE} bytes"
    return from_text(text)


def from_text(text: Secret[str]) -> Found:
    """The keys in lines of base64; ``#`` begins a comment."""
    keys: list[Secret[bytes]] = []
    numbers: list[int] = []
    for number, line in enumerate(map(Secret, text.reveal().splitlines()), start=1):
        word = Secret(line.reveal().partition("#")[0].strip())
        if not word:
            continue
        key, problem = _from_word(word)
        if key is None:
            return (), f"is not a key in line {number}: {problem}"
        keys.append(key)
        numbers.append(number)
    if not keys:
        return (), "has no key: it is empty" if not text.reveal().strip() else "has only comments"
    return _checked(keys, numbers)


def with_first(key: Secret[bytes], data: Secret[bytes]) -> Secret[bytes]:
    """What a file holds once the key stands before those in it: a raw key becomes a line."""
    text = None if len(data.reveal()) == SIZE else _decoded(data)
    kept = to_line(data) if text is None else Secret(text.reveal().encode())
    return Secret(to_line(key).reveal() + kept.reveal())


def to_line(key: Secret[bytes]) -> Secret[bytes]:
    """The key as a line of a file."""
    return Secret(base64.b64encode(key.reveal()) + b"\n")


def _from_word(word: Secret[str]) -> tuple[Secret[bytes] | None, str]:
    if _HEX.fullmatch(word.reveal()):
        return None, f"it looks like hexadecimal digits; write the {SIZE} bytes as base64"
    letters = Secret(word.reveal().replace("-", "+").replace("_", "/"))
    try:
        bare = len(letters.reveal()) == _LETTERS  # as secrets.token_urlsafe writes it
        key = Secret(base64.b64decode(letters.reveal() + "=" * bare, validate=True))
    except ValueError:
        size = len(word.reveal())
        return None, (
            f"it has {size} characters and is not base64; a key has {_LETTERS + 1}, with = at its "
            "end"
        )
    size = len(key.reveal())
    if size != SIZE:
        return None, f"it is base64 of {size} bytes; a key has {SIZE}"
    if Secret(base64.b64encode(key.reveal()).rstrip(b"=")) != Secret(
        letters.reveal().rstrip("=").encode()
    ):
        return None, "its last letter does not fit to base64: a letter was changed or cut"
    return key, ""


def _checked(keys: list[Secret[bytes]], numbers: list[int]) -> Found:
    seen: dict[Secret[bytes], int] = {}
    for key, number in zip(keys, numbers, strict=True):
        if len(set(key.reveal())) == 1:
            return (
                (),
                f"is not a key in line {number}: all its bytes are equal, so it is not random",
            )
        if key in seen:
            return (), f"has the key of line {seen[key]} again in line {number}: remove one of them"
        seen[key] = number
    return tuple(keys), ""


def _decoded(data: Secret[bytes]) -> Secret[str] | None:
    encoding = next((name for mark, name in _MARKS if data.reveal().startswith(mark)), "utf-8")
    try:
        return Secret(data.reveal().decode(encoding))
    except UnicodeError:
        return None
