"""The file of an SQLite database."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

logger = logging.getLogger("flex_tokenstore_sql")

_warned: set[str] = set()


def sqlite_path(engine: Any) -> str | None:
    """The file of an SQLite engine, by the one name that all have for it; None: another database.

    It may be reached through links, or by a path relative to the current directory.
    """
    path: str | None = engine.url.database
    if path is None or engine.dialect.name != "sqlite":
        return None
    return os.path.realpath(unquote(urlsplit(path).path) if is_uri(path) else path)


def is_uri(path: str | None) -> bool:
    """A URI instead of a path."""
    return path is not None and path.startswith("file:")


def make_private(path: str) -> None:
    """Makes the file for its owner only, if it is not there; SQLite would let others read it.

    SQLite gives the files beside it (``-wal``, ``-shm``, ``-journal``) the same mode. A file
    that is there may hold more than tokens, and others may need it: it stays as it is, with a
    warning.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        _warn_of_readers(path)
    except OSError:  # SQLite says it better
        return


def _warn_of_readers(path: str) -> None:
    with suppress(OSError):
        mode = Path(path).stat().st_mode
        # On Windows the mode says nothing about other users.
        if os.name != "nt" and mode & 0o044 and path not in _warned:
            _warned.add(path)
            logger.warning("other users can read the tokens in %s: run chmod 600 %s", path, path)


def forget_removed(engine: Any) -> None:
    """What is replaced or removed is overwritten: else the old token stays readable in the file.

    Args:
        engine: A sync engine, or that of an async one.
    """
    from sqlalchemy import event

    def connected(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        # A setting of the connection, not of the file: each new one needs it.
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.close()

    event.listen(engine, "connect", connected)


def check_file(path: str) -> None:
    """Raises what SQLite would, if there is no such file.

    aiosqlite's thread outlives an attempt that failed, and then breaks on a loop that is closed.
    """
    if not Path(path).is_file():
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorname = "SQLITE_CANTOPEN"
        raise error


def watch_file(engine: Any) -> None:
    """No kept connection is used once its file was moved, removed or replaced.

    It would go on with the old one, and what is saved there nobody finds again.

    Args:
        engine: A sync engine, or that of an async one.
    """
    from sqlalchemy import event
    from sqlalchemy.exc import InvalidatePoolError

    path = sqlite_path(engine) or ""

    def connected(connection: Any, record: Any) -> None:
        record.info["file"] = _inode(path)

    def used(connection: Any, record: Any, proxy: Any) -> None:
        if record.info["file"] != _inode(path):
            raise InvalidatePoolError  # another connection is made

    event.listen(engine, "connect", connected)
    event.listen(engine, "checkout", used)


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
