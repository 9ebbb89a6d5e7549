"""The store passes the contract of a token store, in sync and in asyncio programs.

When you change the service, replace the fixtures. For a server that is reached by TCP, override
``server_address`` in place of ``outage`` and ``stall``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flex_tokenstore import TokenIdentity
from flex_tokenstore.testing import TokenStoreContract

Fault = Callable[[], AbstractContextManager[None]]


class TestSkeletonStore(TokenStoreContract):
    """Inherits the tests; the fixtures say how to reach and how to break the service."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "tokens.db"

    @pytest.fixture
    def store_config(self, path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
        # Short where the service hangs, as long as a crowd of processes needs elsewhere.
        timeout = 1.0 if "hang" in request.node.name else 30.0
        return {"name": "skeleton", "path": str(path), "timeout": timeout}

    @pytest.fixture
    def outage(self, path: Path) -> Fault:
        """While it is entered, a folder is where the database should be."""

        @contextmanager
        def broken() -> Iterator[None]:
            away = path.rename(path.with_suffix(".away"))
            path.mkdir()
            yield
            path.rmdir()
            away.rename(path)

        return broken

    @pytest.fixture
    def stall(self, path: Path) -> Fault:
        """While it is entered, another program holds the lock of the database."""

        @contextmanager
        def broken() -> Iterator[None]:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("BEGIN EXCLUSIVE")
                yield

        return broken

    @pytest.fixture
    def plant(self, path: Path) -> Callable[[TokenIdentity, bytes], None]:
        """Writes content into the row of an identity, which no store wrote."""

        def put(identity: TokenIdentity, content: bytes) -> None:
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, data BLOB, version)"
                )
                row = (identity.key, content, "planted")
                connection.execute("REPLACE INTO records VALUES (?, ?, ?)", row)

        return put
