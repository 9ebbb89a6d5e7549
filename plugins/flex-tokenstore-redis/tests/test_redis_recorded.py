"""What a library that wraps redis-py may record: no token and no password."""

from __future__ import annotations

from typing import Any

import pytest
import redis
import redis.asyncio
import redis.asyncio.connection
import redis.connection

from redis_support import KEY, redis_config
from tests.servers.valkey import Replicated, Valkey
from tests.support.handles import opener, token
from tests.support.recording import Recorder

PASSWORD = "password-SENTINEL"


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder(monkeypatch)
    for module in (redis, redis.asyncio):
        for cls in (module.Redis, module.RedisCluster):
            made.watch(cls, "execute_command")
        connection: Any = module.connection.AbstractConnection
        made.watch(connection, "send_command")
        made.watch(module.connection.ConnectionPool, "__init__")
    made.watch(redis.connection.AbstractConnection, "pack_command")
    return made


def uses(kind: str, config: Any) -> None:
    """All that hands a token to the driver."""
    with opener(kind) as within:
        store = within(config)
        store.set_token(token("a"))
        kept = store.get_token()
        assert kept is not None
        store.set_token(token("b"), kept.revision)
        with store.token_lock(0, 5):
            store.set_token(token("c"), token("b").revision)
        assert store.get_token() is not None


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_nothing_that_the_driver_is_given_is_secret(kind: str, recorder: Recorder) -> None:
    with Valkey("--requirepass", PASSWORD) as server:
        uses(kind, redis_config(server.url, password=PASSWORD))
        uses(kind, redis_config(server.url, username="default", password=PASSWORD))
        uses(kind, redis_config(server.url.replace("://", f"://:{PASSWORD}@")))
        assert recorder.calls > 30
        assert not recorder.shows("SENTINEL")
        with redis.Redis(port=server.port, password=PASSWORD) as client:
            stored = client.get(KEY)
    assert isinstance(stored, bytes)
    assert stored.startswith(b'{"access_token":"access-c-SENTINEL"')
    assert recorder.shows("SENTINEL"), "a client of other making shows the password"


def test_nor_on_a_client_of_the_programs_own(recorder: Recorder, valkey_server: Valkey) -> None:
    with redis.Redis(port=valkey_server.port) as client:
        uses("sync", {"name": "redis", "client": client})
    assert recorder.calls > 5
    assert not recorder.shows("SENTINEL")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_nor_in_a_cluster(kind: str, recorder: Recorder, valkey_cluster: Valkey) -> None:
    uses(kind, redis_config(valkey_cluster.url, cluster=True))
    assert recorder.calls > 5
    assert not recorder.shows("SENTINEL")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_nor_behind_sentinels(kind: str, recorder: Recorder, valkey_replicated: Replicated) -> None:
    servers = valkey_replicated
    config = {
        "name": "redis",
        "sentinels": ",".join(servers.addresses),
        "service_name": servers.service,
    }
    uses(kind, config)
    assert recorder.calls > 5
    assert not recorder.shows("-SENTINEL")  # a command has that name
