"""SQLAlchemy's engines, made from the options, and its errors in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flex_tokenstore import Secret

from ._options import Options, check_backend, wrong

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
_OVERFLOW = 16
_STALE = 300  # seconds after which a kept connection is not trusted


def make_engine(options: Options, *, is_async: bool) -> Any:
    """An engine of the store's own, or the one that the program gave. Nothing is sent yet.

    Raises:
        StoreOptionsError: The URL cannot be used, its driver is missing, or the engine given is
            of the wrong kind.
    """
    import sqlalchemy
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

    if options.engine is not None:
        kind = AsyncEngine if is_async else sqlalchemy.Engine
        if not isinstance(options.engine, kind):
            raise wrong(
                "engine",
                f"takes an SQLAlchemy {kind.__name__} here, got {type(options.engine).__name__}",
            )
        check_backend(options.engine.dialect.name)
        return options.engine
    url = _url(options)
    backend = url.get_backend_name()
    drivers = _ASYNC if is_async else _SYNC
    url = url.set(drivername=f"{backend}+{drivers[backend]}")
    make: Any = create_async_engine if is_async else sqlalchemy.create_engine
    keywords: dict[str, Any] = {}
    if backend != "sqlite":
        keywords = {
            "pool_size": _POOL,
            "max_overflow": _OVERFLOW,
            "pool_timeout": options.timeout,
            "pool_recycle": _STALE,
            "pool_pre_ping": False,  # a statement that finds a dead connection is sent once more
        }
    try:
        return make(
            url,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            connect_args=_connect_args(backend, drivers[backend], options.timeout),
            **keywords,
        )
    except ModuleNotFoundError as error:
        missing = error.name
    raise wrong(
        "url",
        f"needs the module {missing!r} for {backend}: install this plugin with its extra "
        f"{_EXTRA[backend]!r}",
    )


def place_of(options: Options) -> str:
    """The table, for people: without user and password."""
    table = options.table if options.schema is None else f"{options.schema}.{options.table}"
    url = options.engine.url if options.engine is not None else _url(options)
    address = url.database if url.get_backend_name() == "sqlite" else _address(url)
    return f"{url.get_backend_name()} {address} table {table}"


def sqlite_path(engine: Any) -> str | None:
    """The file of an SQLite engine; None: another database, or one in memory."""
    url = engine.url
    path: str | None = url.database if url.get_backend_name() == "sqlite" else None
    return path or None


def reason_of(error: Exception, options: Options) -> str:
    """What the error means and what to do. Its own text may quote values: it is not used."""
    from sqlalchemy import exc

    original = getattr(error, "orig", None) or error
    state = getattr(original, "sqlstate", None)
    shown = f" ({state})" if isinstance(state, str) and state.isalnum() else ""
    name = type(original).__name__
    if isinstance(error, exc.TimeoutError):
        return f"all its connections are in use for {options.timeout:g} s: raise timeout"
    if isinstance(original, TimeoutError):
        return f"no answer in {options.timeout:g} s: check that it is up and that no firewall is between"
    if state in ("28000", "28P01") or _code(original) == 1045:
        return "it does not accept the user name or password: check the options url and password"
    if state == "3D000" or _code(original) == 1049:
        return "there is no database of that name: create it, or correct the url"
    if state in ("42501",) or _code(original) in (1142, 1044):
        return "its user may not do this: grant SELECT, INSERT, UPDATE and DELETE on the table"
    if isinstance(error, (exc.OperationalError, exc.InterfaceError, OSError)):
        return f"it does not answer as it should ({name}{shown}): check that it is up and the url right"
    return f"it answered {name}{shown}: see the database's log"


def is_missing_table(error: Exception) -> bool:
    """The table is not there."""
    original = getattr(error, "orig", None)
    return (
        getattr(original, "sqlstate", None) == "42P01"
        or _code(original) == 1146
        or (type(original).__module__.startswith(("sqlite3", "aiosqlite"))
            and str(original).startswith("no such table"))
    )  # fmt: skip


def is_lost_connection(error: Exception) -> bool:
    """A kept connection turned out to be dead: the statement was not done."""
    return bool(getattr(error, "connection_invalidated", False))


def is_lock_timeout(error: Exception) -> bool:
    """PostgreSQL's ``lock_timeout`` ran out."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) == "55P03"


def _code(original: Any) -> int | None:
    first = original.args[0] if original is not None and original.args else None
    return first if isinstance(first, int) else None


def _url(options: Options) -> URL:
    import sqlalchemy

    text = options.url or Secret("")
    url = None
    try:
        url = sqlalchemy.make_url(text.reveal())
    except Exception:  # noqa: BLE001 - its error quotes the text, password and all
        pass
    if url is None:
        raise wrong("url", "is no URL such as postgresql://user@host/database")
    backend = url.get_backend_name()
    check_backend(backend)
    if backend == "sqlite" and (url.database in (None, "", ":memory:") or "mode=memory" in str(url)):
        raise wrong("url", "must name a file: a database in memory is what the store 'memory' is for")
    return url.set(password=options.password.reveal()) if options.password is not None else url


def _address(url: URL) -> str:
    port = f":{url.port}" if url.port else ""
    return f"{url.host or 'localhost'}{port}/{url.database or ''}"


def _connect_args(backend: str, driver: str, timeout: float) -> dict[str, Any]:
    whole = max(1, round(timeout))
    if backend == "sqlite":
        return {"timeout": timeout}
    if backend == "postgresql":
        milliseconds = int(timeout * 1000)
        return {
            "connect_timeout": whole,
            # The server's own limit, and the network's: a server that stands still ends nothing.
            "options": f"-c statement_timeout={milliseconds}",
            "tcp_user_timeout": milliseconds,
        }
    if driver == "pymysql":
        return {"connect_timeout": whole, "read_timeout": whole, "write_timeout": whole}
    return {"connect_timeout": whole}
