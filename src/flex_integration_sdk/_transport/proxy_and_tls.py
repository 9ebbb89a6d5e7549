"""The environment's TLS and proxy variables: which are in effect, and what is wrong with them.

The HTTP library reads them itself. Here they are looked at before it does, since its errors name no
variable, and some quote a proxy's password. No value of a proxy variable is ever shown: whatever
stands in it may be a password at the wrong end.
"""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from flex_integration_sdk.errors import TransportError
from flex_tokenstore.embedding import PerProcess

_SCHEMES = ("http", "https", "socks5", "socks5h")
# A change of these makes no new connections look different: they are shared only by equals.
_PROXIES = ("http", "https", "all", "no")


class Options(NamedTuple):
    """What instances must have in common to share connections."""

    tls: tuple[object, ...] | None
    """None: no TLS."""
    proxies: tuple[str | None, ...] | None
    """None: none is used, whatever the environment says."""

    def __repr__(self) -> str:
        return "Options(…)"  # a proxy's password may be in it


def options_for(base_url: str, *, trust_env: bool) -> Options:
    """The options for a server.

    Raises:
        TransportError: A variable that is in effect is wrong; it names the variable.
    """
    secure = base_url.startswith("https:")
    if secure:
        check_tls()
    if trust_env:
        check_proxies()
    tls = _tls_options() if secure else None
    return Options(tls, tuple(_value(each)[1] for each in _PROXIES) if trust_env else None)


# A forked process makes its own: another thread may have held a lock within one.
_contexts: PerProcess[dict[object, ssl.SSLContext]] = PerProcess(dict)


def tls_context(options: Options) -> ssl.SSLContext:
    """One for each set of TLS options: it takes 20 to 100 ms, and most of a client's memory."""
    contexts = _contexts.get()
    found = contexts.get(options.tls)
    if found is not None:
        return found
    made = _trusting_nobody() if options.tls is None else _made()
    # Else a program whose certificates are replaced would collect contexts.
    for other in list(contexts):
        if other is not None and options.tls is not None:
            contexts.pop(other, None)  # those in use live on with their clients
    return contexts.setdefault(options.tls, made)


def _trusting_nobody() -> ssl.SSLContext:
    """A context for plain http, which uses none: so no certificates are read."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _made() -> ssl.SSLContext:
    import httpx2

    try:
        return httpx2.create_ssl_context()
    except Exception as error:  # noqa: BLE001 - told by which variable it comes of
        cause = error
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    log = os.environ.get("SSLKEYLOGFILE")
    if isinstance(cause, ssl.SSLError) and file:
        raise _wrong("SSL_CERT_FILE", f"its file {file!r} holds no CA certificates in PEM form")
    if (file or folder) and log and isinstance(cause, OSError):
        raise _wrong("SSLKEYLOGFILE", f"its file {log!r} cannot be written")
    if isinstance(cause, ImportError):
        raise _unmade("a library could not be imported. Is the interpreter shutting down?")
    raise _unmade("this machine's CA certificates cannot be read. Set SSL_CERT_FILE")


def trusts_nobody(context: ssl.SSLContext) -> bool:
    """Whether no authority is known, as in a container without the package ca-certificates.

    False too if that cannot be told: macOS and Windows have a trust store of their own.
    """
    if type(context) is not ssl.SSLContext or context.cert_store_stats()["x509"]:
        return False
    # OpenSSL reads the certificates of a folder when they are needed.
    folder = ssl.get_default_verify_paths().openssl_capath
    return _folder_problem(os.environ.get("SSL_CERT_DIR") or folder) is not None


def _tls_options() -> tuple[object, ...]:
    file = os.environ.get("SSL_CERT_FILE") or None
    # Certificates are renewed while programs run: a file that was replaced is read again.
    stat = Path(file).stat() if file else None
    changed = (stat.st_mtime_ns, stat.st_size, stat.st_ino) if stat else None
    names = ("SSL_CERT_DIR", "SSLKEYLOGFILE")
    return file, changed, *(os.environ.get(name) or None for name in names)


def check_tls() -> None:
    """Raises TransportError if a variable that names CA certificates is wrong."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        if problem := _file_problem(file):
            raise _wrong("SSL_CERT_FILE", problem + _hint(file))
    elif folder:
        # OpenSSL takes several, and says nothing of those that it cannot read.
        problems = [_folder_problem(each) for each in folder.split(os.pathsep) if each]
        if all(problems):
            said = next(iter(problems), None) or "it does not name a folder"
            raise _wrong("SSL_CERT_DIR", said + _hint(folder))


