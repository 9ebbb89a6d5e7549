"""What the SQL store tells MySQL: the words need no server."""

from __future__ import annotations

from typing import Any

import pymysql
import pytest
import sqlalchemy as sa

from flex_tokenstore import TokenUnavailableError
from sql_golden import statement_of
from tests.support.golden import LEASE
from tests.support.handles import opener


def describe_mysql() -> dict[str, Any]:
    """What MySQL would be told: the statement for the table, and the name of the lock.

    No server is needed: the driver is one that keeps what it is told and knows no table.
    """
    told: list[tuple[str, Any]] = []

    class Cursor:
        description = None
        rowcount = 0
        lastrowid = 0

        def execute(self, statement: str, parameters: Any = None) -> None:
            told.append((statement, parameters))
            if "GET_LOCK" in statement:
                raise pymysql.err.OperationalError(1227, "denied")
            if not statement.startswith("SET"):
                raise pymysql.err.ProgrammingError(1146, "no such table")

        def close(self) -> None: ...

    class Connection:
        def cursor(self) -> Cursor:
            return Cursor()

        def __getattr__(self, name: str) -> Any:  # commit, rollback, close, autocommit
            return lambda *arguments: None

    engine = sa.create_engine(
        "mysql+pymysql://user@localhost/app", creator=Connection, _initialize=False
    ).execution_options(isolation_level="AUTOCOMMIT")
    engine.dialect.server_version_info = (8, 4)
    config = {"name": "sql", "engine": engine}
    statement = statement_of(config)
    with opener("sync") as within:
        store = within(config)
        with pytest.raises(TokenUnavailableError), store.token_lock(0, LEASE):
            pass
    locks = [parameters for text, parameters in told if "GET_LOCK" in text]
    return {"statement": statement, "locks": locks}
