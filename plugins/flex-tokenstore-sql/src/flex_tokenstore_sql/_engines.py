"""SQLAlchemy's engines, made from the options."""

from __future__ import annotations

import os
import ssl
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from flex_tokenstore import Secret

from ._loops import end_transport
from ._options import Options, check_backend, wrong
from ._sqlite import check_file, forget_removed, is_uri, make_private, sqlite_path, watch_file
from ._urls import is_doubtful, is_read_wrongly

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_SYNC = {"postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql", "sqlite": "pysqlite"}
_ASYNC = {
    "postgresql": "psycopg",
    "mysql": "aiomysql",
    "mariadb": "aiomysql",
    "sqlite": "aiosqlite",
}
_EXTRA = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite"}
_POOL = 4  # connections kept; a few more when many wait for the lock
# Each caller that waits for a server's lock occupies one meanwhile.
_OVERFLOW = 16


def make_engine(options: Options, *, is_async: bool) -> Any:
    """An engine of the store's own, or the one that the program passed. Nothing is sent yet.

    Raises:
        StoreOptionsError: The URL cannot be used, its driver is missing, or the engine given is
            of the wrong kind.
    """
    if options.engine is not None:
        return _given(options.engine, is_async)
    from sqlalchemy import event

    url = _url(options)
    backend = url.reveal().get_backend_name()
    driver = (_ASYNC if is_async else _SYNC)[backend]
    keywords: dict[str, Any] = {}
    if not (is_async and backend == "sqlite"):
        keywords = {
            "pool_size": _POOL,
            "max_overflow": _OVERFLOW,
            "pool_timeout": options.timeout,
        }
    try:
        engine = _engine_maker(is_async)(
            url.reveal().set(drivername=f"{backend}+{driver}"),
            # SQLAlchemy's errors and log would show the parameters, with the token among them.
            hide_parameters=True,
            # Each write is one atomic statement; BEGIN and COMMIT would only add round trips.
            isolation_level="AUTOCOMMIT",
            connect_args=_connect_args(driver, options.timeout, is_async),
            **keywords,
        )
    except ModuleNotFoundError as error:
        # Raised below: SQLAlchemy's frames hold the url, with the password in it.
        missing = error.name
    else:
        sync = engine.sync_engine if is_async else engine
        connecting = _before_connecting(driver, options.timeout, is_async)
        event.listen(sync, "do_connect", connecting)
        if is_async:
            _note_connections(sync)
        if backend == "sqlite":
            watch_file(sync)
            forget_removed(sync)
        return engine
    raise wrong(
        "url",
        f"needs the module {missing!r} for {backend}: install this plugin with its extra "
        f"{_EXTRA[backend]!r}",
    )


def let_go(engine: Any) -> None:
    """Closes the connections of an async engine whose event loop is closed; nothing is awaited."""
    for connection in list(_opened.pop(engine.sync_engine, ())):
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
    engine.sync_engine.dispose(close=False)


_opened: WeakKeyDictionary[Any, WeakSet[Any]] = WeakKeyDictionary()
"""The drivers' connections of each async engine of the store's own."""


def _note_connections(engine: Any) -> None:
    from sqlalchemy import event

    opened = _opened[engine] = WeakSet()

    def connected(connection: Any, record: Any) -> None:
        opened.add(connection.driver_connection)

    event.listen(engine, "connect", connected)


def backend_if_unclear(options: Options) -> str | None:
    """The kind of database, if what would be read as its address may be a part of the password."""
    if options.engine is None:
        url = _url(options, with_password=False)
        unclear = is_doubtful(options.url or Secret(""), url)
    elif not hasattr(options.engine, "url"):
        return None  # not an engine, as making the store's own one tells
    else:
        url = Secret(options.engine.url)
        unclear = is_read_wrongly(url)
    return str(url.reveal().get_backend_name()) if unclear else None


def location_of(options: Options, engine: Any) -> str:
    """The table, for people: without user and password."""
    table = options.table if options.schema is None else f"{options.schema}.{options.table}"
    address = sqlite_path(engine) or _address(engine.url)
    return f"{engine.url.get_backend_name()} {address} table {table}"


def _engine_maker(is_async: bool) -> Any:
    if is_async:
        from sqlalchemy.ext.asyncio import create_async_engine

        return create_async_engine
    from sqlalchemy import create_engine  # without the other, which brings the whole ORM

    return create_engine


