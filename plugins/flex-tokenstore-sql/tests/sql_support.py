"""What the tests of the SQL store share."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any, Protocol

from flex_tokenstore import TokenIdentity
from tests.support.handles import IDENTITY


def sql_config(url: str, **options: Any) -> dict[str, Any]:
    """The store's config."""
    return {"name": "sql", "url": url, **options}


class Server(Protocol):
    """One that runs statements behind the store's back."""

    @property
    def url(self) -> str: ...
    def run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]: ...


class Database:
    """Where the store keeps its table; ``run`` looks at it and changes it by another way."""

    def __init__(self, kind: str, server: Server) -> None:
        self.kind = kind
        self._server = server
        self.url = server.url
        self.table = "t.flex_tokens" if kind == "mariadb" else "flex_tokens"

    def run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """``TOKENS`` is replaced by the table's name, ``?`` stands for a parameter."""
        mark = "?" if self.kind == "sqlite" else "%s"
        return self._server.run(
            statement.replace("TOKENS", self.table).replace("?", mark), *parameters
        )

    def rows(self) -> dict[str, bytes]:
        """All rows."""
        return {
            name: bytes(value) for name, value in self.run("SELECT identity, token FROM TOKENS")
        }

    def plant(self, content: bytes, identity: TokenIdentity = IDENTITY) -> None:
        """Puts this content in the identity's row; the table is there."""
        self.run("DELETE FROM TOKENS WHERE identity = ?", identity.key)
        self.run("INSERT INTO TOKENS (identity, token) VALUES (?, ?)", identity.key, content)


class SqliteFile:
    """An SQLite database in a folder of the test."""

    def __init__(self, folder: Path, name: str = "tokens.db") -> None:
        self.path = folder / name
        self.url = f"sqlite:///{self.path}"

    def run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement, parameters).fetchall()
