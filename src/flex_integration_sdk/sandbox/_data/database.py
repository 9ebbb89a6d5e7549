"""The sandbox's resources, in SQLite."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from flex_integration_sdk.errors import FlexError

from .created import Created
from .rows import ADD_CREATED, INDEX, PUT, SCHEMA, Resource, Row, created_at, decoded, encoded

__all__ = ["IMAGES", "Content", "Database", "Resource", "Row", "SandboxFileError", "encoded"]

_PIECE = 256 * 1024  # bytes of a file that are copied at once
IMAGES = "/_sandbox/images/"
"""Path at which a sandbox has the bytes of images. Only the path is stored: the address before it
may be another one each time that the sandbox starts."""


class SandboxFileError(FlexError, OSError):
    """The sandbox cannot use that file: no folder, no permission, or a file of another kind."""


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
        connection.executemany(PUT, self.resources)
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
        found.executescript(f"{SCHEMA}{INDEX}")
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
        self._connection.executescript(SCHEMA)
        self._add_created()
        if not self._connection.execute("SELECT 1 FROM resource LIMIT 1").fetchone():
            self.reset()

    def _add_created(self) -> None:
        """Notes when each resource was created, of which the file of an earlier version has none.

        Such a version may also have written into this file since then.
        """
        columns = self._connection.execute("PRAGMA table_info(resource)").fetchall()
        if "created" not in {name for _, name, *_ in columns}:
            self._connection.execute(ADD_CREATED)
        self._connection.execute(INDEX)
        rows = self._connection.execute("SELECT position, body FROM resource WHERE created IS NULL")
        found = [(created_at(decoded(body)), position) for position, body in rows]
        if found:
            with self.transaction():
                self._connection.executemany(
                    "UPDATE resource SET created = ? WHERE position = ?", found
                )

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
        return [decoded(body) for (body,) in rows]

    def created(
        self, kind: str, start: datetime | None = None, end: datetime | None = None
    ) -> Created:
        """The resources of a type that were created from ``start`` on and before ``end``."""
        return Created(self._connection, kind, start, end)

    def get(self, kind: str, id: UUID | None) -> Resource | None:
        """The resource with that id."""
        row = self._connection.execute(
            "SELECT body FROM resource WHERE type = ? AND id = ?", (kind, str(id))
        ).fetchone()
        return None if row is None else decoded(row[0])

    def put(self, resource: Resource) -> Resource:
        """Adds or replaces a resource."""
        self.changes.append((self.get(resource["type"], resource["id"]), resource))
        self._connection.execute(PUT, encoded(resource))
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

    def put_content(self, id: UUID, kind: str, body: BinaryIO, size: int) -> None:
        """Keeps the bytes of an image or a file, with their media type.

        Args:
            id: Of the image or the file.
            kind: Media type.
            body: The bytes, which are copied piece by piece.
            size: How many they are.
        """
        row = self._connection.execute(
            "INSERT OR REPLACE INTO content VALUES (?, ?, zeroblob(?))", (str(id), kind, size)
        ).lastrowid
        assert row is not None
        body.seek(0)
        with self._connection.blobopen("content", "body", row) as blob:
            while piece := body.read(_PIECE):
                blob.write(piece)

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
