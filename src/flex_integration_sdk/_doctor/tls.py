"""The check of TLS: whether the server's certificate is accepted, and if not, why."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from flex_integration_sdk._values.shown import shown

from .checks import check
from .finding import Outcome, SkipCheck, error, ok, warning
from .ground import Ground
from .server_certificate import ServerCertificate, read_certificate
from .variables import UNREAD
from .way import Way

# Days before its end in which a certificate that nobody has renewed is told of. Authorities and
# their tools renew 30 days before the end, some of short-lived ones a third of their life.
SOON = 3
_NOT_YET, _EXPIRED, _WRONG_HOST, _WRONG_ADDRESS = 9, 10, 62, 64
_UNKNOWN = (18, 19, 20)
_STRICT = (85, 86, 89, 92)  # what Python 3.13 and newer ask for
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")


@check("network.tls", extra=2.0)  # else it would be given up when the request's own time is over
def tls(ground: Ground) -> Iterator[Outcome]:
    """Whether the TLS handshake with the server succeeds."""
    way = ground.way
    if not way.secure:
        raise SkipCheck(f"{way.base_url} is plain http.")
    seen = way.seen
    if seen.stage != "tls" or seen.error is None:
        yield _accepted(way.host, seen.certificate or {})
        return
    way.block("network.tls")
    setting = ground.named("base_url")
    text = str(seen.error).removeprefix(f"no response from {way.host}: ").partition(". Check ")[0]
    if seen.tls_reason in _NOT_TLS:
        yield error(
            f"{way.host}: {text.partition(': check ')[0]}",
            f"Correct the port in {setting}; if it is right, write http:// in place of https://",
        )
    elif not seen.verify_code:
        yield error(
            f"{way.host}: {text}",
            f"Check {setting}, and whether a firewall or a proxy on the way breaks TLS",
        )
    else:
        yield _refused(way, seen.verify_code, text, setting)


def _refused(way: Way, code: int, text: str, setting: str) -> Outcome:
    """The server's certificate is not accepted."""
    if code in _UNKNOWN:
        text = text.partition(" (")[0]  # what it says of the variables is in the remedy
    certificate = _read(way.certificate())
    said = "" if certificate is None else _described(code, certificate)
    return error(f"{way.host}: {text}{said}", _remedy(code, setting))


def _accepted(host: str, certificate: Mapping[str, Any]) -> Outcome:
    pairs = dict(pair for group in certificate.get("issuer", ()) for pair in group)
    issuer = pairs.get("organizationName") or pairs.get("commonName") or "an unnamed authority"
    until = _end(str(certificate.get("notAfter", "")))
    if until is None:  # the system's own trust store may tell nothing
        return ok(f"This machine trusts the certificate of {host}")
    text = f"{host} has a certificate that {shown(issuer)} issued; it expires"
    days = (until - datetime.now(UTC)).days
    if days >= SOON:
        return ok(f"{text} in {days} days")
    return warning(
        f"{text} at {until:%Y-%m-%d %H:%M} UTC",
        "Renew the server's certificate, or tell whoever runs the server",
    )


def _end(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    except ValueError:
        return None


def _read(der: bytes | None) -> ServerCertificate | None:
    try:
        return None if der is None else read_certificate(der)
    except ValueError:
        return None


def _described(code: int, certificate: ServerCertificate) -> str:
    """What of the certificate explains why it is not accepted."""
    if code in (_NOT_YET, _EXPIRED):
        begin, end = f"{certificate.not_before:%Y-%m-%d}", f"{certificate.not_after:%Y-%m-%d}"
        now = datetime.now(UTC)
        return f" (valid from {begin} to {end}; this machine's clock says {now:%Y-%m-%d %H:%M} UTC)"
    if code in (_WRONG_HOST, _WRONG_ADDRESS):
        names = [each for each in certificate.names if re.fullmatch(r"[\w.*-]{1,253}", each)]
        return f" (it is for {', '.join(names[:4])})" if names else ""
    return f" (issued by {shown(certificate.issuer)})" if certificate.issuer else ""


def _remedy(code: int, setting: str) -> str:
    if code == _NOT_YET:
        return "Set this machine's clock, such as with `timedatectl set-ntp true`"
    if code == _EXPIRED:
        return (
            "Check this machine's clock; if it is right, renew the server's certificate, or tell "
            "whoever runs the server"
        )
    if code in (_WRONG_HOST, _WRONG_ADDRESS):
        return (
            f"Correct the host in {setting}; if it is right, another server responds instead: "
            "check DNS, /etc/hosts and the network's sign-in page"
        )
    if code in _STRICT:
        return (
            "Have the certificate, and that of its authority, issued again with the extensions of "
            "RFC 5280, or use Python 3.12 or older"
        )
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if os.environ.get(variable):
            return (
                f"Add the certificate of that authority to {variable}, or unset {variable} to "
                "trust the authorities of this machine"
            )
    if unread := next((name for name in UNREAD if os.environ.get(name)), ""):
        return f"Set SSL_CERT_FILE to the value of {unread}, which is not read"
    return (
        "Ask your network's administrator whether a proxy or a virus scanner replaces "
        "certificates; if so, set SSL_CERT_FILE to a file with the certificate of that authority"
    )


CHECKS = (tls,)
