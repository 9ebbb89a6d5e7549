"""Connections that a long-lived handle keeps while the world around it changes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from flex_tokenstore import StoreOptionsError, open_async_store, open_store
from flex_tokenstore_sql import _engines
from sql_support import Database, sql_config
from tests.servers import free_port
from tests.servers.mariadb import MariaDb
from tests.servers.postgres import Postgres
from tests.support.handles import IDENTITY, Open, token

pytest_plugins = ["sql_fixtures"]


def test_a_connection_that_leads_to_a_read_only_postgres_is_dropped(
    opened: Open, postgres_server: Postgres, kind: str
) -> None:
    """As behind an address whose primary has changed: only new connections lead to the new one."""
    run, url = postgres_server.run, postgres_server.url
    run("DROP ROLE IF EXISTS app")
    run("CREATE ROLE app LOGIN SUPERUSER")
    try:
        store = opened(sql_config(url.replace("//postgres@", "//app@")))
        store.set_token(token("a"), None)
        run("ALTER ROLE app SET default_transaction_read_only = on")
        run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'"
        )  # the next one is read-only
        assert store.get_token() is not None
        run("ALTER ROLE app RESET default_transaction_read_only")
        store.set_token(token("b"), token("a").revision)
        with store.token_lock(0, 5):
            store.prepare_save(token("b").revision)
    finally:
        run("DROP OWNED BY app")
        run("DROP ROLE app")


def test_so_are_those_of_a_programs_own_engine(postgres_server: Postgres) -> None:
    run, url = postgres_server.run, postgres_server.url
    run("DROP ROLE IF EXISTS app")
    run("CREATE ROLE app LOGIN SUPERUSER")
    engine = create_engine(url.replace("postgresql://postgres@", "postgresql+psycopg://app@"))
    try:
        with open_store({"name": "sql", "engine": engine}, IDENTITY) as store:
            store.set_token(token("a"), None)
            engine.dispose()
            run("ALTER ROLE app SET default_transaction_read_only = on")
            assert store.get_token() is not None
            run("ALTER ROLE app RESET default_transaction_read_only")
            store.set_token(token("b"), token("a").revision)
        with engine.connect() as connection:  # it is still the program's
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    finally:
        engine.dispose()
        run("DROP OWNED BY app")
        run("DROP ROLE app")


@pytest.mark.slow
def test_a_connection_that_leads_to_a_read_only_mariadb_is_dropped(
    opened: Open, mariadb_server: MariaDb
) -> None:
    run = mariadb_server.run
    store = opened(sql_config(mariadb_server.url))
    store.set_token(token("a"), None)
    run("SET GLOBAL tx_read_only = 1")
    run("KILL USER app")
    try:
        assert store.get_token() is not None
        run("SET GLOBAL tx_read_only = 0")
        store.set_token(token("b"), token("a").revision)
    finally:
        run("SET GLOBAL tx_read_only = 0")


def backends(database: Database) -> set[Any]:
    if database.kind == "mariadb":
        return {row[0] for row in database.run("SHOW PROCESSLIST") if row[1] == "app"}
    where = "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    return {pid for (pid,) in database.run(f"SELECT pid FROM pg_stat_activity {where}")}


def test_a_connection_that_was_idle_in_a_busy_pool_is_replaced(
    opened: Open, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.kind == "sqlite":
        pytest.skip("a file is not forgotten on the way")
    store = opened(sql_config(database.url))
    assert store.get_token() is None
    first = backends(database)
    assert store.get_token() is None
    assert backends(database) & first, "it is used again at once"
    monkeypatch.setattr(_engines, "IDLE", -1.0)
    assert store.get_token() is None
    assert backends(database) - first


def test_a_pool_of_one_is_enough(database: Database) -> None:
    drivers = {"postgres": "psycopg", "mariadb": "pymysql", "sqlite": "pysqlite"}
    url = database.url.replace("://", f"+{drivers[database.kind]}://", 1)
    engine = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.5)
    with open_store({"name": "sql", "engine": engine}, IDENTITY) as store:
        with store.token_lock(0, 30), engine.connect():
            pass  # nothing is held while the token is requested
        with store.token_lock(0, 30):
            store.set_token(token("a"))
        assert store.get_token() is not None
    engine.dispose()


def test_nor_does_an_async_one_need_more(postgres_server: Postgres) -> None:
    async def main() -> None:
        url = postgres_server.url.replace("://", "+psycopg://")
        engine = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.5)
        config = {"name": "sql", "engine": engine}
        async with await open_async_store(config, IDENTITY) as store:
            async with store.token_lock(0, 30), engine.connect():
                pass
            await asyncio.gather(*(store.get_token() for _ in range(5)))
        await engine.dispose()

    asyncio.run(main())


def test_several_hosts_of_which_one_is_down(opened: Open, postgres_server: Postgres) -> None:
    dead = free_port()
    hosts = f"127.0.0.1:{dead},127.0.0.1:{postgres_server.port}"
    written = [
        f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write",
        f"postgresql://postgres@/postgres?host={hosts.replace(',', '&host=')}",
    ]
    for url in written:
        store = opened(sql_config(url))
        store.set_token(token("a"))
        assert f" {hosts}/postgres " in store.place
        store.remove_token()


@pytest.mark.parametrize("name", ["username", "password", "password_file", "ca_file", "cert_file"])
def test_an_engine_has_its_own_user_and_certificates(name: str) -> None:
    engine = create_engine("postgresql+psycopg://app@localhost/shop")
    with pytest.raises(StoreOptionsError, match="can only be set with url") as caught:
        open_store({"name": "sql", "engine": engine, name: "x"}, IDENTITY)
    assert caught.value.option == name
