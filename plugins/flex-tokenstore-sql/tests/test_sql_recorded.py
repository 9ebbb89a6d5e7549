"""What a library that wraps SQLAlchemy or a driver may record: no token among the parameters."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import create_async_engine

from flex_tokenstore import TokenUnavailableError, open_async_store, open_store
from sql_support import Database, sql_config
from tests.support.handles import IDENTITY, Open, token
from tests.support.recording import Recorder, forms_of

pytest_plugins = ["sql_fixtures"]

# The entry points of each driver. Those of SQLite's module are built-in and cannot be wrapped.
ENTRIES = {
    "psycopg": [("psycopg", "Cursor", "execute"), ("psycopg", "AsyncCursor", "execute")],
    "asyncpg": [("asyncpg.prepared_stmt", "PreparedStatement", "fetch")],
    "pymysql": [("pymysql.cursors", "Cursor", "execute")],
    "aiomysql": [("aiomysql.cursors", "Cursor", "execute")],
    "aiosqlite": [
        ("aiosqlite.core", "Connection", "_execute"),
        ("aiosqlite.cursor", "Cursor", "execute"),
    ],
}


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    made = Recorder(monkeypatch)
    for entries in ENTRIES.values():
        for module, cls, name in entries:
            owner = getattr(pytest.importorskip(module), cls)
            made.watch(owner, name)
    keep = _Kept(made)
    event.listen(Engine, "before_cursor_execute", keep)
    yield made
    event.remove(Engine, "before_cursor_execute", keep)


class _Kept:
    """As Sentry and OpenTelemetry look at SQLAlchemy: with the parameters that the driver gets."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __call__(
        self, connection: Any, cursor: Any, statement: Any, parameters: Any, *more: Any
    ) -> None:
        self._recorder.calls += 1
        self._recorder.texts.extend(forms_of((statement, parameters)))


def uses(store: Any, database: Database, recorder: Recorder) -> None:
    """All that hands a token to the driver, and content of another type too."""
    store.set_token(token("a"))
    kept = store.get_token()
    assert kept is not None
    store.set_token(token("b"), kept.revision)
    with store.token_lock(0, 5):
        store.set_token(token("c"), token("b").revision)
    with recorder.paused():
        database.plant(b"no token SENTINEL")
    store.set_token(token("d"))
    store.remove_token(token("d").revision)
    store.set_token(token("e"), None)
    assert store.get_token() is not None
    with recorder.paused():
        stored = database.rows()[IDENTITY.key]
    assert stored.startswith(b'{"access_token":"access-e-SENTINEL","refresh_token":')


@pytest.mark.sample(2)
def test_no_parameter_shows_a_token(
    opened: Open, database: Database, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        uses(opened(sql_config(database.url)), database, recorder)
    assert recorder.calls > 10
    assert not recorder.shows("SENTINEL")
    assert "SENTINEL" not in caplog.text


def test_no_parameter_shows_text_that_another_program_stored(
    opened: Open, database: Database, recorder: Recorder
) -> None:
    """SQLite keeps a string in a column for bytes."""
    if database.kind != "sqlite":
        pytest.skip("the column takes bytes only")
    store = opened(sql_config(database.url))
    store.set_token(token("a"))
    database.run("UPDATE TOKENS SET token = CAST(token AS TEXT)")
    kept = store.get_token()
    assert kept is not None
    store.set_token(token("b"), kept.revision)
    assert database.rows()[IDENTITY.key].startswith(b'{"access_token":"access-b-')
    database.run("UPDATE TOKENS SET token = 'no token SENTINEL'")
    store.remove_token()
    assert store.get_token() is None
    assert not recorder.shows("SENTINEL")


@contextmanager
def _engine(url: str, **options: Any) -> Iterator[Any]:
    engine = create_engine(url, **options)
    yield engine
    engine.dispose()


DRIVERS = {
    "postgres": ["psycopg", "psycopg2", "asyncpg"],
    "sqlite": ["pysqlite", "aiosqlite"],
    "mariadb": ["pymysql", "aiomysql"],
}


def test_nor_on_an_engine_of_the_programs_own_that_prints_all(
    database: Database, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    for driver in DRIVERS[database.kind]:
        url = database.url.replace("://", f"+{driver}://", 1)
        recorder.calls = 0
        if driver in ("asyncpg", "aiosqlite", "aiomysql"):
            asyncio.run(_uses_async(url))
        else:
            with _engine(url, echo="debug") as engine, _sync(engine) as store:
                uses(store, database, recorder)
        assert recorder.calls > 5, driver
    assert not recorder.shows("SENTINEL")
    printed = "".join(capsys.readouterr())
    assert "flex_tokens" in printed
    assert "SENTINEL" not in printed


@contextmanager
def _sync(engine: Any) -> Iterator[Any]:
    with open_store({"name": "sql", "engine": engine}, IDENTITY) as store:
        yield store


async def _uses_async(url: str) -> None:
    engine = create_async_engine(url, echo="debug")
    async with await open_async_store({"name": "sql", "engine": engine}, IDENTITY) as store:
        await store.set_token(token("a"))
        kept = await store.get_token()
        assert kept is not None
        await store.set_token(token("b"), kept.revision)
        await store.remove_token(token("b").revision)
    await engine.dispose()


def test_an_error_of_a_statement_quotes_no_parameter(
    opened: Open, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLAlchemy's own message would end in `[parameters: …]`."""
    store = opened(sql_config(database.url))
    store.set_token(token("a"))
    if database.kind == "sqlite":
        database.run(
            "CREATE TRIGGER no BEFORE UPDATE ON flex_tokens BEGIN SELECT RAISE(FAIL, 'no'); END"
        )
    else:
        database.run("ALTER TABLE TOKENS ADD COLUMN more INT")
        database.run("ALTER TABLE TOKENS RENAME COLUMN token TO other")
    with pytest.raises(TokenUnavailableError) as caught:
        store.set_token(token("b"), token("a").revision)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "SENTINEL" not in "".join(shown.format())
    assert "SENTINEL" not in caplog.text


def test_drivers_that_are_watched_are_those_that_are_used() -> None:
    for entries in ENTRIES.values():
        for module, cls, name in entries:
            assert hasattr(getattr(import_module(module), cls), name)
