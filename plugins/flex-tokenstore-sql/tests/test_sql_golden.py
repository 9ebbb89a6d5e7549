"""The SQL store and what its last version wrote: one reads and honours what the other writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sql_golden import PostgresVessel, SqliteVessel
from sql_golden_mysql import describe_mysql
from tests.support.golden import load
from tests.support.golden_tests import GoldenTests

if TYPE_CHECKING:
    from tests.servers.postgres import Postgres

GOLDEN = load(Path(__file__).parent)


class TestSqlite(GoldenTests):
    golden = GOLDEN

    @pytest.fixture
    def vessel(self, tmp_path: Path) -> SqliteVessel:
        return SqliteVessel(tmp_path, GOLDEN["sqlite"]["table"])

    def test_it_makes_the_files_of_the_last_version(self, vessel: SqliteVessel) -> None:
        assert vessel.describe() == GOLDEN["sqlite"]["table"]


class TestPostgres(GoldenTests):
    golden = GOLDEN

    @pytest.fixture
    def vessel(self, postgres_server: Postgres) -> Iterator[PostgresVessel]:
        table = GOLDEN["postgresql"]["table"]
        with closing(PostgresVessel(postgres_server, table)) as vessel:
            yield vessel

    def test_it_makes_the_table_of_the_last_version(self, vessel: PostgresVessel) -> None:
        assert _without_locks(vessel.describe()) == _without_locks(GOLDEN["postgresql"]["table"])

    def test_it_holds_no_lock_of_the_server(self, vessel: PostgresVessel) -> None:
        """The last version did, beside the row that both versions look at (decision 022)."""
        assert vessel.describe()["advisory locks"] == []


def test_it_tells_mysql_to_make_the_table_of_the_last_version() -> None:
    assert _without_locks(describe_mysql()) == _without_locks(GOLDEN["mysql"]["table"])


def test_it_asks_mysql_for_no_lock() -> None:
    """As PostgreSQL."""
    assert describe_mysql()["locks"] == []


def _without_locks(table: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in ("advisory locks", "locks")}
