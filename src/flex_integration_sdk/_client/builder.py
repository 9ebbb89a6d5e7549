"""From the arguments of ``create_instance`` or ``create_async_instance`` to an instance."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from flex_integration_sdk._settings.client_secret import AsyncClientSecret
from flex_integration_sdk._settings.given import Given
from flex_integration_sdk._settings.variables import Variables
from flex_integration_sdk._transport.argument_types import (
    AnyHttpClient,
    ClientCert,
    OnRequest,
    Verify,
)
from flex_integration_sdk._transport.connection_settings import (
    ConnectionSettings,
    connection_settings,
)
from flex_integration_sdk._wire.rate_limits import RateLimits, limits_of
from flex_integration_sdk._wire.type_handlers import TypeHandler
from flex_integration_sdk.config import Settings, complete
from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore import OnEvent, OnStoreError, StoreConfig
from flex_tokenstore.embedding import check_on_event

# Here, so that it is registered when a program imports ``create_instance``: before the functions
# that the program itself has called at its end.
from . import at_exit  # noqa: F401 - it registers itself
from .call_options import CallOptions, check_seconds
from .reporting import reporting_to

K = TypeVar("K")

_ANYBODY = (
    "verify says that any server is trusted: whoever is on the way to it can read and change all, "
    "the client secret and the tokens too. Use it for tests only; for a server with a CA of your "
    "own, pass the path of that CA's certificate"
)


@dataclass(frozen=True, kw_only=True, repr=False)
class InstanceOptions:
    """The arguments of ``create_instance`` and ``create_async_instance``, each written once.

    ``python tools/generate.py`` makes both functions in ``create.py`` from this class: their
    signatures from the fields, their docstrings from what is written below each field.
    """

    client_id: str | None = None
    """Client id of an application of type Integration API. If omitted:
    ``FLEX_INTEGRATION_CLIENT_ID``."""
    client_secret: AsyncClientSecret | None = None
    """The client secret, or a callable that returns it and is called at each sign-in; for an async
    instance it may be a coroutine function. If omitted: ``FLEX_INTEGRATION_CLIENT_SECRET``. It is
    not needed while a stored refresh token works."""
    client_secret_file: str | Path | None = None
    """Path of a file that contains the secret, in place of ``client_secret``. The file is read at
    each sign-in. If omitted: ``FLEX_INTEGRATION_CLIENT_SECRET_FILE``."""
    token_store: StoreConfig | None = None
    """A store's name; or a mapping with ``name`` and the store's options; or an object with
    ``get_token``, ``set_token`` and ``remove_token``. If omitted: ``FLEX_INTEGRATION_TOKEN_STORE``,
    else ``"memory"``. An option that you omit comes from
    ``FLEX_INTEGRATION_TOKEN_STORE__<OPTION>``, unless the environment names another store."""
    base_url: str | None = None
    """Address of the server. If omitted: ``FLEX_INTEGRATION_BASE_URL``, else the live API."""
    profile: str | None = None
    """The section ``[profiles.NAME]`` of the config file to use. It also keeps several tokens of
    one client apart. If omitted: ``FLEX_INTEGRATION_PROFILE``, else ``"default"``."""
    config: str | Path | None = None
    """Path of the config file, which completes what neither an argument nor a variable says. If
    omitted: ``FLEX_INTEGRATION_CONFIG``, else ``~/.config/flex-integration-sdk/config.toml``, if
    that exists. ``os.devnull``: read none."""
    allow_http: bool | None = None
    """True: accept plain http to another host, such as in a private network of containers. The
    secret and the tokens are then not encrypted on the way. If omitted:
    ``FLEX_INTEGRATION_ALLOW_HTTP``, else False."""
    require_encrypted: bool | None = None
    """True: refuse a token store that would keep the token as plain text.
    ``FLEX_INTEGRATION_REQUIRE_ENCRYPTED`` requires it too, whatever this argument is."""
    timeout: float = 30.0
    """Seconds to wait for a response, and then for each further 64 KB of it. A whole response may
    take at most 20 times as long."""
    total_timeout: float | None = None
    """Seconds for a whole call, with its repetitions and waits. None: no limit."""
    max_retries: int = 2
    """How often a call that can safely be repeated is repeated, after an answer 429 or 5xx and
    where no answer came. 0: never."""
    request_timeout: float = 15.0
    """Seconds that one token request may take in all."""
    lock_timeout: float | None = None
    """Seconds to wait while another program requests a token. None: 10 seconds longer than the
    lease that a dead program may have left."""
    busy_timeout: float | None = None
    """Seconds to wait for a connection while all are in use: the instances of a process share 10
    connections to a server. None: wait as long as it takes."""
    verify: Verify = True
    """Whom to trust. True: this machine's authorities, or those of ``SSL_CERT_FILE`` and
    ``SSL_CERT_DIR``. The path of a PEM file or of a folder as ``openssl rehash`` leaves it: only
    the authorities in it. An ``ssl.SSLContext``: as that says. False: anybody; whoever is on the
    way can then read the client secret and the tokens, so a warning says so."""
    client_cert: ClientCert | None = None
    """The certificate to show to a server that asks for one: the path of a PEM file with
    certificate and private key, or ``(certificate, key)``, or ``(certificate, key, password)``."""
    proxy: str | None = None
    """The proxy for all requests, such as ``"http://user:password@host:3128"``; with the extra
    ``socks`` also ``socks5://`` and ``socks5h://``. The variables, ``NO_PROXY`` too, then do not
    count. None: the proxy that the variables name."""
    user_agent: str | None = None
    """Your program's name and version, such as ``"my-shop/1.0"``: the header ``User-Agent`` begins
    with it."""
    http_client: AnyHttpClient | None = None
    """A client of httpx2 that makes all requests, with its own TLS, proxies and limits. The SDK
    does not close it. None: the SDK makes the connections."""
    on_store_error: OnStoreError = "raise"
    """What to do while the store is down. ``"raise"``: raise ``TokenUnavailableError``.
    ``"memory"``: keep the token in memory, at the price of one sign-in for each process."""
    on_event: OnEvent | None = None
    """Called with each ``flex_tokenstore.Event``, such as a refresh or a sign-in. It must be quick
    and must not use the instance; ``docs/events.md`` lists the events."""
    on_request: OnRequest | None = None
    """Called with a ``RequestEvent`` after each request, API calls and token requests alike. It
    must be quick and must not use the instance; ``docs/network.md`` shows it."""
    host_lock: Literal["on", "off"] = "on"
    """``"off"``: use no lock file for a store without a lock of its own, on a host where no folder
    can be written."""
    type_handlers: Sequence[TypeHandler] = ()
    """Your own types in place of ``UUID``, ``Money`` and the others."""
    transit_verbose: bool = False
    """True: send and ask for Transit in its readable form, to look at the requests and
    responses."""
    rate_limits: Literal["dev", "live"] | RateLimits | None = None
    """Wait before each call, so that the API does not refuse it with 429. ``"dev"`` has the limits
    of development and test environments, ``"live"`` those of live ones. A :class:`RateLimits` of
    your own can be shared by several instances. None: do not wait."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("arguments cannot be pickled: the secret would travel in the clear")

    def check(self) -> None:
        """Raises ConfigurationError for values that the session or the HTTP client cannot use."""
        _check_limits(self)
        if self.on_store_error not in ("raise", "memory"):
            raise ConfigurationError(
                f'on_store_error must be "raise" or "memory", got {self.on_store_error!r}'
            )
        if self.on_event is not None:
            try:
                check_on_event(self.on_event)
            except TypeError as error:
                raise ConfigurationError(str(error)) from None

    def connection(self, kind: str) -> ConnectionSettings:
        """How requests leave this process.

        Args:
            kind: ``"sync"`` or ``"async"``.

        Raises:
            ConfigurationError: An argument or ``FLEX_INTEGRATION_LOG`` is wrong.
        """
        return connection_settings(self, kind, reporting_to(self.on_request))

    def settings(self) -> Settings:
        """The settings, completed from the environment and the config file."""
        given = Given(
            client_id=self.client_id,
            client_secret=self.client_secret,
            client_secret_file=self.client_secret_file,
            token_store=self.token_store,
            base_url=self.base_url,
            profile=self.profile,
            config=self.config,
            allow_http=self.allow_http,
            require_encrypted=self.require_encrypted,
        )
        return complete(given, Variables())