def _file_problem(file: str) -> str | None:
    try:
        with Path(file).open("rb") as opened:
            opened.read(1)
    except ValueError:
        return "its value cannot be the name of a file"
    except OSError as error:
        return f"its file {file!r} cannot be read: {error.strerror}"
    return None


def _folder_problem(folder: str) -> str | None:
    try:
        names = [each.name for each in Path(folder).iterdir()]
    except ValueError:
        return "its value cannot be the name of a folder"
    except OSError as error:
        return f"its folder {folder!r} cannot be read: {error.strerror}"
    # OpenSSL finds a certificate by the hash of its subject: eight digits, a dot, a number.
    if not any(re.fullmatch(r"[0-9a-fA-F]{8}\.\d+", name) for name in names):
        return (
            f"its folder {folder!r} has no certificate under the name that OpenSSL looks for; run "
            "`openssl rehash` on it"
        )
    return None


def _hint(value: str) -> str:
    if value != value.strip():
        return ". The value begins or ends with a blank or a line end"
    if value[:1] in "\"'":
        return ". The value contains quotation marks"
    if value[:1] in "~$%":
        return ". Only a shell expands ~ and variables"
    return ""


def proxy_variable(url: str) -> str:
    """The name of the variable whose proxy is used for ``url``, for messages."""
    return named_proxy(url) or "the system's proxy settings"


def named_proxy(url: str) -> str:
    """The variable that names a proxy for the scheme of ``url``, whatever NO_PROXY says; or ""."""
    scheme = url.partition(":")[0]
    for each in (scheme, "all"):
        name, value = _value(each)
        if value:
            return name
    return ""


def _value(scheme: str) -> tuple[str, str | None]:
    """The variable in effect, and its value: the lower case one wins, even if it is empty."""
    lower = f"{scheme}_proxy"
    if lower in os.environ:
        return lower, os.environ[lower] or None
    upper = lower.upper()
    if scheme == "http" and "REQUEST_METHOD" in os.environ:
        return upper, None  # in a CGI program it comes from a header of the request
    return upper, os.environ.get(upper) or None


def check_proxies() -> None:
    """Raises TransportError if a proxy variable that is in effect is wrong."""
    name, without = _value("no")
    proxies = [_value(scheme) for scheme in ("http", "https", "all")]
    if without and any(value for _, value in proxies):
        if problem := _exceptions_problem(without):
            raise _wrong(name, problem)
        # Then no proxy is used, so a wrong one does no harm.
        if "*" in [each.strip() for each in without.split(",")]:
            return
    for name, value in proxies:
        if value and (problem := _proxy_problem(value)):
            raise _wrong(name, problem)


def _exceptions_problem(value: str) -> str | None:
    """What is wrong with NO_PROXY. The HTTP library skips such entries and uses the proxy."""
    entries = [each.strip() for each in value.split(",")]
    if any(quote in value for quote in "\"'"):
        return "its value contains quotation marks"
    if any(re.search(r"[\s;]", each) or not each.isprintable() for each in entries):
        return "its entries must be separated by commas"
    return None


def _proxy_problem(value: str) -> str | None:
    """What is wrong with a proxy's address, without any part of it that could be a password."""
    for wrong, problem in (
        (value != value.strip(), "its value begins or ends with a blank or a line end"),
        (value[:1] in "\"'", "its value contains quotation marks"),
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
    shown = f" {scheme}://" if re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]{0,15}", scheme) else ""
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
        shown = f" {digits}" if re.fullmatch(r"[0-9]{1,9}", digits) else ""
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
        return "a SOCKS proxy needs the package socksio: pip install 'httpx2[socks]'"
    return None


def _wrong(variable: str, problem: str) -> TransportError:
    return _unmade(f"the environment variable {variable} is wrong: {problem}")


def _unmade(why: str) -> TransportError:
    failure = TransportError(f"nothing was sent: {why}")
    failure.sent = False
    return failure
