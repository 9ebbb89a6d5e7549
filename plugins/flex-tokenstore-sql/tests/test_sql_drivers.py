"""Engines of a program's own, with drivers that the store itself does not choose."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from flex_tokenstore import (
    TokenConflictError,
    TokenCorruptError,
    TokenLockTimeoutError,
    open_async_store,
    open_store,
)
from sql_support import Database
from tests.servers.postgres import Postgres
from tests.support.handles import IDENTITY, token


def test_an_engine_on_psycopg2(postgres_server: Postgres) -> None:
    pytest.importorskip("psycopg2")
    database = Database("postgres", postgres_server)
    engine = create_engine(database.url.replace("postgresql", "postgresql+psycopg2"))
    config = {"name": "sql", "engine": engine}
    with open_store(config, IDENTITY) as store, open_store(config, IDENTITY) as other:
        assert store.get_token() is None  # makes the table
        store.set_token(token("a"), None)
        with pytest.raises(TokenConflictError):
            other.set_token(token("b"), None)
        other.set_token(token("b"), token("a").revision)
        with store.token_lock(0, 5), pytest.raises(TokenLockTimeoutError):
            other.token_lock(0.1, 5).__enter__()
        with other.token_lock(0, 5):
            kept = store.get_token()
        assert kept is not None
        assert kept.revision == token("b").revision
        database.plant(b"broken")
        with pytest.raises(TokenCorruptError):
            store.get_token()
        store.remove_token()
        assert list(database.rows().values()) == [b"broken"]
    engine.dispose()


def test_an_engine_on_asyncpg(postgres_server: Postgres) -> None:
    pytest.importorskip("asyncpg")
    database = Database("postgres", postgres_server)

    async def main() -> None:
        engine = create_async_engine(database.url.replace("postgresql", "postgresql+asyncpg"))
        config = {"name": "sql", "engine": engine}
        async with (
            await open_async_store(config, IDENTITY) as store,
            await open_async_store(config, IDENTITY) as other,
        ):
            assert await store.get_token() is None  # makes the table
            await store.set_token(token("a"), None)
            with pytest.raises(TokenConflictError):
                await other.set_token(token("b"), None)
            await other.set_token(token("b"), token("a").revision)
            async with store.token_lock(0, 5):
                with pytest.raises(TokenLockTimeoutError):
                    await other.token_lock(0.1, 5).__aenter__()
            async with other.token_lock(0, 5):
                kept = await store.get_token()
            assert kept is not None
            assert kept.revision == token("b").revision
        await engine.dispose()

    asyncio.run(main())
    (content,) = database.rows().values()
    assert json.loads(content)["access_token"] == "access-b-SENTINEL"
