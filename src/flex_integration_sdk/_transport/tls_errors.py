"""What went wrong in TLS, in words, from the codes of OpenSSL."""

from __future__ import annotations

import os
import re
import ssl

# OpenSSL's numbers for why a certificate cannot be trusted.
_CERTIFICATE = {
    9: "is not valid yet: check this machine's clock",
    10: "has expired",
    18: "is self-signed",
    19: "comes from an authority that this machine does not trust",
    20: "comes from an authority that this machine does not trust",
    62: "is for another host",
    64: "is for another address",
    # Python 3.13 and newer ask for what RFC 5280 asks for (ssl.VERIFY_X509_STRICT).
    85: "lacks an authority key identifier, which this version of Python asks for",
    86: "lacks a subject key identifier, which this version of Python asks for",
    89: "has basic constraints that are not critical, which this version of Python asks for",
    92: "lacks a key usage, which this version of Python asks for",
}
# OpenSSL's names for a reply that is not TLS; they differ between its versions.
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
_CERTIFICATE_WANTED = "CERTIFICATE_REQUIRED"  # the end of the name of an alert of TLS 1.3


def lasts(error: ssl.SSLError) -> bool:
    """Whether the same connection would fail at any time."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return True
    reason = str(getattr(error, "reason", None) or "")
    return reason in _NOT_TLS or reason.endswith(_CERTIFICATE_WANTED)


def certificate_fault(code: int, argument: str | None) -> str:
    """Why a server's certificate is refused.

    Args:
        code: OpenSSL's number for it.
        argument: Which argument says whom to trust; None: the environment does.
    """
    why = _CERTIFICATE.get(code, f"failed a check (OpenSSL {code})")
    return f"its TLS certificate {why}{_trusted(code, argument)}"


def _trusted(code: int, argument: str | None) -> str:
    """Which authorities are trusted, if an argument or a variable says so."""
    if code not in (18, 19, 20):
        return ""
    if argument is not None:
        return f" (only the authorities in {argument} are trusted)"
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if os.environ.get(name):
            return f" (only the authorities in {name} are trusted)"
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if os.environ.get(name):
            return f" ({name} is not read: set SSL_CERT_FILE)"
    return ""


def tls_fault(error: ssl.SSLError) -> str:
    """What went wrong in TLS, apart from a certificate."""
    reason = str(getattr(error, "reason", None) or "")
    if reason in _NOT_TLS:
        return (
            "it speaks plain http on that port, not https: check the port in base_url, or whether "
            "base_url should start with http://"
        )
    if reason.endswith(_CERTIFICATE_WANTED):
        return "it asks for a client certificate: pass client_cert"
    # OpenSSL's constants, such as TLSV1_ALERT_UNKNOWN_CA.
    code = f" ({reason})" if re.fullmatch(r"[A-Z0-9_]{1,60}", reason) else ""
    return f"TLS failed{code}"
