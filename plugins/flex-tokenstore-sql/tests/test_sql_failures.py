"""Each way in which a database may fail; what is told then, and that no secret is shown."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import time
import traceback
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from flex_tokenstore import TokenUnavailableError, open_async_store
from sql_support import Database, SqliteFile, sql_config
from tests.servers import free_port
from tests.servers.mariadb import MariaDb, program
from tests.servers.postgres import Postgres
from tests.servers.tls import Certificates
from tests.support.handles import IDENTITY, Open, token

pytest_plugins = ["sql_fixtures"]


def fails(action: Callable[[], object], *words: str) -> TokenUnavailableError:
    """It raises, in the words given, and shows no secret anywhere in the traceback."""
    with pytest.raises(TokenUnavailableError) as caught:
        action()
    error = caught.value
    assert error.store == "sql"
    assert error.place is not None
    assert error.place in str(error)
    for word in words:
        assert word in str(error)
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    text = "".join(shown.format())
    assert "SENTINEL" not in text, text
    while cause := error.__cause__ or error.__context__:
        assert not isinstance(cause, SQLAlchemyError), "the driver's frames hold tokens"
        error = cause  # type: ignore[assignment]  # any exception
    return caught.value


def test_wrong_password_and_missing_rights(opened: Open, postgres_server: Postgres) -> None:
    server = postgres_server
    server.run("DROP ROLE IF EXISTS app")
    server.run("CREATE USER app PASSWORD 'right-SENTINEL'")
    with server.passwords_required():
        host = f"127.0.0.1:{server.port}/postgres"
        for url in (f"postgresql://app:wrong-SENTINEL@{host}", f"postgresql://app@{host}"):
            store = opened(sql_config(url))
            fails(store.get_token, "user name or password")
            fails(lambda store=store: store.set_token(token("a")), "user name or password")  # type: ignore[misc]  # mypy: a default for a lambda
            fails(lambda store=store: store.token_lock(0, 5).__enter__(), "password")  # type: ignore[misc]  # mypy: a default for a lambda
        config = sql_config(f"postgresql://app@{host}", password="right-SENTINEL")
        fails(opened(config).get_token, "CREATE TABLE flex_tokens")  # may not make it: told how
        opened(sql_config(server.url)).set_token(token("a"))
        fails(opened(config).get_token, "GRANT".lower(), "SELECT")
        server.run("GRANT SELECT, INSERT, UPDATE, DELETE ON flex_tokens TO app")
        assert opened(config).get_token() is not None
        url = f"postgresql://postgres@127.0.0.1:{server.port}/none"
        fails(opened(sql_config(url)).get_token)


def test_corrupt_content_that_cannot_be_put_aside_stays(
    opened: Open, postgres_server: Postgres
) -> None:
    server = postgres_server
    opened(sql_config(server.url)).set_token(token("a"))
    server.run("UPDATE flex_tokens SET token = 'precious-SENTINEL'")
    server.run("DROP ROLE IF EXISTS app")
    server.run("CREATE USER app")
    for rights in ("SELECT", "SELECT, INSERT, DELETE"):
        server.run(f"GRANT {rights} ON flex_tokens TO app")
        store = opened(sql_config(server.url.replace("//postgres@", "//app@")))
        fails(store.remove_token, "its user may not do this")
        fails(lambda store=store: store.set_token(token("b")), "its user may not")  # type: ignore[misc]  # mypy: a default for a lambda
        assert server.run("SELECT token FROM flex_tokens") == [(b"precious-SENTINEL",)]


def test_a_name_that_reads_like_a_refused_password(opened: Open, postgres_server: Postgres) -> None:
    """The database's message quotes it."""
    name = "authentication failed, no password supplied"
    url = postgres_server.url.removesuffix("postgres") + name
    error = fails(opened(sql_config(url)).get_token)
    assert "user name or password" not in str(error)


@pytest.mark.slow
def test_wrong_password_of_mariadb(opened: Open, mariadb_server: MariaDb) -> None:
    config = sql_config(mariadb_server.url, password="wrong-SENTINEL")
    fails(opened(config).get_token, "user name or password")
    url = mariadb_server.url.removesuffix("/t") + "/none"
    fails(opened(sql_config(url)).get_token)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_nobody_listens(opened: Open, scheme: str) -> None:
    store = opened(sql_config(f"{scheme}://u:SENTINEL@127.0.0.1:{free_port()}/db"))
    fails(store.get_token, "it could not be reached", "port")
    fails(lambda: store.set_token(token("a")), "it could not be reached")
    fails(store.remove_token, "it could not be reached")
    fails(lambda: store.token_lock(0, 5).__enter__(), "it could not be reached")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_parameter_that_the_driver_does_not_take(opened: Open, scheme: str) -> None:
    store = opened(sql_config(f"{scheme}://127.0.0.1:{free_port()}/db?pass=SENTINEL"))
    fails(store.get_token, "after its '?'")


