"""What a server's certificate says of itself, read from its DER (X.509, RFC 5280).

The standard library shows only a certificate that it trusts. One that it does not trust is what a
person must see: who issued it tells whether a proxy on the way replaces certificates, its dates
tell whether this machine's clock is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

_SEQUENCE, _OID, _UTC_TIME, _VERSION, _EXTENSIONS = 0x30, 0x06, 0x17, 0xA0, 0xA3
_OCTETS, _DNS_NAME = 0x04, 0x82
_COMMON_NAME, _ORGANISATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_ALTERNATIVE_NAMES = b"\x55\x1d\x11"


class ServerCertificate(NamedTuple):
    """What a person wants to know of a certificate."""

    issuer: str
    """Name of the authority that issued it."""
    names: tuple[str, ...]
    """Host names that it is for."""
    not_before: datetime
    not_after: datetime


class _Part(NamedTuple):
    tag: int
    content: bytes


def read_certificate(der: bytes) -> ServerCertificate:
    """Reads a certificate.

    Raises:
        ValueError: It is not one.
    """
    try:
        return _read(der)
    except (IndexError, StopIteration, UnicodeDecodeError) as error:
        raise ValueError("not a certificate") from error


def _read(der: bytes) -> ServerCertificate:
    signed = next(_parts(next(_parts(der)).content))
    parts = [each for each in _parts(signed.content) if each.tag != _VERSION]
    # RFC 5280 section 4.1: serial number, algorithm, issuer, validity, subject, …
    issuer, validity, subject = parts[2], parts[3], parts[4]
    begin, end = (_time(each) for each in _parts(validity.content))
    extensions = [each.content for each in parts if each.tag == _EXTENSIONS]
    names = tuple(_host_names(extensions[0])) if extensions else ()
    return ServerCertificate(_name(issuer), names or (_name(subject),), begin, end)


def _parts(data: bytes) -> Iterator[_Part]:
    """The tags and contents of what stands in a row (X.690 section 8.1)."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + length > len(data):
            raise ValueError("a part is cut off")
        yield _Part(tag, data[at : at + length])
        at += length


def _name(name: _Part) -> str:
    """The common name, else the organisation, else nothing."""
    found: dict[bytes, str] = {}
    for group in _parts(name.content):
        for pair in _parts(group.content):
            kind, value = _parts(pair.content)
            coding = "utf-16-be" if value.tag == 0x1E else "utf-8"
            found[kind.content] = value.content.decode(coding, "replace")
    return found.get(_COMMON_NAME) or found.get(_ORGANISATION) or ""


def _time(part: _Part) -> datetime:
    text = part.content.decode("ascii")
    if part.tag == _UTC_TIME:  # RFC 5280 section 4.1.2.5.1: 50 to 99 are of the last century
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _host_names(extensions: bytes) -> Iterator[str]:
    for extension in _parts(next(_parts(extensions)).content):
        parts = list(_parts(extension.content))
        if parts[0].tag == _OID and parts[0].content == _ALTERNATIVE_NAMES:
            for name in _parts(next(_parts(parts[-1].content)).content):
                if name.tag == _DNS_NAME:
                    yield name.content.decode("ascii")
