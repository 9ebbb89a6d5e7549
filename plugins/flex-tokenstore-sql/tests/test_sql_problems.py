"""Each cause of an error has a text and a remedy of its own, as the databases report it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

import psycopg
import pytest

from flex_tokenstore import TokenCorruptError, TokenPermissionError, TokenUnavailableError
from sql_support import Database, sql_config
from tests.servers.mariadb import MariaDb, program
from tests.servers.postgres import Postgres
from tests.servers.tls import Certificates, tls_proxy
from tests.support.handles import Open, opener, token

pytest_plugins = ["sql_fixtures"]

PASSWORD = "pw-SENTINEL"


class Case(NamedTuple):
    """A user, a server that was prepared with some statements, and what the store says."""

    says: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    denied: bool = False
    rules: str = ""
    config: Mapping[str, Any] = MappingProxyType({})
    url: str = "//app@HOST/postgres"


@contextmanager
def prepared(server: Postgres, case: Case) -> Iterator[dict[str, Any]]:
    """The store's config."""
    role = ("DROP ROLE IF EXISTS app", f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'")
    for statement in (*role, *case.before):
        server.run(statement)
    try:
        with server.rules(case.rules) if case.rules else nullcontext():
            url = case.url.replace("HOST", f"127.0.0.1:{server.port}")
            yield sql_config(f"postgresql:{url}", timeout=2, **case.config)
    finally:
        for statement in (*case.after, "DROP OWNED BY app", "DROP ROLE app"):
            server.run(statement)


MAKES_TABLE = (
    "CREATE TABLE flex_tokens (identity VARCHAR(100) PRIMARY KEY, token BYTEA NOT NULL)",
    "GRANT ALL ON flex_tokens TO app",
)
SCRAM = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
POSTGRES = {
    "wrong password": Case("name or password", rules=SCRAM, config={"password": "no-SENTINEL"}),
    "no password": Case("user name or password", rules=SCRAM),
    "no such user": Case("no such user", url="//nobody@HOST/postgres", denied=True),
    "no login": Case("may not sign in", ("ALTER ROLE app NOLOGIN",), denied=True),
    "pg_hba": Case(
        "pg_hba.conf", rules="host all postgres 127.0.0.1/32 trust\n", denied=True
    ),
    "pg_hba rejects": Case(
        "pg_hba.conf",
        rules="host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 reject\n",
        denied=True,
    ),
    "no such database": Case("no database with that name", url="//app@HOST/FATAL:  role x"),
    "closed database": Case(
        "may not use this database",
        ("CREATE DATABASE closed", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC"),
        ("DROP DATABASE closed",),
        url="//app@HOST/closed",
        denied=True,
    ),
    "too many connections": Case("no free connection", ("ALTER ROLE app CONNECTION LIMIT 0",)),
    "no TLS": Case("it has no TLS", url="//app@HOST/postgres?sslmode=require"),
    "unknown host": Case("host name is not known", url="//app@no.such.host.invalid/postgres"),
    "unknown parameter": Case("after its '?'", url="//app@HOST/postgres?pass=SENTINEL"),
    "no server accepts writes": Case(
        "it is read-only",
        ("ALTER ROLE app SET default_transaction_read_only = on",),
        url="//app@HOST,HOST/postgres?target_session_attrs=read-write",
        denied=True,
    ),
    "no right to make the table": Case("create it with: CREATE TABLE flex_tokens"),
    "no right to the table": Case(
        "grant this user SELECT",
        (*MAKES_TABLE, "REVOKE SELECT ON flex_tokens FROM app"),
        denied=True,
    ),
    "missing schema": Case("the schema is missing", config={"schema": "none"}),
    "column of another type": Case(
        "not created by this store",
        ("CREATE TABLE flex_tokens (identity TEXT PRIMARY KEY, token JSONB NOT NULL)",
         "GRANT ALL ON flex_tokens TO app"),
    ),
    "read-only": Case(
        "it is read-only: connect to the primary",
        (*MAKES_TABLE, "ALTER ROLE app SET default_transaction_read_only = on"),
        denied=True,
    ),
}  # fmt: skip


@pytest.mark.sample(9)
@pytest.mark.parametrize("name", POSTGRES)
def test_what_postgres_refuses(opened: Open, postgres_server: Postgres, name: str) -> None:
    case = POSTGRES[name]
    with prepared(postgres_server, case) as config:
        store = opened(config)
        with pytest.raises(TokenUnavailableError, match=case.says) as caught:
            store.set_token(token("a"))
        assert isinstance(caught.value, TokenPermissionError) == case.denied
        assert "SENTINEL" not in str(caught.value)


# As a trigger of PostgreSQL or MariaDB reports it, for what is hard to bring about; once: another
# try succeeds.
RAISED = [
    ("40001", 1213, "other transactions", True),
    ("40P01", 1205, "other transactions", True),
    ("55P03", 1020, "other transactions", True),
    ("53300", 1040, "no free connection", True),
    ("57P03", None, "starting, stopping or recovering", True),
    ("25006", 1290, "read-only", True),
    ("25006", 1836, "read-only", True),
    ("25006", 1792, "read-only", True),
    ("57P01", 1053, "ended the connection", True),
    ("57014", 1969, "ended the statement, by a time limit", False),
    ("57014", 3024, "ended the statement, by a time limit", False),
    ("53100", 1021, "the disk is full", False),
    ("42501", 1142, "its user may not do this", False),
    ("3D000", 1049, "no database with that name", False),
    ("28P01", 1045, "user name or password", False),
    ("22001", 1406, "not created by this store", False),
    ("XX000", 1815, "see the database's log", False),
]


@pytest.mark.sample(6)
@pytest.mark.parametrize(("code", "number", "says", "again"), RAISED)
def test_codes_of_postgres(
    opened: Open, postgres_server: Postgres, code: str, number: int, says: str, again: bool
) -> None:
    run = postgres_server.run
    store = opened(sql_config(postgres_server.url))
    store.set_token(token("a"))
    run("CREATE SEQUENCE tries")
    run(
        "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF nextval('tries') <= TG_ARGV[0]::int THEN RAISE EXCEPTION USING ERRCODE = '{code}', "
        "MESSAGE = 'FATAL:  password authentication failed for user SENTINEL'; END IF; "
        "RETURN NEW; END $$"
    )
    if again:
        with raising(run, 1):
            store.set_token(token("b"), token("a").revision)
    with raising(run, 99), pytest.raises(TokenUnavailableError, match=says) as caught:
        store.set_token(token("c"))
    assert "SENTINEL" not in str(caught.value)


@contextmanager
def raising(run: Callable[[str], object], times: int) -> Iterator[None]:
    run("ALTER SEQUENCE tries RESTART")
    run(
        "CREATE TRIGGER fails BEFORE UPDATE ON flex_tokens FOR EACH ROW "
        f"EXECUTE FUNCTION fails('{times}')"
    )
    yield
    run("DROP TRIGGER fails ON flex_tokens")


@pytest.mark.slow
@pytest.mark.parametrize(("code", "number", "says", "again"), RAISED)
def test_codes_of_mariadb(
    opened: Open, mariadb_server: MariaDb, code: str, number: int | None, says: str, again: bool
) -> None:
    if number is None:
        pytest.skip("MariaDB has no such code")
    store = opened(sql_config(mariadb_server.url))
    store.set_token(token("a"))
    mariadb_server.run("CREATE TABLE t.tries (left_over INT) ENGINE = MyISAM")  # no rollback
    mariadb_server.run("INSERT INTO t.tries VALUES (0)")
    mariadb_server.run(
        "CREATE TRIGGER t.fails BEFORE UPDATE ON t.flex_tokens FOR EACH ROW BEGIN "
        "UPDATE t.tries SET left_over = left_over - 1; "
        "IF (SELECT left_over FROM t.tries) >= 0 THEN SIGNAL SQLSTATE '45000' "
        f"SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'SENTINEL'; END IF; END"
    )
    if again:
        mariadb_server.run("UPDATE t.tries SET left_over = 1")
        store.set_token(token("b"), token("a").revision)
    mariadb_server.run("UPDATE t.tries SET left_over = 99")
    with pytest.raises(TokenUnavailableError, match=says) as caught:
        store.set_token(token("c"))
    assert "SENTINEL" not in str(caught.value)


MARIADB = {
    "wrong password": ("//app:no-SENTINEL@HOST/t", (), "user name or password"),
    "no such user": ("//nobody@HOST/t", (), "user name or password"),
    "no such database": ("//root2@HOST/none", ("GRANT ALL ON *.* TO root2@'127.0.0.1'",), "no d"),
    "not its database": ("//root2@HOST/mysql", (), "may not use this database"),
    "another host": ("//far@HOST/t", ("CREATE USER far@'10.9.9.9'",), "name or password"),
    "demands TLS": (
        "//app:PW@HOST/t",
        ("ALTER USER app@'127.0.0.1' REQUIRE SSL",),
        "user name or password|not without TLS",
    ),
    "no right": (
        "//root2@HOST/t",
        ("CREATE TABLE t.flex_tokens (identity VARCHAR(100) PRIMARY KEY, token LONGBLOB NOT NULL)",
         "GRANT SELECT ON t.flex_tokens TO root2@'127.0.0.1'"),
        "its user may not do this",
    ),
    "too many": (
        "//root2@HOST/t", ("GRANT ALL ON t.* TO root2@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1",
                           "GRANT ALL ON t.* TO root2@'127.0.0.1' WITH MAX_QUERIES_PER_HOUR 1"),
        "no free connection",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", MARIADB)
def test_what_mariadb_refuses(opened: Open, mariadb_server: MariaDb, name: str) -> None:
    url, before, says = MARIADB[name]
    mariadb_server.run("CREATE OR REPLACE USER root2@'127.0.0.1'")
    for statement in before:
        mariadb_server.run(statement)
    url = url.replace("HOST", f"127.0.0.1:{mariadb_server.port}").replace("PW", PASSWORD)
    try:
        store = opened(sql_config(f"mariadb:{url}"))
        with pytest.raises(TokenUnavailableError, match=says) as caught:
            store.set_token(token("a"))
        assert "SENTINEL" not in str(caught.value)
    finally:
        mariadb_server.run("DROP USER IF EXISTS root2@'127.0.0.1', far@'10.9.9.9'")
        mariadb_server.run("ALTER USER app@'127.0.0.1' REQUIRE NONE")


def test_a_column_for_text_made_by_hand(opened: Open, database: Database) -> None:
    database.run("CREATE TABLE TOKENS (identity VARCHAR(99) PRIMARY KEY, token TEXT)")
    store, other = (opened(sql_config(database.url)) for _ in range(2))
    store.set_token(token("a"), None)
    kept = other.get_token()
    assert kept is not None
    other.set_token(token("b"), kept.revision)
    with store.token_lock(0, 5), pytest.raises(TimeoutError), other.token_lock(0, 5):
        pass
    database.run("UPDATE TOKENS SET token = NULL")
    with pytest.raises(TokenCorruptError, match="it is NULL"):
        store.get_token()
    store.remove_token()
    assert store.get_token() is None


def test_tls_with_postgres(
    kind: str,
    postgres_server: Postgres,
    certificates: Certificates,
    other_certificates: Certificates,
) -> None:
    right, wrong = (
        {"ca_file": str(each.certificate)} for each in (certificates, other_certificates)
    )
    with (
        tls_proxy(postgres_server.port, certificates, postgres=True) as port,
        opener(kind) as opened,
    ):
        url = f"postgresql://postgres@localhost:{port}/postgres"
        opened(sql_config(url, **right)).set_token(token("a"))
        with pytest.raises(TokenUnavailableError, match=r"certificate is of another CA.*ca_file"):
            opened(sql_config(url, **wrong)).get_token()
        other = url.replace("//postgres@localhost", "//postgres@other") + "?hostaddr=127.0.0.1"
        with pytest.raises(TokenUnavailableError, match="certificate is for another host"):
            opened(sql_config(other, **right)).get_token()
        with pytest.raises(TokenUnavailableError, match="it has no TLS, which ca_file"):
            opened(sql_config(postgres_server.url, **right)).get_token()


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.parametrize("place", ["option", "url"])
def test_a_password_of_mariadb_with_any_letters(
    opened: Open, mariadb_server: MariaDb, place: str
) -> None:
    password = "zażółć-ü-密码"
    where = f"127.0.0.1:{mariadb_server.port}/t"
    url, given = f"mariadb://other@{where}", {"password": password}
    if place == "url":
        url, given = f"mariadb://other:{quote(password)}@{where}", {}
    mariadb_server.run("CREATE USER other@'127.0.0.1' IDENTIFIED BY %s", password)
    try:
        mariadb_server.run("GRANT ALL ON t.* TO other@'127.0.0.1'")
        opened(sql_config(url, **given)).set_token(token("a"))
        with pytest.raises(TokenUnavailableError, match="user name or password"):
            opened(sql_config(url, password="\ud800密")).get_token()
    finally:
        mariadb_server.run("DROP USER other@'127.0.0.1'")


@pytest.mark.skipif(program("mariadbd") is None, reason="needs the program mariadbd")
def test_tls_with_mariadb(
    opened: Open, certificates: Certificates, other_certificates: Certificates
) -> None:
    ca = {"ca_file": str(certificates.certificate)}
    wrong = {"ca_file": str(other_certificates.certificate)}
    with MariaDb(certificates) as server:
        server.run("ALTER USER app@'127.0.0.1' REQUIRE SSL")
        opened(sql_config(server.url, **ca)).set_token(token("a"))
        with pytest.raises(TokenUnavailableError, match=r"TLS failed.*ca_file"):
            opened(sql_config(server.url, **wrong)).get_token()
    with MariaDb() as server, pytest.raises(TokenUnavailableError, match="TLS"):
        opened(sql_config(server.url, **ca)).set_token(token("a"))


def test_a_password_file_that_changes(
    opened: Open, postgres_server: Postgres, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    case = Case("", MAKES_TABLE, rules=SCRAM, config={"password_file": str(file)})
    with prepared(postgres_server, case) as config:
        store = opened(config)
        store.set_token(token("a"))
        postgres_server.run("ALTER ROLE app PASSWORD 'next-SENTINEL'")
        file.write_text("next-SENTINEL")
        store.set_token(token("b"))
        file.write_text("")  # about to be written
        store.set_token(token("c"))
        file.unlink()
        store.set_token(token("d"))
        file.write_text("wrong-SENTINEL")
        with pytest.raises(TokenUnavailableError, match="user name or password"):
            store.get_token()


def test_a_user_that_is_an_option(opened: Open, postgres_server: Postgres) -> None:
    case = Case("", MAKES_TABLE, rules=SCRAM, url="//HOST/postgres")
    with prepared(postgres_server, case) as config:
        store = opened({**config, "username": "app", "password": PASSWORD})
        store.set_token(token("a"))


def test_a_lock_of_the_table_that_lasts(opened: Open, postgres_server: Postgres) -> None:
    case = Case("", (*MAKES_TABLE, "ALTER ROLE app SET statement_timeout = '50ms'"))
    with prepared(postgres_server, case) as config, psycopg.connect(postgres_server.url) as other:
        store = opened(config)
        store.set_token(token("a"))
        other.execute("LOCK TABLE flex_tokens")
        with pytest.raises(TokenUnavailableError, match="ended the statement, by a time limit"):
            store.get_token()
        other.rollback()


def test_a_path_with_a_question_mark(opened: Open, tmp_path: Path) -> None:
    for name in ("who?.db", "a?b=c?.db", "plain.db?timeout=3"):
        store = opened(sql_config(f"sqlite:///{tmp_path}/{name}"))
        store.set_token(token("a"))
        with store.token_lock(0, 5):
            pass
    assert {path.name for path in tmp_path.glob("*.db")} == {"who?.db", "a?b=c?.db", "plain.db"}
