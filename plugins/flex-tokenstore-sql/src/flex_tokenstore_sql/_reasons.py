"""What a driver's error means, in plain words. Its own text may quote values: it is not used."""

from __future__ import annotations

import re
from typing import Any

from ._options import Options

# SQLSTATE of PostgreSQL, number of MySQL, name of SQLite.
_WORDS = {
    "it does not accept the user name or password: check the options url and password; in a url, "
    "the password must be percent-encoded (% as %25)": (
        "28000", "28P01", 1044, 1045, 1698,
    ),
    "there is no database with that name: create it, or correct the url": ("3D000", 1049),
    "its user may not do this: grant this user SELECT, INSERT, UPDATE and DELETE on the table": (
        "42501", 1142,
    ),
    "the schema is missing: create it, or correct the option schema": ("3F000",),
    "the table was not created by this store: choose another name with the option table": (
        "42703", "42804", "42883", 1054, 1364,
    ),
    "the disk is full": ("53100", 1021, 1114, "SQLITE_FULL"),
    "it has no free connection left: raise its limit": ("53300", 1040, 1203),
    "it is read-only: connect to the primary": ("25006", 1290, 1792),
    "another program has locked the file for too long": ("SQLITE_BUSY", "SQLITE_LOCKED"),
    "the file cannot be opened: create its folder, and allow this user to write in it": (
        "SQLITE_CANTOPEN",
    ),
    "this user may not write to the file or its folder": (
        "SQLITE_READONLY", "SQLITE_READONLY_DIRECTORY", "SQLITE_PERM",
    ),
    "the file is not an SQLite database: move it away": ("SQLITE_NOTADB", "SQLITE_CORRUPT"),
}  # fmt: skip
_refused_password = re.compile(
    r"(?m)^(connection (to server .*)?failed: )*(FATAL: +\w+ authentication failed for user "
    r"|fe_sendauth: no password supplied)"
).search
_REASONS = {code: words for words, codes in _WORDS.items() for code in codes}


def reason_of(error: Exception, options: Options) -> str:
    """What the error means and what to do."""
    from sqlalchemy import exc

    original = getattr(error, "orig", None) or error
    code = code_of(original)
    # SQLAlchemy's own error: the pool was empty, and nothing was sent.
    if isinstance(error, exc.TimeoutError):
        return (
            f"no connection of the engine became free within {options.timeout:g} s: enlarge the "
            "engine's pool"
        )
    if is_timeout(error):
        return (
            f"it did not respond in time ({options.timeout:g} s): check that it is up and that no "
            "firewall is in between, or raise the option timeout"
        )
    if code is not None and code in _REASONS:
        return _REASONS[code]
    if isinstance(original, ModuleNotFoundError):
        return f"the module {original.name!r} is missing"
    shown = type(original).__name__ if code is None else f"{type(original).__name__} {code}"
    if code is None and _is_refused_password(original):
        return _REASONS["28P01"]
    # psycopg raises a plain InterfaceError for this, so only its text tells.
    if str(original).startswith("Psycopg cannot use the 'ProactorEventLoop'"):
        return (
            "on Windows, psycopg needs another event loop: run the program with "
            "asyncio.Runner(loop_factory=asyncio.SelectorEventLoop)"
        )
    misuse = (TypeError, ValueError, AttributeError, exc.ProgrammingError)
    if code is None and isinstance(error, misuse):
        return "the driver does not accept the url: check the parameters after its '?'"
    if isinstance(error, (exc.OperationalError, exc.InterfaceError, OSError)):
        return (
            f"it could not be reached ({shown}): check that it is up, and check host and port in "
            "the url"
        )
    return f"it returned the error {shown}: see the database's log"


def is_timeout(error: Exception) -> bool:
    """No response came in time; what was asked for may be done or not."""
    original: Any = getattr(error, "orig", None) or error
    below = original.__cause__ or original.__context__
    return (
        isinstance(original, TimeoutError)
        or isinstance(below, TimeoutError)
        # By name: psycopg is imported only when a connection is made, and may not be installed.
        or type(original).__name__ in ("NoAnswer", "ConnectionTimeout")
    )


def is_missing_table(error: Exception) -> bool:
    """The table is not there."""
    original = getattr(error, "orig", None)
    return code_of(original) in ("42P01", 1146) or (
        code_of(original) == "SQLITE_ERROR" and str(original).startswith("no such table")
    )


def is_missing_schema(error: Exception) -> bool:
    """What the table would be in is not there."""
    return code_of(getattr(error, "orig", None)) in ("3F000", 1049)


def is_lock_timeout(error: Exception) -> bool:
    """PostgreSQL's ``lock_timeout`` ran out."""
    return code_of(getattr(error, "orig", None)) == "55P03"


def code_of(original: Any) -> str | int | None:
    """SQLSTATE, number or name of a driver's error."""
    arguments = getattr(original, "args", ())
    if arguments and isinstance(arguments[0], int):  # MySQL's drivers have an SQLSTATE too
        return arguments[0]
    for name in ("sqlstate", "pgcode", "sqlite_errorname"):  # pgcode: psycopg2
        state = getattr(original, name, None)
        if isinstance(state, str):
            return state
    return None


def _is_refused_password(original: Any) -> bool:
    # libpq gives no SQLSTATE for what happens while it connects. Its text quotes names that users
    # chose, so it is compared from the start of a line.
    return _refused_password(str(original)) is not None
