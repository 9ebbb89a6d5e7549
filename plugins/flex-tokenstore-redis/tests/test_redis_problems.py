"""Each cause of a failure has its own words and its own remedy: the table, on a real server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import pytest
import redis

from flex_tokenstore import (
    ANY_REVISION,
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenUnavailableError,
)
from redis_support import COMMANDS, KEY, redis_config
from tests.servers import valkey
from tests.servers.valkey import Valkey
from tests.support.handles import Open, opener, token
from tests.support.slow_servers import Line, SlowServer, listening

Situation = Callable[[Valkey], AbstractContextManager[dict[str, object]]]


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    with valkey.start("--busy-reply-threshold", "20") as started:
        yield started


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


def configured(name: str, value: str) -> Situation:
    @contextmanager
    def situation(server: Valkey) -> Iterator[dict[str, object]]:
        with server.client() as client:  # its connection is there, whatever the setting forbids
            before = client.config_get(name)[name]
            client.config_set(name, value)
            try:
                yield {}
            finally:
                client.config_set(name, before)

    return situation


def user(*rules: str) -> Situation:
    @contextmanager
    def situation(server: Valkey) -> Iterator[dict[str, object]]:
        rights = ("reset", "on", ">SENTINEL", "~*", *COMMANDS.split())
        server.run("ACL", "SETUSER", "app", *rights, *rules)
        try:
            yield {"username": "app", "password": "SENTINEL"}
        finally:
            server.run("ACL", "DELUSER", "app")

    return situation


def given(**options: object) -> Situation:
    @contextmanager
    def situation(server: Valkey) -> Iterator[dict[str, object]]:
        yield dict(options)

    return situation


@contextmanager
def demands_a_password(server: Valkey) -> Iterator[dict[str, object]]:
    server.run("CONFIG", "SET", "requirepass", "SENTINEL")
    try:
        yield {}
    finally:
        server.run("CONFIG", "SET", "requirepass", "", password="SENTINEL")


@contextmanager
def replica(server: Valkey) -> Iterator[dict[str, object]]:
    with valkey.start() as primary:
        server.run("REPLICAOF", "127.0.0.1", primary.port)
        valkey.wait_until(lambda: server.run("ROLE")[3] == b"connected")
        try:
            yield {}
        finally:
            server.run("REPLICAOF", "NO", "ONE")


@contextmanager
def lost_its_primary(server: Valkey) -> Iterator[dict[str, object]]:
    server.run("CONFIG", "SET", "replica-serve-stale-data", "no")
    server.run("REPLICAOF", "127.0.0.1", "1")
    try:
        yield {}
    finally:
        server.run("REPLICAOF", "NO", "ONE")
        server.run("CONFIG", "SET", "replica-serve-stale-data", "yes")


@contextmanager
def busy_script(server: Valkey) -> Iterator[dict[str, object]]:
    def endless() -> None:
        with suppress(redis.RedisError):
            server.run("EVAL", "while true do end", 0)

    thread = threading.Thread(target=endless)
    thread.start()

    def is_busy() -> bool:
        try:
            server.run("GET", "x")
        except redis.ResponseError as error:
            return str(error).startswith("BUSY")
        return False

    valkey.wait_until(is_busy)
    try:
        yield {}
    finally:
        server.run("SCRIPT", "KILL")
        thread.join()


@contextmanager
def lock_of_another_type(server: Valkey) -> Iterator[dict[str, object]]:
    server.run("LPUSH", f"{KEY}:lock", "x")
    try:
        yield {}
    finally:
        server.run("DEL", f"{KEY}:lock")


@contextmanager
def web_server(_: Valkey) -> Iterator[dict[str, object]]:
    def serve(_: SlowServer, line: Line) -> None:
        line.connection.recv(65536)
        line.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(serve) as server:
        yield {"port": server.port}


def read(store: object) -> None:
    store.get_token()  # type: ignore[attr-defined]  # an open store


def save(store: object) -> None:
    store.set_token(token("a"), ANY_REVISION)  # type: ignore[attr-defined]


def lock(store: object) -> None:
    with store.token_lock(0, 5):  # type: ignore[attr-defined]
        pass


TABLE: list[tuple[str, Situation, Callable[[object], None], bool, str]] = [
    ("wrong password", given(password="SENTINELx", username="nobody"), read, False, "username and"),
    (
        "no letters",
        given(password="SENTINEL\ud800", username="nobody"),
        read,
        False,
        "username and",
    ),
    ("password needed", demands_a_password, read, False, "set the option password"),
    ("no password there", given(password="SENTINEL"), read, False, "omit"),
    ("missing right", user("-get"), read, True, "README"),
    ("missing right in a script", user("-set"), save, True, "README"),
    ("foreign keys", user("resetkeys", "~other:*"), read, True, "README"),
    ("read-only", replica, save, True, "replica"),
    ("primary lost", lost_its_primary, read, False, "without its primary"),
    ("database", given(db=99), read, False, "no database of that number"),
    ("no Redis", web_server, read, False, "is not Redis: check host and port"),
    ("clients", configured("maxclients", "1"), read, False, "maxclients"),
    ("memory", configured("maxmemory", "1"), save, False, "raise maxmemory"),
    ("replicas", configured("min-replicas-to-write", "1"), save, False, "min-replicas-to-write"),
    ("script", busy_script, read, False, "SCRIPT KILL"),
    ("lock type", lock_of_another_type, lock, False, "of a type that this store does not write"),
]


@pytest.mark.parametrize(
    ("situation", "action", "denied", "words"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_each_cause_has_its_own_words(
    opened: Open,
    server: Valkey,
    situation: Situation,
    action: Callable[[object], None],
    denied: bool,
    words: str,
) -> None:
    with situation(server) as options:
        database = options.pop("db", 0)
        url = f"redis://127.0.0.1:{options.pop('port', server.port)}/{database}"
        store = opened(redis_config(url, **options))
        with pytest.raises(TokenUnavailableError) as caught:
            action(store)
    assert words in str(caught.value)
    assert "SENTINEL" not in str(caught.value)
    assert isinstance(caught.value, TokenPermissionError) == denied
    assert not isinstance(caught.value, TokenLockTimeoutError)


def test_an_unknown_command(opened: Open) -> None:
    with valkey.start("--rename-command", "EVALSHA", "") as server:
        store = opened(redis_config(server.url))
        with pytest.raises(TokenUnavailableError, match="does not know a command"):
            store.set_token(token("a"))


def test_a_cluster_without_its_slots(opened: Open) -> None:
    down = pytest.raises(TokenUnavailableError, match="the Cluster is down: check its nodes")
    with valkey.start("--cluster-enabled", "yes") as server, down:
        opened(redis_config(server.url)).get_token()