def test_the_password_may_be_a_parameter(opened: Open, postgres_server: Postgres) -> None:
    postgres_server.run("DROP ROLE IF EXISTS app")
    postgres_server.run("CREATE USER app PASSWORD 'right-SENTINEL'")
    with postgres_server.passwords_required():
        url = f"postgresql://app@127.0.0.1:{postgres_server.port}/postgres?password="
        fails(opened(sql_config(f"{url}wrong-SENTINEL")).get_token, "user name or password")
        fails(opened(sql_config(f"{url}right-SENTINEL")).get_token, "CREATE TABLE")
    postgres_server.run("DROP ROLE app")


def test_a_schema_that_is_missing_or_not(opened: Open, postgres_server: Postgres) -> None:
    postgres_server.run("DROP SCHEMA IF EXISTS app CASCADE")
    store = opened(sql_config(postgres_server.url, schema="app"))
    fails(store.get_token, "the schema is missing")
    postgres_server.run("CREATE SCHEMA app")
    store.set_token(token("a"), None)
    assert postgres_server.run("SELECT count(*) FROM app.flex_tokens") == [(1,)]
    postgres_server.run("DROP SCHEMA app CASCADE")


def test_a_restart_keeps_token_and_handle(opened: Open, postgres_server: Postgres) -> None:
    store = opened(sql_config(postgres_server.url))
    store.set_token(token("a"), None)
    postgres_server.restart()  # the connection that the store holds is dead
    store.set_token(token("b"), token("a").revision)
    postgres_server.restart()
    assert store.get_token() is not None
    postgres_server.restart()
    with store.token_lock(0, 5):
        store.set_token(token("c"), token("b").revision)
        postgres_server.kill()
        fails(store.get_token, "it could not be reached")
        postgres_server.restart()
    with store.token_lock(0, 5):
        kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("c").revision


@pytest.mark.slow
@pytest.mark.skipif(find_spec("pymysql") is None, reason="needs the wheel pymysql")
@pytest.mark.skipif(program("mariadbd") is None, reason="needs the program mariadbd")
def test_mariadb_by_tls(opened: Open, kind: str, certificates: Certificates) -> None:
    with MariaDb(certificates) as server:
        server.run("ALTER USER app@'127.0.0.1' REQUIRE SSL")
        ca = f"?ssl_ca={certificates.certificate}"
        opened(sql_config(server.url + ca)).set_token(token("a"), None)
        if kind == "async":  # PyMySQL verifies nothing unless it is given a CA
            unknown = f"{server.url}?ssl_check_hostname=false"  # the system knows no such CA
            fails(opened(sql_config(unknown)).get_token, "TLS failed")


@pytest.mark.slow
def test_a_restart_of_mariadb(opened: Open, mariadb_server: MariaDb) -> None:
    store = opened(sql_config(mariadb_server.url))
    store.set_token(token("a"), None)
    mariadb_server.restart()
    store.set_token(token("b"), token("a").revision)
    mariadb_server.restart()
    with store.token_lock(0, 5):
        assert store.get_token() is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "server", ["postgres_server", pytest.param("mariadb_server", marks=pytest.mark.slow)]
)
def test_a_server_that_stands_still(
    opened: Open, server: str, request: pytest.FixtureRequest
) -> None:
    running = request.getfixturevalue(server)
    stores = [opened(sql_config(running.url, timeout=0.5)) for _ in range(3)]
    for store in stores:
        store.set_token(token("a"))
    running.pause()
    try:
        for action in (
            stores[0].get_token,
            lambda: stores[1].set_token(token("b")),
            lambda: stores[2].token_lock(0, 5).__enter__(),
            stores[0].get_token,  # its connection is gone: libpq waits 2 s for a new one
        ):
            started = time.monotonic()
            fails(action, "it did not respond in time (0.5 s")
            assert time.monotonic() - started < 9  # bounded; a busy machine is slow
    finally:
        running.resume()
    deadline = time.monotonic() + 30
    while True:
        try:
            assert stores[0].get_token() is not None
            break
        except TokenUnavailableError:
            assert time.monotonic() < deadline


