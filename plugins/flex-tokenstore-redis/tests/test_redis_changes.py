"""A handle that is open for long, while the world around it changes."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.crc import key_slot

from flex_tokenstore import ANY_REVISION, TokenUnavailableError, open_async_store, open_store
from flex_tokenstore.testing import FaultProxy
from flex_tokenstore_redis import AsyncRedisStore, Options, RedisStore
from redis_support import COMMANDS, KEY, redis_config
from tests.servers import valkey
from tests.servers.tls import Certificates, tls_proxy
from tests.servers.valkey import Valkey
from tests.support.handles import IDENTITY, Open, opener, token


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


def test_a_password_file_that_changes(opened: Open, valkey_server: Valkey, tmp_path: Path) -> None:
    def change(password: str) -> None:
        rules = ("reset", "on", f">{password}", "~*", *COMMANDS.split())
        valkey_server.run("ACL", "SETUSER", "app", *rules)
        valkey_server.run("CLIENT", "KILL", "USER", "app")

    file = tmp_path / "password"
    file.write_text("first\n")
    change("first")
    try:
        store = opened(redis_config(valkey_server.url, username="app", password_file=str(file)))
        store.set_token(token("a"))
        change("second")
        with pytest.raises(TokenUnavailableError, match="username and password"):
            store.get_token()
        file.write_text("second\n")
        assert store.get_token() is not None
        file.write_text("")  # about to be written
        assert store.get_token() is not None
        file.unlink()
        assert store.get_token() is not None
        change("third")
        with pytest.raises(TokenUnavailableError, match="username and password"):
            store.get_token()  # there is no old client any more
        with pytest.raises(TokenUnavailableError, match="password_file"):
            store.get_token()
        file.write_text("third\n")
        assert store.get_token() is not None
    finally:
        valkey_server.run("ACL", "DELUSER", "app")


def test_a_ca_file_that_changes(
    opened: Open,
    valkey_server: Valkey,
    certificates: Certificates,
    other_certificates: Certificates,
    tmp_path: Path,
) -> None:
    ca = tmp_path / "ca.pem"
    shutil.copy(certificates.certificate, ca)
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(tls_proxy(valkey_server.port, each))
            for each in (certificates, other_certificates)
        )
        proxy = stack.enter_context(FaultProxy("127.0.0.1", first))
        store = opened(redis_config(f"rediss://localhost:{proxy.port}", ca_file=str(ca)))
        store.set_token(token("a"))
        proxy.switch("127.0.0.1", second)
        proxy.cut()
        with pytest.raises(TokenUnavailableError, match="ca_file"):
            store.get_token()
        shutil.copy(other_certificates.certificate, ca)
        assert store.get_token() is not None


def test_an_address_that_leads_elsewhere(
    opened: Open, valkey_server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection fails, and the old server goes on: only time tells."""
    for cls in (RedisStore, AsyncRedisStore):
        monkeypatch.setattr(cls, "idle", 0.0)
    with valkey.start() as other, FaultProxy("127.0.0.1", valkey_server.port) as proxy:
        store = opened(redis_config(f"redis://127.0.0.1:{proxy.port}"))
        store.set_token(token("a"))
        proxy.switch("127.0.0.1", other.port)
        assert store.get_token() is None


class Pair:
    """A primary behind an address, and the replica that takes its place."""

    def __init__(self, stack: ExitStack) -> None:
        quick = ("--repl-diskless-sync-delay", "0")
        self.old, self.new = (stack.enter_context(valkey.start(*quick)) for _ in "ab")
        self.new.run("REPLICAOF", "127.0.0.1", self.old.port)
        valkey.wait_until(lambda: self.new.run("ROLE")[3] == b"connected")
        self.proxy = stack.enter_context(FaultProxy("127.0.0.1", self.old.port))

    def fail_over(self) -> None:
        self.new.run("REPLICAOF", "NO", "ONE")
        self.old.run("REPLICAOF", "127.0.0.1", self.new.port)
        self.proxy.switch("127.0.0.1", self.new.port)


