"""Performs the steps of a flow for an asyncio program: the sync driver with ``await``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from .base import Report, reply_to
from .flow.steps import Reply, Step
from .single_flight import Abandoned, Flight

if TYPE_CHECKING:
    from .._store.aio import AsyncTokenStore
    from .grants import AsyncGrants


class Port:
    """Performs steps for an asyncio program."""

    def __init__(self, store: AsyncTokenStore, grants: AsyncGrants) -> None:
        self.load = store.get_token
        self.save = store.set_token
        self.prepare = store.prepare_save
        self.remove = store.remove_token
        self.refresh = grants.refresh
        self.sign_in = grants.sign_in
        self.revoke = grants.revoke
        self.pause = asyncio.sleep
        self._store = store
        self._held, self._place = contextlib.AsyncExitStack(), contextlib.AsyncExitStack()
        self._places = getattr(grants, "place", contextlib.nullcontext)

    async def lock(self, wait: float, lease: float) -> float | None:
        # As in the sync driver: whoever waits for another program's lock is in nobody's way.
        await self._place.aclose()
        await self._place.enter_async_context(self._places())
        return await self._held.enter_async_context(self._store.token_lock(wait, lease))

    async def unlock(self) -> None:
        await self._held.aclose()

    async def end(self) -> None:
        try:
            await self._held.aclose()
        finally:
            await self._place.aclose()


async def drive(
    flow: Generator[Step, Reply, Any], port: Port, flight: Flight, report: Report
) -> Any:
    """Drives the flow to its end, and releases the lock however it ends."""
    try:
        step = next(flow)
        while True:
            report(step)
            if flight.stops_before(step):
                raise Abandoned
            try:
                reply = reply_to(await step.perform(port), None)
            except Exception as error:  # noqa: BLE001 - the flow judges it
                reply = reply_to(None, error)
            step = flow.send(reply)
    except StopIteration as stop:
        return stop.value
    finally:
        try:
            await port.end()
        finally:
            report(None)