def _given(engine: Any, is_async: bool) -> Any:
    kind: Any
    if is_async:
        from sqlalchemy.ext.asyncio import AsyncEngine as kind
    else:
        from sqlalchemy import Engine as kind
    if not isinstance(engine, kind):
        raise wrong(
            "engine", f"must be an SQLAlchemy {kind.__name__} here, got {type(engine).__name__}"
        )
    check_backend(engine.dialect.name)
    if engine.dialect.name == "sqlite" and _is_in_memory(engine.url):
        raise wrong(
            "engine", "is an engine for an in-memory database, which no other process shares"
        )
    ours: Any = engine.execution_options(isolation_level="AUTOCOMMIT")  # of the same pool
    (ours.sync_engine if is_async else ours).hide_parameters = True  # tokens are among them
    return ours


def _url(options: Options, *, with_password: bool = True) -> Secret[URL]:
    """With the password. Parameters may be secrets too, and a URL shows them."""
    url = _parsed(options.url or Secret(""))
    backend = url.reveal().get_backend_name()
    check_backend(backend)
    _check_driver(backend, url.reveal().drivername)
    if backend == "sqlite" and _is_in_memory(url.reveal()):
        raise wrong(
            "url", "must name a file; to keep the token in memory only, choose the store 'memory'"
        )
    if backend == "sqlite" and is_uri(url.reveal().database):
        raise wrong("url", "takes the path of a file, not a 'file:' URI: sqlite:////full/path.db")
    if backend == "sqlite":
        file = os.path.expanduser(str(url.reveal().database))  # noqa: PTH111 - without an error
        url = Secret(url.reveal().set(database=file))
    if options.password is None or not with_password:
        return url
    return Secret(url.reveal().set(password=options.password.reveal()))


def _check_driver(backend: str, name: str) -> None:
    """Refuses a driver that the store would not use."""
    ours = {f"{backend}+{kind[backend]}" for kind in (_SYNC, _ASYNC)}
    if name != backend and name not in ours:
        raise wrong(
            "url",
            f"names the driver {name!r:.60}; this store uses {' or '.join(sorted(ours))}: start "
            f"the url with {backend}://",
        )


def _parsed(raw: Secret[str]) -> Secret[URL]:
    import sqlalchemy

    with suppress(Exception):  # its error quotes the text, password and all
        return Secret(sqlalchemy.make_url(raw.reveal()))
    raise wrong(
        "url",
        "is not a URL such as postgresql://user@host/database; a password in it must be "
        "percent-encoded, or set the option password",
    )


def _is_in_memory(url: URL) -> bool:
    return url.database in (None, "", ":memory:") or url.query.get("mode") == "memory"


def _address(url: URL) -> str:
    port = f":{url.port}" if url.port else ""
    return f"{url.host or 'localhost'}{port}/{url.database or ''}"


def _connect_args(driver: str, timeout: float, is_async: bool) -> dict[str, Any]:
    if driver == "psycopg":
        arguments: dict[str, Any] = {
            "connect_timeout": max(1, round(timeout)),  # libpq takes whole seconds
            "prepare_threshold": None,  # PgBouncer may give each statement another connection
        }
        if is_async:
            from ._psycopg import limited

            arguments["async_creator_fn"] = limited(timeout, is_async=True)
        return arguments
    if driver == "pymysql":
        return {"connect_timeout": timeout, "read_timeout": timeout, "write_timeout": timeout}
    return {"connect_timeout": timeout} if driver == "aiomysql" else {"timeout": timeout}


def _before_connecting(driver: str, timeout: float, is_async: bool) -> Any:
    """What SQLAlchemy calls with the driver's arguments; None: it connects itself."""

    def connect(dialect: Any, record: Any, arguments: Any, keywords: Any) -> Any:
        if dialect.name == "sqlite":
            make_private(arguments[0])
            if is_async:
                check_file(arguments[0])
        if driver == "aiomysql" and isinstance(keywords.get("ssl"), dict):
            keywords["ssl"] = _tls(keywords["ssl"])  # PyMySQL makes one itself
        if driver != "psycopg" or is_async:
            return None
        from ._psycopg import limited

        return limited(timeout, is_async=False)(*arguments, **keywords)

    return connect


def _tls(given: dict[str, Any]) -> ssl.SSLContext:
    """What ``ssl_ca`` and the like in the url ask for."""
    context = ssl.create_default_context(cafile=given.get("ca"), capath=given.get("capath"))
    context.check_hostname = bool(given.get("check_hostname", True))
    if "cert" in given:
        context.load_cert_chain(given["cert"], given.get("key"))
    return context
