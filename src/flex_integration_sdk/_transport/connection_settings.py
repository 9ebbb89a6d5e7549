"""What arguments say about connections, checked: TLS, proxy, user agent, an own HTTP client."""

from __future__ import annotations

import os
import platform
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from flex_integration_sdk._version import __version__
from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore import Secret

from .own_tls import ClientCertificate, OwnTls, TlsProblem
from .proxy_address import proxy_problem, with_scheme
from .proxy_and_tls import Options, options_for, proxy_variable

if TYPE_CHECKING:
    from .reporting import Reporting

USER_AGENT = f"flex-integration-sdk-python/{__version__} (python/{platform.python_version()})"
_SWITCHES = {"true", "false", "yes", "no", "on", "off", "1", "0", "none"}


@dataclass(frozen=True, slots=True, repr=False)
class ConnectionSettings:
    """How requests leave this process; by default as the environment says.

    An ``Http`` or ``AsyncHttp`` for another address can have those of an instance's:
    ``Http(url, timeout, timeout, connection=http.connection)``.
    """

    tls: OwnTls | None = None
    """None: the certificates that the environment names, and no client certificate."""
    proxy: Secret[str] | None = None
    """None: the proxy that the environment names."""
    user_agent: str = USER_AGENT
    http_client: Any = None
    """A client of httpx2 that the program made, and closes; None: the SDK makes its own."""
    reporting: Reporting | None = None
    """Who is told of requests; None: nobody."""

    def options(self, base_url: str, *, trust_env: bool) -> Options:
        """What instances must have in common to share connections; may read files.

        Args:
            base_url: Address of the server.
            trust_env: Whether a proxy of the environment can reach it.

        Raises:
            TransportError: One of the variables is wrong.
        """
        if self.http_client is not None:
            return Options(None, None, client=self.http_client, user_agent=self.user_agent)
        trust_env = trust_env and self.proxy is None
        found = options_for(base_url, trust_env=trust_env, own=self.tls)
        if found.tls is None and self.trusted() and self._is_proxy_private:
            assert self.tls is not None
            found = found._replace(tls=self.tls.now(()))  # for the way to the proxy
        return found._replace(proxy=self.proxy, user_agent=self.user_agent)

    @property
    def _is_proxy_private(self) -> bool:
        return self.proxy is not None and self.proxy.reveal().lower().startswith("https:")

    def proxy_name(self, url: str) -> str:
        """What names the proxy for ``url``, for messages."""
        if self.http_client is not None:
            return "the proxy of http_client"
        return "the argument proxy" if self.proxy is not None else proxy_variable(url)

    def trusted(self) -> str | None:
        """Which argument says whom to trust, for messages; None: the environment does."""
        if self.http_client is not None:
            return "http_client"
        return None if self.tls is None or self.tls.verify is True else "verify"


class Given(Protocol):
    """The arguments of ``create_instance`` that are about connections."""

    @property
    def verify(self) -> Any: ...
    @property
    def client_cert(self) -> Any: ...
    @property
    def proxy(self) -> Any: ...
    @property
    def user_agent(self) -> Any: ...
    @property
    def http_client(self) -> Any: ...


def connection_settings(
    given: Given, kind: str, reporting: Reporting | None = None
) -> ConnectionSettings:
    """Checks the arguments; reads the files that they name.

    Args:
        given: The arguments.
        kind: ``"sync"`` or ``"async"``.
        reporting: Who is told of requests.

    Raises:
        ConfigurationError: One is wrong, or two contradict each other. It shows no secret.
    """
    tls = _tls(given)
    if given.proxy is not None:
        _check_proxy(Secret(given.proxy))
    if given.http_client is not None:
        _check_client(given, kind)
    return ConnectionSettings(
        tls,
        None if given.proxy is None else Secret(with_scheme(given.proxy)),
        _user_agent(given.user_agent),
        given.http_client,
        reporting,
    )


def _tls(given: Given) -> OwnTls | None:
    certificate = None
    if given.client_cert is not None:
        certificate = _certificate(Secret(given.client_cert))
    verify = _verify(given.verify)
    if verify is True and certificate is None:
        return None
    if certificate is not None and isinstance(verify, ssl.SSLContext):
        raise ConfigurationError(
            "client_cert cannot be combined with an SSLContext: load the certificate into that, "
            "with its method load_cert_chain"
        )
    tls = OwnTls(verify, certificate)
    try:
        tls.check()
    except TlsProblem as found:
        problem = str(found)
    else:
        return tls
    raise ConfigurationError(problem)


