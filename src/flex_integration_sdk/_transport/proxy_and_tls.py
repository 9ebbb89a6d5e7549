"""The environment's TLS and proxy variables: which are in effect, and what is wrong with them.

The HTTP library reads them itself. Here they are looked at before it does, since its errors name no
variable, and some quote a proxy's password. No value of a proxy variable is ever shown: whatever
stands in it may be a password at the wrong end.
"""

from __future__ import annotations

import os
import re
import ssl
from typing import Any, NamedTuple

from flex_integration_sdk.errors import TransportError
from flex_tokenstore import Secret
from flex_tokenstore.embedding import PerProcess

from .own_tls import OwnTls, TlsProblem, changed, file_problem, folder_problem
from .proxy_address import proxy_problem

# A change of these makes no new connections look different: they are shared only by equals.
_PROXIES = ("http", "https", "all", "no")


class Options(NamedTuple):
    """What instances must have in common to share connections."""

    tls: tuple[object, ...] | OwnTls | None
    """None: no TLS."""
    proxies: tuple[str | None, ...] | None
    """None: those of the environment are not used."""
    proxy: Secret[str] | None = None
    """The one of the argument ``proxy``, with its scheme."""
    client: Any = None
    """An HTTP client of the program's own, which makes the connections."""
    user_agent: str = ""
    """The header of each request."""

    def __repr__(self) -> str:
        return "Options(…)"  # a proxy's password may be in it


def options_for(base_url: str, *, trust_env: bool, own: OwnTls | None = None) -> Options:
    """The options for a server.

    Args:
        base_url: Its address.
        trust_env: Whether a proxy of the environment may be used.
        own: What arguments say about TLS.

    Raises:
        TransportError: A variable that is in effect is wrong; it names the variable.
    """
    secure = base_url.startswith("https:")
    of_environment = own is None or own.verify is True
    if secure and of_environment:
        check_tls()
    if trust_env:
        check_proxies()
    tls: tuple[object, ...] | OwnTls | None = None
    if secure:
        tls = _tls_options() if of_environment else ()
        tls = tls if own is None else own.now(tls)
    return Options(tls, tuple(_value(each)[1] for each in _PROXIES) if trust_env else None)


# A forked process makes its own: another thread may have held a lock within one.
_contexts: PerProcess[dict[object, ssl.SSLContext]] = PerProcess(dict)
# Else a program whose certificates are replaced would collect contexts; it may have instances with
# different ones. Those in use live on with their clients.
_MOST_CONTEXTS = 8


def tls_context(options: Options) -> ssl.SSLContext:
    """One for each set of TLS options: it takes 20 to 100 ms, and most of a client's memory.

    Raises:
        TransportError: It cannot be made; the message says why.
    """
    contexts = _contexts.get()
    found = contexts.get(options.tls)
    if found is not None:
        return found
    made = _new_context(options.tls)
    for other in [each for each in list(contexts) if each is not None][: 1 - _MOST_CONTEXTS]:
        contexts.pop(other, None)
    return contexts.setdefault(options.tls, made)


def _new_context(tls: tuple[object, ...] | OwnTls | None) -> ssl.SSLContext:
    if tls is None:
        return _trusting_nobody()
    if not isinstance(tls, OwnTls):
        return _made()
    try:
        return tls.context(_made)
    except TlsProblem as found:
        problem = str(found)
    raise _unmade(problem)


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
    return folder_problem(os.environ.get("SSL_CERT_DIR") or folder) is not None


def _tls_options() -> tuple[object, ...]:
    file = os.environ.get("SSL_CERT_FILE") or None
    names = ("SSL_CERT_DIR", "SSLKEYLOGFILE")
    return file, changed(file), *(os.environ.get(name) or None for name in names)


def check_tls() -> None:
    """Raises TransportError if a variable that names CA certificates is wrong."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        if problem := file_problem(file):
            raise _wrong("SSL_CERT_FILE", problem + _hint(file))
    elif folder:
        # OpenSSL takes several, and says nothing of those that it cannot read.
        problems = [folder_problem(each) for each in folder.split(os.pathsep) if each]
        if all(problems):
            said = next(iter(problems), None) or "it does not name a folder"
            raise _wrong("SSL_CERT_DIR", said + _hint(folder))


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
        if value and (problem := proxy_problem(value)):
            raise _wrong(name, problem)


def _exceptions_problem(value: str) -> str | None:
    """What is wrong with NO_PROXY. The HTTP library skips such entries and uses the proxy."""
    entries = [each.strip() for each in value.split(",")]
    if any(quote in value for quote in "\"'"):
        return "its value contains quotation marks"
    if any(re.search(r"[\s;]", each) or not each.isprintable() for each in entries):
        return "its entries must be separated by commas"
    return None


def _wrong(variable: str, problem: str) -> TransportError:
    return _unmade(f"the environment variable {variable} is wrong: {problem}")


def _unmade(why: str) -> TransportError:
    failure = TransportError(f"nothing was sent: {why}")
    failure.sent = False
    return failure
