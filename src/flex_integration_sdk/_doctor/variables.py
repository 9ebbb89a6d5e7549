"""Checks of the TLS and proxy variables: whether they can be used, and do what was meant.

No value of a proxy variable is shown: whatever stands in it may be a password at the wrong end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from flex_integration_sdk._settings.base_url import is_loopback
from flex_integration_sdk._transport.proxy_address import SOCKS_EXTRA
from flex_integration_sdk._transport.proxy_and_tls import (
    check_proxies,
    named_proxy,
    options_for,
    tls_context,
    trusts_nobody,
)
from flex_integration_sdk.errors import TransportError

from .checks import check
from .finding import Outcome, SkipCheck, error, ok, warning
from .ground import Ground
from .way import Way

_AUTHORITIES = "the certificates in PEM form of the authorities to trust"
_REMEDIES = {
    "SSL_CERT_FILE": f"Have SSL_CERT_FILE name a file with {_AUTHORITIES}, or unset it",
    "SSL_CERT_DIR": f"Have SSL_CERT_DIR name a folder with {_AUTHORITIES}, or unset it",
    "SSLKEYLOGFILE": "Unset SSLKEYLOGFILE, or name a file in a folder that this user can write",
    "NO_PROXY": "Write host names without quotation marks, separated by commas",
}
_NO_AUTHORITIES = (
    "Install this machine's CA certificates (the package ca-certificates), or have SSL_CERT_FILE "
    "name a file with them"
)
# Other programs' names of SSL_CERT_FILE.
UNREAD = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@check("network.tls_variables")
def tls_variables(ground: Ground) -> Iterator[Outcome]:
    """Whether what the environment says of certificates can be used."""
    way = ground.way
    if not way.secure:
        raise SkipCheck(f"{way.base_url} is plain http, which needs no certificates.")
    try:
        # Not trust_env: that is about proxies.
        context = tls_context(options_for(way.base_url, trust_env=False))
    except TransportError as failed:
        way.block("network.tls_variables")
        yield _wrong(failed)
        return
    if trusts_nobody(context):
        way.block("network.tls_variables")
        yield error("This machine has no CA certificates, so no server is trusted", _NO_AUTHORITIES)
        return
    if log := os.environ.get("SSLKEYLOGFILE"):
        yield warning(
            f"SSLKEYLOGFILE is set: the keys of all connections are written to {log!r}, and "
            "whoever reads that file can read the client secret",
            "Unset SSLKEYLOGFILE, unless you are looking at the traffic now",
        )
    yield ok(_trusted())


def _trusted() -> str:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if value := os.environ.get(name):
            return f"Only the authorities in {value} ({name}) are trusted"
    unread = [name for name in UNREAD if os.environ.get(name)]
    said = f"; {' and '.join(unread)} {'is' if len(unread) == 1 else 'are'} not read"
    return f"The authorities of this machine are trusted{said if unread else ''}"


@check("network.proxy", extra=2.0)  # else it would be given up when the request's own time is over
def proxy(ground: Ground) -> Iterator[Outcome]:
    """Whether the proxy variables can be used, and whether the proxy lets us through."""
    way = ground.way
    if is_loopback(way.base_url):
        yield ok(f"{way.host} is this machine, which is reached without a proxy")
        return
    try:
        check_proxies()
    except TransportError as failed:
        way.block("network.proxy")
        yield _wrong(failed)
        return
    if twin := _contradiction():
        remedy = f"Unset one of {twin} and {twin.upper()}"
        yield warning(f"{twin} and {twin.upper()} differ; {twin} is used", remedy)
    if not way.peer.variable:
        variable = named_proxy(way.base_url)
        said = "No proxy is used"
        yield ok(f"{said}: NO_PROXY excludes {way.host} from {variable}" if variable else said)
        return
    yield from _of_proxy(way)


def _contradiction() -> str:
    """The lower case name of a variable whose two spellings differ."""
    for each in ("https_proxy", "http_proxy", "all_proxy", "no_proxy"):
        lower, upper = os.environ.get(each), os.environ.get(each.upper())
        if lower is not None and upper is not None and lower != upper:
            return each
    return ""


def _of_proxy(way: Way) -> Iterator[Outcome]:
    peer, seen = way.peer, way.seen
    where = f"The proxy {peer.shown} ({peer.variable})"
    status = seen.proxy_status or (407 if seen.status == 407 else 0)
    if status == 407:
        way.block("network.proxy")
        yield error(
            f"{where} demands a user name and a password, or others than were given (HTTP 407)",
            f"Write them into {peer.variable}: http://USER:PASSWORD@HOST:PORT, the password "
            "percent-encoded",
        )
        return
    if seen.stage == "proxy" and seen.error is not None:
        way.block("network.proxy")
        if status:
            yield error(
                f"{where} refuses a connection to {way.host} (HTTP {status})",
                f"Have the proxy allow this server; or add {way.host} to NO_PROXY, if it can be "
                "reached without the proxy",
            )
            return
        yield error(
            _said(seen.error),
            f"Correct {peer.variable}, or unset it; if it is right, check that the proxy is up and "
            "that this machine reaches it",
        )
        return
    yield _missed_exception(way) or ok(f"{where} is used")


def _missed_exception(way: Way) -> Outcome | None:
    """NO_PROXY names the server, in a form that does not exclude it from the proxy."""
    host = (urlsplit(way.base_url).hostname or "").lower()
    value = os.environ.get("no_proxy", os.environ.get("NO_PROXY", "")).lower()
    for entry in (each.strip() for each in value.split(",")):
        # Such as "https://host", "host:443", "host/" and ".host", which is for names below it.
        named = entry.rpartition("://")[2].partition("/")[0].partition(":")[0].lstrip("*.")
        if named and (host == named or host.endswith(f".{named}")):
            return warning(
                f"NO_PROXY names {host} or its domain, but in a form that does not exclude it: the "
                "proxy is used",
                f"Write just {host} into NO_PROXY, without a scheme, a port, a path or a dot in "
                "front; or remove that entry, if the proxy is right",
            )
    return None


def without_proxy(base_url: str) -> str:
    """What a remedy adds if the server is not reached, and no proxy is used."""
    if is_loopback(base_url):
        return ""
    if variable := named_proxy(base_url):
        return f"; {variable} is not used for this server, since NO_PROXY names it"
    if base_url.startswith("https:") and named_proxy("http:"):
        return "; HTTP_PROXY is not used for https addresses: for a proxy, set HTTPS_PROXY"
    return "; if this network has a proxy, set HTTPS_PROXY"


def _wrong(failed: TransportError) -> Outcome:
    """A variable that cannot be used; the error names it."""
    said = str(failed).removeprefix("nothing was sent: ")
    words = said.split()
    if "pip install" in said:
        return error(_said(failed), f"Install it: {SOCKS_EXTRA}")
    for name, remedy in _REMEDIES.items():
        if name in (each.upper() for each in words):
            return error(_said(failed), remedy)
    if name := next((each for each in words if each.lower().endswith("_proxy")), ""):
        return error(
            _said(failed),
            f"Write {name} as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with the "
            "password percent-encoded; or unset it",
        )
    return error(_said(failed), _NO_AUTHORITIES)


def _said(failed: TransportError) -> str:
    """What happened; what to check next is in the remedy."""
    text = str(failed).removeprefix("nothing was sent: ").partition(". Check ")[0]
    return text[:1].upper() + text[1:]


CHECKS = (tls_variables, proxy)
