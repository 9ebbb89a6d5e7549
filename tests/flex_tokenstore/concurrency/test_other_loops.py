"""Under trio, curio or no event loop at all: a typed error that says that asyncio is needed."""

from __future__ import annotations

import sys
import types
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import trio

from flex_integration_sdk import RateLimiter, async_upload_file, create_async_instance
from flex_tokenstore import (
    AsyncioRequiredError,
    AsyncTokenSession,
    TokenStoreError,
    file_store,
    open_async_store,
)
from flex_tokenstore._store.aio import async_store
from tests.support.fakes import IDENTITY
from tests.support.kinds import issued


class AsyncGrants:
    """It is never asked."""

    async def refresh(self, refresh_token: Any) -> dict[str, Any]:
        raise AssertionError

    async def sign_in(self) -> dict[str, Any]:
        raise AssertionError

    async def revoke(self, token: Any) -> None:
        raise AssertionError


class Own:
    """With coroutines."""

    async def get_token(self) -> None:
        """There is none."""

    async def set_token(self, token: dict[str, Any]) -> None:
        raise AssertionError

    async def remove_token(self) -> None:
        raise AssertionError


async def hold(store: Any) -> None:
    async with store.token_lock(0, 5):
        pytest.fail("it was held")


async def enter(thing: Any) -> None:
    async with thing:
        pytest.fail("it was entered")


STORE: dict[str, Callable[[Any], Awaitable[object]]] = {
    "get_token": lambda s: s.get_token(),
    "set_token": lambda s: s.set_token(issued()),
    "remove_token": lambda s: s.remove_token(),
    "prepare_save": lambda s: s.prepare_save("x"),
    "token_lock": hold,
    "aclose": lambda s: s.aclose(),
    "async with": enter,
}
SESSION: dict[str, Callable[[Any], Awaitable[object]]] = {
    "token": lambda s: s.token(),
    "call": lambda s: s.new_call().token(),
    "peek": lambda s: s.peek(),
    "revoke": lambda s: s.revoke(),
    "remove": lambda s: s.remove(),
    "aclose": lambda s: s.aclose(),
    "async with": enter,
}
SDK: dict[str, Callable[[Any], Awaitable[object]]] = {
    "query": lambda s: s.listings.query(),
    "command": lambda s: s.listings.close(id="00000000-0000-0000-0000-000000000000"),
    "auth_info": lambda s: s.auth_info(),
    "revoke": lambda s: s.revoke(),
    "aclose": lambda s: s.aclose(),
    "async with": enter,
}


def by_hand(function: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """No event loop at all."""
    coroutine = function()
    try:
        coroutine.send(None)
    finally:
        coroutine.close()


RUNNERS: dict[str, Callable[[Any], object]] = {"trio": trio.run, "none": by_hand}


def refused(runner: str, call: Callable[[], Awaitable[object]]) -> None:
    async def main() -> None:
        await call()

    with pytest.raises(AsyncioRequiredError, match="needs asyncio") as caught:
        RUNNERS[runner](main)
    assert isinstance(caught.value, TokenStoreError)
    assert isinstance(caught.value, RuntimeError)
    assert ("trio runs here" if runner == "trio" else "asyncio.run()") in str(caught.value)


def config(kind: str, folder: Path) -> Any:
    return {"memory": "memory", "file": file_store(path=str(folder / "t")), "own": Own()}[kind]


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("kind", ["memory", "file", "own"])
@pytest.mark.parametrize("call", STORE)
def test_a_store(runner: str, kind: str, call: str, tmp_path: Path) -> None:
    if call == "prepare_save" and kind != "file":
        pytest.skip("it has no such hook")
    store = async_store(config(kind, tmp_path), IDENTITY)
    refused(runner, lambda: STORE[call](store))


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("call", SESSION)
def test_a_session(runner: str, call: str) -> None:
    session = AsyncTokenSession(async_store("memory", IDENTITY), AsyncGrants())
    refused(runner, lambda: SESSION[call](session))


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("call", SDK)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_instance(runner: str, call: str) -> None:
    sdk = create_async_instance(client_id="x", client_secret="y")
    refused(runner, lambda: SDK[call](sdk))
    sdk._closed = True  # nothing was opened


@pytest.mark.parametrize("runner", RUNNERS)
def test_functions(runner: str) -> None:
    upload: Any = {"url": "https://x.example/a", "method": "put", "headers": {}}
    refused(runner, lambda: open_async_store("memory", IDENTITY))
    refused(runner, lambda: async_upload_file(upload, b"x"))
    refused(runner, lambda: RateLimiter(burst=1, seconds=1).wait_async())


def test_an_instance_is_not_made_within_trio() -> None:
    async def main() -> None:
        create_async_instance(client_id="x", client_secret="y")

    with pytest.raises(AsyncioRequiredError, match="trio runs here"):
        trio.run(main)


def test_curio_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a fake with curio's function: curio itself is not kept up any more."""
    meta: Any = types.ModuleType("curio.meta")
    meta.curio_running = lambda: True
    monkeypatch.setitem(sys.modules, "curio.meta", meta)
    with pytest.raises(AsyncioRequiredError, match="curio runs here"):
        by_hand(lambda: open_async_store("memory", IDENTITY))
