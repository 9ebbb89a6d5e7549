"""redis-py's clients, made from the options, and its errors in plain words."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Any, NamedTuple

import redis
import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
)
from redis.retry import Retry

from flex_tokenstore import Secret, StoreOptionsError

from ._loops import end_transport
from ._options import STORE, Address, Options, parse, parse_sentinel
from ._refusals import is_refusal

_CLUSTER_TRIES = 3


class Kit(NamedTuple):
    """The classes of one kind of program."""

    single: Any
    cluster: Any
    sentinel: Any
    pool: Any
    retry: Any


SYNC = Kit(redis.Redis, redis.RedisCluster, redis.sentinel.Sentinel, redis.ConnectionPool, Retry)
ASYNC = Kit(
    redis.asyncio.Redis,
    redis.asyncio.RedisCluster,
    redis.asyncio.sentinel.Sentinel,
    redis.asyncio.ConnectionPool,
    redis.asyncio.retry.Retry,
)


class Made(NamedTuple):
    """A client, and all that is to be closed with it."""

    client: Any
    closing: tuple[Any, ...]


class _Credentials(CredentialProvider):
    """User and password, which neither a client nor the command AUTH shows."""

    def __init__(self, username: str | None, password: Secret[str] | None) -> None:
        self._username = username
        self._password = password or Secret("")

    def get_credentials(self) -> Any:
        # Tracing libraries record the arguments of AUTH; a memoryview shows nothing (decision 018).
        password = memoryview(self._password.reveal().encode())
        return (self._username, password) if self._username else (password,)

    async def get_credentials_async(self) -> Any:
        return self.get_credentials()


class _Keywords(dict[str, Any]):
    """Arguments with a password among them; it does not print itself."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self)})"


def make_client(options: Options, kit: Kit) -> Made:
    """A client of the store's own, or the one that the program passed. Nothing is sent yet."""
    if options.client is not None:
        return Made(_given(options.client, kit), ())
    address = parse(options.url)
    assert isinstance(address, Address)  # the options have seen to it
    keywords = _keywords(options, address, kit)
    if options.cluster:
        retry = kit.retry(ExponentialBackoff(cap=0.5, base=0.05), _CLUSTER_TRIES)
        client = kit.cluster(
            host=address.host, port=address.port, **_Keywords({**keywords, "retry": retry})
        )
        return Made(client, (client,))
    if options.sentinels:
        sentinel = kit.sentinel(
            [parse_sentinel(text) for text in options.sentinels],
            sentinel_kwargs=_for_sentinels(options, keywords),
            **keywords,
        )
        client = sentinel.master_for(options.service_name, db=address.db)
        return Made(client, (client, *sentinel.sentinels))
    if address.path:
        client = kit.single(unix_socket_path=address.path, db=address.db, **keywords)
    else:
        client = kit.single(host=address.host, port=address.port, db=address.db, **keywords)
    return Made(client, (client,))


def let_go(made: Made) -> None:
    """Closes the connections of an async client whose event loop is closed; nothing is awaited."""
    for client in made.closing:
        with suppress(Exception):
            client._initialize = True  # a Cluster's: it warns of itself no more
        for connection in _connections(client):
            writer = connection._writer
            # redis-py's `Connection.__del__` warns of each connection that still has a writer.
            connection._writer = connection._reader = None
            if writer is not None:
                end_transport(writer.transport)


def _connections(client: Any) -> list[Any]:
    pool = getattr(client, "connection_pool", None)
    found = [] if pool is None else [*pool._available_connections, *pool._in_use_connections]
    manager = getattr(client, "nodes_manager", None)  # a Cluster's
    if manager is not None:
        for node in (*manager.nodes_cache.values(), *manager.startup_nodes.values()):
            found += node._connections
    return found


