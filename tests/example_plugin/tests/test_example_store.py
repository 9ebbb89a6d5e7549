"""The example store passes the contract; this is the whole test file of such a plugin."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flex_tokenstore_example import ExampleStore

from flex_tokenstore.testing import TokenStoreContract


class TestExampleStore(TokenStoreContract):
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "tokens.sqlite"

    @pytest.fixture
    def store_config(self, path: Path, request: pytest.FixtureRequest) -> Any:
        timeout = 1.0 if "hang" in request.node.name else 30.0
        return {"name": ExampleStore, "path": str(path), "timeout": timeout}

    @pytest.fixture
    def outage(self, path: Path) -> Any:
        @contextmanager
        def broken() -> Any:
            path.rename(path.with_suffix(".away"))
            path.mkdir()
            yield
            path.rmdir()
            path.with_suffix(".away").rename(path)

        return broken

    @pytest.fixture
    def stall(self, path: Path) -> Any:
        @contextmanager
        def broken() -> Any:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("BEGIN EXCLUSIVE")
                yield

        return broken

    @pytest.fixture
    def plant(self, path: Path) -> Any:
        def put(identity: Any, content: bytes) -> None:
            with closing(sqlite3.connect(path)) as connection, connection:
                table = "CREATE TABLE IF NOT EXISTS tokens (key TEXT PRIMARY KEY, token TEXT)"
                connection.execute(table)
                connection.execute("REPLACE INTO tokens VALUES (?, ?)", (identity.key, content))

        return put
