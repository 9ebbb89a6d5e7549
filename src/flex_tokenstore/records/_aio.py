"""The base of a store whose driver is async; it differs from the sync one only by ``await``."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from .._concurrency.event_loops import running_loop
from ..errors import StoreOptionsError, TokenStoreError
from ..hookspecs import hookimpl
from ._base import RecordBase
from ._clients import Client
from ._record import Answer, Call, Changed, Kind, Problem, Sleep, Steps

T = TypeVar("T")


class AsyncRecordStore(RecordBase):
    """:class:`RecordStore` for an async driver: its methods may be coroutine functions.

    ``describe``, ``locate`` and ``key_of`` are plain methods. It has one more::

        abandon(client) *   closes, without a wait, what belongs to an event loop that is closed
    """

    @hookimpl
    async def get_token(self) -> dict[str, Any] | None:
        return await self._run(self._policy.get())

    @hookimpl
    async def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        await self._run(self._policy.put(token, expected))

    @hookimpl
    async def remove_token(self, expected: str | None) -> None:
        await self._run(self._policy.put(None, expected))

    @hookimpl
    async def prepare_save(self, expected: str | None) -> None:
        if hasattr(self, "prove"):
            await self._run(self._policy.prove(expected))

    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float | None]:
        held = await self._run(self._lease.take(wait, lease))
        pid = os.getpid()
        try:
            yield held.lease_end
        finally:
            if os.getpid() == pid:  # a forked child does not hold it
                await self._run(self._lease.release(held))

    @hookimpl
    async def close(self) -> None:
        self._abandon()
        if self.given:
            return
        held = self._clients.take(running_loop())
        if held is not None:
            await self._disconnect(held.made)
        # What other loops that still run have open is closed by them.
        for loop, other in self._clients.others(running=True):
            asyncio.run_coroutine_threadsafe(self._close(self._clients.retire(loop, other)), loop)

    def connect(self) -> Any:
        """A client of the service, or a coroutine that makes one."""
        return None

    async def _run(self, steps: Steps[T]) -> T:
        return await _drive(steps, self._perform)

    async def _perform(self, step: Call | Sleep) -> Answer | None:
        if isinstance(step, Sleep):
            await asyncio.sleep(step.seconds)
            return None
        held: Client | None = None
        loop = running_loop()
        call = object()
        known = gone = False
        try:
            held = await self._client(call)
            answer = Answer(await self._primitive(held.made, step))
            known = held.proved = True
            return answer
        except Changed as changed:
            known = True
            return Answer(changed.found, changed=True)
        except StoreOptionsError as error:  # of a file that has changed since the store was opened
            known = True
            problem = Problem(Kind.UNAVAILABLE, error.message)
        except TokenStoreError:
            known = True
            raise
        except Exception as error:
            found = self._problem(error, held)
            if found is None:
                raise
            problem = found
            known = True
        except GeneratorExit:
            gone = True  # no loop runs this any more: nothing can be awaited
            raise
        finally:
            if held is not None:
                if not known:  # cancelled, say: the answer may still come, to whoever asks next
                    self._clients.retire(loop, held)
                held.end(call)
                if not gone:
                    await self._close(self._clients.if_left(held))
        await self._move(held, problem)
        return Answer(problem=problem)  # outside: the driver's frames hold tokens

    async def _primitive(self, client: Any, call: Call) -> Any:
        result = getattr(self, call.name)(client, *call.args)
        if not isinstance(result, Generator):
            return await _awaited(result)

        async def perform(command: Any) -> Any:
            if isinstance(command, Sleep):
                return await asyncio.sleep(command.seconds)
            return await self.send(client, command)

        return await _drive(result, perform)

    async def send(self, client: Any, command: Any) -> Any:
        """Carries out a command of a method that is a generator."""
        raise NotImplementedError(f"{type(self).__name__} yields commands, and has no send()")

    async def _client(self, call: object) -> Client:
        loop = running_loop()
        while True:
            held, old = self._clients.find(loop)
            await self._close(old)
            if held is None:
                self._abandon()
                stamp = self._clients.stamp()
                held, spare = self._clients.add(loop, await _awaited(self.connect()), stamp)
                await self._close(spare)
            if held.begin(call):
                return held
            await self._close(self._clients.if_left(held))  # another has retired it meanwhile

    async def _move(self, held: Client | None, problem: Problem) -> None:
        if held is None or not self._must_move(held, problem):
            return
        drop_idle = getattr(self, "drop_idle", None)
        if self.given and drop_idle is not None:
            with suppress(Exception):
                await _awaited(drop_idle(held.made))
        await self._close(self._clients.retire(running_loop(), held))

    async def _close(self, held: Client | None) -> None:
        if held is not None and not self.given:
            with suppress(Exception):  # it may be dead
                await self._disconnect(held.made)

    async def _disconnect(self, client: Any) -> None:
        disconnect = getattr(self, "disconnect", None)
        if disconnect is not None:
            await _awaited(disconnect(client))

    def _abandon(self) -> None:
        for _, held in self._clients.others(running=False):
            abandon = getattr(self, "abandon", None)
            if abandon is not None and not self.given:
                with suppress(Exception):
                    abandon(held.made)


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def _drive(steps: Steps[T], perform: Callable[[Any], Awaitable[Any]]) -> T:
    try:
        step = next(steps)
        while True:
            try:
                answer = await perform(step)
            except BaseException as error:  # noqa: BLE001 - they decide; a cancelling must reach them
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()  # Ctrl-C may strike here, between two steps: they must hear of it
