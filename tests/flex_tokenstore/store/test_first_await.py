"""Nothing blocks the event loop: opening a store, its first use, a lock, closing it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import AsyncTokenSession, file_store, open_async_store
from tests.support.blocking import blocking_raises
from tests.support.fakes import IDENTITY
from tests.support.kinds import issued
from tests.support.plugins import GOOD, install

KINDS = ("memory", "file", "own", "own, async")


@pytest.fixture
def loud() -> Iterator[None]:
    """Calls that block raise, if an event loop runs in their thread."""
    with blocking_raises():
        yield


class Grants:
    """A token endpoint that answers at once, each time with another token."""

    asked = 0

    async def refresh(self, refresh_token: Any) -> dict[str, Any]:
        return await self.sign_in()

    async def sign_in(self) -> dict[str, Any]:
        self.asked += 1
        return {
            "access_token": f"a{self.asked}",
            "refresh_token": "r",
            "token_type": "bearer",
            "expires_in": 9,
        }

    async def revoke(self, token: Any) -> None:
        """It is revoked."""


class Own:
    """A store of the user's own, without a lock: it is given a lock file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.token: Any = None

    def get_token(self) -> Any:
        self.path.exists()  # it blocks, as reads do
        return self.token

    def set_token(self, token: dict[str, Any]) -> None:
        self.path.touch()
        self.token = token

    def remove_token(self) -> None:
        self.token = None


class AsyncOwn:
    """The same with coroutines."""

    token: Any = None

    async def get_token(self) -> Any:
        return self.token

    async def set_token(self, token: dict[str, Any]) -> None:
        self.token = token

    async def remove_token(self) -> None:
        self.token = None


def config(kind: str, folder: Path) -> Any:
    if kind == "file":
        return file_store(path=str(folder / "a" / "b" / "token.json"))
    if kind == "memory":
        return kind
    return AsyncOwn() if "async" in kind else Own(folder / "touched")


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_blocks_nothing(kind: str, tmp_path: Path, loud: None) -> None:
    store = config(kind, tmp_path)

    async def main() -> None:
        async with AsyncTokenSession(await open_async_store(store, IDENTITY), Grants()) as session:
            token = await session.token()
            assert await session.peek() == token
            call = session.new_call("x")
            assert await call.refused(await call.token()) is not None
            assert await session.revoke()

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_a_handle_blocks_nothing(kind: str, tmp_path: Path, loud: None) -> None:
    store = config(kind, tmp_path)

    async def main() -> None:
        async with await open_async_store(store, IDENTITY) as opened:
            async with opened.token_lock(0, 5):
                await opened.prepare_save(None)
                await opened.set_token(issued(), None)
            await opened.remove_token()

    asyncio.run(main())


def test_a_plugin_is_found_imported_and_made_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loud: None
) -> None:
    slow = "import threading, time\nIMPORTED = threading.get_ident()\ntime.sleep(0)\n" + GOOD
    slow = slow.replace(
        "self.token = None\n", "self.made = threading.get_ident(); self.token = None\n", 1
    )
    install(tmp_path, "flex-slow", "slow = flexslow:Store", flexslow=slow)
    monkeypatch.syspath_prepend(str(tmp_path))

    async def main() -> None:
        store = await open_async_store("slow", IDENTITY)
        await store.set_token(issued())
        made: Any = store._opened.binding.plugin
        assert threading.get_ident() not in (made.made, sys.modules["flexslow"].IMPORTED)

    asyncio.run(main())


def test_a_class_with_coroutines_is_made_in_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client may be one that binds itself to the loop in which it is made."""
    source = "import asyncio\n" + GOOD.replace("    def get", "    async def get")
    source = source.replace(
        "self.token = None\n", "self.loop = asyncio.get_running_loop(); self.token = None\n", 1
    )
    install(tmp_path, "flex-bound", "bound = flexbound:Store", flexbound=source)
    monkeypatch.syspath_prepend(str(tmp_path))

    async def main() -> None:
        store = await open_async_store("bound", IDENTITY)
        made: Any = store._opened.binding.plugin
        assert made.loop is asyncio.get_running_loop()
        assert await store.get_token() is None

    asyncio.run(main())


def test_wrong_arguments_raise_as_before() -> None:
    async def main(*arguments: Any, **named: Any) -> None:
        await open_async_store(*arguments, **named)

    for arguments, named, error in (
        (("memory", "x"), {}, TypeError),
        (("memory", IDENTITY), {"host_lock": "x"}, ValueError),
        (("no-such-store", IDENTITY), {}, LookupError),
        (({"name": "file", "no": 1}, IDENTITY), {}, ValueError),
    ):
        with pytest.raises(error):
            asyncio.run(main(*arguments, **named))
