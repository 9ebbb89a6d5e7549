"""A worker's turn in an asyncio program: a task renews it while the program handles an event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING

from flex_tokenstore import TokenLockTimeoutError, TokenStoreError

from .plan import logger
from .turn import Lock, LockSteps, Turn

if TYPE_CHECKING:
    from flex_tokenstore import AsyncTokenStore


_ending: set[asyncio.Future[None]] = set()


class AsyncTurn:
    """Takes, renews and ends the turn.

    Args:
        turn: Judges it.
        open_stores: Opens the handles whose locks are used.
        changed: Called when the turn may have ended.
    """

    def __init__(
        self,
        turn: Turn,
        open_stores: Callable[[], list[AsyncTokenStore]],
        changed: Callable[[], object],
    ) -> None:
        self._turn, self._open, self._changed = turn, open_stores, changed
        self._stores: list[AsyncTokenStore] = []
        self._locks: dict[int, AbstractAsyncContextManager[float | None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def take(self) -> bool:
        """Begins the turn, if nobody else has it.

        Raises:
            TokenUnavailableError: The store cannot answer.
            ConfigurationError: The store cannot keep replicas apart.
        """
        if self._task is not None:  # of a turn that has ended
            await self._task
            self._task = None
        self._loop = asyncio.get_running_loop()
        if not self._stores:
            self._stores = self._open()
        await self._let_go()  # of a try that was cancelled
        taken = await self._carry_out(self._turn.take())
        if taken and not self._turn.is_lasting:
            self._task = self._loop.create_task(self._renew(), name="flex-integration-turn")
        return taken

    async def end(self) -> None:
        """Ends the turn and closes the handles. You may call it twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._let_go()
        stores, self._stores = self._stores, []
        for store in stores:
            try:
                await store.aclose()
            except TokenStoreError as error:
                logger.warning("a worker's store was not closed cleanly: %s", error)

    def abandon(self) -> None:
        """For a finalizer: the event loop ends the turn, if it still runs."""
        loop = self._loop
        if loop is not None and (self._locks or self._stores):
            with suppress(RuntimeError):  # it was closed
                loop.call_soon_threadsafe(self._end_soon)

    def _end_soon(self) -> None:
        task = asyncio.ensure_future(self.end())
        _ending.add(task)  # else nobody would refer to it
        task.add_done_callback(_ending.discard)

    async def _let_go(self) -> None:
        try:
            await self._carry_out(self._turn.drop())
            for number in list(self._locks):
                await self._unlock(number)
        except TokenStoreError as error:
            logger.warning("a worker's lock was not released: %s", error)

    async def _renew(self) -> None:
        turn = self._turn
        pause = turn.renew_in
        while True:
            await asyncio.sleep(pause)
            try:
                renewed = await self._carry_out(turn.renew())
            except TokenStoreError as error:
                logger.warning("a worker's lock was not renewed yet: %s", error)
                renewed = False
            if not turn.is_ours:
                logger.warning("a worker's turn has ended, since its lock was not renewed in time")
                break
            pause = turn.renew_in if renewed else turn.look
        await self._let_go()
        self._changed()

    async def _carry_out(self, steps: LockSteps) -> bool:
        try:
            step = next(steps)
            while True:
                try:
                    end = None
                    if isinstance(step, Lock):
                        end = await self._lock(step.number)
                    else:
                        await self._unlock(step.number)
                except (TokenStoreError, TokenLockTimeoutError) as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(end)
        except StopIteration as stop:
            return bool(stop.value)

    async def _lock(self, number: int) -> float | None:
        manager = self._stores[number].token_lock(0, self._turn.lease)
        end = await manager.__aenter__()
        self._locks[number] = manager
        return end

    async def _unlock(self, number: int) -> None:
        manager = self._locks.pop(number, None)
        if manager is not None:
            await manager.__aexit__(None, None, None)
