"""SQLAlchemy's engines, made from the options."""

from __future__ import annotations

import math
import ssl
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from flex_tokenstore import Secret
from flex_tokenstore.records import end_transport

from ._options import SQLITE, Options
from ._problems import Named
from ._sqlite import check_file, make_private
from ._urls import ASYNC, SYNC, check_backend, is_in_memory, sqlite_path

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_MODULES = {"pysqlite": "sqlite3"}  # of drivers that are not called like theirs
_EXTRA = {"psycopg": "postgresql", "pymysql": "mysql", "aiomysql": "mysql", "aiosqlite": SQLITE}
IDLE = 2.0  # seconds after which a pooled connection may have been forgotten on its way


class Made(NamedTuple):
    """An engine, and the drivers' connections that it has opened."""

    engine: Any
    opened: WeakSet[Any]


def check_driver(backend: str, *, is_async: bool) -> None:
    """Raises unless the driver for this database is installed."""
    driver = (ASYNC if is_async else SYNC)[backend]
    module = _MODULES.get(driver, driver)
    if find_spec(module) is None:
        raise Options.wrong(
            "url",
            f"needs the module {module!r} for {backend}: install this plugin with its extra "
            f"{_EXTRA.get(driver, backend)!r}",
        )


def make_engine(options: Options, url: Secret[URL], *, is_async: bool) -> Made:
    """An engine of the store's own, which connects when it is first used.

    Files are read here: with TLS that takes up to 50 ms.
    """
    from sqlalchemy import create_engine, event

    maker: Any = create_engine
    if is_async:  # which brings the whole ORM
        from sqlalchemy.ext.asyncio import create_async_engine as maker
    backend = url.reveal().get_backend_name()
    driver = (ASYNC if is_async else SYNC)[backend]
    engine = maker(
        url.reveal().set(drivername=f"{backend}+{driver}"),
        # SQLAlchemy's errors and log would show the parameters, with the token among them.
        hide_parameters=True,
        # Each write is one atomic statement; BEGIN and COMMIT would only add round trips.
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=driver in ("psycopg", "pymysql"),  # others cannot tell
        pool_timeout=options.timeout,
    )
    made = Made(engine, WeakSet())
    sync = engine.sync_engine if is_async else engine
    event.listen(sync, "do_connect", _connecting(driver, options, is_async))
    _watch(sync, made)
    return made


def given_engine(engine: Any, *, is_async: bool) -> Made:
    """The program's own, with what this store needs set for its own statements only."""
    kind: Any
    if is_async:
        from sqlalchemy.ext.asyncio import AsyncEngine as kind
    else:
        from sqlalchemy import Engine as kind
    if not isinstance(engine, kind):
        raise Options.wrong(
            "engine", f"must be an SQLAlchemy {kind.__name__} here, got {type(engine).__name__}"
        )
    check_backend(engine.dialect.name)
    if engine.dialect.name == SQLITE and is_in_memory(engine.url):
        raise Options.wrong(
            "engine", "is an engine for an in-memory database, which no other process shares"
        )
    ours: Any = engine.execution_options(isolation_level="AUTOCOMMIT")  # of the same pool
    (ours.sync_engine if is_async else ours).hide_parameters = True  # tokens are among them
    return Made(ours, WeakSet())


def abandon(made: Made) -> None:
    """Closes the connections of an async engine whose event loop is closed; nothing is awaited."""
    for connection in list(made.opened):
        with suppress(Exception):
            if hasattr(connection, "pgconn"):  # psycopg: libpq's socket, which no loop owns
                connection.pgconn.finish()
            elif hasattr(connection, "_writer"):  # aiomysql
                writer, connection._writer = connection._writer, None
                if writer is not None:
                    end_transport(writer.transport)
            elif hasattr(connection, "stop"):  # aiosqlite: a thread
                # From a thread without a loop: else its thread would tell one that may be closed.
                stopping = Thread(target=connection.stop)
                stopping.start()
                stopping.join()
    # close=False: the drivers would wait for the loop that is closed.
    made.engine.sync_engine.dispose(close=False)


