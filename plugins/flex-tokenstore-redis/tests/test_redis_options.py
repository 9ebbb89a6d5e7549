"""Options: what is refused, what the environment may say, and that no secret is shown."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import redis
import redis.asyncio

from flex_tokenstore import (
    Secret,
    StoreOptionsError,
    list_stores,
    open_async_store,
    open_store,
    store_config_from_env,
)
from flex_tokenstore_redis import AsyncRedisStore, Options, RedisStore
from redis_support import redis_config
from tests.servers.tls import Certificates
from tests.support.handles import IDENTITY


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"url": "http://localhost"}, "url"),
        ({"url": "localhost:6379"}, "url"),
        ({"url": ""}, "url"),
        ({"url": "redis://user:SENTINEL@host:port/0"}, "url"),
        ({"url": "redis://host:6379/first"}, "url"),
        ({"url": "redis://host:99999"}, "url"),
        ({"url": "redis://host/-1"}, "url"),
        ({"url": "redis://host?socket_timeout=5"}, "url"),
        ({"url": "rediss://host?ssl_cert_reqs=none"}, "url"),
        ({"url": "unix://"}, "url"),
        ({"url": "redis://[::1"}, "url"),
        ({"url": "redis://:SENTINEL/SENTINEL@host:6379/0"}, "url"),
        ({"url": "redis://:12/SENTINEL@host:6379/0"}, "url"),
        ({"url": "redis://:12?SENTINEL@host:6379/0"}, "url"),
        ({"url": "redis://:12#SENTINEL@host:6379/0"}, "url"),
        ({"url": "redis://:x@SENTINEL/1@host:6379/0"}, "url"),
        ({"url": "unix://user:x/SENTINEL@/run/a.sock"}, "url"),
        ({"url": "unix://:x@SENTINEL/y@/run/a.sock"}, "url"),
        ({"url": "unix://:x@/SENTINEL@/run/a.sock"}, "url"),
        ({"url": "unix://SENTINEL/run/a.sock"}, "url"),
        ({"prefix": "a{b}"}, "prefix"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": "inf"}, "timeout"),
        ({"connect_timeout": -1}, "connect_timeout"),
        ({"ca_file": __file__}, "ca_file"),
        ({"url": "rediss://host", "ca_file": "/no/such/file"}, "ca_file"),
        ({"url": "rediss://host", "key_file": "/no/such/file"}, "key_file"),
        ({"sentinels": "a:1"}, "service_name"),
        ({"service_name": "mymaster"}, "service_name"),
        ({"sentinels": "a:b", "service_name": "m"}, "sentinels"),
        ({"sentinels": "redis://a:1", "service_name": "m"}, "sentinels"),
        ({"sentinels": "u:SENTINEL@a:1", "service_name": "m"}, "sentinels"),
        ({"sentinels": "a:1", "service_name": "m", "url": "unix:///s"}, "sentinels"),
        ({"cluster": True, "url": "redis://host/1"}, "cluster"),
        ({"cluster": "yes", "url": "unix:///s"}, "cluster"),
        ({"cluster": "perhaps"}, "cluster"),
        ({"client": "redis://x"}, "client"),
        ({"client": object(), "cluster": True}, "client"),
    ],
)
def test_a_wrong_option_is_told_at_once(options: dict[str, Any], option: str) -> None:
    with pytest.raises(StoreOptionsError) as caught:
        open_store({"name": "redis", **options}, IDENTITY)
    assert caught.value.option == option
    assert "SENTINEL" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["redis://:12/x@host:6379/0", "redis://:ab#x@host"])
def test_a_password_that_is_not_encoded_is_told_as_that(url: str) -> None:
    with pytest.raises(StoreOptionsError, match=r"%2F.*option password"):
        open_store(redis_config(url), IDENTITY)


def test_all_options_come_from_the_environment_as_texts(certificates: Certificates) -> None:
    ca = certificates.certificate
    prefix = "FLEX_INTEGRATION_TOKEN_STORE"
    environ = {
        prefix: "redis",
        f"{prefix}__URL": "rediss://user:SENTINEL@example.com:7000/3",
        f"{prefix}__PREFIX": "shop:",
        f"{prefix}__USERNAME": "app",
        f"{prefix}__PASSWORD": "SENTINEL",
        f"{prefix}__TIMEOUT": "2.5",
        f"{prefix}__CONNECT_TIMEOUT": "1",
        f"{prefix}__CA_FILE": str(ca),
        f"{prefix}__SENTINELS": "a:1, b, [::1]:3",
        f"{prefix}__SERVICE_NAME": "mymaster",
        f"{prefix}__SENTINEL_PASSWORD": "SENTINEL",
        f"{prefix}__CLUSTER": "false",
    }
    config = store_config_from_env(prefix, environ)
    assert config is not None
    with open_store(config, IDENTITY) as store:
        assert "mymaster" in store.place
        assert "SENTINEL" not in store.place


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://", "redis://localhost:6379/0"),
        ("redis://:SENTINEL@Host:1/2", "redis://host:1/2"),
        ("redis://host/?db=4", "redis://host:6379/4"),
        ("rediss://user:SENTINEL@[::1]", "rediss://[::1]:6379/0"),
        ("unix://user:SENTINEL@/run/a%20b.sock?db=1", "unix:///run/a b.sock?db=1"),
        ("unix:///run/a@b.sock", "unix:///run/a@b.sock?db=0"),
        ("redis://:SENT@INEL@host:1/2", "redis://host:1/2"),
        ("redis://user:SENT:INEL@host:1/2", "redis://host:1/2"),
        ("redis://me@realm:SENTINEL@host", "redis://host:6379/0"),
    ],
)
def test_the_place_has_no_user_and_no_password(url: str, shown: str) -> None:
    with open_store(redis_config(url), IDENTITY) as store:
        assert store.place == f"{shown} key flex-tokenstore:{{{IDENTITY.key}}}"


def test_two_handles_on_one_token_have_one_lock_id() -> None:
    async def asynchronous() -> object:
        async with await open_async_store(redis_config("redis://:pw@h:1"), IDENTITY) as store:
            return store.lock_key

    with (
        open_store(redis_config("redis://H:1/0", password="x"), IDENTITY) as one,
        open_store(redis_config("redis://h:1/1"), IDENTITY) as elsewhere,
    ):
        assert one.lock_key == asyncio.run(asynchronous())
        assert one.lock_key != elsewhere.lock_key


def test_no_secret_is_shown_by_options_and_stores() -> None:
    options = Options(
        url=Secret("redis://u:SENTINEL@h"),
        password=Secret("SENTINEL"),
        sentinels=("a:1",),
        service_name="mymaster",
        sentinel_password=Secret("SENTINEL"),
    )
    store = RedisStore(options, IDENTITY)
    assert "SENTINEL" not in f"{options!r} {store!r} {store.place} {store.lock_id()}"


def test_it_is_listed_with_its_abilities_and_documented_options() -> None:
    (info,) = [info for info in list_stores(check=True) if info.name == "redis"]
    assert (info.status, info.reason, info.origin) == ("ok", "", "plugin")
    assert (info.distribution, info.compare_and_set, info.lock) == (
        "flex-tokenstore-redis",
        True,
        True,
    )
    assert info.native_async
    assert info.doc
    assert info.options is not None
    assert all(option.doc for option in info.options)
    assert {option.name for option in info.options if option.secret} == {
        "url",
        "password",
        "key_password",
        "sentinel_password",
    }


@pytest.mark.parametrize(
    ("cls", "make"),
    [(RedisStore, redis.asyncio.Redis), (AsyncRedisStore, redis.Redis)],
    ids=["sync", "async"],
)
def test_a_client_of_the_other_kind_is_refused(cls: Any, make: Callable[[], Any]) -> None:
    with pytest.raises(StoreOptionsError, match="option client"):
        cls(Options(client=make()), IDENTITY)


@pytest.mark.parametrize("option", ["username", "password", "sentinel_password"])
def test_a_client_of_the_programs_own_has_its_own_user(option: str) -> None:
    with redis.Redis() as client, pytest.raises(StoreOptionsError, match=option):
        open_store({"name": "redis", "client": client, option: "x"}, IDENTITY)
