"""The drivers' errors: what each means, and what to do. Their own text may quote a value."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import Any

from flex_tokenstore.records import Kind, Problem, tls_problem

from ._options import Options

_NAME = r'"[^\n]*"'  # what somebody chose
_FATAL = r"FATAL: +"
# By SQLSTATE of PostgreSQL, number of MySQL and MariaDB, name of SQLite (also of what begins so).
# Where the driver gives none: by how a line of the text begins; what has a blank is a pattern.
_TABLE: dict[tuple[Kind, str], tuple[str | int, ...]] = {
    (Kind.CHANGED, "there is such a row already"): (
        "23505", 1062, "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE",
    ),
    (Kind.UNAVAILABLE, "it does not accept the user name or password: check the options username "
     "and password; in a url, the password must be percent-encoded (% as %25)"): (
        "28P01", 1045, 1698, rf"{_FATAL}(?!certificate)\S+ authentication failed for user ",
        "fe_sendauth: no password supplied",
    ),
    (Kind.UNAVAILABLE, "it demands a client certificate of this user: set cert_file and key_file"):
        (rf"{_FATAL}connection requires a valid client certificate",
         rf"{_FATAL}certificate authentication failed for user "),
    (Kind.DENIED, "it has no such user, or that user may not sign in: check the option username"):
        ("28000", 3118, 4151, rf"{_FATAL}role {_NAME} (does not exist|is not permitted to log in)"),
    (Kind.UNAVAILABLE, "the password of its user has expired: set a new one"): (1820, 1862),
    (Kind.DENIED, "it does not let this user in from this host, or not without TLS: change its "
     "rules (pg_hba.conf, or the host of the account), or set ca_file"): (
        1130, 3159, rf"{_FATAL}(no pg_hba.conf entry|pg_hba.conf rejects connection) for ",
    ),
    (Kind.DENIED, "its user may not use this database: grant it the right to connect, or correct "
     "the database in the url"): (1044, rf"{_FATAL}permission denied for database "),
    (Kind.UNAVAILABLE, "there is no database with that name: create it, or correct the url (on "
     "MySQL, or the option schema)"): ("3D000", 1049, rf"{_FATAL}database {_NAME} does not exist"),
    (Kind.UNAVAILABLE, "the schema is missing: create it, or correct the option schema"):
        ("3F000",),
    (Kind.DENIED, "its user may not do this: grant this user SELECT, INSERT, UPDATE and DELETE on "
     "the table"): ("42501", 1142, 1143, 1227, 1370),
    (Kind.UNAVAILABLE, "the table was not created by this store: choose another name with the "
     "option table"): (
        "22001", "22P02", "23502", "23514", "42703", "42804", "42809", "42846", "42883",
        1048, 1054, 1288, 1364, 1366, 1406, 4025, "SQLITE_CONSTRAINT", "SQLITE_MISMATCH",
        "no such column: ", r"table \S+ has no column named ",
    ),
    (Kind.UNAVAILABLE, "the disk is full"): ("53100", 1021, 1114, "SQLITE_FULL"),
    (Kind.BUSY, "it has no free connection left: raise its limit (max_connections, or that of the "
     "user or database), or end idle ones"): (
        "53300", 1040, 1203, 1226, rf"{_FATAL}sorry, too many clients already",
        rf"{_FATAL}remaining connection slots are reserved", rf"{_FATAL}too many connections for ",
    ),
    (Kind.BUSY, "it is starting, stopping or recovering: try again"):
        ("57P03", rf"{_FATAL}the database system is "),
    (Kind.BUSY, "other transactions were in the way each time (serialization, deadlock, lock "
     "time-out): find out which program locks the table"): (
        "40001", "40P01", "55P03", 1020, 1205, 1213,
    ),
    (Kind.BUSY, "another program has locked the file for too long"):
        ("SQLITE_BUSY", "SQLITE_LOCKED"),
    (Kind.UNAVAILABLE, "the server ended the statement, by a time limit (statement_timeout, "
     "max_statement_time) or on somebody's demand: raise the limit for this user"): (
        "57014", 1317, 1969, 3024,
    ),
    (Kind.WRONG_SERVER, "it is read-only: connect to the primary"):
        ("25006", 1290, 1792, 1836, "session is read-only"),
    (Kind.LOST, "it is a node that is not in sync with its cluster: connect to another"):
        (1047,),
    (Kind.LOST, "the server ended the connection: check that it is up"): (
        "57P01", "57P02", "57P04", "57P05", "25P03", 1053, 1927, 2006, 2013, 2055, 4031,
    ),
    (Kind.LOST, "the file was replaced while it was in use"): ("SQLITE_READONLY_DBMOVED",),
    (Kind.DENIED, "this user may not write to the file or its folder"):
        ("SQLITE_READONLY", "SQLITE_PERM"),
    (Kind.UNAVAILABLE, "the file cannot be opened: create its folder, and allow this user to write "
     "in it"): ("SQLITE_CANTOPEN",),
    (Kind.UNAVAILABLE, "the file is not an SQLite database: move it away"):
        ("SQLITE_NOTADB", "SQLITE_CORRUPT"),
    (Kind.UNAVAILABLE, "the file cannot be read or written: check the disk"): ("SQLITE_IOERR",),
    (Kind.UNAVAILABLE, "it has no TLS, which ca_file, cert_file or the url demands: switch TLS on "
     "there, or omit them"): (2026, "server does not support SSL, but SSL was required"),
    (Kind.UNAVAILABLE, "TLS failed, the certificate is of another CA or has expired: for a CA of "
     "your own, set ca_file"): ("SSL error: certificate verify failed",),
    (Kind.UNAVAILABLE, "TLS failed, the certificate is for another host: check the host in the "
     "url"): (rf"server certificate for {_NAME} .*does not match host name ",),
    (Kind.UNAVAILABLE, "TLS failed, the server does not accept the client's certificate: check "
     "cert_file and key_file"): (r"SSL error: \S+ alert ",),
    (Kind.UNAVAILABLE, "TLS failed, a file cannot be used: check ca_file, cert_file, key_file and "
     "key_password, or those in the url"): (
        "root certificate file ", "could not (read|load) .*(certificate|private key)",
        "certificate present, but not private key",
    ),
    (Kind.UNAVAILABLE, "its host name is not known: correct the host in the url"):
        (2005, "could not translate host name ", "failed to resolve host "),
    (Kind.UNAVAILABLE, "to sign in needs the module cryptography: install this plugin with its "
     "extra 'mysql'"): ("'cryptography' package is required ",),
    (Kind.UNAVAILABLE, "on Windows, psycopg needs another event loop: run the program with "
     "asyncio.Runner(loop_factory=asyncio.SelectorEventLoop)"):
        ("Psycopg cannot use the 'ProactorEventLoop'",),
}  # fmt: skip
_BY_CODE = {code: Problem(*key) for key, codes in _TABLE.items() for code in codes}
_BY_WORDS = [
    (re.compile(rf"(?m)^(?:connection (?:to server .*)?failed: )*{code}").search, problem)
    for code, problem in _BY_CODE.items()
    if " " in str(code)
]
# Codes that stand for more than one thing; their text tells.
_UNCLEAR = (None, "28000", "SQLITE_ERROR")


class Named(Exception):
    """A problem that this package itself has found."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


