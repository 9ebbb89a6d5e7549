"""Stores that connect, wait or block where they are only opened or closed."""

from __future__ import annotations

import socket
import sqlite3
import time
from contextlib import closing, suppress
from typing import Any, ClassVar

from flex_tokenstore import TokenIdentity, TokenUnavailableError, hookimpl

from .beasts import caught_by
from .full import AsyncFullStore, FullStore, TwinStore


@caught_by("test_opening_does_not_connect")
class ConnectsInInit(FullStore):
    """With a server that is down, the program cannot go on with a token in memory."""

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        with suppress(sqlite3.Error), closing(sqlite3.connect(options.path)):
            pass


@caught_by("test_opening_needs_no_backend")
class ChecksItsServerInInit(FullStore):
    """To fail early."""

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        self.transact(lambda _: None)


@caught_by("test_opening_does_not_connect")
class PingsInInit(FullStore):
    """And goes on if nobody answers."""

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", 9), timeout=0.1).close()


@caught_by("test_opening_does_not_wait")
class WaitsInInit(FullStore):
    """For a server that is about to start."""

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        time.sleep(0.6)


@caught_by("test_opening_does_not_wait_for_a_backend_that_hangs", swift=False)
class WaitsForItsServerInInit(FullStore):
    """Only if it hangs."""

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        with suppress(TokenUnavailableError):
            self.transact(lambda _: None)


class _AsyncWaitsInInit(AsyncFullStore):
    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        time.sleep(0.05)


@caught_by("test_opening_does_not_block_the_event_loop", kind="async")
class BlocksInInit(TwinStore):
    """The async class connects in its constructor."""

    async_class: ClassVar[type] = _AsyncWaitsInInit


class _AsyncConnectsInInit(AsyncFullStore):
    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        self.store.transact(lambda _: None)


@caught_by("test_opening_needs_no_backend", kind="async")
class AsyncConnectsInInit(TwinStore):
    """As above, with its errors."""

    async_class: ClassVar[type] = _AsyncConnectsInInit


class _AsyncWaitsInClose(AsyncFullStore):
    @hookimpl
    async def close(self) -> None:
        time.sleep(0.05)


@caught_by("test_closing_does_not_block_the_event_loop", kind="async")
class BlocksInClose(TwinStore):
    """It waits for its last request, and all others with it."""

    async_class: ClassVar[type] = _AsyncWaitsInClose


class _AsyncWritesInClose(AsyncFullStore):
    @hookimpl
    async def close(self) -> None:
        self.store.transact(lambda _: None)


@caught_by("test_closing_does_not_block_the_event_loop", kind="async")
class SaysGoodbye(TwinStore):
    """A request of the sync driver, in the event loop."""

    async_class: ClassVar[type] = _AsyncWritesInClose
