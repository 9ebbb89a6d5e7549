"""A token store as a third party would write it: one table in an SQLite file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from flex_tokenstore import TokenCorruptError, TokenIdentity, TokenUnavailableError, hookimpl


class ExampleStore:
    """Keeps tokens in an SQLite file."""

    @dataclass(kw_only=True)
    class Options:
        """Where the file is."""

        path: str  #: the SQLite file; made at the first use
        timeout: float = 5.0
        """seconds to wait for another writer"""

    def __init__(self, options: Options, identity: TokenIdentity) -> None:
        self._options = options
        self._key = identity.key

    @hookimpl
    def get_token(self) -> dict[str, Any] | None:
        rows = self._run("SELECT token FROM tokens WHERE key = ?", self._key)
        try:
            return json.loads(rows[0][0]) if rows else None
        except ValueError:
            raise TokenCorruptError(f"{self._options.path}: this is no JSON") from None

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        self._run("REPLACE INTO tokens VALUES (?, ?)", self._key, json.dumps(token))

    @hookimpl
    def remove_token(self) -> None:
        self._run("DELETE FROM tokens WHERE key = ?", self._key)

    def _run(self, statement: str, *values: str) -> list[Any]:
        try:
            with (
                closing(
                    sqlite3.connect(self._options.path, timeout=self._options.timeout)
                ) as connection,
                connection,
            ):
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS tokens (key TEXT PRIMARY KEY, token TEXT)"
                )
                return connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise TokenUnavailableError(f"SQLite: {type(error).__name__}") from None
