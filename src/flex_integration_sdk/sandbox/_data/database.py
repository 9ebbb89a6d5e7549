"""The sandbox's resources, in SQLite."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from flex_integration_sdk._transit import dumps, loads
from flex_integration_sdk.errors import FlexError

Resource = dict[str, Any]
"""As the API returns it. Never changed in place: reads share what they decoded."""

IMAGES = "/_sandbox/images/"
"""Path at which a sandbox has the bytes of images. Only the path is stored: the address before it
may be another one each time that the sandbox starts."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resource (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS resource_type ON resource (type, position);
CREATE TABLE IF NOT EXISTS content (id TEXT PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS made_with (seed TEXT NOT NULL);
"""

_PUT = (
    "INSERT INTO resource (id, type, body) VALUES (?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET body = excluded.body"
)


class SandboxFileError(FlexError, OSError):
    """The sandbox cannot use that file: no folder, no permission, or a file of another kind."""


Row = tuple[str, str, str]
"""A resource as it is stored: id, type, body."""


class Content:
    """What a new database starts with.

    Args:
        resources: Oldest first. A later one replaces one of the same id.
        bytes: Of images and files: id, media type, bytes.
        name: Of the seed that it is.
    """

    def __init__(
        self,
        resources: Iterable[Row],
        bytes: Iterable[tuple[str, str, bytes]] = (),
        name: str = "",
    ) -> None:
        self.name = name
        self.resources = tuple(resources)
        self.bytes = tuple(bytes)
        self._lock = threading.Lock()

    def insert_into(self, connection: sqlite3.Connection) -> None:
        """Adds all of it to empty tables."""
        connection.executemany(_PUT, self.resources)
        connection.executemany("INSERT INTO content VALUES (?, ?, ?)", self.bytes)
        connection.execute("INSERT INTO made_with VALUES (?)", (self.name,))

    def copy_to(self, connection: sqlite3.Connection) -> None:
        """Makes an empty database one with the tables and all of it.

        It copies pages, which takes a twentieth of the time that rows take: tests make a database
        each.
        """
        with self._lock:  # of one process; sandboxes are made in any thread
            self._pages.backup(connection)

    @cached_property
    def _pages(self) -> sqlite3.Connection:
        found = sqlite3.connect(":memory:", check_same_thread=False)
        found.executescript(_SCHEMA)
        with found:
            self.insert_into(found)
        weakref.finalize(self, found.close)
        return found


class Database:
    """Resources by type and id, and the bytes of images and files.

    Args:
        path: The file; None: in memory.
        seed: Makes what a new one starts with.

    Raises:
        SandboxFileError: The file cannot be opened or written, or does not belong to a sandbox.
    """

    def __init__(self, path: str | None, seed: Callable[[], Content]) -> None:
        self._seed = seed
        self.changes: list[tuple[Resource | None, Resource | None]] = []
        try:
            self._open(path)
        except (sqlite3.Error, OSError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise SandboxFileError(
                f"the sandbox cannot keep its data in {path}: {why}; pass a file that a sandbox "
                "made, or a new file in a folder that exists"
            ) from None

    def _open(self, path: str | None) -> None:
        if path and path != ":memory:":
            _make_private(Path(path))
        # One event loop uses it, in whatever thread that runs.
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        # Whoever serves the application does not know of it, and has nothing to close.
        weakref.finalize(self, self._connection.close)
        if path is None:
            self._seed().copy_to(self._connection)
            return
        self._connection.executescript(_SCHEMA)
        if not self._connection.execute("SELECT 1 FROM resource LIMIT 1").fetchone():
            self.reset()

    def reset(self) -> None:
        """Replaces all data by that of a new database."""
        with self.transaction():
            self._connection.execute("DELETE FROM resource")
            self._connection.execute("DELETE FROM content")
            self._connection.execute("DELETE FROM made_with")
            self._seed().insert_into(self._connection)

    @property
    def seed_name(self) -> str:
        """The seed that the data was made with; empty in the file of an earlier version."""
        found = self._connection.execute("SELECT seed FROM made_with").fetchone()
        return str(found[0]) if found else ""

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[None]:
        """A block whose writes are all kept; after an error, or without ``keep``, none is."""
        self.changes = []
        # At once: a transaction that begins with a read can fail when it wants to write.
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT" if keep else "ROLLBACK")
        except BaseException:
            if self._connection.in_transaction:  # SQLite ends it by itself when the disk is full
                self._connection.execute("ROLLBACK")
            raise

    def add_tables(self, schema: str) -> None:
        """Makes further tables, if they are missing."""
        self._connection.executescript(schema)

    def execute(self, statement: str, *values: Any) -> list[Any]:
        """The rows that a statement about such a table returns."""
        return self._connection.execute(statement, values).fetchall()

    def all(self, kind: str) -> list[Resource]:
        """The resources of a type, newest first."""
        rows = self._connection.execute(
            "SELECT body FROM resource WHERE type = ? ORDER BY position DESC", (kind,)
        )
        return [_decoded(body) for (body,) in rows]

    def get(self, kind: str, id: UUID | None) -> Resource | None:
        """The resource with that id."""
        row = self._connection.execute(
            "SELECT body FROM resource WHERE type = ? AND id = ?", (kind, str(id))
        ).fetchone()
        return None if row is None else _decoded(row[0])

    def put(self, resource: Resource) -> Resource:
        """Adds or replaces a resource."""
        self.changes.append((self.get(resource["type"], resource["id"]), resource))
        self._connection.execute(_PUT, encoded(resource))
        return resource

    def remove(self, resource: Resource) -> None:
        """Removes a resource."""
        self.changes.append((resource, None))
        self._connection.execute("DELETE FROM resource WHERE id = ?", (str(resource["id"]),))

    def count(self, kind: str) -> int:
        """The number of resources of a type."""
        (found,) = self._connection.execute(
            "SELECT count(*) FROM resource WHERE type = ?", (kind,)
        ).fetchone()
        return int(found)

    def put_content(self, id: UUID, kind: str, body: bytes) -> None:
        """Keeps the bytes of an image or a file, with their media type."""
        self._connection.execute(
            "INSERT OR REPLACE INTO content VALUES (?, ?, ?)", (str(id), kind, body)
        )

    def content(self, id: str) -> tuple[str, bytes] | None:
        """The media type and the bytes of an image or a file."""
        found: tuple[str, bytes] | None = self._connection.execute(
            "SELECT kind, body FROM content WHERE id = ?", (id,)
        ).fetchone()
        return found


def _make_private(path: Path) -> None:
    """Makes a new file with the mode 0600; sets that mode for an old one and the files beside it.

    SQLite gives its journals the mode that the database has when it makes them.

    Raises:
        OSError: The file cannot be made.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
    for end in ("", "-journal", "-wal", "-shm"):
        beside = path.with_name(path.name + end)
        with suppress(OSError):  # not there; or another user's, who may keep it as it is
            if beside.stat().st_mode & 0o077:
                beside.chmod(0o600)


def encoded(resource: Resource) -> Row:
    """A resource as it is stored."""
    return str(resource["id"]), resource["type"], dumps(resource)


# A query reads all resources of a type, so most of them are decoded again and again.
@lru_cache(maxsize=8192)
def _decoded(body: str) -> Resource:
    found: Resource = loads(body)
    return found
