"""Keeps OAuth tokens in a table of PostgreSQL, MySQL, MariaDB or SQLite."""

from __future__ import annotations

from ._options import Options
from ._store import AsyncSqlStore, SqlStore

__all__ = ["AsyncSqlStore", "Options", "SqlStore"]
