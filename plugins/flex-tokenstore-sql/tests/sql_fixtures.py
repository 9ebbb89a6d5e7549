"""The databases that the tests of the SQL store run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sql_support import Database, SqliteFile
from tests.support.handles import Open, opener


@pytest.fixture(params=["postgres", "sqlite", pytest.param("mariadb", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    kind: str = request.param
    if kind == "sqlite":
        return Database(kind, SqliteFile(tmp_path))
    return Database(kind, request.getfixturevalue(f"{kind}_server"))


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(kind: str) -> Iterator[Open]:
    with opener(kind) as function:
        yield function