def test_a_lock_that_is_lost_with_its_server_is_left_quietly(
    opened: Open, postgres_server: Postgres
) -> None:
    store = opened(sql_config(postgres_server.url, timeout=1))
    with store.token_lock(0, 5):
        postgres_server.restart()
    with store.token_lock(0, 5):
        pass


CONNECTIONS = {
    "postgres_server": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    "mariadb_server": "KILL USER app",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "server", ["postgres_server", pytest.param("mariadb_server", marks=pytest.mark.slow)]
)
def test_a_holder_whose_connection_is_ended_is_not_taken_for_dead(
    opened: Open, server: str, request: pytest.FixtureRequest
) -> None:
    running = request.getfixturevalue(server)
    store, other = (opened(sql_config(running.url)) for _ in range(2))
    with store.token_lock(0, 60):
        running.run(CONNECTIONS[server])
        for wait in (0, 0.5):
            with pytest.raises(TimeoutError), other.token_lock(wait, 5):
                pass
    with other.token_lock(0, 5):
        pass
    with store.token_lock(0, 1):  # a lease that ends, by the server's clock in whole seconds
        running.run(CONNECTIONS[server])
        with other.token_lock(60, 5):
            pass


def test_a_mark_that_could_not_be_removed_keeps_its_own_store_from_nothing(
    opened: Open, postgres_server: Postgres
) -> None:
    store, other = (opened(sql_config(postgres_server.url)) for _ in range(2))
    with store.token_lock(0, 60):
        postgres_server.kill()
    postgres_server.restart()
    with pytest.raises(TimeoutError), other.token_lock(0, 5):
        pass
    with store.token_lock(0, 5):
        pass
    with other.token_lock(0, 5):
        pass


@pytest.mark.parametrize("content", [b"", b"[]", b'{"until": "x"}', b'{"until":9e99,"lease":5}'])
def test_a_lock_that_cannot_be_read_is_held_for_a_lease(
    opened: Open, postgres_server: Postgres, content: bytes
) -> None:
    store = opened(sql_config(postgres_server.url))
    assert store.get_token() is None
    name = f"{IDENTITY.key}:lock"
    postgres_server.run("INSERT INTO flex_tokens VALUES (%s, %s)", name, content)
    with pytest.raises(TimeoutError), store.token_lock(0, 0.5):
        pass
    with store.token_lock(60, 0.5):
        ((kept,),) = postgres_server.run("SELECT token FROM flex_tokens WHERE identity = %s", name)
        assert b"holder" in kept
    assert postgres_server.run("SELECT * FROM flex_tokens") == []


def test_a_missing_table_is_told_with_the_statement_that_makes_it(
    opened: Open, database: Database
) -> None:
    store = opened(sql_config(database.url, create_table=False))
    error = fails(store.get_token, "the table is missing", "CREATE TABLE flex_tokens")
    fails(lambda: store.set_token(token("a")), "CREATE TABLE flex_tokens")
    statement = str(error).partition("create it with: ")[2]
    database.run(statement.replace("flex_tokens", "TOKENS"))
    store.set_token(token("a"), None)
    assert store.get_token() is not None


def test_a_table_of_another_shape_is_told(opened: Open, database: Database) -> None:
    database.run("CREATE TABLE TOKENS (identity VARCHAR(9), note VARCHAR(9))")
    if database.kind == "sqlite":
        fails(opened(sql_config(database.url)).get_token)
    else:
        fails(opened(sql_config(database.url)).get_token, "not created by this store")


def test_files_that_sqlite_cannot_use(opened: Open, tmp_path: Path) -> None:
    store = opened(sql_config(f"sqlite:///{tmp_path}/none/t.db"))
    fails(store.get_token, "cannot be opened")
    fails(lambda: store.token_lock(0, 5).__enter__(), "cannot be opened")
    (tmp_path / "text.db").write_text("no database SENTINEL" * 100)
    fails(opened(sql_config(f"sqlite:///{tmp_path}/text.db")).get_token, "not an SQLite database")


