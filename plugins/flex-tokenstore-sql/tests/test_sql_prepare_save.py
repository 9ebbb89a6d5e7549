"""Whether a token could be saved: found out in one round trip, without a change."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flex_tokenstore import TokenPermissionError
from sql_support import Database, SqliteFile, sql_config
from tests.support.handles import IDENTITY, Open, token

pytestmark = pytest.mark.slow  # the default suite has the same kinds on files

if TYPE_CHECKING:
    from tests.servers.mariadb import MariaDb
    from tests.servers.postgres import Postgres

pytest_plugins = ["sql_fixtures"]

is_root = hasattr(os, "geteuid") and os.geteuid() == 0


def refused(store: Any, says: str, stored: bool) -> None:
    """As a save is."""
    expected = token("a").revision if stored else None
    with pytest.raises(TokenPermissionError, match=says) as caught:
        store.prepare_save(expected)
    assert caught.value.store == "sql"
    with pytest.raises(TokenPermissionError, match=says):
        store.set_token(token("b"), expected)


def test_it_changes_nothing(opened: Open, database: Database) -> None:
    store = opened(sql_config(database.url))
    assert store.get_token() is None
    store.prepare_save(None)
    assert database.rows() == {}
    store.set_token(token("a"), None)
    before = database.rows()
    for expected in (token("a").revision, None, "*"):
        store.prepare_save(expected)
        assert database.rows() == before
    database.plant(b"{broken")
    store.prepare_save()
    assert database.rows() == {IDENTITY.key: b"{broken"}


def test_it_needs_no_table(opened: Open, database: Database) -> None:
    """The first read makes it, or says what to run."""
    opened(sql_config(database.url)).prepare_save(None)
    opened(sql_config(database.url, table="not_there", create_table=False)).prepare_save(None)


@pytest.fixture
def app(postgres_server: Postgres) -> Iterator[str]:
    """A user of PostgreSQL with the rights of the README; gives the URL."""
    server = postgres_server
    server.run("DROP ROLE IF EXISTS app")
    server.run("CREATE ROLE app LOGIN")
    server.run("CREATE TABLE flex_tokens (identity VARCHAR(100) PRIMARY KEY, token BYTEA NOT NULL)")
    server.run("GRANT SELECT, INSERT, UPDATE, DELETE ON flex_tokens TO app")
    scheme, _, rest = server.url.partition("://")
    yield f"{scheme}://app@{rest.rpartition('@')[2]}"
    server.run("DROP TABLE flex_tokens")
    server.run("DROP OWNED BY app")
    server.run("DROP ROLE app")


@pytest.mark.parametrize(("right", "stored"), [("INSERT", False), ("UPDATE", True)])
def test_a_lost_grant_of_postgres_is_found(
    opened: Open, postgres_server: Postgres, app: str, right: str, stored: bool
) -> None:
    store = opened(sql_config(app))
    if stored:
        store.set_token(token("a"), None)
    store.prepare_save(token("a").revision if stored else None)
    postgres_server.run(f"REVOKE {right} ON flex_tokens FROM app")
    refused(store, "its user may not do this: grant this user SELECT, INSERT", stored)


def test_a_grant_on_columns_is_enough(opened: Open, postgres_server: Postgres, app: str) -> None:
    postgres_server.run("REVOKE INSERT, UPDATE ON flex_tokens FROM app")
    postgres_server.run("GRANT INSERT (identity, token), UPDATE (token) ON flex_tokens TO app")
    store = opened(sql_config(app))
    store.prepare_save(None)
    store.set_token(token("a"), None)
    store.prepare_save(token("a").revision)
    store.set_token(token("b"), token("a").revision)


@pytest.mark.parametrize("stored", [False, True])
def test_a_read_only_postgres_is_found(
    opened: Open, postgres_server: Postgres, app: str, stored: bool
) -> None:
    """It answers as a standby does, whose transactions are read-only."""
    if stored:
        opened(sql_config(app)).set_token(token("a"), None)
    postgres_server.run("ALTER ROLE app SET default_transaction_read_only = on")
    refused(opened(sql_config(app)), "it is read-only: connect to the primary", stored)


@pytest.mark.slow
@pytest.mark.parametrize(("right", "stored"), [("INSERT", False), ("UPDATE", True)])
def test_lost_rights_of_mariadb_are_found(
    opened: Open, mariadb_server: MariaDb, right: str, stored: bool
) -> None:
    server = mariadb_server
    opened(sql_config(server.url)).get_token()  # which makes the table
    server.run("CREATE OR REPLACE USER less@'127.0.0.1' IDENTIFIED BY 'pw'")
    server.run("GRANT SELECT, INSERT, UPDATE, DELETE ON t.flex_tokens TO less@'127.0.0.1'")
    scheme, _, rest = server.url.partition("://")
    store = opened(sql_config(f"{scheme}://less:pw@{rest.rpartition('@')[2]}"))
    if stored:
        store.set_token(token("a"), None)
    expected = token("a").revision if stored else None
    store.prepare_save(expected)
    try:
        server.run("SET GLOBAL read_only = 1")
        refused(store, "it is read-only: connect to the primary", stored)
        server.run("SET GLOBAL read_only = 0")
        server.run(f"REVOKE {right} ON t.flex_tokens FROM less@'127.0.0.1'")
        refused(
            store,
            "its user may not do this: grant this user SELECT, INSERT",
            stored,
        )
    finally:
        server.run("SET GLOBAL read_only = 0")
        server.run("DROP USER less@'127.0.0.1'")


def test_an_outage_is_no_refusal(opened: Open, postgres_server: Postgres) -> None:
    store = opened(sql_config(postgres_server.url, timeout=0.5))
    store.set_token(token("a"), None)
    postgres_server.pause()
    try:
        store.prepare_save()
    finally:
        postgres_server.resume()
    opened(sql_config("postgresql://127.0.0.1:9/none", timeout=0.5)).prepare_save()


def test_a_locked_sqlite_file_is_no_refusal(opened: Open, tmp_path: Path) -> None:
    file = SqliteFile(tmp_path)
    store = opened(sql_config(file.url, timeout=0.2))
    store.set_token(token("a"), None)
    with closing(sqlite3.connect(file.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.prepare_save()
    store.set_token(token("b"), token("a").revision)


# The interpreter may be where that user cannot read it: all is used once before.
OTHER_USER = """
import os, sys
from tests.support.handles import open_handle, token
kind, path, user = sys.argv[1:]
def config():
    return {"name": "sql", "url": f"sqlite:///{path}", "timeout": 1.0}
