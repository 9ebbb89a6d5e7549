"""Each way to a server, and each way in which it may fail."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio

from flex_tokenstore import (
    TokenLockTimeoutError,
    TokenStoreError,
    TokenUnavailableError,
    open_async_store,
    open_store,
)
from redis_support import COMMANDS, KEY, redis_config
from tests.servers import free_port
from tests.servers.tls import Certificates, tls_proxy
from tests.servers.valkey import Replicated, Valkey, wait_until
from tests.support.handles import IDENTITY, Open, opener, token


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(kind: str) -> Iterator[Open]:
    with opener(kind) as function:
        yield function


def works(opened: Open, config: Any) -> None:
    """All that a store does."""
    store = opened(config)
    store.remove_token()
    assert store.get_token() is None
    with store.token_lock(0, 5) as end:
        assert end is not None
        other = opened(config)
        for wait in (0, 0.1):
            with pytest.raises(TokenLockTimeoutError), other.token_lock(wait, 5):
                pass
        store.set_token(token("a"), None)
    with other.token_lock(0, 5):
        kept = other.get_token()
        assert kept is not None
        other.remove_token(kept.revision)


def fails(action: Callable[[], object], *words: str) -> TokenUnavailableError:
    """It raises, in the words given, and shows no secret anywhere in the traceback."""
    with pytest.raises(TokenUnavailableError) as caught:
        action()
    error = caught.value
    assert error.store == "redis"
    assert error.place is not None
    assert error.place in str(error)
    for word in words:
        assert word in str(error)
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    text = "".join(shown.format())
    assert "SENTINEL" not in text, text
    while cause := error.__cause__ or error.__context__:
        assert not isinstance(cause, redis.RedisError), "the driver's frames hold tokens"
        error = cause  # type: ignore[assignment]  # any exception
    return caught.value


def test_a_unix_socket(opened: Open, valkey_server: Valkey) -> None:
    works(opened, redis_config(f"unix://{valkey_server.socket}?db=2"))


def test_another_database(opened: Open, valkey_server: Valkey) -> None:
    works(opened, redis_config(f"redis://127.0.0.1:{valkey_server.port}/5"))
    assert valkey_server.run("DBSIZE") == 0


def test_a_certificate_of_an_unknown_ca_is_refused(
    kind: str, valkey_server: Valkey, certificates: Certificates
) -> None:
    with tls_proxy(valkey_server.port, certificates) as port, opener(kind) as within:
        store = within(redis_config(f"rediss://localhost:{port}"))
        fails(store.get_token, "TLS failed", "ca_file")


def test_tls_to_a_server_without_it(opened: Open, valkey_server: Valkey) -> None:
    store = opened(redis_config(valkey_server.url.replace("redis:", "rediss:"), timeout=0.3))
    fails(store.get_token, "rediss://127.0.0.1", "TLS")


def test_an_acl_user_with_the_commands_of_the_readme(opened: Open, valkey_server: Valkey) -> None:
    password = "SENTINEL/@: %"
    valkey_server.run(
        *("ACL", "SETUSER", "app", "reset", "on", f">{password}", "~flex-tokenstore:*"),
        *COMMANDS.split(),
    )
    try:
        works(opened, redis_config(valkey_server.url, username="app", password=password))
        quoted = "SENTINEL%2F%40%3A%20%25"
        works(opened, redis_config(valkey_server.url.replace("://", f"://app:{quoted}@")))
        valkey_server.run("RPUSH", KEY, "corrupt")
        works(opened, redis_config(valkey_server.url, username="app", password=password))
        config = redis_config(
            valkey_server.url, username="app", password=password, prefix="elsewhere:"
        )
        fails(opened(config).get_token, "its user may not do this", "README")
    finally:
        valkey_server.run("ACL", "DELUSER", "app")


def test_a_wrong_or_missing_password(opened: Open) -> None:
    with Valkey("--requirepass", "right-SENTINEL") as server:
        for options in (
            {"password": "wrong-SENTINEL"},
            {"username": "nobody", "password": "wrong-SENTINEL"},
            {},
        ):
            store = opened(redis_config(server.url, **options))
            fails(store.get_token, "password")
            fails(lambda store=store: store.set_token(token("a")), "password")  # type: ignore[misc]  # mypy: a default for a lambda
        works(opened, redis_config(server.url, password="right-SENTINEL"))


def test_nobody_listens(opened: Open) -> None:
    store = opened(redis_config(f"redis://u:SENTINEL@127.0.0.1:{free_port()}"))
    fails(store.get_token, f"it could not be reached ({os.strerror(errno.ECONNREFUSED)})", "port")
    fails(lambda: store.set_token(token("a")), "it could not be reached")
    fails(store.remove_token, "it could not be reached")
    fails(lambda: store.token_lock(0, 5).__enter__(), "it could not be reached")


def test_a_host_that_does_not_exist(opened: Open) -> None:
    fails(opened(redis_config("redis://no-such-host.invalid")).get_token, "url")


def test_something_else_listens(opened: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        store = opened(redis_config(f"redis://127.0.0.1:{port}", timeout=0.2))
        fails(store.get_token, "it did not respond in time")


@pytest.mark.each_value
@pytest.mark.parametrize("how", ["signal", "command"])
def test_a_server_that_stands_still(opened: Open, how: str) -> None:
    with Valkey() as server:
        store = opened(redis_config(server.url, timeout=0.3))
        store.set_token(token("a"))
        if how == "signal":
            server.pause()
        else:
            server.run("CLIENT", "PAUSE", 2000, "ALL")
        for action in (store.get_token, lambda: store.set_token(token("b"))):
            started = time.monotonic()
            fails(action, "it did not respond in time (0.3 s")
            assert time.monotonic() - started < 15  # bounded; a busy machine is no failure
        server.resume()
        wait_until(lambda: server.run("PING"), 30)
        assert store.get_token() is not None


def test_a_lock_whose_answer_was_lost_is_had_at_the_next_try(opened: Open) -> None:
    with Valkey() as server:
        store = opened(redis_config(server.url, timeout=0.2))
        with store.token_lock(0, 60):
            pass  # connects, and leaves the script on the server
        server.pause()
        fails(lambda: store.token_lock(0, 60).__enter__(), "it did not respond in time")
        server.resume()
        wait_until(lambda: server.run("EXISTS", f"{KEY}:lock") == 1, 30)
        with store.token_lock(0, 60):
            other = opened(redis_config(server.url))
            with pytest.raises(TokenLockTimeoutError), other.token_lock(0, 60):
                pass
        assert server.run("EXISTS", f"{KEY}:lock") == 0


def test_a_restart_keeps_token_and_handle(opened: Open, own_valkey: Valkey) -> None:
    store = opened(redis_config(own_valkey.url))
    store.set_token(token("a"), None)
    own_valkey.kill()
    fails(store.get_token, "it could not be reached")
    own_valkey.restart()
    kept = store.get_token()
    assert kept is not None
    store.set_token(token("b"), kept.revision)
    own_valkey.restart()  # the connection that the store holds is dead, and the script is gone
    store.set_token(token("c"), token("b").revision)
    kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("c").revision


def test_a_full_server_keeps_the_old_token(opened: Open) -> None:
    with Valkey("--maxmemory-policy", "noeviction") as server:
        store = opened(redis_config(server.url))
        store.set_token(token("a"))
        server.run("CONFIG", "SET", "maxmemory", "1")
        fails(lambda: store.set_token(token("b")), "memory is full")
        kept = store.get_token()
        assert kept is not None
        assert kept.revision == token("a").revision


def test_a_replica_is_told(opened: Open, valkey_server: Valkey) -> None:
    with Valkey("--replicaof", "127.0.0.1", str(valkey_server.port)) as replica:
        wait_until(lambda: replica.run("INFO", "replication")["master_link_status"] == "up", 30)
        fails(lambda: opened(redis_config(replica.url)).set_token(token("a")), "it is a replica")


def test_a_given_client_is_used_and_left_open(valkey_server: Valkey) -> None:
    for decode in (False, True):
        client = valkey_server.client(decode_responses=decode, socket_timeout=5)
        with opener("sync") as within:
            works(within, {"name": "redis", "client": client})
            works(within, {"name": "redis", "client": client.connection_pool})
        assert client.ping()
        client.close()


@pytest.mark.parametrize("decode", [False, True])
def test_a_given_async_client_is_used_and_left_open(valkey_server: Valkey, decode: bool) -> None:
    async def main() -> None:
        client = redis.asyncio.Redis(port=valkey_server.port, decode_responses=decode)
        for given in (client, client.connection_pool):
            config = {"name": "redis", "client": given}
            async with await open_async_store(config, IDENTITY) as store:
                await store.set_token(token("a"))
                async with store.token_lock(0, 5):
                    assert await store.get_token() is not None
        assert await client.ping()
        await client.aclose()

    asyncio.run(main())


def test_a_store_can_be_closed_twice_and_leaves_no_connection(
    kind: str, valkey_server: Valkey
) -> None:
    def connections() -> int:
        return len(valkey_server.run("CLIENT", "LIST"))

    before = connections()
    with opener(kind) as within:
        store = within(redis_config(valkey_server.url))
        store.set_token(token("a"))
        assert connections() > before
        if kind == "sync":
            store.close()
    wait_until(lambda: connections() <= before)


@pytest.mark.slow
def test_a_cluster(opened: Open, valkey_cluster: Valkey) -> None:
    works(opened, redis_config(valkey_cluster.url, cluster=True))


@pytest.mark.slow
def test_a_clusters_acl_user(opened: Open, valkey_cluster: Valkey) -> None:
    valkey_cluster.run(
        *("ACL", "SETUSER", "app", "reset", "on", ">pw", "~flex-tokenstore:*"),
        *COMMANDS.split(),
        *("+cluster|slots", "+command"),
    )
    works(opened, redis_config(valkey_cluster.url, cluster=True, username="app", password="pw"))


@pytest.mark.slow
def test_a_cluster_that_nobody_runs(opened: Open) -> None:
    store = opened(redis_config(f"redis://:SENTINEL@127.0.0.1:{free_port()}", cluster=True))
    fails(store.get_token, "redis://127.0.0.1", "Cluster")


@pytest.mark.slow
def test_a_cluster_that_is_none(opened: Open, valkey_server: Valkey) -> None:
    fails(opened(redis_config(valkey_server.url, cluster=True)).get_token, "that it is a Cluster")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (redis.exceptions.MovedError("1 127.0.0.1:7001"), "set the option cluster"),
        (redis.exceptions.BusyLoadingError("SENTINEL"), "still loading"),
        (redis.ResponseError("MISCONF SENTINEL cannot write"), "cannot write to its disk"),
        (redis.ResponseError("unknown SENTINEL"), "see the server's log"),
        (redis.ConnectionError("redis://:SENTINEL@host"), "it could not be reached"),
        (redis.RedisError("SENTINEL"), "the error RedisError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_the_driver_says_is_not_passed_on(error: Exception, words: str) -> None:
    class Failing(redis.Redis):
        def execute_command(self, *args: Any, **options: Any) -> Any:
            raise error

    with Failing() as client, opener("sync") as within:
        store = within({"name": "redis", "client": client})
        fails(store.get_token, words)
        fails(lambda: store.set_token(token("a")), words)


@pytest.mark.slow
def test_sentinels_and_a_failover(kind: str, valkey_replicated: Replicated) -> None:
    servers = valkey_replicated
    config = {
        "name": "redis",
        "sentinels": ",".join(servers.addresses),
        "service_name": servers.service,
        "timeout": 2,
    }
    with opener(kind) as within:
        works(within, config)
        store = within(config)
        store.set_token(token("a"), None)
        servers.primary.run("WAIT", 1, 5000)
        servers.fail_over()

        def replaced() -> bool:
            try:
                found = store.get_token()
                assert found is not None
                store.set_token(token("b"), found.revision)
            except TokenUnavailableError:
                return False
            return True

        wait_until(replaced, 30)
        with store.token_lock(0, 5):
            kept = store.get_token()
        assert kept is not None
        assert kept.revision == token("b").revision
        assert servers.replica.run("EXISTS", KEY) == 1


@pytest.mark.slow
def test_sentinels_that_know_no_such_primary(opened: Open, valkey_replicated: Replicated) -> None:
    addresses = ",".join(valkey_replicated.addresses)
    config = {"name": "redis", "sentinels": addresses, "service_name": "other"}
    fails(opened(config).get_token, "'other'", "service_name")


def test_a_host_name_that_is_not_known(opened: Open) -> None:
    store = opened(redis_config("redis://u:SENTINEL@nonesuch.invalid"))
    fails(store.get_token, "it could not be reached (the host name could not be resolved)")


def test_the_errors_of_a_store_are_typed(tmp_path: Path) -> None:
    with open_store(redis_config(f"unix://{tmp_path}/none.sock"), IDENTITY) as store:
        with pytest.raises(TokenStoreError):
            store.get_token()
        with pytest.raises(OSError, match="could not be reached"):
            store.get_token()
