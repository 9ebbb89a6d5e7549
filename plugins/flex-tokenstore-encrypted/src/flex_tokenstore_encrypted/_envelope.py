"""The envelope: one line of text that holds an encrypted token.

``flex-encrypted-1.<cipher>.<key id>.<identity key>.<plaintext length>.<nonce>.<ciphertext>``

It is a wire format: docs/formats.md has test vectors. None of the parts can contain a dot. All that
stands before the ciphertext is associated data: if any of it is changed, the ciphertext cannot be
decrypted.

What is read is judged by functions that return the reason and do not raise: a frame that an
exception passes through would hold the token.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from typing import Any, Literal, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from flex_tokenstore import Secret

Cipher = Literal["aes-256-gcm", "chacha20-poly1305"]
Reason = Literal["plaintext", "cut", "changed", "another identity", "unknown key", "newer format"]

AEADS: dict[str, Any] = {"aes-256-gcm": AESGCM, "chacha20-poly1305": ChaCha20Poly1305}
"""Each takes a key of 32 bytes, a nonce of 12, and adds a tag of 16 bytes to the ciphertext."""

_NAME = "flex-encrypted-"
_FORMAT = 1
_NONCE = 12  # bytes
_TAG = 16  # bytes
_PARTS = 7
_VERSION = re.compile(r"flex-encrypted-([1-9][0-9]{0,8})\.")
# Identity keys are [a-z0-9-] (docs/formats.md); 9 digits are a gigabyte; 16 letters are a nonce.
_HEADER = re.compile(
    rf"flex-encrypted-{_FORMAT}\.({'|'.join(AEADS)})\.([0-9a-f]{{16}})\.([a-z0-9-]+)"
    r"\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{16})\."
)


class Envelope(NamedTuple):
    """The parts of an envelope that was parsed, and not authenticated yet."""

    cipher: str
    key_id: str
    identity: str
    nonce: bytes
    header: bytes
    """The associated data."""
    sealed: bytes
    """The ciphertext with its tag."""


def seal(cipher: str, key_id: str, aead: Any, identity: str, plain: Secret[bytes]) -> str:
    """Encrypts; two calls never return the same text.

    Args:
        cipher: A name of ``AEADS``.
        key_id: What a reader finds the key by.
        aead: That cipher with that key.
        identity: ``TokenIdentity.key`` of whose token it is.
        plain: What to encrypt.
    """
    # 96 random bits, which NIST SP 800-38D allows for 2**32 messages of one key.
    nonce = os.urandom(_NONCE)
    length = len(plain.reveal())
    header = f"{_NAME}{_FORMAT}.{cipher}.{key_id}.{identity}.{length}.{_to_text(nonce)}."
    return header + _to_text(aead.encrypt(nonce, plain.reveal(), header.encode()))


def is_envelope(text: str) -> bool:
    """Whether it is an envelope of any version, or was one before it was changed or cut."""
    return text.startswith(_NAME)


def parse(text: str) -> Envelope | Reason:
    """The parts of the text, or why it has none that can be used.

    It is strict, so that there is one spelling for each envelope: what is not authenticated (the
    spelling of base64) cannot be changed either.
    """
    header = _HEADER.match(text)
    if header is None:
        return _problem_of(text)
    cipher, key_id, identity, length, nonce = header.groups()
    letters = text[header.end() :]
    # Before it is decoded: a part of a group of four letters is not base64.
    missing = _letters(int(length) + _TAG) - len(letters)
    if missing:
        return "cut" if missing > 0 else "changed"
    sealed = _from_text(letters)
    if sealed is None:
        return "changed"
    authentic = text[: header.end()].encode()
    return Envelope(cipher, key_id, identity, base64.b64decode(nonce, b"-_"), authentic, sealed)


def _problem_of(text: str) -> Reason:
    """Why there is no header of this format at its beginning."""
    version = _VERSION.match(text)
    if version is None:
        return "cut" if f"{_NAME}{_FORMAT}.".startswith(text) else "changed"
    if int(version[1]) != _FORMAT:
        return "newer format"
    return "cut" if text.count(".") < _PARTS - 1 else "changed"


def kept(text: str, identity: str) -> Reason | None:
    """Why it stays, even where whatever is stored is to be replaced or removed.

    It needs no key, so it believes a header that somebody may have forged: all that a forged one
    costs is a removal that is refused.
    """
    header = _HEADER.match(text)
    if header is None:
        return "newer format" if _problem_of(text) == "newer format" else None
    return None if header[3] == identity else "another identity"


def decrypt(envelope: Envelope, aead: Any) -> Secret[bytes] | None:
    """What was encrypted; None: the envelope, or what was in its header, has been changed."""
    try:
        return Secret(aead.decrypt(envelope.nonce, envelope.sealed, envelope.header))
    except InvalidTag:
        return None


def _letters(size: int) -> int:
    """How many letters of base64, without padding, so many bytes have."""
    return (size * 4 + 2) // 3


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_text(text: str) -> bytes | None:
    """The bytes, if this is the one spelling that they have."""
    try:
        data = text.encode("ascii")
        if b"+" in data or b"/" in data or b"=" in data:
            return None
        padded = data.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(data) % 4)
        found = binascii.a2b_base64(padded, strict_mode=True)
    except ValueError:  # binascii.Error is one, and text that is not ASCII
        return None
    # Only the last group of letters can have bits that no byte takes.
    end = len(data) // 4 * 4
    return found if _to_text(found[end // 4 * 3 :]).encode() == data[end:] else None
