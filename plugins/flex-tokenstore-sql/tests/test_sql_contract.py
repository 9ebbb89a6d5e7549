"""The conformance kit, where it is installed."""

from __future__ import annotations

from typing import Any

import pytest

from sql_support import Database, sql_config

pytest_plugins = ["sql_fixtures"]
testing = pytest.importorskip("flex_tokenstore.testing")


class TestSqlStore(testing.TokenStoreContract):  # type: ignore[misc, name-defined]  # imported if there
    @pytest.fixture
    def store_config(self, database: Database) -> dict[str, Any]:
        return sql_config(database.url)
