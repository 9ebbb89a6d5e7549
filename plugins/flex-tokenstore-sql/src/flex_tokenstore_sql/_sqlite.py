"""The file of an SQLite database, and the lock beside it."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger("flex_tokenstore_sql")

_warned: set[str] = set()
_open: dict[FileLock, int] = {}
"""The locks that have a connection, and the process that made each."""


class FileLock:
    """An exclusive transaction on a small database beside the real one, which others may write.

    SQLite's files are of one host, and the system frees their locks when a process ends.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def take(self) -> bool:
        """One try, which does not wait; False: another holds it."""
        _leave_parents()
        make_private(self._path)
        _open[self] = os.getpid()
        # A lock may be released in another thread than it was acquired in.
        self._connection = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self.free()  # now: in an asyncio program this runs in a thread
            # Only these two say that another holds it; a full disk or a missing folder is an error.
            if error.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            return False
        return True

    def free(self) -> None:
        """Releases it, if it was acquired."""
        connection, self._connection = self._connection, None
        _open.pop(self, None)
        if connection is not None:
            with suppress(sqlite3.Error):  # if this fails, close() frees the lock
                connection.execute("ROLLBACK")
            connection.close()


def _leave_parents() -> None:
    """Closes what a forked child has of its parent's locks; the parent keeps them.

    SQLite notes in each process which files that process has locked, and a child inherits the note.
    """
    for lock, pid in list(_open.items()):
        connection = lock._connection
        if pid != os.getpid() and _open.pop(lock, None) is not None and connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


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


def check_file(path: str) -> None:
    """Raises what SQLite would, if there is no such file.

    aiosqlite's thread outlives an attempt that failed, and then breaks on a loop that is closed.
    """
    if not Path(path).is_file():
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorname = "SQLITE_CANTOPEN"
        raise error
