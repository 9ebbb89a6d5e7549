"""Options: what is refused, what the environment may say, engines of the program's own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from flex_integration_sdk import create_async_instance, create_instance
from flex_tokenstore import (
    Secret,
    StoreOptionsError,
    TokenUnavailableError,
    list_stores,
    open_async_store,
    open_store,
    store_config_from_env,
)
from flex_tokenstore_sql import AsyncSqlStore, Options, SqlStore
from sql_support import sql_config
from tests.servers.tls import Certificates
from tests.support.handles import IDENTITY, opener, token


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({}, "url"),
        ({"url": "SENTINEL"}, "url"),
        ({"url": "oracle://u:SENTINEL@h/d"}, "url"),
        ({"url": "postgresql://u:SENTINEL@h:port/d"}, "url"),
        ({"url": "sqlite://"}, "url"),
        ({"url": "sqlite:///:memory:"}, "url"),
        ({"url": "sqlite:///file:t.db?uri=true&key=SENTINEL"}, "url"),
        ({"url": "oracle://h/d?password=SENTINEL"}, "url"),
        ({"url": "sqlite:////t.db", "table": 'a"; DROP TABLE b'}, "table"),
        ({"url": "sqlite:////t.db", "schema": ""}, "schema"),
        ({"url": "sqlite+evil:////t.db"}, "url"),
        ({"url": "sqlite+pysqlcipher://:SENTINEL@/t.db"}, "url"),
        ({"url": "postgresql+psycopg2://u:SENTINEL@h/d"}, "url"),
        ({"url": "mysql+://u:SENTINEL@h/d"}, "url"),
        ({"url": "sqlite:///$HOME/t.db"}, "url"),
        ({"url": "sqlite:////t.db", "timeout": 0}, "timeout"),
        ({"url": "sqlite:////t.db", "timeout": "inf"}, "timeout"),
        ({"url": "sqlite:////t.db", "create_table": "perhaps"}, "create_table"),
        ({"engine": object()}, "engine"),
        ({"engine": create_engine("sqlite://")}, "engine"),
    ],
)
def test_a_wrong_option_is_told_at_once(options: dict[str, Any], option: str) -> None:
    with pytest.raises(StoreOptionsError) as caught:
        open_store({"name": "sql", **options}, IDENTITY)
    assert caught.value.option == option
    options.clear()  # this frame's own
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "SENTINEL" not in "".join(shown.format())


# What a user writes who does not know of percent-encoding; T41L is a part of the password.
UNCLEAR = [
    "postgresql://app:S3cret@T41L@127.0.0.1:9/shop",
    "postgresql://app:S3cret/T41L@127.0.0.1:9/shop",
    "postgresql://app:123/T41L@127.0.0.1:9/shop",
    "postgresql://app:S3cret?T41L@127.0.0.1:9/shop",
    "postgresql://app:S3cret#T41L@127.0.0.1:9/shop",
    "postgresql://app:12?T41L@127.0.0.1/shop",
    "postgresql://app:S3cret@T41L/x@127.0.0.1:9/shop",
    "postgresql://app:S3cret@T41L?x@127.0.0.1:9/shop",
    "postgresql://app:S3cret@T41L/x?y=1@127.0.0.1:9/shop",
    "postgresql://app:S3cret@T41L#x@127.0.0.1:9/shop",
    "postgresql://app@host:5432/T41L@x",
    "postgresql://host:5432/shop?user=T41L@realm",
    "mysql://app:S3cret@T41L@127.0.0.1:9/shop",
]


@pytest.mark.sample(8)
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("url", UNCLEAR)
def test_a_url_that_can_be_read_in_two_ways_is_not_used_and_not_shown(url: str, kind: str) -> None:
    with opener(kind) as within:
        store = within(sql_config(url))
        shown = [store.place, repr(store)]
        actions: list[Callable[[], object]] = [
            store.get_token,
            store.remove_token,
            lambda: store.set_token(token("a")),
            lambda: store.token_lock(0, 5).__enter__(),
        ]
        for action in actions:
            with pytest.raises(StoreOptionsError, match=r"%40.*option password") as caught:
                action()
            assert caught.value.option == "url"
            shown.append(str(caught.value))
    assert not [text for text in shown if "T41L" in text or "127.0.0.1" in text]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:S3cret@T41L:7@127.0.0.1:9/shop",
        "mariadb://app:S3cret@T41L@[::1]:9/shop",
    ],
)
def test_a_url_that_cannot_be_read_at_all_is_told_at_once(url: str) -> None:
    with pytest.raises(StoreOptionsError, match=r"percent-encoded.*option password") as caught:
        open_store(sql_config(url), IDENTITY)
    assert "T41L" not in str(caught.value)


@pytest.mark.parametrize("make", [create_instance, create_async_instance])
def test_a_program_learns_it_when_it_makes_its_instance(make: Any) -> None:
    config = sql_config("postgresql://app:S3cret@T41L@127.0.0.1:9/shop")
    with pytest.raises(ValueError, match="percent-encoded") as caught:
        make(client_id="c", client_secret="s", token_store=config)
    config.clear()
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "T41L" not in "".join(shown.format())


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("postgresql://app@realm:secret@host/shop", "host/shop"),
        ("postgresql://app:a:b@host:7/shop", "host:7/shop"),
        ("postgresql://app:S3%40T41L%2F@host:7/shop", "host:7/shop"),
        ("postgresql://app:50%off@host:7/shop", "host:7/shop"),
        ("postgresql://app%40realm:x@[::1]:7/shop", "::1:7/shop"),
        ("postgresql://[::1]:7/shop", "::1:7/shop"),
        ("postgresql://app:x@/shop?host=/var/run/postgresql", "/var/run/postgresql/shop"),
        ("postgresql:///shop?host=/var/run/postgresql", "/var/run/postgresql/shop"),
        ("postgresql://app:x@host/shop?application_name=me@box&sslmode=require", "host/shop"),
        ("postgresql://host/shop?user=me@realm", "host/shop"),
        ("postgresql://app:x@host/shop?options=-c%20a=b", "host/shop"),
        ("mysql://app:@host", "host/"),
        ("mysql://app:x@/shop?unix_socket=/run/my.sock", "/run/my.sock/shop"),
        ("postgresql://app:x@h1:1,h2:2/shop", "h1:1,h2:2/shop"),
        ("postgresql://h1,h2/shop?target_session_attrs=read-write", "h1,h2/shop"),
        ("postgresql://app:x@/shop?host=h1:1&host=h2:2", "h1:1,h2:2/shop"),
        ("postgresql://app:x@/shop?host=h1,h2&port=7", "h1:7,h2:7/shop"),
        ("postgresql://app:x@host:7/shop?dbname=other&port=8", "host:8/other"),
    ],
)
def test_a_url_that_is_clear_is_taken(url: str, address: str) -> None:
    with open_store(sql_config(url), IDENTITY) as store:
        assert f" {address} table" in store.place


def test_an_engine_whose_url_was_read_wrongly_is_not_used(tmp_path: Path) -> None:
    engine = create_engine("postgresql+psycopg://app:S3cret@T41L@127.0.0.1:9/shop")
    store = SqlStore(Options(engine=engine), IDENTITY)
    assert "T41L" not in store.place
    with pytest.raises(StoreOptionsError, match="percent-encoded") as caught:
        store.get_token()
    assert caught.value.option == "engine"
    with pytest.raises(StoreOptionsError, match="percent-encoded"):
        store.lock_id()


def test_an_engine_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    plain = create_engine(f"sqlite:///{tmp_path}/t.db")
    native = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/t.db")
    with pytest.raises(StoreOptionsError, match="option engine"):
        SqlStore(Options(engine=native), IDENTITY)
    with pytest.raises(StoreOptionsError, match="option engine"):
        AsyncSqlStore(Options(engine=plain), IDENTITY)


def test_a_given_engine_is_used_and_left_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/t.db", echo="debug")
    with open_store({"name": "sql", "engine": engine}, IDENTITY) as store:
        store.set_token(token("a"))
        assert store.get_token() is not None
        with store.token_lock(0, 5):
            pass
    assert engine.pool.checkedin() == 1  # type: ignore[attr-defined]  # of a QueuePool
    engine.dispose()
    shown = "".join(capsys.readouterr())
    assert "flex_tokens" in shown
    assert "SENTINEL" not in shown


def test_a_given_async_engine_is_used_and_left_open(tmp_path: Path) -> None:
    async def main() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/t.db")
        async with await open_async_store({"name": "sql", "engine": engine}, IDENTITY) as store:
            await store.set_token(token("a"))
            async with store.token_lock(0, 5):
                assert await store.get_token() is not None
        async with engine.connect() as connection:
            await connection.exec_driver_sql("SELECT identity FROM flex_tokens")
        await engine.dispose()

    asyncio.run(main())


def test_all_options_come_from_the_environment_as_texts() -> None:
    prefix = "FLEX_INTEGRATION_TOKEN_STORE"
    environ = {
        prefix: "sql",
        f"{prefix}__URL": "postgresql://user:SENTINEL@db.example.com:7000/shop",
        f"{prefix}__PASSWORD": "SENTINEL",
        f"{prefix}__TABLE": "oauth",
        f"{prefix}__SCHEMA": "app",
        f"{prefix}__CREATE_TABLE": "false",
        f"{prefix}__TIMEOUT": "2.5",
    }
    config = store_config_from_env(prefix, environ)
    assert config is not None
    with open_store(config, IDENTITY) as store:
        shown = "postgresql db.example.com:7000/shop table app.oauth"
        assert store.place == f"{shown}, identity {IDENTITY.key}"


def test_two_handles_on_one_token_have_one_lock_id(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/t.db"

    async def asynchronous() -> object:
        async with await open_async_store(sql_config(url), IDENTITY) as store:
            return store.lock_key

    with (
        open_store(sql_config(url), IDENTITY) as one,
        open_store(sql_config(url, table="other"), IDENTITY) as elsewhere,
    ):
        assert one.lock_key == asyncio.run(asynchronous())
        assert one.lock_key != elsewhere.lock_key


def test_no_secret_is_shown_by_options_and_stores() -> None:
    options = Options(url=Secret("postgresql://u:SENTINEL@h/d"), password=Secret("SENTINEL"))
    store = SqlStore(options, IDENTITY)
    assert "SENTINEL" not in f"{options!r} {store!r} {store.place} {store.lock_id()}"


def test_it_is_listed_with_its_abilities_and_documented_options() -> None:
    (info,) = [info for info in list_stores(check=True) if info.name == "sql"]
    assert (info.status, info.reason, info.origin) == ("ok", "", "plugin")
    assert (info.distribution, info.compare_and_set, info.lock) == (
        "flex-tokenstore-sql",
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
    }


def test_sqlalchemy_is_imported_when_a_store_is_opened_and_its_orm_never(tmp_path: Path) -> None:
    code = f"""
