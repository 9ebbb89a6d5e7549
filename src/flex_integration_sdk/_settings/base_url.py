"""The address of the server: what it must look like, and when plain http is accepted."""

from __future__ import annotations

import ipaddress
import logging
import re
from urllib.parse import urlsplit

from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore.embedding import normalise_url, warn_once

from .layers import Layers
from .variables import ALLOW_HTTP

DEFAULT_BASE_URL = "https://flex-integ-api.sharetribe.com"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_AT_IN_PATH = re.compile(r"https?://[^/@:]+(:\d{1,5})?/", re.IGNORECASE)
_API_PATH = re.compile(r"/(v\d+(/|$)|integration_api(/|$)|auth/)")

logger = logging.getLogger("flex_integration_sdk")


def server(layers: Layers) -> tuple[str, dict[str, str]]:
    """Address of the server, in its one spelling; and where it and ``allow_http`` come from.

    Raises:
        ConfigurationError: It is not the address of a server, or is plain http over a network.
    """
    allowed, by_allowed = layers.switch("allow_http")  # a wrong value is an error with https too
    found = layers.text("base_url")
    url, source = _masked(found.value) or DEFAULT_BASE_URL, found.subject
    problem, base_url = _problem_of(url), ""
    try:
        base_url = "" if problem else normalise_url(url)
    except ValueError as error:
        problem = str(error).removeprefix("base_url ")
    if problem:
        raise ConfigurationError(f"{source} {problem}{_quoted(url)}")
    path = urlsplit(base_url).path
    if match := _API_PATH.search(f"{path}/"):
        server = base_url.removesuffix(path) + path[: match.start()]
        raise ConfigurationError(
            f"{source} is the address of the server; omit the path: {server}{_quoted(url)}"
        )
    if urlsplit(base_url).scheme != "https" and not is_loopback(base_url):
        _check_plain(base_url, source, allowed=allowed)
    return base_url, {"base_url": found.origin, "allow_http": by_allowed}


def _masked(url: str) -> str:
    """``url``, stripped, without a user and a password; it is refused then, and shown.

    A password may hold a slash, and the scheme may be missing. An @ in the path of a plain address
    is none of that.
    """
    if _AT_IN_PATH.match(url):
        return url
    return re.sub(r"^((?:[A-Za-z][A-Za-z0-9+.-]*:(?=/))?/*).*@", r"\1…@", url, flags=re.DOTALL)


def _check_plain(base_url: str, source: str, *, allowed: bool) -> None:
    """Raises ConfigurationError for plain http over a network, unless that is allowed."""
    if not allowed:
        raise ConfigurationError(
            f"{source} {base_url} is plain http: the client secret and the tokens would travel "
            "unencrypted. Use https; if the network is private, such as that of a container or a "
            f"CI job, pass allow_http=True or set {ALLOW_HTTP}=1"
        )
    warn_once(
        logger,
        f"{base_url} is plain http to another host, which allow_http or {ALLOW_HTTP} allows: the "
        "client secret and the tokens travel unencrypted",
    )


def is_loopback(base_url: str) -> bool:
    """Whether ``base_url`` is of this machine; ``*.localhost`` always is (RFC 6761)."""
    # A dot at the end of a name stands for the root of the DNS; it is the same host.
    host = (urlsplit(base_url).hostname or "").removesuffix(".")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _problem_of(url: str) -> str:
    """What is wrong; the URL parser drops line ends and tabs, and guesses a scheme."""
    # os.environ shows bytes that the locale cannot decode as lone surrogates (PEP 383).
    if re.search("[\ud800-\udfff]", url):
        return "contains bytes that cannot be decoded; check that the locale is UTF-8"
    if re.search(r"[\x00-\x20\x7f-\xa0\\]", url):
        return "contains a blank, a backslash or a control character such as a line end"
    scheme = _SCHEME.match(url)
    if scheme is None:
        rest = re.sub(r"^(https?:)?/*", "", url, flags=re.IGNORECASE)
        guess = f"http://{rest}"
        if not is_host(rest) or url.lower().startswith("https:") or not is_loopback(guess):
            guess = f"https://{rest}"
        hint = f": did you mean {guess}?" if is_host(rest) else " (https://host)"
        return f"must start with https:// or http://{hint}"
    if scheme[1].lower() not in ("http", "https"):
        return "must start with https:// or http://"
    return ""


def is_host(text: str) -> bool:
    """It looks like a host, with a port and a path perhaps, and holds no password."""
    return re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[\w.-]+)(:\d+)?(/[\w./-]*)?", text) is not None


def _quoted(url: str) -> str:
    # Bytes that are not text cannot be printed, and what is before an @ may be a password.
    if "@" in url or re.search("[\ud800-\udfff]", url):
        return ""
    return f"; got {url[:200]!r}"