def problem_of(error: Exception, options: Options, file: str | None) -> Problem | None:
    """What the error of a driver, or SQLAlchemy's around it, means; None: it is of neither.

    ``file`` is that of an SQLite database.
    """
    from sqlalchemy import exc

    if isinstance(error, Named):
        return Problem(Kind.UNAVAILABLE, error.text)
    original: Any = getattr(error, "orig", None) or error
    if isinstance(original, ImportError):
        text = f"its driver cannot be loaded ({original.name}): install this plugin with its extra"
        return Problem(Kind.UNAVAILABLE, text)
    if isinstance(error, exc.TimeoutError):  # SQLAlchemy's own: nothing was sent
        text = f"no connection of the engine became free within {options.timeout:g} s"
        return Problem(Kind.BUSY, f"{text}: enlarge the engine's pool")
    if is_timeout(original):
        text = (
            f"it did not respond in time ({options.timeout:g} s, {options.connect_timeout:g} s to "
            "connect): check that it is up and that no firewall is in between, or raise the "
            "option timeout"
        )
        return Problem(Kind.SILENT, text)
    code = code_of(original)
    found = _known(original, code, file)
    shown = type(original).__name__ if code is None else f"{type(original).__name__} {code}"
    broken = isinstance(error, (exc.OperationalError, exc.InterfaceError, OSError))
    if found is not None:
        return found
    network = code in (None, 2002, 2003) or str(code).startswith("08")
    if getattr(error, "connection_invalidated", False) or (broken and network):
        text = f"it could not be reached ({shown}): check that it is up, and check host and port"
        return Problem(Kind.LOST, f"{text} in the url")
    if code is None and not isinstance(error, exc.SQLAlchemyError):
        return None
    return Problem(Kind.UNAVAILABLE, f"it returned the error {shown}: see the database's log")


def _known(original: Any, code: str | int | None, file: str | None) -> Problem | None:
    if code == "SQLITE_CANTOPEN" and file is not None and Path(file).exists():
        # SQLite's word for a journal that cannot be made, too.
        writable = os.access(Path(file).parent, os.W_OK | os.X_OK)
        code = code if writable else "SQLITE_READONLY"
    if code in _UNCLEAR:
        for matches, problem in _BY_WORDS:
            if matches(str(original)):
                return problem
    if tls := tls_problem(original):
        return tls
    each: Any = original
    for _ in range(10):  # more than drivers' errors have; a circle of causes must end
        if isinstance(each, socket.gaierror):
            return _BY_CODE[2005]
        each = each and (each.__cause__ or each.__context__)
    while isinstance(code, str) and code not in _BY_CODE and code.startswith("SQLITE_"):
        code = code.rpartition("_")[0]  # such as SQLITE_BUSY_SNAPSHOT
    return _BY_CODE.get(code or "")


def is_timeout(original: Any) -> bool:
    """No response came in time; what was asked for may be done or not."""
    below = original.__cause__ or original.__context__
    return (
        isinstance(original, TimeoutError)
        or isinstance(below, TimeoutError)
        # By name: psycopg is imported only when a connection is made, and may not be installed.
        or type(original).__name__ in ("NoAnswer", "ConnectionTimeout")
    )


def is_missing(error: Exception, *, schema: bool = False) -> bool:
    """The table is not there, or what it would be in."""
    original = getattr(error, "orig", None)
    code = code_of(original)
    if schema:
        return code in ("3F000", 1049)
    return code in ("42P01", 1146) or (
        code == "SQLITE_ERROR" and str(original).startswith("no such table")
    )


def code_of(original: Any) -> str | int | None:
    """SQLSTATE, number or name of a driver's error."""
    arguments = getattr(original, "args", ())
    if arguments and isinstance(arguments[0], int) and not isinstance(original, OSError):
        return arguments[0]  # MySQL's drivers have an SQLSTATE too
    for name in ("sqlstate", "pgcode", "sqlite_errorname"):  # pgcode: psycopg2
        state = getattr(original, name, None)
        if isinstance(state, str):
            return state
    return None
