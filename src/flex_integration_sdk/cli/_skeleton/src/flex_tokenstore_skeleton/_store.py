"""The store: its base does what all stores must do; the rest says how the service is reached.

``Database`` stands for your service's client, and SQLite for the service: replace both, and the
fixtures in tests/test_skeleton_store.py, which reach the service too.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flex_tokenstore import Secret
from flex_tokenstore.records import Changed, Kind, Problem, Record, RecordStore, doc

PROBLEMS = {
    "SQLITE_READONLY": (Kind.DENIED, "this user may not write to it: grant it the right"),
    "SQLITE_BUSY": (Kind.UNAVAILABLE, "another program has locked it: find out which one"),
    "SQLITE_NOTADB": (Kind.UNAVAILABLE, "it is not an SQLite database: move it away"),
    "SQLITE_FULL": (Kind.UNAVAILABLE, "the disk is full"),
}


class SkeletonStore(RecordStore):
    """Keeps tokens in an SQLite database, a row for each identity."""

    store = "skeleton"
    record = "row"  # what it keeps, and the option that chooses another one: for messages
    elsewhere = "path"
    options: Options

    @dataclass(kw_only=True)
    class Options:
        """What users set; a password would be a ``Secret[str]``."""

        path: Path = field(metadata=doc("the database; its folder must exist"))
        timeout: float = field(default=5.0, metadata=doc("seconds to wait for a response"))

    def locate(self, key: str) -> str:
        """Where that is, for messages: no user and no password."""
        return f"{self.options.path}, row {key}"

    def connect(self) -> Database:
        """A client, which all threads share; made at the first use, and again after a failure."""
        return Database(self.options.path, self.options.timeout)

    # `disconnect(client)` would close it.

    def read(self, client: Database, key: str) -> Record | None:
        """What is stored; None only if nothing is. A failure raises."""
        rows, _ = client.run("SELECT data, version FROM records WHERE key = ?", key)
        return Record(Secret(rows[0][0]), rows[0][1]) if rows else None

    def write(self, client: Database, key: str, data: Secret[bytes], version: Any) -> str:
        """Compares and writes in one step. The new version is one that was never there before."""
        new = secrets.token_hex(8)
        if version is None:  # nothing may be stored
            insert = "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            _, changed = client.run(insert, key, data.reveal(), new)
        else:
            update = "UPDATE records SET data = ?, version = ? WHERE key = ? AND version = ?"
            _, changed = client.run(update, data.reveal(), new, key, version)
        if not changed:
            raise Changed
        return new

    def delete(self, client: Database, key: str, version: Any) -> None:
        """Compares and deletes in one step."""
        delete = "DELETE FROM records WHERE key = ? AND version = ?"
        if not client.run(delete, key, version)[1]:
            raise Changed

    def describe(self, error: Exception) -> Problem | None:
        """What an error of the client means. Never its own text, which may quote a value."""
        if not isinstance(error, sqlite3.Error):
            return None
        name = getattr(error, "sqlite_errorname", "")
        other = (Kind.UNAVAILABLE, f"it cannot be used ({name}): check that its folder exists")
        return Problem(*PROBLEMS.get(name, other))

    # Optional: `prove` (before a token is requested: could it be saved?), and `acquire` with
    # `release` for a lock of the service's own. Without them the lock is a record, too.


class Database:
    """Stands for the client of a service: runs statements, each of which is one atomic step."""

    def __init__(self, path: Path, timeout: float) -> None:
        path.touch(mode=0o600)  # SQLite would let others read a new file
        self._path = path
        self._timeout = timeout
        self.run("CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, data BLOB, version)")

    def run(self, statement: str, *values: Any) -> tuple[list[Any], int]:
        """The rows that it found, and how many it changed."""
        with closing(
            sqlite3.connect(self._path, timeout=self._timeout, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA secure_delete = ON")  # what is removed is overwritten
            done = connection.execute(statement, values)
            return done.fetchall(), done.rowcount
