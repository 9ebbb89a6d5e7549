"""What keeps a save from being done, now and later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flex_tokenstore import TokenPermissionError, TokenUnavailableError

from ._reasons import code_of

# SQLSTATE of PostgreSQL, number of MySQL, name of SQLite: no right, or a read-only server or file.
_REFUSALS = {
    *("42501", "25006"),
    *(1044, 1142, 1143, 1227, 1290, 1792, 1836),
    *("SQLITE_READONLY", "SQLITE_READONLY_DIRECTORY", "SQLITE_READONLY_DBMOVED", "SQLITE_PERM"),
}


def is_refusal(error: Exception, file: str | None) -> bool:
    """This user, or this server, may not do it.

    Args:
        error: The driver's.
        file: Of an SQLite database.
    """
    code = code_of(getattr(error, "orig", None) or error)
    if code == "SQLITE_CANTOPEN" and file is not None and Path(file).exists():
        # SQLite's word for a journal that cannot be made; it has others causes too.
        return not os.access(Path(file).parent, os.W_OK | os.X_OK)
    return code in _REFUSALS


@contextmanager
def only_refusals() -> Iterator[None]:
    """Lets no other error out: a full disk or an outage may be over when the token comes."""
    try:
        yield
    except TokenPermissionError:
        raise
    except TokenUnavailableError:
        pass
