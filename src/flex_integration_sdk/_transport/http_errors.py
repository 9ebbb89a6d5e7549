"""Errors of the HTTP library, in our own words.

Its texts are not repeated: they quote the header that was refused (with the token in it), the line
that was not HTTP (the server may have echoed something), the address of the proxy (with its
password). Of a cause, a traceback shows only the class.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

from flex_integration_sdk._values.shown import host_of
from flex_integration_sdk.errors import TransportError

from .connection_pool import API_CONNECTIONS, CONNECTIONS, Place
from .deadline import Ended, Watch
from .proxy_and_tls import proxy_variable

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
_CHECK_NETWORK = "Check the network, the proxy and base_url"


def failed(url: str, error: Exception, watch: Watch | None = None) -> TransportError:
    """Makes an error of ours from the failure of a request to ``url``. It names only the host.

    Raise it outside of ``except``: the error's context would keep what is omitted here.
    """
    host, proxy = host_of(url), _proxy(url, watch)
    if watch is not None and (watch.ended is not None or isinstance(error, Ended)):
        failure = _ended(host, watch, proxy)
        failure.sent = watch.sent
        return failure
    try:
        failure = _described(proxy or host, error, proxy_variable(url), _checks(url, proxy))
        failure.sent = _may_be_sent(error, watch)
    except ImportError:  # not even what is loaded can be imported any more
        failure = TransportError(f"the request to {host} failed: the interpreter is shutting down")
        failure.sent = watch is not None and watch.sent
    failure.__cause__ = _bare(error)
    return failure


def _proxy(url: str, watch: Watch | None) -> str | None:
    """The proxy, if the request could not connect to it."""
    if watch is None or watch.peer is None:
        return None
    host, port = watch.peer
    try:
        parts = urlsplit(url)
        own = parts.port or (443 if parts.scheme == "https" else 80)
        if host.lower() == (parts.hostname or "").lower() and (port is None or port == own):
            return None
    except ValueError:
        return None
    shown = host_of(f"//{f'[{host}]' if ':' in host else host}" + (f":{port}" if port else ""))
    return f"the proxy {shown} ({proxy_variable(url)})"


def _checks(url: str, proxy: str | None) -> str:
    return f"Check the network and {proxy_variable(url)}" if proxy else _CHECK_NETWORK


def busy(url: str, waiter: Watch | Place, seconds: float | None) -> TransportError:
    """The error for a wait in which no connection to the server became free."""
    host, kind = host_of(url), "token requests and calls" if waiter.token else "calls"
    count = CONNECTIONS if waiter.token else API_CONNECTIONS
    failure = TransportError(
        f"all {count} connections to {host} were busy with other {kind} for {seconds or 0:g} s, so "
        "nothing was sent: make fewer calls at once, or raise busy_timeout",
        reason="transient",
    )
    failure.sent, failure.busy = False, True
    return failure


def unmade(error: Exception) -> TransportError:
    """Why no HTTP client could be made, for reasons that :mod:`.proxy_and_tls` does not check."""
    if isinstance(error, TransportError):
        return error
    if isinstance(error, ImportError):
        why = _not_imported(error)
    elif isinstance(error, (OSError, ssl.SSLError)):
        why = "the CA certificates cannot be read. Check SSL_CERT_FILE and SSL_CERT_DIR"
    else:
        why = "a proxy's address is not valid. Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY"
    failure = TransportError(f"nothing was sent, since no HTTP client could be made: {why}")
    failure.__cause__ = _bare(error)
    failure.sent = False
    return failure


def _ended(host: str, watch: Watch, proxy: str | None) -> TransportError:
    if watch.ended == "abandoned":
        text = f"the request to {host} was stopped because the program received a signal to stop"
    elif watch.ended == "closed":
        text = f"the request to {host} was stopped because its SDK instance was closed"
    else:
        name = "request_timeout" if watch.token else "timeout"
        text = (
            f"no complete response from {host} in time: {watch.phase} within {watch.limit:g} s. "
            f"Check the network and {proxy or 'the proxy'}, or raise {name}"
        )
    return TransportError(text, reason="transient")


def _described(host: str, error: Exception, variable: str, checks: str) -> TransportError:
    import httpx2

    if isinstance(error, httpx2.ConnectTimeout):
        return TransportError(
            f"no connection to {host} could be made in time. {checks}", reason="transient"
        )
    if isinstance(error, (httpx2.TimeoutException, TimeoutError)):
        return TransportError(
            f"no response from {host} in time ({type(error).__name__}). Check the network and the "
            "proxy, or raise the time-out",
            reason="transient",
        )
    if isinstance(error, httpx2.ProxyError):
        # The proxy's own phrase is not repeated, only its status.
        status = re.match(r"\d{3}\b", str(error))
        said = f" with HTTP {status[0]}" if status else ""
        return TransportError(
            f"the proxy refused the connection to {host}{said}. Check {variable} and its password",
            reason="transient",
        )
    if isinstance(error, httpx2.LocalProtocolError):
        why = "a header (the token?) holds characters that are not allowed there"
        if str(error).startswith("Too "):  # h11: "Too little data for declared Content-Length"
            why = "its body does not have the length that its header says (did the file change?)"
        return TransportError(f"the request to {host} could not be written as HTTP: {why}")
    if isinstance(error, httpx2.TransportError) and not isinstance(
        error, httpx2.UnsupportedProtocol
    ):
        return TransportError(
            f"no response from {host}: {_network_fault(error)}. {checks}", reason="transient"
        )
    if isinstance(error, httpx2.DecodingError):
        return TransportError(
            f"the response of {host} cannot be used: it is not compressed as its header says. "
            "base_url may be wrong, or a proxy may have responded"
        )
    return _not_sent(host, error, checks)


def _not_sent(host: str, error: Exception, checks: str) -> TransportError:
    import httpx2

    if isinstance(error, OSError):
        return TransportError(
            f"no response from {host}: {_network_fault(error)}. {checks}", reason="transient"
        )
    if isinstance(error, (httpx2.InvalidURL, httpx2.UnsupportedProtocol, UnicodeError, ValueError)):
        return TransportError(
            f"the request to {host} could not be sent: the address is not valid. Check base_url"
        )
    return TransportError(f"the request to {host} could not be sent: {type(error).__name__}")


def _network_fault(error: Exception) -> str:
    """What went wrong, from an error code of the system or OpenSSL anywhere in the chain."""
    import httpx2

    for each in chain(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            why = _CERTIFICATE.get(each.verify_code, f"failed a check (OpenSSL {each.verify_code})")
            return f"its TLS certificate {why}{_trusted(each.verify_code)}"
        if isinstance(each, ssl.SSLError):
            return _tls_fault(each)
        if isinstance(each, socket.gaierror):
            return "its name could not be resolved"
        if isinstance(each, ConnectionRefusedError):
            return "it refused the connection"
        code = each.errno if isinstance(each, OSError) else None
        if code is not None and code in errno.errorcode:
            return f"{os.strerror(code)} ({errno.errorcode[code]})"
    if isinstance(error, httpx2.RemoteProtocolError):
        # It is one class for both; only the library's text tells them apart.
        if "disconnected" in str(error) or "peer closed" in str(error):
            return "it closed the connection too early"
        return "it sent something that is not HTTP"
    if isinstance(error, httpx2.ConnectError):
        return "no connection could be made"
    return "the connection was lost"


def _trusted(code: int) -> str:
    """Which authorities are trusted, if a variable says so."""
    if code not in (18, 19, 20):
        return ""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if os.environ.get(name):
            return f" (only the authorities in {name} are trusted)"
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if os.environ.get(name):
            return f" ({name} is not read: set SSL_CERT_FILE)"
    return ""


def _tls_fault(error: ssl.SSLError) -> str:
    reason = str(getattr(error, "reason", None) or "")
    # OpenSSL's names for a reply that is not TLS; they differ between its versions.
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return (
            "it speaks plain http on that port, not https: check the port in base_url, or whether "
            "base_url should start with http://"
        )
    # OpenSSL's constants, such as TLSV1_ALERT_UNKNOWN_CA.
    code = f" ({reason})" if re.fullmatch(r"[A-Z0-9_]{1,60}", reason) else ""
    return f"TLS failed{code}"


def _may_be_sent(error: Exception, watch: Watch | None) -> bool:
    import httpx2

    if watch is not None and watch.sent:
        return True
    # When in doubt a request counts as sent: a command must not be reported as not carried out.
    before = (
        httpx2.ConnectError,
        httpx2.ConnectTimeout,
        httpx2.PoolTimeout,
        httpx2.ProxyError,
        httpx2.LocalProtocolError,
        httpx2.UnsupportedProtocol,
        httpx2.InvalidURL,
        UnicodeError,
        socket.gaierror,
        ssl.SSLError,
    )
    return not isinstance(error, before)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what caused it, each once."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        # The codes are below the HTTP library, which raises an error of its own from them.
        current = current.__cause__ or current.__context__


def _bare(error: Exception) -> Exception:
    """The same class of error, without text, request and frames."""
    try:
        twin: Exception = type(error).__new__(type(error))
    except Exception:  # noqa: BLE001 - a class that wants arguments
        return Exception(type(error).__name__)
    return twin


def _not_imported(error: ImportError) -> str:
    """Why the HTTP library cannot be imported. It reads its own metadata at import."""
    name = error.name
    if sys.is_finalizing() or not name or not name.replace(".", "_").isidentifier():
        return "a library could not be imported. Is the interpreter shutting down?"
    if type(error).__name__ == "PackageNotFoundError":
        return (
            f"the package metadata of {name} is missing. A program that is packed into one file "
            "must contain it (PyInstaller: --copy-metadata httpx2 --copy-metadata httpcore2)"
        )
    return f"{name} could not be imported. Install flex-integration-sdk again with its dependencies"
