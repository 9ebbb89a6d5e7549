"""The connections of an event loop, shared by all async instances in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from . import clients
from .clients import Key, Maker, Reaper, Shared

if TYPE_CHECKING:
    from .connection_pool import Slot
    from .deadline import Watch


def load() -> None:
    """Imports what the requests of a loop need, which takes longer than a loop may stand still.

    The HTTP library imports most of it at its first use.
    """
    import encodings.idna  # noqa: F401 - at the first host name

    import anyio._backends._asyncio  # noqa: F401 - at the first connection
    import httpcore2._async.http_proxy
    import httpx2  # noqa: F401 - at the first client

    from . import aio_network, quiet  # noqa: F401 - at the first request

    with suppress(ImportError):
        import httpcore2._async.socks_proxy  # noqa: F401 - at the first SOCKS connection


class AsyncShared(Shared):
    """The connections that the instances of one event loop share; that loop closes them."""

    def __init__(self, key: Key, maker: Maker, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(key, maker, loop)
        self._closing: set[asyncio.Future[None]] = set()
        self.keeper = self._kept()

    def start(self) -> None:
        """Arranges that idle connections are closed, and all of them at the end of the loop."""
        with suppress(StopIteration):
            self.keeper.asend(None).send(None)  # to its ``yield``

    def let_go(self) -> None:
        """Closes the connections of a closed loop, which cannot do it any more."""
        self.closed = True
        self.retire()
        self.backend.let_go()

    async def give_back(self, watch: Watch, *, whole: bool) -> None:
        """Frees the slot of a request that has ended."""
        dropped, holder = [], watch.holder
        for slot in self.slots.held_by(holder):
            slot.idle_since = time.monotonic()
            if not whole or self.closed:
                dropped += [self._emptied(slot), *watch.opened]
        # First: the next request need not wait until a connection is closed.
        self.slots.give_back(holder)
        for client in dropped:
            if client is not None:
                await client.aclose()
        if self.timer is None and not self.closed:
            self.timer = self.loop.call_later(clients.KEEP_IDLE, self._close_idle)

    def _close_idle(self) -> None:
        self.timer, by = None, Reaper()
        for slot in self.expired(time.monotonic(), by):
            client = self._emptied(slot)
            slot.release(by)
            self.slots.wake()
            closing = asyncio.ensure_future(client.aclose())
            # asyncio itself keeps only weak references to tasks.
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        idle = [slot.idle_since for slot in self.slots.all if slot.client is not None]
        if idle and not self.closed:
            left = min(idle) + clients.KEEP_IDLE - time.monotonic()
            # In use all the time: it is looked at again when it is given back.
            self.timer = self.loop.call_later(max(left, 0.05), self._close_idle)

    @staticmethod
    def _emptied(slot: Slot) -> Any:
        client, slot.client = slot.client, None
        return client

    async def _kept(self) -> AsyncGenerator[None, None]:
        """A generator that closes the connections when the last instance or the loop closes it.

        ``asyncio.run`` closes all asynchronous generators before it closes the loop. After that
        nobody could close the connections any more.
        """
        try:
            yield
        finally:
            # Before anything is awaited: no request may join connections that are being closed.
            self.closed = True
            self.retire()
            if self.timer is not None:
                self.timer.cancel()
            for client in [self._emptied(slot) for slot in self.slots.all]:
                if client is not None:
                    with suppress(Exception):
                        await client.aclose()