def _connecting(driver: str, options: Options, is_async: bool) -> Any:
    """What SQLAlchemy calls to connect, with the driver's arguments."""
    password = options.password_now()
    ours = options.ca_file is not None or options.cert_file is not None
    context = options.tls_context() if ours else None  # libpq reads the files itself, once more

    def connect(dialect: Any, record: Any, arguments: Any, given: dict[str, Any]) -> Any:
        maker, keywords = dialect.connect, {**given}
        if dialect.name == SQLITE:
            keywords["timeout"] = options.timeout
            make_private(arguments[0])
            if is_async:
                check_file(arguments[0])
        elif password is not None:  # not in the engine's url, which shows it
            keywords["password"] = password.reveal()
        if driver == "psycopg":
            from ._psycopg import limited

            _use_tls_of_postgres(options, keywords)
            keywords["connect_timeout"] = max(1, round(options.connect_timeout))  # whole seconds
            keywords["prepare_threshold"] = None  # PgBouncer may give each another connection
            within = limited(options.timeout, is_async=is_async)
            if is_async:
                keywords["async_creator_fn"] = within
            else:
                maker = within
        elif dialect.name != SQLITE:
            _use_tls_of_mysql(context, keywords)
            if "password" in keywords:
                # Both drivers send it in Latin-1. MySQL's own programs send UTF-8, these bytes.
                raw = keywords["password"].encode("utf-8", "surrogatepass")
                keywords["password"] = raw.decode("latin-1")
            keywords["connect_timeout"] = options.connect_timeout
            if is_async:
                from ._aiomysql import connect as encrypted

                keywords["async_creator_fn"] = encrypted
            else:
                keywords["read_timeout"] = keywords["write_timeout"] = options.timeout
        try:
            return maker(*arguments, **keywords)
        except (TypeError, ValueError, AttributeError, dialect.loaded_dbapi.ProgrammingError):
            pass
        raise Named("the driver does not accept the url: check the parameters after its '?'")

    return connect


def _use_tls_of_postgres(options: Options, keywords: dict[str, Any]) -> None:
    if options.ca_file is not None:
        keywords |= {"sslmode": "verify-full", "sslrootcert": options.ca_file}
    if options.cert_file is not None:
        key = options.key_file or options.cert_file
        keywords |= {"sslcert": options.cert_file, "sslkey": key}
        keywords.setdefault("sslmode", "verify-full")
        if keywords["sslmode"] == "verify-full":
            keywords.setdefault("sslrootcert", "system")
    # libpq asks at the terminal unless there is one, whatever it is.
    passphrase = options.key_password or Secret(" ")
    keywords.setdefault("sslpassword", passphrase.reveal())


def _use_tls_of_mysql(ours: ssl.SSLContext | None, keywords: dict[str, Any]) -> None:
    disabled = str(keywords.pop("ssl_disabled", "")).lower() in ("1", "true", "yes", "on")
    # PyMySQL would make a context of its own from these, and drop the one below; aiomysql has none.
    stray = sorted(name for name in keywords if name.startswith("ssl_"))
    if (ours and disabled) or ((ours or "ssl" in keywords) and stray):
        what = ", ".join(stray or ["ssl_disabled"])
        raise Named(f"the url's {what} cannot be combined with other settings of TLS: omit one")
    if ours:
        keywords["ssl"] = ours
    elif disabled:
        keywords.pop("ssl", None)
    elif isinstance(asked := keywords.get("ssl"), dict):  # ``ssl_ca`` and the like in the url
        try:
            context = ssl.create_default_context(cafile=asked.get("ca"), capath=asked.get("capath"))
            context.check_hostname = bool(asked.get("check_hostname", True))
            if "cert" in asked:
                # A function, and never None: OpenSSL would ask at the terminal.
                context.load_cert_chain(asked["cert"], asked.get("key"), lambda: "")
        except (OSError, ValueError):  # ssl.SSLError is an OSError
            context = None
        if context is None:
            raise Named("TLS failed, a file cannot be used: check ssl_ca, ssl_cert and ssl_key")
        keywords["ssl"] = context


def _watch(engine: Any, made: Made) -> None:
    """Lets no connection be used that leads nowhere, and has SQLite forget what is removed.

    One that was idle may have been forgotten by a firewall; one to a file that was moved or
    replaced would go on with the old file, and what is saved there nobody finds again.
    """
    from sqlalchemy import event
    from sqlalchemy.exc import InvalidatePoolError

    file = engine.url.database if sqlite_path(engine.url) is not None else None

    def connected(connection: Any, record: Any) -> None:
        if hasattr(connection, "driver_connection"):  # async ones
            made.opened.add(connection.driver_connection)
        record.info.update(file=_inode(file), used=math.inf)  # a new one is not idle
        if file is not None:
            cursor = connection.cursor()
            # Of the connection, not of the file: else an old token stays readable in the file.
            cursor.execute("PRAGMA secure_delete = ON")
            cursor.close()

    def returned(connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    def used(connection: Any, record: Any, proxy: Any) -> None:
        idle = file is None and time.monotonic() - record.info["used"] > IDLE
        if idle or record.info["file"] != _inode(file):
            raise InvalidatePoolError  # another connection is made

    event.listen(engine, "connect", connected)
    event.listen(engine, "checkin", returned)
    event.listen(engine, "checkout", used)


def _inode(path: str | None) -> tuple[int, int] | None:
    if path is not None:
        with suppress(OSError):
            found = Path(path).stat()
            return found.st_dev, found.st_ino
    return None
