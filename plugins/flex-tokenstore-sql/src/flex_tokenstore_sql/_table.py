"""The one table, and the statements on one identity's row. A token travels as a ``Secret``."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from flex_tokenstore import Secret

from ._options import Options
from ._parameters import MYSQL, parameter


class Hidden(sa.types.TypeDecorator[Any]):
    """The column's value as the driver returns and accepts it.

    So neither SQLAlchemy's log, nor what it shows of rows and parameters, holds it; nor does what
    others record of a driver's parameters.
    """

    impl = sa.types.NullType
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return parameter(value, dialect.name) if isinstance(value, Secret) else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Secret[Any]:
        return Secret(bytes(value) if isinstance(value, memoryview) else value)  # psycopg2


class Row:
    """The statements on the row of one identity.

    Bytes, not text, are stored: each database then compares them exactly, and none converts them.
    """

    def __init__(self, options: Options, key: str, backend: str) -> None:
        self.table = table_of(options)
        content = sa.type_coerce(self.table.c.token, Hidden)
        row = self.table.c.identity == key
        new: Any = sa.bindparam("new", type_=Hidden)
        seen: Any = sa.bindparam("seen", type_=Hidden)
        if backend in MYSQL:  # not all of its drivers take bytes: aiomysql 0.3 does not
            new, seen = sa.func.unhex(new), sa.func.unhex(seen)
        same = row & (self.table.c.token == seen)
        self.select = sa.select(content).where(row)
        self.insert = self.table.insert().values(identity=key, token=new)
        self.update = self.table.update().where(same).values(token=new)
        self.delete = self.table.delete().where(same)
        self.replace = self.table.update().where(row).values(token=new)
        self.clear = self.table.delete().where(row)
        # They change nothing, but a missing right or a read-only server shows.
        nowhere = sa.select(self.table.c.identity, self.table.c.token).where(sa.false())
        self.prove_insert = self.table.insert().from_select(["identity", "token"], nowhere)
        self.prove_update = self.table.update().where(sa.false()).values(token=self.table.c.token)
        # Of a file: a write that is begun and taken back, which needs a journal in its folder.
        self.begin, self.back = sa.text("BEGIN IMMEDIATE"), sa.text("ROLLBACK")
        self.scratch = self.table.insert().values(identity=f"{key}:try", token=b"")
        # The clocks of hosts differ; the leases of one table are counted by one clock.
        clock = sa.func.unix_timestamp() if backend in MYSQL else sa.extract("epoch", sa.func.now())
        self.look = sa.select(clock, sa.select(content).where(row).scalar_subquery())
        self.aside = self.table.update().where(same).values(identity=sa.bindparam("aside"))


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
