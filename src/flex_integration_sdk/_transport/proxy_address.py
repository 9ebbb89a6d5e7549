"""What can be wrong with the address of a proxy, said without any part that may be a password."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

SOCKS_EXTRA = "in the folder of your clone, run: python -m pip install '.[socks]'"
_SCHEMES = ("http", "https", "socks5", "socks5h")
_KNOWN = {"ftp", "quic", "socks", "socks4", "socks4a", "ssh", "tcp", "tls", "ws", "wss"}


def with_scheme(value: str) -> str:
    """The address with its scheme; without one it is an http proxy, as in the environment."""
    return value if "://" in value else f"http://{value}"


def proxy_problem(value: str) -> str | None:
    """What is wrong with a proxy's address, without any part of it that could be a password."""
    for wrong, problem in (
        (value != value.strip(), "its value begins or ends with a blank or a line end"),
        (value.startswith(('"', "'")), "its value contains quotation marks"),
        (not value.isprintable(), "its value contains control characters"),
        (" " in value, "its value contains a blank"),
    ):
        if wrong:
            return problem
    scheme, found, rest = value.partition("://")
    if not found:
        scheme, rest = "http", value
    if scheme.lower() not in _SCHEMES:
        return _scheme_problem(scheme)
    return _address_problem(f"{scheme}://{rest}") or (
        _socks_problem() if scheme.lower().startswith("socks") else None
    )


def _scheme_problem(scheme: str) -> str:
    # What is no scheme at all may be a password.
    shown = f" {scheme}://" if scheme.lower() in _KNOWN else ""
    hint = " Write socks5:// or socks5h://" if scheme.lower().startswith("socks") else ""
    return f"the scheme{shown} is not http, https, socks5 or socks5h.{hint}".rstrip(".")


def _address_problem(address: str) -> str | None:
    encode = "user name and password must be percent-encoded ({} as {}): see `urllib.parse.quote`"
    authority, _, after = re.sub(r"[/?#]", "\0", address.split("://", 1)[1], count=1).partition(
        "\0"
    )
    if "@" in after:
        return encode.format("/", "%2F")
    try:
        parts = urlsplit(address)
        port = parts.port
        host = parts.hostname
    except ValueError:
        digits = authority.rpartition("@")[2].rpartition(":")[2]
        # Without an @, a longer one may be a password whose host is missing.
        most = 9 if "@" in authority else 5
        shown = f" {digits}" if re.fullmatch(rf"[0-9]{{1,{most}}}", digits) else ""
        return f"its port{shown} is not a number from 1 to 65535"
    if not host:
        return "it does not name a host: write http://HOST:PORT"
    if port == 0:
        return "its port 0 is not a number from 1 to 65535"
    if not re.fullmatch(r"[\w.:%-]+", host):
        return "its host contains characters that are not allowed there"
    return None


def _socks_problem() -> str | None:
    from importlib.util import find_spec

    # Looked up, not imported: only the HTTP library needs it.
    if find_spec("socksio") is None:
        return f"a SOCKS proxy needs the package socksio: {SOCKS_EXTRA}"
    return None
