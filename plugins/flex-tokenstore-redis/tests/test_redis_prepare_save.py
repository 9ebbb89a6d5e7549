"""Whether a token could be saved: found out in one round trip, without a change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flex_tokenstore import TokenPermissionError, TokenUnavailableError
from redis_support import KEY, redis_config
from tests.servers.valkey import Valkey, wait_until
from tests.support.handles import Open, opener, token

pytestmark = pytest.mark.slow  # the default suite has the same kinds on files


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


@pytest.fixture
def user(valkey_server: Valkey) -> Iterator[str]:
    """An ACL user with what the README lists; rights are taken from it."""
    commands = "+get +set +del +type +dump +rename +pttl +pexpire +xadd +xread +xrevrange"
    valkey_server.run(
        *("ACL", "SETUSER", "app", "reset", "on", ">pw", "~flex-tokenstore:*"),
        *commands.split(),
        *("+eval", "+evalsha"),
    )
    yield "app"
    valkey_server.run("ACL", "DELUSER", "app")


def test_it_changes_nothing_in_one_round_trip(opened: Open, valkey_server: Valkey) -> None:
    store = opened(redis_config(valkey_server.url))
    store.prepare_save(None)
    assert valkey_server.run("KEYS", "*") == []
    stored = token("a")
    store.set_token(stored, None)
    valkey_server.run("PEXPIRE", KEY, 3_600_000)
    before = valkey_server.run("DUMP", KEY)
    valkey_server.run("CONFIG", "RESETSTAT")
    store.prepare_save(stored.revision)
    assert valkey_server.calls("evalsha") == 1
    assert valkey_server.calls("eval") == 0
    assert valkey_server.run("DUMP", KEY) == before
    assert valkey_server.run("PTTL", KEY) > 3_000_000, "what was set by others is kept"
    assert valkey_server.run("INFO", "stats").get("expired_keys", 0) == 0
    assert store.get_token() == stored


def test_it_changes_no_corrupt_content(opened: Open, valkey_server: Valkey) -> None:
    valkey_server.run("RPUSH", KEY, "corrupt")
    store = opened(redis_config(valkey_server.url))
    store.prepare_save()
    assert valkey_server.run("LRANGE", KEY, 0, -1) == [b"corrupt"]


def test_the_scripts_may_be_gone(opened: Open, valkey_server: Valkey) -> None:
    store = opened(redis_config(valkey_server.url))
    store.set_token(token("a"))
    valkey_server.run("SCRIPT", "FLUSH")
    store.prepare_save()


@pytest.mark.parametrize("stored", [False, True])
def test_a_replica_is_found(opened: Open, valkey_server: Valkey, stored: bool) -> None:
    if stored:
        opened(redis_config(valkey_server.url)).set_token(token("a"))
    with Valkey("--replicaof", "127.0.0.1", str(valkey_server.port)) as replica:
        wait_until(lambda: replica.run("INFO", "replication")["master_link_status"] == "up", 30)
        store = opened(redis_config(replica.url))
        with pytest.raises(TokenPermissionError, match="it is a replica") as caught:
            store.prepare_save()
        assert caught.value.store == "redis"
        with pytest.raises(TokenPermissionError, match="it is a replica"):
            store.set_token(token("b"))


@pytest.mark.parametrize("lost", ["-set", "-evalsha", "resetkeys", "-@write"])
@pytest.mark.parametrize("stored", [False, True])
def test_a_lost_right_is_found(
    opened: Open, valkey_server: Valkey, user: str, lost: str, stored: bool
) -> None:
    store = opened(redis_config(valkey_server.url, username=user, password="pw"))
    if stored:
        store.set_token(token("a"))
    store.prepare_save()
    valkey_server.run("ACL", "SETUSER", user, lost)
    with pytest.raises(TokenPermissionError, match=r"its user may not do this.*README"):
        store.prepare_save()
    with pytest.raises(TokenPermissionError, match=r"its user may not do this.*README"):
        store.set_token(token("b"))


def test_a_read_only_key_pattern_is_found(opened: Open, valkey_server: Valkey, user: str) -> None:
    store = opened(redis_config(valkey_server.url, username=user, password="pw"))
    store.set_token(token("a"))
    valkey_server.run("ACL", "SETUSER", user, "resetkeys", "%R~flex-tokenstore:*")
    assert store.get_token() is not None
    with pytest.raises(TokenPermissionError, match="its user may not do this"):
        store.prepare_save()


def test_full_memory_is_no_refusal(opened: Open, own_valkey: Valkey) -> None:
    store = opened(redis_config(own_valkey.url))
    store.set_token(token("a"))
    own_valkey.run("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(TokenUnavailableError, match="memory is full"):
        store.set_token(token("b"))
    store.prepare_save()


def test_an_outage_is_no_refusal(opened: Open, own_valkey: Valkey) -> None:
    store = opened(redis_config(own_valkey.url, timeout=0.3))
    store.set_token(token("a"))
    own_valkey.pause()
    store.prepare_save()
    own_valkey.resume()
    own_valkey.kill()
    store.prepare_save()


def test_too_few_replicas_are_no_refusal(opened: Open, own_valkey: Valkey) -> None:
    store = opened(redis_config(own_valkey.url))
    store.set_token(token("a"))
    own_valkey.run("CONFIG", "SET", "min-replicas-to-write", "1")
    with pytest.raises(TokenUnavailableError):
        store.set_token(token("b"))
    store.prepare_save()


def test_on_a_cluster(opened: Open, valkey_cluster: Valkey) -> None:
    store = opened(redis_config(valkey_cluster.url, cluster=True))
    store.prepare_save(None)
    store.set_token(token("a"))
    store.prepare_save()
    store.remove_token()
