"""Keys are never read on the thread of an event loop, whatever kind of inner store there is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from encrypted_support import encrypted, lines_of, write_private
from flex_tokenstore import (
    TokenCorruptError,
    TokenStoreError,
    TokenUnavailableError,
    open_async_store,
    open_store,
)
from flex_tokenstore_encrypted import _keys
from flex_tokenstore_encrypted._sources import FileSource
from tests.support.handles import IDENTITY, token


@pytest.fixture(params=["file", "memory"])  # one is called in threads, the other has coroutines
def config(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    keys = write_private(tmp_path / "keys", lines_of("a"))
    return {"name": "encrypted", "inner": request.param, "key_file": str(keys)}


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The threads that read a key file."""
    found: list[threading.Thread] = []
    read = FileSource.read

    def noted(self: FileSource) -> Any:
        found.append(threading.current_thread())
        return read(self)

    monkeypatch.setattr(FileSource, "read", noted)
    return found


Deed = Callable[[Any, Path], Any]


async def first_read(store: Any, keys: Path) -> None:
    assert await store.get_token() is None


async def first_save(store: Any, keys: Path) -> None:
    await store.set_token(token("a"), None)


async def save_of_whatever_is_there(store: Any, keys: Path) -> None:
    await store.set_token(token("a"))


async def preparation(store: Any, keys: Path) -> None:
    await store.prepare_save(None)


async def read_after_a_change(store: Any, keys: Path) -> None:
    await store.set_token(token("a"), None)
    write_private(keys, lines_of("b", "a"))
    assert await store.get_token() is not None


async def save_after_a_change(store: Any, keys: Path) -> None:
    await store.set_token(token("a"), None)
    write_private(keys, lines_of("b", "a"))
    await store.set_token(token("b"), token("a").revision)


async def removal_after_a_change(store: Any, keys: Path) -> None:
    await store.set_token(token("a"), None)
    write_private(keys, lines_of("b", "a"))
    await store.remove_token()
    assert await store.get_token() is None


async def key_that_is_missing(store: Any, keys: Path) -> None:
    await store.set_token(token("a"), None)
    write_private(keys, lines_of("b"))
    with pytest.raises(TokenCorruptError, match="key"):
        await store.get_token()


async def key_that_cannot_be_read(store: Any, keys: Path) -> None:
    write_private(keys, "nothing")
    with pytest.raises(TokenStoreError, match="key_file"):
        await store.get_token()
    await store.remove_token()


DEEDS = (
    *(first_read, first_save, save_of_whatever_is_there, preparation, read_after_a_change),
    *(save_after_a_change, removal_after_a_change, key_that_is_missing, key_that_cannot_be_read),
)


@pytest.mark.parametrize("deed", DEEDS)
def test_no_key_is_read_on_the_event_loop(
    config: dict[str, Any], readers: list[threading.Thread], deed: Deed
) -> None:
    async def run() -> None:
        async with await open_async_store(config, IDENTITY) as store:
            await deed(store, Path(config["key_file"]))

    asyncio.run(run())
    assert readers
    assert threading.main_thread() not in readers
    # Nor in those of asyncio, which are the program's own: a keychain that hangs would keep them.
    assert all(thread.name.startswith("flex-tokenstore-io") for thread in readers)


class Coroutines:
    """An inner store that holds one thing, or cannot be read."""

    def __init__(self, held: Any) -> None:
        self.held = held

    async def get_token(self) -> Any:
        if isinstance(self.held, Exception):
            raise self.held
        return self.held

    async def set_token(self, token: dict[str, Any]) -> None:
        self.held = token

    async def remove_token(self) -> None:
        self.held = None


def test_over_coroutines_too_a_newer_format_is_neither_replaced_nor_removed() -> None:
    newer = {"access_token": "flex-encrypted-2.x", "flex_tokenstore": {"format": 1}}
    outage, junk = TokenUnavailableError("no answer"), TokenCorruptError("no JSON")

    async def run(held: Any, kind: type[Exception] | None) -> None:
        inner = Coroutines(held)
        async with await open_async_store(encrypted(inner), IDENTITY) as store:
            for removed in (True, False):
                inner.held = held
                with nullcontext() if kind is None else pytest.raises(kind):
                    await (store.remove_token() if removed else store.set_token(token("b")))
                assert (inner.held is held) == (kind is not None)

    asyncio.run(run(newer, TokenCorruptError))
    asyncio.run(run(outage, TokenUnavailableError))
    asyncio.run(run(junk, None))


def test_a_sync_program_reads_them_itself(
    config: dict[str, Any], readers: list[threading.Thread]
) -> None:
    with open_store(config, IDENTITY) as store:
        assert readers == []
        store.set_token(token("a"), None)
        write_private(Path(config["key_file"]), lines_of("b", "a"))
        assert store.get_token() is not None
    assert set(readers) == {threading.main_thread()}
    assert len(readers) == 2


def test_many_tasks_and_threads_read_them_once(
    config: dict[str, Any], readers: list[threading.Thread]
) -> None:
    async def run() -> None:
        async with await open_async_store(config, IDENTITY) as store:
            await asyncio.gather(*(store.get_token() for _ in range(20)))

    asyncio.run(run())
    assert len(readers) == 1


def test_a_key_that_is_new_is_found_though_the_change_was_not_seen(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system may have coarse times; a program and a keychain show no change at all."""
    path = Path(config["key_file"])
    monkeypatch.setattr(FileSource, "stamp", lambda self: None)
    monkeypatch.setattr(_keys, "AGAIN", 0.0)

    async def run() -> None:
        async with await open_async_store(config, IDENTITY) as store:
            await store.set_token(token("a"), None)
            write_private(path, lines_of("b"))
            plugin: Any = store._opened.binding.plugin
            await asyncio.to_thread(plugin._keys.load, "another key")
            with pytest.raises(TokenCorruptError):
                await store.get_token()
            write_private(path, lines_of("b", "a"))
            assert await store.get_token() is not None

    asyncio.run(run())


def test_it_is_encrypted_over_the_memory_store() -> None:
    with open_store(encrypted("memory"), IDENTITY) as store:
        store.set_token(token("a"), None)
        inner: Any = store._opened.binding.innermost
        assert "SENTINEL" not in str(inner.get_token.function())
