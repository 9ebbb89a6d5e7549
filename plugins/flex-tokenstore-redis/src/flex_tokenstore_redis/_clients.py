"""redis-py's clients, made from the options, and its errors in plain words."""

from __future__ import annotations

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
        """Its pools of connections; a Cluster has one for each node."""
        nodes = getattr(self.client, "get_nodes", None)
        if nodes is None:
            return [self.client.connection_pool]
        clients = [getattr(node, "redis_connection", None) for node in nodes()]
        return [each.connection_pool for each in clients if each is not None]


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
        return Made(_given(options.client, kit))
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
        return _in_one_piece(Made(client, (client, *sentinel.sentinels)), kit)
    if address.path:
        client = kit.single(unix_socket_path=address.path, db=address.db, **keywords)
    else:
        client = kit.single(host=address.host, port=address.port, db=address.db, **keywords)
    return _in_one_piece(Made(client, (client,)), kit)


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


def _given(client: Any, kit: Kit) -> Any:
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


def _keywords(options: Options, address: Address, kit: Kit) -> _Keywords:
    keywords = _Keywords(
        credential_provider=_credentials(
            options.username or address.username, options.password_now() or address.password
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
        # redis-py's async Cluster takes no passphrase. An encrypted key without one was refused
        # when the store was opened, so OpenSSL does not ask at the terminal.
        if options.key_password is not None:
            keywords["ssl_password"] = options.key_password.reveal()
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