def test_sqlite_locked_by_another_program(opened: Open, tmp_path: Path) -> None:
    file = SqliteFile(tmp_path)
    store = opened(sql_config(file.url, timeout=0.2))
    store.set_token(token("a"))
    assert file.run("PRAGMA journal_mode") == [("wal",)]
    for path in tmp_path.glob("tokens.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    with create_engine(file.url, isolation_level="AUTOCOMMIT").connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        assert store.get_token() is not None  # readers go on
        fails(
            lambda: store.set_token(token("b")), "another program has locked the file for too long"
        )
        other.exec_driver_sql("ROLLBACK")
    other.engine.dispose()
    store.set_token(token("b"))


def test_an_sqlite_file_that_was_removed_or_replaced(opened: Open, tmp_path: Path) -> None:
    file, backup = SqliteFile(tmp_path), SqliteFile(tmp_path, "backup.db")
    opened(sql_config(backup.url)).set_token(token("b"))
    backup.run("PRAGMA wal_checkpoint(TRUNCATE)")  # all of it in one file
    store = opened(sql_config(file.url))
    store.set_token(token("a"))
    for path in tmp_path.glob("tokens.db*"):
        path.unlink()
    assert store.get_token() is None
    store.set_token(token("a"), None)
    kept = opened(sql_config(file.url)).get_token()
    assert kept is not None
    assert kept.revision == token("a").revision
    for path in tmp_path.glob("tokens.db-*"):
        path.unlink()
    backup.path.rename(file.path)
    kept = store.get_token()
    assert kept is not None
    assert kept.revision == token("b").revision


def test_a_text_in_sqlite_is_read_and_replaced_too(opened: Open, tmp_path: Path) -> None:
    file = SqliteFile(tmp_path)
    store = opened(sql_config(file.url))
    store.set_token(token("a"))
    file.run("UPDATE flex_tokens SET token = CAST(token AS TEXT)")
    kept = store.get_token()
    assert kept is not None
    store.set_token(token("b"), kept.revision)
    assert file.run("SELECT typeof(token) FROM flex_tokens") == [("blob",)]


def test_no_token_is_logged(
    opened: Open, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (None, "sqlalchemy", "aiosqlite", "psycopg"):
        caplog.set_level(logging.DEBUG, name)
    store = opened(sql_config(database.url))
    store.set_token(token("a"))
    store.set_token(token("b"))
    assert store.get_token() is not None
    assert "flex_tokens" in caplog.text
    assert "SENTINEL" not in caplog.text
    assert token("a").to_dict()["access_token"].encode().hex() not in caplog.text


def test_the_event_loop_goes_on_while_a_server_stands_still(postgres_server: Postgres) -> None:
    async def main() -> int:
        turns = 0
        config = sql_config(postgres_server.url, timeout=0.5)
        async with await open_async_store(config, IDENTITY) as store:
            await store.set_token(token("a"))
            postgres_server.pause()
            asking = asyncio.create_task(store.get_token())
            while not asking.done():
                await asyncio.sleep(0.01)
                turns += 1
            postgres_server.resume()
            with pytest.raises(TokenUnavailableError):
                await asking
        return turns

    assert asyncio.run(main()) >= 5


def test_a_cancelled_waiter_leaves_nothing_behind(database: Database) -> None:
    async def main() -> None:
        async with (
            await open_async_store(sql_config(database.url), IDENTITY) as store,
            await open_async_store(sql_config(database.url), IDENTITY) as other,
        ):
            async with store.token_lock(0, 60):
                waiting = asyncio.create_task(_enter(other))
                done, _ = await asyncio.wait([waiting], timeout=0.3)
                assert not done
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            async with other.token_lock(5, 30):
                await other.set_token(token("a"))
            async with store.token_lock(5, 30):
                assert await store.get_token() is not None

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_shares_no_connection_and_frees_no_lock(
    opened: Open, kind: str, database: Database
) -> None:
    if kind == "async":
        pytest.skip("a running event loop does not survive a fork")
    store = opened(sql_config(database.url))
    store.set_token(token("a"), None)
    manager = store.token_lock(0, 60)
    manager.__enter__()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            assert store.get_token() is not None
            manager.__exit__(None, None, None)
            store.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    with pytest.raises(TimeoutError):
        opened(sql_config(database.url)).token_lock(0, 5).__enter__()
    assert store.get_token() is not None
    manager.__exit__(None, None, None)
    with store.token_lock(0, 5):
        pass


async def _enter(store: object) -> None:
    async with store.token_lock(60, 30):  # type: ignore[attr-defined]  # an AsyncTokenStore
        pass
