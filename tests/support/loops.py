"""One async store handle in several event loops, one after the other and at once."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Callable
from typing import Any

from flex_tokenstore import open_async_store
from flex_tokenstore._store.aio import async_store
from tests.support.handles import IDENTITY, token
from tests.support.since import Since, wait_until


def check_one_after_the_other(config: Any, connections: Callable[[], int]) -> None:
    """Each `asyncio.run` works, and none leaves a connection, a socket or a warning.

    Args:
        config: The store's.
        connections: How many the server has now.
    """

    async def use(store: Any) -> None:
        await store.set_token(token("a"))
        async with store.token_lock(1, 5):
            assert await store.get_token() is not None

    store = async_store(config, IDENTITY)
    gc.collect()
    since = Since()
    gc.disable()  # what is let go is closed, not found by chance
    try:
        asyncio.run(use(store))
        first = len(since.files("socket:")), connections()
        for _ in range(4):
            asyncio.run(use(store))
        wait_until(lambda: connections() <= first[1])  # a server notices a moment later
        assert len(since.files("socket:")) <= first[0]
    finally:
        gc.enable()
    asyncio.run(store.aclose())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.collect()


def check_at_once(config: Any) -> None:
    """Each of several loops that live at the same time has what it needs."""
    together = threading.Barrier(4)
    errors: list[BaseException] = []

    async def use(store: Any) -> None:
        for _ in range(3):
            await asyncio.to_thread(together.wait, 30)
            assert await store.get_token() is not None
            await store.set_token(token("b"))

    def run(store: Any) -> None:
        try:
            asyncio.run(use(store))
        except BaseException as error:
            together.abort()
            errors.append(error)

    async def main() -> None:
        async with await open_async_store(config, IDENTITY) as store:
            await store.set_token(token("a"))
            threads = [threading.Thread(target=run, args=(store,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                await asyncio.to_thread(thread.join)

    asyncio.run(main())
    gc.collect()
    if errors:
        raise errors[0]
