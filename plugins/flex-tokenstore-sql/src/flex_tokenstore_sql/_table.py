"""The table and the statements on a row. Imported when a store is opened: it needs SQLAlchemy."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from flex_tokenstore import Secret

from ._options import SQLITE, Options

MYSQL = ("mysql", "mariadb")
_SHOWN = "<hidden>"


class QuietText(str):
    """A string that drivers read and that does not print itself.

    Tracing and error trackers wrap a driver's ``execute`` and keep its parameters: their ``repr``
    or ``str`` (OpenTelemetry), bytes decoded and strings as they are (Sentry, Datadog).
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return _SHOWN

    __str__ = __repr__
    __sentry_repr__ = __repr__  # Sentry keeps strings as they are, but for this

    def __format__(self, spec: str) -> str:
        return _SHOWN


class Hidden(sa.types.TypeDecorator[Any]):
    """The column's bytes as a ``Secret``.

    So neither SQLAlchemy's log, nor what it shows of rows and parameters, holds them; nor does what
    others record of a driver's parameters.
    """

    impl = sa.types.NullType
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        raw = value.reveal() if isinstance(value, Secret) else value
        if raw is None or not isinstance(value, Secret):
            return raw
        # MySQL's drivers make the statement's text from parameters: strings only.
        return QuietText(raw.hex()) if dialect.name in MYSQL else memoryview(raw)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Secret[bytes | None]:
        return Secret(bytes(value) if isinstance(value, memoryview) else value)  # psycopg2


class Statements:
    """The statements on the row with the name ``key``.

    Bytes, not text, are stored: each database then compares them exactly, and none converts them.
    """

    def __init__(self, options: Options, backend: str) -> None:
        self.table = table = table_of(options)
        # Bytes also of a column that somebody made for text, and of a text in SQLite's.
        stored: Any = sa.cast(table.c.token, sa.LargeBinary)
        new: Any = sa.bindparam("new", type_=Hidden)
        seen: Any = sa.bindparam("seen", type_=Hidden)
        clock: Any = sa.extract("epoch", sa.func.now())
        if backend in MYSQL:  # not all of its drivers take bytes: aiomysql 0.3 does not
            new, seen, clock = sa.func.unhex(new), sa.func.unhex(seen), sa.func.unix_timestamp()
        if backend == SQLITE:
            clock = sa.null()
        content = sa.type_coerce(stored, Hidden)
        row = table.c.identity == sa.bindparam("key")
        same = row & stored.is_not_distinct_from(seen)  # a table made by hand may hold NULL
        self.read = sa.select(content).where(row)
        # The clocks of hosts differ; the leases of one table are counted by one clock.
        self.look = sa.select(sa.select(content).where(row).scalar_subquery(), clock)
        self.insert = table.insert().values(identity=sa.bindparam("key"), token=new)
        self.update = table.update().where(same).values(token=new)
        self.delete = table.delete().where(same)
        self.aside = table.update().where(same).values(identity=sa.bindparam("name"))
        # They change nothing, but a missing right or a read-only server shows.
        nowhere = sa.select(table.c.identity, table.c.token).where(sa.false())
        self.prove_insert = table.insert().from_select(["identity", "token"], nowhere)
        self.prove_update = table.update().where(sa.false()).values(token=table.c.token)
        # Of a file: a write that is begun and taken back, which needs a journal in its folder.
        self.begin, self.back = sa.text("BEGIN IMMEDIATE"), sa.text("ROLLBACK")
        # What was removed could still be read in the write-ahead log.
        self.forget = sa.text("PRAGMA wal_checkpoint(TRUNCATE)")
        # With WAL readers do not wait for a writer. The file keeps it.
        self.use_wal = sa.text("PRAGMA journal_mode=WAL")


def table_of(options: Options) -> sa.Table:
    """The one table. Behind an identity, ``:corrupt-<time>`` names a row put aside, ``:lock`` one
    that says who renews."""
    # An identity's key has at most 41 characters; `:corrupt-<time>-<6 digits>` adds 32.
    name = sa.String(100)
    data = sa.LargeBinary()
    return sa.Table(
        options.table,
        sa.MetaData(schema=options.schema),
        sa.Column(
            "identity",
            name.with_variant(mysql.VARCHAR(100, collation="utf8mb4_bin"), *MYSQL),
            primary_key=True,
        ),
        # A BLOB of MySQL ends at 64 KB.
        sa.Column("token", data.with_variant(mysql.LONGBLOB(), *MYSQL), nullable=False),
    )


def ddl_of(table: sa.Table, dialect: sa.Dialect) -> str:
    """The statement that makes the table."""
    return " ".join(str(CreateTable(table).compile(dialect=dialect)).split())