def reason_of(error: Exception, options: Options) -> str:
    """What the error means and what to do. Its own text may quote a command: it is not used."""
    if isinstance(error, _NO_PRIMARY):
        return (
            f"no Sentinel could be reached that knows a primary named {options.service_name!r}: "
            "check sentinels and service_name; during a failover, try again in a few seconds"
        )
    for kinds, text in _REASONS:
        if isinstance(error, kinds):
            return text
    if isinstance(error, (redis.TimeoutError, TimeoutError)):
        return (
            f"it did not respond in time ({options.timeout:g} s, {options.connect_timeout:g} s to "
            "connect): check that it is up, that no firewall is in between and, with rediss://, "
            "that it supports TLS"
        )
    if is_refusal(error):
        return _DENIED
    if _is_tls(error):
        return (
            "TLS failed: check ca_file, the host name in the certificate, and that the server "
            "supports TLS"
        )
    if isinstance(error, (redis.ConnectionError, OSError)):
        return "it could not be reached: check that it is up and that url, host and port are right"
    code = str(error).partition(" ")[0]
    what = code if code in _CODES else type(error).__name__
    return f"it returned the error {what}: see the server's log"


_NO_PRIMARY = (
    redis.sentinel.MasterNotFoundError,
    redis.asyncio.sentinel.MasterNotFoundError,  # another class of the same name
)
# Only these may be shown: the first word of another error may be what somebody stored.
_CODES = {"BUSY", "CLUSTERDOWN", "MASTERDOWN", "MISCONF", "NOREPLICAS", "TRYAGAIN", "UNKILLABLE"}
_DENIED = (
    "its user may not do this: grant it the commands and keys that the README of this plugin lists"
)
# Asked before the general kinds: in redis-py AuthenticationError and BusyLoadingError are
# ConnectionErrors.
_REASONS: tuple[tuple[Any, str], ...] = (
    (
        (AuthenticationError, AuthorizationError),
        "it does not accept the user name or password: check the options username and password; "
        "in a url, the password must be percent-encoded (% as %25)",
    ),
    (NoPermissionError, _DENIED),
    (MovedError, "it is a node of a Cluster: set the option cluster"),
    (
        RedisClusterException,
        "no node of a Cluster responds there: check url, and that it is a Cluster",
    ),
    (ReadOnlyError, "it is a replica: name the primary, or its Sentinels"),
    (OutOfMemoryError, "its memory is full: raise maxmemory"),
    (BusyLoadingError, "it is still loading its data: try again"),
)


def _given(client: Any, kit: Kit) -> Any:
    if isinstance(client, kit.pool):
        return kit.single(connection_pool=client)
    if isinstance(client, (kit.single, kit.cluster)):
        return client
    module = kit.single.__module__.rpartition(".")[0]
    raise StoreOptionsError(
        f"option client of the store {STORE!r} must be a Redis, RedisCluster or ConnectionPool of "
        f"{module} here, got {type(client).__module__}.{type(client).__name__}",
        option="client",
        store=STORE,
    )


def _keywords(options: Options, address: Address, kit: Kit) -> _Keywords:
    keywords = _Keywords(
        credential_provider=_credentials(
            options.username or address.username, options.password or address.password
        ),
        socket_timeout=options.timeout,
        socket_connect_timeout=options.connect_timeout,
        # A command is sent once: one sent again after a lost answer would conflict with itself.
        retry=kit.retry(NoBackoff(), 0),
        protocol=2,  # no HELLO, no notifications: one round trip less for each connection
        driver_info=None,  # nor CLIENT SETINFO
    )
    if address.tls:
        keywords.update(
            ssl=True,
            ssl_ca_certs=options.ca_file,
            ssl_certfile=options.cert_file,
            ssl_keyfile=options.key_file,
        )
    return keywords


def _for_sentinels(options: Options, keywords: _Keywords) -> _Keywords:
    return _Keywords(
        {
            **keywords,
            # A Sentinel has users of its own; it never gets the password of the server.
            "credential_provider": _credentials(
                options.sentinel_username, options.sentinel_password
            ),
        }
    )


def _credentials(username: str | None, password: Secret[str] | None) -> _Credentials | None:
    return _Credentials(username, password) if username or password else None


def _is_tls(error: BaseException | None) -> bool:
    # Ten links are more than redis-py's errors have; a circle of causes must end.
    for _ in range(10):
        if error is None or isinstance(error, ssl.SSLError):
            return error is not None
        error = error.__cause__ or error.__context__
    return False