import sys, flex_tokenstore, flex_tokenstore_sql
print("sqlalchemy" in sys.modules)
identity = flex_tokenstore.TokenIdentity("https://api.example.com", "my-client", "integ")
config = {{"name": "sql", "url": "sqlite:///{tmp_path}/t.db"}}
with flex_tokenstore.open_store(config, identity) as store, store.token_lock(0, 5):
    print(store.get_token(), "sqlalchemy" in sys.modules, "sqlalchemy.orm" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "None", "True", "False"]


@pytest.mark.parametrize(
    "query", ["ssl_disabled=true", "ssl_verify_cert=false", "ssl_verify_identity=false"]
)
def test_parameters_of_a_mysql_url_do_not_switch_off_the_tls_of_the_options(
    certificates: Certificates, query: str
) -> None:
    config = sql_config(f"mysql://u@127.0.0.1:9/d?{query}", ca_file=str(certificates.certificate))
    refused = pytest.raises(TokenUnavailableError, match="cannot be combined")
    with open_store(config, IDENTITY) as store, refused:
        store.get_token()


@pytest.mark.parametrize("scheme", ["mysql", "mariadb"])
def test_a_certificate_in_the_url_that_is_missing_is_told(tmp_path: Path, scheme: str) -> None:
    config = sql_config(f"{scheme}://u@127.0.0.1:9/d?ssl_ca={tmp_path}/missing.pem")
    refused = pytest.raises(TokenUnavailableError, match="check ssl_ca")
    with open_store(config, IDENTITY) as store, refused:
        store.get_token()
