"""What the SQL store keeps, as each database's own client sees it."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from flex_tokenstore import TokenUnavailableError
from sql_support import SqliteFile, sql_config
from tests.support.golden import HOLDER, LEASE, Held, Snapshot, filled, normal
from tests.support.handles import IDENTITY, opener

if TYPE_CHECKING:
    from tests.servers.postgres import Postgres

LOCK = f"{IDENTITY.key}:lock"
BINARY = "binary: "
"""Stands before the hexadecimal digits of what is not UTF-8."""
CORRUPT: dict[str, Any] = {
    "not JSON": "x",
    "nothing": "",
    "not UTF-8": f"{BINARY}ff00",
    "JSON of another kind": '["a"]',
    "a token that cannot be sent": '{"access_token":"a\\nb"}',
}


class SqliteVessel:
    """The table of a file: type and content of each value; and the file of the lock."""

    name = "sqlite"
    has_lease = False
    corrupt: Mapping[str, Any] = {
        **{name: {"blob": content} for name, content in CORRUPT.items()},
        "text in place of bytes": {"text": "x"},
        "a number": {"integer": 5},
    }

    def __init__(self, folder: Path, table: Mapping[str, Any] = MappingProxyType({})) -> None:
        self._folder = folder
        self._file = SqliteFile(folder)
        self._table = table
        self.config = sql_config(self._file.url)

    def close(self) -> None:
        """Nothing stays open: a connection that does would keep the write-ahead log."""

    def empty(self) -> None:
        if self._has_table():
            self._file.run("DELETE FROM flex_tokens")

    def look(self) -> Snapshot:
        if not self._has_table():
            return {}
        rows = self._file.run("SELECT identity, typeof(token), token FROM flex_tokens ORDER BY 1")
        return {normal(name): {kind: shown(value)} for name, kind, value in rows}

    def put(self, golden: Snapshot) -> None:
        self.make_table()
        for name, content in filled(golden).items():
            self._insert(name, content)

    def plant(self, content: Any) -> None:
        self._file.run("DELETE FROM flex_tokens WHERE identity = ?", IDENTITY.key)
        self._insert(IDENTITY.key, content)

    def hold(self, golden: Snapshot, lease: float) -> Held:
        assert golden == {}, "a file's lock has no row"
        path = self._folder / self._table["lock file"]
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN EXCLUSIVE")
        return _FileLock(connection)

    def make_table(self) -> None:
        """As the last version made it."""
        if not self._has_table():
            self._file.run("PRAGMA journal_mode = WAL")
            self._file.run(self._table["statement"])

    def describe(self) -> dict[str, Any]:
        """The table and the files; what it holds is removed."""
        missing = statement_of(self.config)
        with opener("sync") as within:
            store = within(self.config)
            store.get_token()
            with store.token_lock(0, LEASE):
                (lock,) = self._folder.glob("*.lock")
                mode = stat.filemode(lock.stat().st_mode)
        (((made,),), ((journal,),)) = (
            self._file.run("SELECT sql FROM sqlite_master WHERE name = 'flex_tokens'"),
            self._file.run("PRAGMA journal_mode"),
        )
        assert " ".join(made.split()) == missing
        return {
            "statement": missing,
            "journal": journal,
            "lock file": lock.name,
            "mode of the lock file": mode,
            "mode of the database": stat.filemode(self._file.path.stat().st_mode),
        }

    def _has_table(self) -> bool:
        if not self._file.path.exists():
            return False
        return bool(self._file.run("SELECT 1 FROM sqlite_master WHERE name = 'flex_tokens'"))

    def _insert(self, name: str, content: dict[str, Any]) -> None:
        ((kind, value),) = content.items()
        stored = raw(value) if kind == "blob" else value
        self._file.run("INSERT INTO flex_tokens (identity, token) VALUES (?, ?)", name, stored)


class _FileLock:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def release(self) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()

    def die(self) -> None:
        self._connection.close()


class PostgresVessel:
    """The table of a database: the content of each row."""

    name = "postgresql"
    has_lease = True
    corrupt: Mapping[str, Any] = CORRUPT

    def __init__(self, server: Postgres, table: Mapping[str, Any] = MappingProxyType({})) -> None:
        self._connection = psycopg.connect(server.url, autocommit=True)
        self._url = server.url
        self._table = table
        self.config = sql_config(server.url)

    def close(self) -> None:
        self._connection.close()

    def empty(self) -> None:
        if self._has_table():
            self._run("DELETE FROM flex_tokens")

    def look(self) -> Snapshot:
        if not self._has_table():
            return {}
        rows = self._run("SELECT identity, token FROM flex_tokens ORDER BY 1")
        return {normal(name): shown(value) for name, value in rows}

    def put(self, golden: Snapshot) -> None:
        self.make_table()
        for name, content in filled(golden).items():
            self._insert(name, content)

    def plant(self, content: Any) -> None:
        self._run("DELETE FROM flex_tokens WHERE identity = %s", IDENTITY.key)
        self._insert(IDENTITY.key, content)

    def hold(self, golden: Snapshot, lease: float) -> Held:
        assert golden == {LOCK: '{"holder": "<32 hex>", "lease": 60.0, "until": <time>}'}
        self.make_table()
        ((now,),) = self._run("SELECT floor(extract(epoch FROM now()))")
        mark = {"holder": HOLDER, "lease": lease, "until": int(now) + 1.0 + lease}
        self._insert(LOCK, json.dumps(mark))
        return _ServerLock(self._run, self._url, self._table["advisory locks"])

    def make_table(self) -> None:
        """As the last version made it."""
        if not self._has_table():
            self._run(self._table["statement"])

    def describe(self) -> dict[str, Any]:
        """The table, and the lock of the server that is held beside the row."""
        statement = statement_of(self.config)
        with opener("sync") as within, within(self.config).token_lock(0, LEASE):
            locks = self._advisory()
        columns = self._run(
            "SELECT column_name, data_type, character_maximum_length, is_nullable, column_default "
            "FROM information_schema.columns WHERE table_name = 'flex_tokens' ORDER BY 1"
        )
        indexes = self._run(
            "SELECT indexdef FROM pg_indexes WHERE tablename = 'flex_tokens' ORDER BY 1"
        )
        return {
            "statement": statement,
            "columns": [list(column) for column in columns],
            "indexes": [text for (text,) in indexes],
            "advisory locks": locks,
        }

    def _advisory(self) -> list[int]:
        """Keys of all advisory locks: signed numbers of 64 bits."""
        return [
            key
            for (key,) in self._run(
                "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks "
                "WHERE locktype = 'advisory' AND objsubid = 1 AND granted ORDER BY 1"
            )
        ]

    def _run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        done = self._connection.execute(statement, parameters or None)
        return list(done.fetchall()) if done.description else []

    def _has_table(self) -> bool:
        return bool(self._run("SELECT 1 FROM pg_tables WHERE tablename = 'flex_tokens'"))

    def _insert(self, name: str, content: str) -> None:
        self._run("INSERT INTO flex_tokens (identity, token) VALUES (%s, %s)", name, raw(content))


class _ServerLock:
    """The row, and an advisory lock while a transaction is open."""

    def __init__(self, run: Callable[..., Any], url: str, keys: list[int]) -> None:
        self._run = run
        self._connection = psycopg.connect(url)
        for key in keys:
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (key,))

    def release(self) -> None:
        self._run("DELETE FROM flex_tokens WHERE identity = %s", LOCK)
        self._connection.rollback()
        self._connection.close()

    def die(self) -> None:
        """The server frees its own lock; the row stays to its end."""
        self._connection.close()


def statement_of(config: dict[str, Any]) -> str:
    """The statement that makes the table, as the store tells it to who may not."""
    with opener("sync") as within, pytest.raises(TokenUnavailableError) as raised:
        within({**config, "create_table": False}).get_token()
    found = re.search(r"create it with: (.*)$", raised.value.message)
    assert found is not None, raised.value.message
    return found[1]


def shown(value: Any) -> Any:
    """A value of the column, for JSON."""
    if isinstance(value, (bytes, memoryview)):
        data = bytes(value)
        try:
            return normal(data.decode())
        except UnicodeDecodeError:
            return f"{BINARY}{data.hex()}"
    return value


def raw(text: str) -> bytes:
    """The bytes that :func:`shown` shows."""
    if text.startswith(BINARY):
        return bytes.fromhex(text.removeprefix(BINARY))
    return text.encode()