class Parts(NamedTuple, Generic[K]):
    """What an instance is put together from; there is one for each kind, sync and async."""

    kind: str
    """``"sync"`` or ``"async"``."""
    open_store: Callable[..., Any]
    http: Callable[..., Any]
    grants: Callable[..., Any]
    session: Callable[..., Any]
    instance: Callable[..., K]


def build(parts: Parts[K], options: InstanceOptions, settings: Settings | None = None) -> K:
    """An instance. What is wrong with an argument raises here, before a store is opened.

    Args:
        parts: What it is put together from.
        options: The arguments.
        settings: What they, the environment and the config file say, if that is known already.
    """
    options.check()
    calls = CallOptions(total_timeout=options.total_timeout, max_retries=options.max_retries)
    limits = None if options.rate_limits is None else limits_of(options.rate_limits)
    connection = options.connection(parts.kind)
    if connection.tls is not None and not connection.tls.checks:
        warnings.warn(_ANYBODY, RuntimeWarning, stacklevel=3)
    if settings is None:
        settings = options.settings()
    open_store = partial(
        parts.open_store,
        host_lock=options.host_lock,
        require_encrypted=settings.require_encrypted,
    )
    store = open_store(settings.token_store, settings.identity)
    http = parts.http(
        settings.identity.base_url,
        options.timeout,
        options.request_timeout,
        options.busy_timeout,
        connection,
    )
    session = parts.session(
        store,
        parts.grants(settings, http, store),
        request_timeout=options.request_timeout,
        lock_timeout=options.lock_timeout,
        on_store_error=options.on_store_error,
        on_event=options.on_event,
    )
    return parts.instance(
        settings,
        session,
        http,
        options.type_handlers,
        options.transit_verbose,
        limits,
        calls,
        open_store,
    )


def _check_limits(options: InstanceOptions) -> None:
    limits: dict[str, Any] = {
        "timeout": options.timeout,
        "request_timeout": options.request_timeout,
    }
    for name in ("lock_timeout", "busy_timeout"):
        if (limit := getattr(options, name)) is not None:
            limits[name] = limit
    for name, value in limits.items():
        check_seconds(name, value)
