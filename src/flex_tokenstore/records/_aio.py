"""The base of a store whose driver is async; it differs from the sync one only by ``await``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from .._concurrency.event_loops import running_loop
from ..hookspecs import hookimpl
from ._base import RecordBase
from ._clients import Loop
from ._record import Sleep, Steps

T = TypeVar("T")


class AsyncRecordStore(RecordBase):
    """:class:`RecordStore` for an async driver: its methods may be coroutine functions.

    ``describe``, ``locate`` and ``key_of`` are plain methods. It has one more::

        abandon(client) *   closes, without a wait, what belongs to an event loop that is closed
    """

    @hookimpl
    async def get_token(self) -> dict[str, Any] | None:
        return await _carry_out(self._policy.get())

    @hookimpl
    async def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        await _carry_out(self._policy.put(token, expected))

    @hookimpl
    async def remove_token(self, expected: str | None) -> None:
        await _carry_out(self._policy.put(None, expected))

    @hookimpl
    async def prepare_save(self, expected: str | None) -> None:
        if hasattr(self, "prove"):
            await _carry_out(self._policy.prove(expected))

    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float | None]:
        held = await _carry_out(self._lease.take(wait, lease))
        pid = os.getpid()
        try:
            yield held.lease_end
        finally:
            if os.getpid() == pid:  # a forked child does not hold it
                await _carry_out(self._lease.release(held))

    @hookimpl
    async def close(self) -> None:
        await _carry_out(self._calls.close())
        # What other loops that still run have open is closed by them.
        for loop, steps in self._calls.close_elsewhere():
            asyncio.run_coroutine_threadsafe(_carry_out(steps), loop)

    async def call(self, name: str, *args: Any) -> Any:
        """Calls a method of this store as the base does: with a client, repeated where that is
        safe, and with the base's errors. For hooks of a store's own.

        Args:
            name: Of the method; it takes the client first.
            args: The rest of what it takes.
        """
        return (await _carry_out(self._where.call(name, *args))).value

    def _loop_here(self) -> Loop:
        return running_loop()


async def _carry_out(steps: Steps[T]) -> T:
    failure: BaseException | None = None
    try:
        step = next(steps)
        while True:
            answer: Any = None
            failure = None
            try:
                answer = await (asyncio.sleep(step.seconds) if isinstance(step, Sleep) else step)
            except BaseException as error:  # noqa: BLE001 - they decide; a cancelling must reach them
                failure = error
            # Not while it is handled: it would be the context of what they raise.
            step = steps.send(answer) if failure is None else steps.throw(failure)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        failure = None  # its traceback has this frame
        steps.close()  # Ctrl-C may strike here, between two steps: they must hear of it
