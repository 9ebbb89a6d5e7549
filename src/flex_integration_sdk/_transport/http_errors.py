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
from typing import NamedTuple
from urllib.parse import urlsplit

from flex_integration_sdk._values.shown import host_of
from flex_integration_sdk.errors import CallTimeoutError, TransportError

from .call_deadline import CALL
from .connection_pool import API_CONNECTIONS, CONNECTIONS, Place
from .connection_settings import ConnectionSettings
from .deadline import Ended, Watch
from .tls_errors import certificate_fault, lasts, tls_fault

_CHECK_NETWORK = "Check the network, the proxy and base_url"


def failed(
    url: str,
    error: Exception,
    watch: Watch | None = None,
    connection: ConnectionSettings | None = None,
) -> TransportError:
    """Makes an error of ours from the failure of a request to ``url``. It names only the host.

    Raise it outside of ``except``: the error's context would keep what is omitted here.
    """
    settings = connection or ConnectionSettings()
    named = settings.proxy_name(url)
    host, proxy = host_of(url), _proxy(url, watch, named)
    if watch is not None and (watch.ended is not None or isinstance(error, Ended)):
        failure = _ended(host, watch, proxy)
        # When in doubt it counts as sent.
        failure.sent = watch.sent or watch.unseen
        return _of_call(failure, watch)
    try:
        told = _Told(named, f"Check the network and {named}" if proxy else _CHECK_NETWORK, settings)
        failure = _described(proxy or host, error, told)
        failure.sent = _may_be_sent(error, watch)
        failure.passing = _passes(error, failure)
        failure = _of_call(failure, watch)
    except ImportError:  # not even what is loaded can be imported any more
        failure = TransportError(f"the request to {host} failed: the interpreter is shutting down")
        failure.sent = watch is not None and watch.sent
    failure.__cause__ = _bare(error)
    return failure


class _Told(NamedTuple):
    """What a message says beside what happened."""

    proxy: str
    """What names the proxy."""
    checks: str
    """What to check next."""
    settings: ConnectionSettings


def _proxy(url: str, watch: Watch | None, named: str) -> str | None:
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
    return f"the proxy {shown} ({named})"


def busy(url: str, waiter: Watch | Place, seconds: float | None) -> TransportError:
    """The error for a wait in which no connection to the server became free."""
    host, kind = host_of(url), "token requests and calls" if waiter.token else "calls"
    count = CONNECTIONS if waiter.token else API_CONNECTIONS
    failure = CallTimeoutError(
        f"all {count} connections to {host} were busy with other {kind} for {seconds or 0:g} s, so "
        "nothing was sent: make fewer calls at once, or raise busy_timeout",
        limit="busy_timeout",
        seconds=seconds,
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
        return CallTimeoutError(
            f"no complete response from {host} in time: {watch.phase} within {watch.limit:g} s. "
            f"Check the network and {proxy or 'the proxy'}, or raise {name}",
            limit=name,
            seconds=watch.limit,
            passing=True,
        )
    return TransportError(text, reason="transient", passing=watch.ended is None)


def _of_call(failure: TransportError, watch: Watch | None) -> TransportError:
    """The error for the whole call, if that is what a request ran out of time for."""
    deadline = None if watch is None or watch.token else CALL.get()
    if deadline is None or not isinstance(failure, CallTimeoutError) or not deadline.over():
        return failure
    whole = deadline.error()
    whole.sent = failure.sent or deadline.sent  # by an earlier attempt
    return whole


def _described(host: str, error: Exception, told: _Told) -> TransportError:
    import httpx2

    checks = told.checks
    if isinstance(error, httpx2.ConnectTimeout):
        return CallTimeoutError(
            f"no connection to {host} could be made in time. {checks}", limit="connect"
        )
    if isinstance(error, (httpx2.TimeoutException, TimeoutError)):
        return CallTimeoutError(
            f"no response from {host} in time ({type(error).__name__}). Check the network and the "
            "proxy, or raise the time-out"
        )
    if isinstance(error, httpx2.ProxyError):
        # The proxy's own phrase is not repeated, only its status.
        status = re.match(r"\d{3}\b", str(error))
        said = f" with HTTP {status[0]}" if status else ""
        return TransportError(
            f"the proxy refused the connection to {host}{said}. Check {told.proxy} and its "
            "password",
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
            f"no response from {host}: {_network_fault(error, told.settings)}. {checks}",
            reason="transient",
        )
    if isinstance(error, httpx2.DecodingError):
        return TransportError(
            f"the response of {host} cannot be used: it is not compressed as its header says. "
            "base_url may be wrong, or a proxy may have responded"
        )
    return _not_sent(host, error, told)


def _not_sent(host: str, error: Exception, told: _Told) -> TransportError:
    import httpx2

    if isinstance(error, OSError):
        return TransportError(
            f"no response from {host}: {_network_fault(error, told.settings)}. {told.checks}",
            reason="transient",
        )
    if isinstance(error, (httpx2.InvalidURL, httpx2.UnsupportedProtocol, UnicodeError, ValueError)):
        return TransportError(
            f"the request to {host} could not be sent: the address is not valid. Check base_url"
        )
    return TransportError(f"the request to {host} could not be sent: {type(error).__name__}")


def _network_fault(error: Exception, settings: ConnectionSettings) -> str:
    """What went wrong, from an error code of the system or OpenSSL anywhere in the chain."""
    import httpx2

    for each in chain(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return certificate_fault(each.verify_code, settings.trusted())
        if isinstance(each, ssl.SSLError):
            return tls_fault(each)
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


def _passes(error: Exception, failure: TransportError) -> bool:
    """Whether the same request may work at another time."""
    import httpx2

    for each in chain(error):
        if isinstance(each, ssl.SSLError) and lasts(each):
            return False
    # A body that cannot be decompressed may have been cut.
    return failure.reason == "transient" or isinstance(error, httpx2.DecodingError)


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