first = open_handle(kind, {**config(), "url": f"sqlite:///{path}.warm"})
first.set_token(token("warm"))
first.prepare_save()
first.close()
os.setgroups([])
os.setgid(int(user))
os.setuid(int(user))
print("ready", flush=True)
for line in sys.stdin:
    store = open_handle(kind, config())
    try:
        said = "done", getattr(store, line.split()[0])(*map(token, line.split()[1:]))
    except Exception as error:
        said = type(error).__name__, error
    store.close()  # its files are gone then
    print(*said, flush=True)
"""
USER = 1234


@pytest.mark.each_value
@pytest.mark.skipif(not is_root, reason="becomes another user")
@pytest.mark.parametrize("mode", ["wal", "delete"])
@pytest.mark.parametrize("loss", ["file", "folder"])
def test_lost_rights_on_an_sqlite_file_are_found(kind: str, mode: str, loss: str) -> None:
    outer = Path(tempfile.mkdtemp())
    outer.chmod(0o755)
    folder = outer / "data"
    folder.mkdir(mode=0o700)
    os.chown(folder, USER, USER)
    path = folder / "tokens.db"
    command = [sys.executable, "-c", OTHER_USER, kind, str(path), str(USER)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def ask(what: str) -> str:
            stdin.write(what + "\n")
            stdin.flush()
            return stdout.readline().strip()

        try:
            assert stdout.readline() == "ready\n"
            assert ask("set_token old") == "done None"
            with closing(sqlite3.connect(path, isolation_level=None)) as database:
                database.execute(f"PRAGMA journal_mode={mode}")
            for name in os.listdir(folder):
                os.chown(folder / name, USER, USER)
            before = sorted(os.listdir(folder))
            assert ask("prepare_save") == "done None"
            assert sorted(os.listdir(folder)) == before
            if loss == "file":
                path.chmod(0o400)
            else:
                folder.chmod(0o500)
            said = ask("prepare_save")
            assert ask("set_token new").startswith("Token")
            reads = ask("get_token").startswith("done Token")
            assert said.startswith("TokenPermissionError") or not reads, said
        finally:
            process.kill()
    shutil.rmtree(outer)