def _verify(verify: Any) -> bool | str | ssl.SSLContext:
    if isinstance(verify, bool):
        return verify
    if isinstance(verify, ssl.SSLContext):
        if verify.protocol == ssl.PROTOCOL_TLS_SERVER:
            raise ConfigurationError(
                "verify is an SSLContext for servers: make one with ssl.create_default_context()"
            )
        return verify
    if not isinstance(verify, (str, os.PathLike)) or not isinstance(os.fspath(verify), str):
        raise ConfigurationError(
            "verify must be True, False, the path of a file or folder with CA certificates, or an "
            f"ssl.SSLContext, got {type(verify).__name__}"
        )
    path = os.fspath(verify)
    if path.strip().lower() in _SWITCHES | {""}:
        raise ConfigurationError(
            f"verify is the string {path!r}, which would be the name of a file: pass True or False "
            "itself, or the path of a file with CA certificates"
        )
    return _absolute(path)


def _absolute(path: str) -> str:
    # The program may change its folder before the file is read again.
    return str(Path(os.path.expanduser(path)).absolute())  # noqa: PTH111 - Path raises for a user


def _certificate(given: Secret[Any]) -> ClientCertificate:
    parts = Secret(_parts(given))
    names = [each for each in parts.reveal()[:2] if each is not None]
    paths = all(isinstance(each, (str, os.PathLike)) and os.fspath(each) for each in names)
    if not 1 <= len(parts.reveal()) <= 3 or parts.reveal()[0] is None or not paths:
        raise ConfigurationError(
            "client_cert must be the path of a PEM file with certificate and private key, or "
            "(certificate, key), or (certificate, key, password)"
        )
    has_password = len(parts.reveal()) == 3 and parts.reveal()[2] is not None
    password: Secret[Any] | None = Secret(parts.reveal()[2]) if has_password else None
    if password is not None and not isinstance(password.reveal(), (str, bytes)):
        kind = type(password.reveal()).__name__
        raise ConfigurationError(f"the password of client_cert must be a string, got {kind}")
    files = [_absolute(os.fsdecode(each)) for each in names]
    return ClientCertificate(files[0], files[1] if len(files) > 1 else None, password)


def _parts(given: Secret[Any]) -> tuple[Any, ...]:
    if isinstance(given.reveal(), Sequence) and not isinstance(given.reveal(), (str, bytes)):
        return tuple(given.reveal())
    return (given.reveal(),)


def _check_proxy(proxy: Secret[Any]) -> None:
    """Raises ConfigurationError if it is not a proxy's address; shows no part of it."""
    if not isinstance(proxy.reveal(), str):
        kind = type(proxy.reveal()).__name__
        raise ConfigurationError(f"proxy must be a string such as http://HOST:PORT, got {kind}")
    if problem := proxy_problem(proxy.reveal()):
        raise ConfigurationError(f"the argument proxy is wrong: {problem}")


def _user_agent(given: Any) -> str:
    if given is None:
        return USER_AGENT
    # RFC 9110 section 5.5. A line end would begin another header.
    if not isinstance(given, str) or not re.fullmatch(r"[ -~]*[!-~][ -~]*", given):
        raise ConfigurationError(
            "user_agent must be a string of printable ASCII characters, such as 'my-shop/1.0'"
        )
    return f"{given.strip()} {USER_AGENT}"


def _check_client(given: Given, kind: str) -> None:
    """Raises ConfigurationError for a client that the instance cannot use."""
    import httpx2

    client = given.http_client
    wanted, other = httpx2.Client, httpx2.AsyncClient
    maker, twin = "create_instance", "create_async_instance"
    if kind == "async":
        (wanted, other), (maker, twin) = (other, wanted), (twin, maker)  # type: ignore[assignment]
    if isinstance(client, other):
        raise ConfigurationError(
            f"http_client is an httpx2.{other.__name__}, and {maker} needs an "
            f"httpx2.{wanted.__name__}: pass one, or use {twin}"
        )
    if not isinstance(client, wanted):
        kind_of = f"{type(client).__module__.partition('.')[0]}.{type(client).__qualname__}"
        raise ConfigurationError(f"http_client must be an httpx2.{wanted.__name__}, got {kind_of}")
    both = [name for name in ("client_cert", "proxy") if getattr(given, name) is not None]
    both += ["verify"] if given.verify is not True else []
    if both:
        raise ConfigurationError(
            f"http_client cannot be combined with {' and '.join(both)}: that client has TLS and "
            "proxy settings of its own; make it with them"
        )
