"""redis-py's clients, made from the options."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Any, NamedTuple

import redis
import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.connection import PythonRespSerializer
from redis.credentials import CredentialProvider
from redis.retry import Retry
from redis.utils import HIREDIS_AVAILABLE

from flex_tokenstore import Secret
from flex_tokenstore.records import end_transport

from ._options import Address, Options, parse, parse_sentinel

_CLUSTER_TRIES = 3
_CUTOFF = 6000  # bytes from which redis-py does not copy an argument into what it has joined so far


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
    closing: tuple[Any, ...] = ()

    @property
    def pools(self) -> list[Any]:
        """Its pools of connections; a Cluster has one for each node.

        In an asyncio program the nodes of a Cluster are pools, with other methods.
        """
        nodes = getattr(self.client, "get_nodes", None)
        if nodes is None:
            return [self.client.connection_pool]
        found = [getattr(node, "redis_connection", node) for node in nodes()]
        # Of a sync Cluster, None until that node is first used.
        return [getattr(each, "connection_pool", each) for each in found if each is not None]


class FromFiles(NamedTuple):
    """What a client needs of the options' files."""

    password: Secret[str] | None = None
    tls: ssl.SSLContext | None = None


def read_files(options: Options) -> FromFiles:
    """Reads them. With TLS this takes up to 50 ms, for the system's CAs too."""
    tls = options.tls_context() if options.tls else None
    return FromFiles(options.password_now(), tls)


class _Credentials(CredentialProvider):
    """User and password, which neither a client nor the command AUTH shows."""

    def __init__(self, username: str | None, password: Secret[str] | None) -> None:
        self._username = username
        self._password = password or Secret("")

    def get_credentials(self) -> Any:
        # Tracing libraries record the arguments of AUTH; a memoryview shows nothing (decision 018).
        password = memoryview(self._password.reveal().encode("utf-8", "surrogatepass"))
        return (self._username, password) if self._username else (password,)

    async def get_credentials_async(self) -> Any:
        return self.get_credentials()


class _Keywords(dict[str, Any]):
    """Arguments with a password among them; it does not print itself."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self)})"


def make_client(options: Options, files: FromFiles, kit: Kit) -> Made:
    """A client of the store's own. In asyncio programs, nothing is sent yet."""
    address = parse(options.url)
    assert isinstance(address, Address)  # the options have seen to it
    keywords = _keywords(options, address, files.password, kit)
    if options.cluster:
        retry = kit.retry(ExponentialBackoff(cap=0.5, base=0.05), _CLUSTER_TRIES)
        keywords["retry"] = retry
        client = _cluster(address, keywords, files.tls, kit)
        return Made(client, (client,))
    keywords["ssl"] = files.tls is not None
    if options.sentinels:
        sentinel = kit.sentinel(
            [parse_sentinel(text) for text in options.sentinels],
            sentinel_kwargs=_for_sentinels(options, keywords),
            **keywords,
        )
        client = sentinel.master_for(options.service_name, db=address.db)
        closing = (client, *sentinel.sentinels)
    elif address.path:
        client = kit.single(unix_socket_path=address.path, db=address.db, **keywords)
        closing = (client,)
    else:
        client = kit.single(host=address.host, port=address.port, db=address.db, **keywords)
        closing = (client,)
    if files.tls is not None:
        for each in closing:
            pool = each.connection_pool
            pool.connection_class = connections_with(files.tls, pool.connection_class)
    return _in_one_piece(Made(client, closing), kit)


class _OnePiece(PythonRespSerializer):
    """redis-py sends each memoryview by itself, so a save would be three segments, and 40 µs more.

    asyncio joins them, and so does hiredis.
    """

    def pack(self, *args: Any) -> list[bytes]:
        return [b"".join(super().pack(*args))]  # type: ignore[no-untyped-call]


def _in_one_piece(made: Made, kit: Kit) -> Made:
    if kit is SYNC and not HIREDIS_AVAILABLE:
        for pool in made.pools:
            packer = _OnePiece(_CUTOFF, pool.get_encoder().encode)
            pool.connection_kwargs["command_packer"] = packer
    return made


def abandon(made: Made) -> None:
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


def given_client(client: Any, kit: Kit) -> Any:
    """The program's own client, or one on its pool.

    Raises:
        StoreOptionsError: It is of the wrong kind.
    """
    if isinstance(client, kit.pool):
        return kit.single(connection_pool=client)
    if isinstance(client, (kit.single, kit.cluster)):
        return client
    module = kit.single.__module__.rpartition(".")[0]
    raise Options.wrong(
        "client",
        f"must be a Redis, RedisCluster or ConnectionPool of {module} here, got "
        f"{type(client).__module__}.{type(client).__name__}",
    )


def _cluster(address: Address, keywords: _Keywords, tls: ssl.SSLContext | None, kit: Kit) -> Any:
    host, port = address.host, address.port
    if tls is None:
        return kit.cluster(host=host, port=port, **keywords)
    if kit is SYNC:
        # It connects at once, and only when it is made of a url it takes a class of pools.
        pools = _pools_of(connections_with(tls, redis.SSLConnection))
        return kit.cluster(url=address.server, connection_pool_class=pools, **keywords)
    client = kit.cluster(host=host, port=port, ssl=True, **keywords)
    cls = connections_with(tls, redis.asyncio.SSLConnection)
    client.connection_kwargs["connection_class"] = cls  # of nodes that it will find
    for node in client.startup_nodes:
        node.connection_class = cls
    return client


def _pools_of(cls: type[Any]) -> type[Any]:
    class Pool(redis.ConnectionPool):
        def __init__(self, **keywords: Any) -> None:
            super().__init__(**{**keywords, "connection_class": cls})

    return Pool


def connections_with(tls: ssl.SSLContext, base: type[Any]) -> type[Any]:
    """redis-py's class of connections, with this context.

    A context of its own trusts the system's CAs beside those of a file, and is made for each
    connection, in asyncio programs too; and its asyncio Cluster takes no passphrase.
    """

    class Connection(base):  # type: ignore[misc]  # one of several
        def __init__(self, *args: Any, **keywords: Any) -> None:
            super().__init__(*args, **keywords)
            if hasattr(self, "ssl_context"):  # in an asyncio program
                self.ssl_context.context = tls

        def _wrap_socket_with_ssl(self, sock: Any) -> ssl.SSLSocket:  # in a sync one
            return tls.wrap_socket(sock, server_hostname=self.host)

    return Connection


def _keywords(
    options: Options, address: Address, password: Secret[str] | None, kit: Kit
) -> _Keywords:
    return _Keywords(
        credential_provider=_credentials(
            options.username or address.username, password or address.password
        ),
        socket_timeout=options.timeout,
        socket_connect_timeout=options.connect_timeout,
        # A command is sent once: one sent again after a lost answer would conflict with itself.
        retry=kit.retry(NoBackoff(), 0),
        protocol=2,  # no HELLO, no notifications: one round trip less for each connection
        driver_info=None,  # nor CLIENT SETINFO
    )


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
