"""Faults of the store ``redis``, on a real Valkey."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers import free_port
from tests.servers.tls import tls_proxy
from tests.support.slow_servers import Line, SlowServer, listening

from . import fault
from .world import SECRET, World

PASSWORD = "the-passw0rd"
AFTER_IT = ("store.lock", "store.save")  # each asks the server, and meets the same
RIGHTS = [
    *("+get", "+set", "+del", "+type", "+dump", "+rename", "+pttl", "+pexpire"),
    *("+xadd", "+xread", "+xrevrange", "+eval", "+evalsha"),
]


@contextmanager
def _with_password(world: World) -> Iterator[int]:
    """A server that demands a password; its port."""
    server = world.server("valkey_server")
    world.secrets.add(PASSWORD)
    server.run("CONFIG", "SET", "requirepass", PASSWORD)
    try:
        yield server.port
    finally:
        server.run("CONFIG", "SET", "requirepass", "", password=PASSWORD)


@fault(
    "Redis: the password in the url is wrong",
    finds="store.read",
    says="it does not accept the user name or password",
    remedy="The option url comes from FLEX_INTEGRATION_TOKEN_STORE__URL",
    also=AFTER_IT,
)
def redis_wrong_password(world: World) -> Iterator[None]:
    with _with_password(world) as port:
        world.store("redis", url=f"redis://:{SECRET}@127.0.0.1:{port}/0")
        yield


@fault(
    "Redis: a password is needed, and none is set",
    finds="store.read",
    says="it demands a password",
    remedy="The option password is not set; its variable is FLEX_INTEGRATION_TOKEN_STORE__PASSWORD",
    also=AFTER_IT,
)
def redis_no_password(world: World) -> Iterator[None]:
    with _with_password(world) as port:
        world.store("redis", url=f"redis://127.0.0.1:{port}/0")
        yield


@fault(
    "Redis: a password is set, and the server has none",
    finds="store.read",
    says="password",
    remedy="The option password comes from FLEX_INTEGRATION_TOKEN_STORE__PASSWORD",
    also=AFTER_IT,
)
def redis_needless_password(world: World) -> Iterator[None]:
    world.secrets.add(PASSWORD)
    world.store("redis", url=world.server("valkey_server").url, password=PASSWORD)
    yield


@fault(
    "Redis: the server is down, or the port is wrong",
    finds="store.read",
    says="it could not be reached",
    remedy="Check that it is up",
    also=AFTER_IT,
)
def redis_down(world: World) -> Iterator[None]:
    world.store("redis", url=f"redis://127.0.0.1:{free_port()}/0")
    yield


@fault(
    "Redis: rediss:// to a server without TLS",
    finds="store.read",
    says="it did not respond in time",
    remedy="with rediss://, that it supports TLS",
    also=AFTER_IT,
)
def redis_tls_to_plain(world: World) -> Iterator[None]:
    port = world.server("valkey_server").port
    options = {"timeout": "0.2", "connect_timeout": "0.2"}
    world.store("redis", url=f"rediss://127.0.0.1:{port}/0", **options)
    yield


@fault(
    "Redis: TLS, with a certificate of a CA that is not trusted",
    finds="store.read",
    says="TLS failed",
    remedy="set ca_file",
    also=AFTER_IT,
)
def redis_untrusted(world: World) -> Iterator[None]:
    files = world.authority().issue("localhost")
    with tls_proxy(world.server("valkey_server").port, files) as port:
        world.store("redis", url=f"rediss://localhost:{port}/0")
        yield


@fault(
    "Redis: the database does not exist",
    finds="store.read",
    says="it has no database of that number",
    remedy="Correct the url",
    also=AFTER_IT,
)
def redis_database(world: World) -> Iterator[None]:
    world.store("redis", url=f"redis://127.0.0.1:{world.server('valkey_server').port}/99")
    yield


@fault(
    "Redis: the server was demoted, and is a replica now",
    finds="store.lock",
    says="it is a replica",
    remedy="Name the primary, or its Sentinels",
    also=("store.save",),
)
def redis_demoted(world: World) -> Iterator[None]:
    server = world.server("valkey_server")
    world.store("redis", url=server.url)
    server.run("REPLICAOF", "127.0.0.1", free_port())  # it goes on to answer reads
    try:
        yield
    finally:
        server.run("REPLICAOF", "NO", "ONE")


@fault(
    "Redis: the memory is full, and the policy is noeviction",
    finds="store.lock",
    says="its memory is full",
    remedy="Raise maxmemory",
    also=("store.save",),
)
def redis_memory(world: World) -> Iterator[None]:
    server = world.server("valkey_server")
    world.store("redis", url=server.url)
    server.run("CONFIG", "SET", "maxmemory-policy", "noeviction")
    server.run("CONFIG", "SET", "maxmemory", "1")
    try:
        yield
    finally:
        server.run("CONFIG", "SET", "maxmemory", "0")


@contextmanager
def _with_user(world: World, *rules: str) -> Iterator[None]:
    server = world.server("valkey_server")
    world.secrets.add(PASSWORD)
    keys = "~flex-tokenstore:*"
    server.run("ACL", "SETUSER", "app", "reset", "on", f">{PASSWORD}", keys, *RIGHTS, *rules)
    world.store("redis", url=server.url, username="app", password=PASSWORD)
    try:
        yield
    finally:
        server.run("ACL", "DELUSER", "app")


@fault(
    "Redis: the ACL user may not write (no +set)",
    finds="store.lock",
    says="its user may not do this",
    remedy="Grant it the commands and keys that the README of this plugin lists",
    also=("store.save",),
)
def redis_right(world: World) -> Iterator[None]:
    with _with_user(world, "-set"):
        yield


@fault(
    "Redis: the ACL user has other keys than the option prefix says",
    finds="store.read",
    says="its user may not do this",
    remedy="Grant it the commands and keys",
    also=AFTER_IT,
)
def redis_keys(world: World) -> Iterator[None]:
    with _with_user(world):
        world.store("redis", prefix="other:")
        yield


@fault(
    "Redis: the port is that of a web server",
    finds="store.read",
    says="what responds there is not Redis",
    remedy="The option url comes from FLEX_INTEGRATION_TOKEN_STORE__URL",
    also=AFTER_IT,
)
def redis_other_service(world: World) -> Iterator[None]:
    def serve(_: SlowServer, line: Line) -> None:
        line.connection.recv(65536)
        line.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(serve) as server:
        world.store("redis", url=f"redis://127.0.0.1:{server.port}/0")
        yield