def test_a_client_of_the_programs_own_and_a_primary_that_moves() -> None:
    with ExitStack() as stack:
        pair = Pair(stack)
        client = stack.enter_context(redis.Redis(port=pair.proxy.port))
        store = stack.enter_context(open_store({"name": "redis", "client": client}, IDENTITY))
        store.set_token(token("a"))
        pair.fail_over()
        store.set_token(token("b"), ANY_REVISION)
        assert b"access-b" in pair.new.run("GET", KEY)


@pytest.mark.slow
def test_an_async_client_of_the_programs_own_and_a_primary_that_moves() -> None:
    async def main(pair: Pair) -> None:
        client: Any = redis.asyncio.Redis(port=pair.proxy.port)
        opening = open_async_store({"name": "redis", "client": client}, IDENTITY)
        async with client, await opening as store:
            await store.set_token(token("a"))
            pair.fail_over()
            await store.set_token(token("b"), ANY_REVISION)

    with ExitStack() as stack:
        pair = Pair(stack)
        asyncio.run(main(pair))
        assert b"access-b" in pair.new.run("GET", KEY)


@pytest.mark.slow
def test_idle_connections_of_an_async_cluster_of_the_programs_own_are_closed() -> None:
    async def main(server: Valkey) -> None:
        async with redis.asyncio.RedisCluster(host="127.0.0.1", port=server.port) as client:
            store = AsyncRedisStore(Options(client=client), IDENTITY)
            await store.get_token()
            (node,) = client.get_nodes()
            used: Any = node.acquire_connection()
            idle: Any = node.acquire_connection()
            await used.connect()
            await idle.connect()
            node.release(idle)
            await store.drop_idle(await store.connect())
            assert used.is_connected
            assert not idle.is_connected
            node.release(used)

    server = valkey.start_cluster()
    try:
        asyncio.run(main(server))
    finally:
        server.stop()


def test_a_pool_of_one_connection(valkey_server: Valkey) -> None:
    """Nobody holds the connection while the lock is held."""
    make: Any = redis.BlockingConnectionPool
    pool = make(port=valkey_server.port, max_connections=1, timeout=10)
    with open_store({"name": "redis", "client": pool}, IDENTITY) as store:

        def renew() -> None:
            with store.token_lock(10, 5):
                store.get_token()
                store.set_token(token("a"), ANY_REVISION)

        threads = [threading.Thread(target=renew) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert store.get_token() is not None
    pool.disconnect()


def test_a_pool_of_one_connection_in_asyncio(valkey_server: Valkey) -> None:
    make: Any = redis.asyncio.BlockingConnectionPool

    async def main() -> None:
        pool = make(port=valkey_server.port, max_connections=1, timeout=10)
        async with await open_async_store({"name": "redis", "client": pool}, IDENTITY) as store:
            async with store.token_lock(1, 5):
                await store.set_token(token("a"), ANY_REVISION)
            assert await store.get_token() is not None
        await pool.disconnect()

    asyncio.run(main())


@pytest.mark.slow
def test_a_slot_of_a_cluster_that_is_being_moved(opened: Open) -> None:
    with ExitStack() as stack:
        nodes = [stack.enter_context(valkey.start("--cluster-enabled", "yes")) for _ in "ab"]
        slot = key_slot(KEY.encode())
        # The other has one slot, so that clients know it.
        kept = 0 if slot else 1
        nodes[1].run("CLUSTER", "ADDSLOTS", kept)
        nodes[0].run("CLUSTER", "ADDSLOTS", *(set(range(16384)) - {kept}))
        nodes[1].run("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        for node in nodes:
            valkey.wait_until(lambda node=node: b"cluster_state:ok" in node.run("CLUSTER", "INFO"))  # type: ignore[misc]  # mypy: a default for a lambda
        ids = [node.run("CLUSTER", "MYID").decode() for node in nodes]
        store = opened(redis_config(nodes[0].url, cluster=True))
        store.set_token(token("a"))
        with store.token_lock(0, 30):
            nodes[1].run("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
            nodes[0].run("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
            nodes[0].run("MIGRATE", "127.0.0.1", nodes[1].port, KEY, 0, 1000)
            found = store.get_token()  # it is on the one node, and its lock on the other
            assert found is not None
            store.set_token(token("b"), found.revision)
        with store.token_lock(5, 5):
            store.set_token(token("c"), ANY_REVISION)
        store.remove_token()
        assert store.get_token() is None
