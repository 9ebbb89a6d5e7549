"""The SQL store passes the contract of a token store, where the conformance kit is installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flex_tokenstore import TokenIdentity
from sql_support import Database, SqliteFile, sql_config
from tests.handles import opener
from tests.servers.postgres import Postgres

pytest_plugins = ["sql_fixtures"]
pytestmark = [
    pytest.mark.slow,  # many processes, and a server that is killed and paused
    pytest.mark.skipif(
        not os.environ.get("SQL_CONTRACT"),
        reason="not seen whole on a busy machine yet: set SQL_CONTRACT=1 to run it",
    ),
]
testing = pytest.importorskip("flex_tokenstore.testing")


class Contract(testing.TokenStoreContract):  # type: ignore[misc, name-defined]  # imported if there
    """What both databases have in common."""

    __test__ = False
    patience = 15.0

    @pytest.fixture
    def store_config(self, database: Database, request: pytest.FixtureRequest) -> dict[str, Any]:
        # As short as it may be where it runs out, as long as many processes need elsewhere.
        timeout = 1.0 if "hang" in request.node.name else 20.0
        return sql_config(database.url, timeout=timeout)

    @pytest.fixture
    def plant(self, database: Database) -> Callable[[TokenIdentity, bytes], None]:
        with opener("sync") as opened:
            opened(sql_config(database.url)).get_token()  # makes the table
        return lambda identity, content: database.plant(content, identity)


class TestSqlStoreOnSqlite(Contract):
    __test__ = True

    @pytest.fixture
    def database(self, tmp_path: Any) -> Database:
        return Database("sqlite", SqliteFile(tmp_path))


class TestSqlStoreOnPostgres(Contract):
    __test__ = True

    @pytest.fixture
    def database(self, postgres_server: Postgres) -> Database:
        return Database("postgres", postgres_server)

    @pytest.fixture
    def outage(self, postgres_server: Postgres) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            postgres_server.kill()
            yield
            postgres_server.restart()

        return broken

    @pytest.fixture
    def stall(self, postgres_server: Postgres) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            postgres_server.pause()
            yield
            postgres_server.resume()

        return broken
