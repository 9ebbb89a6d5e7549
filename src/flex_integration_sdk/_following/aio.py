"""Events as they happen, for asyncio programs."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, cast

from flex_tokenstore.embedding import submit

from .aio_bell import AsyncBell
from .aio_turn import AsyncTurn
from .cursor import AnyAsyncCursor, FileCursor, name_of, opened
from .ground import Ground, worker_stores
from .plan import Plan
from .signals import Signals
from .told import state_of
from .turn import Clock, Turn
from .work import Hand, Load, Poll, Save, Step, Take, Wait, Work

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType

    from flex_integration_sdk._endpoints.lazy import AsyncSend
    from flex_integration_sdk.resources import Event


class AsyncEventStream:
    """Events as they happen: ``async with sdk.events.follow(cursor="orders.json") as stream:``
    and then ``async for event in stream: …``.

    ``sdk.events.follow`` makes it. One task iterates over it; any thread, and a signal handler,
    can call :meth:`stop`. Asking for the next event says that the last one is handled; so does
    leaving the ``async with`` block without an exception. After an exception, the event under way
    is not handled: it comes again, in this program or in the next run.
    """

    def __init__(
        self,
        ground: Ground[AsyncSend],
        plan: Plan,
        cursor: AnyAsyncCursor | None,
        *,
        clock: Clock | None = None,
        bell: AsyncBell | None = None,
    ) -> None:
        self._clock = clock = clock or Clock()
        self._ground, self._plan = ground, plan
        self._cursor = cast("Any", opened(cursor))
        self._bell = bell or AsyncBell()
        self._turn: AsyncTurn | None = None
        turn = None
        if plan.worker is not None:
            turn = Turn(plan.takeover, clock)
            name = plan.worker
            self._turn = AsyncTurn(turn, lambda: worker_stores(ground, name), self._bell.ring)
        called = None if self._cursor is None else name_of(self._cursor)
        self._work = Work(plan, turn, called, clock)
        self._steps = self._work.steps()
        self._step: Step | None = None
        self._is_started = self._is_ended = False
        self._is_out = False  # whether the program has the event of the step
        self._write: Future[Any] | None = None  # what a thread does with the cursor file
        # Without this object in it: one that is dropped is to be collected at once.
        self._stop = partial(_stop, self._work, self._bell)
        self._signals = Signals(plan.stop_on, self._stop)

    def stop(self) -> None:
        """Lets the event under way be finished, and then ends the iteration.

        It returns at once. A wait ends at once, a query that was sent is waited for. You may call
        it from any thread, from a signal handler, and twice.
        """
        self._stop()

    async def done(self) -> None:
        """Says that the last event is handled, without asking for the next one.

        Raises:
            CursorError: The position cannot be saved.
        """
        # In the other mode it is saved already: the next save would be that of the next event.
        if self._is_out and self._plan.is_careful:
            self._advance(None)
            while self._is_saving():
                await self._perform()

    async def aclose(self) -> None:
        """Ends the iteration; the last event counts as handled. You may call it twice.

        Raises:
            CursorError: The position cannot be saved; all else is closed.
        """
        try:
            await self.done()
        finally:
            await self._end()

    def __repr__(self) -> str:
        state = state_of(self._work, started=self._is_started, ended=self._is_ended)
        return f"<{type(self).__name__}: {state}>"

    def __aiter__(self) -> AsyncIterator[Event]:
        # An event that a loop was left with, as by an exception, is not handled: it comes again.
        if self._plan.is_careful:
            self._is_out = False
        return self

    if not TYPE_CHECKING:  # type checkers know that it has neither

        def __iter__(self) -> NoReturn:
            raise TypeError(f"{type(self).__name__} needs `async for`, in an `async def`")

        def __await__(self) -> NoReturn:
            raise TypeError(f"{type(self).__name__} is not awaited: use it in `async for`")

    async def __anext__(self) -> Event:
        self._signals.install()
        try:
            if self._is_out:
                self._advance(None)
            while not self._is_ended:
                if not self._is_started:
                    self._is_started = True
                    self._advance(None)
                elif isinstance(self._step, Hand):
                    self._is_out = True
                    return cast("Event", self._step.event)
                else:
                    await self._perform()
        except Exception:
            await self._end()
            raise
        await self._end()
        raise StopAsyncIteration

    async def __aenter__(self) -> AsyncEventStream:
        self._signals.install()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            await self.aclose()
        else:
            await self._end()

    def __del__(self) -> None:
        # Nothing is saved here: nobody said that the last event is handled.
        turn = getattr(self, "_turn", None)
        if turn is not None:
            turn.abandon()
        signals = getattr(self, "_signals", None)
        if signals is not None:
            signals.restore()  # else Ctrl-C would stop a stream that is gone, and not the program

    def _is_saving(self) -> bool:
        return isinstance(self._step, (Load, Save))

    async def _end(self) -> None:
        self._is_ended, self._is_out, self._step = True, False, None
        self._steps.close()
        self._signals.restore()
        turn, self._turn = self._turn, None
        try:
            await self._written()  # else it would write when another replica works
        finally:
            if turn is not None:
                await turn.end()

    def _advance(self, value: Any, error: Exception | None = None) -> None:
        self._is_out = False
        try:
            self._step = self._steps.send(value) if error is None else self._steps.throw(error)
        except StopIteration:
            self._step, self._is_ended = None, True

    async def _perform(self) -> None:
        """Carries out one step. One that Ctrl-C interrupts is done again at the next call."""
        try:
            value = await self._carry_out(self._step)
        except Exception as error:  # noqa: BLE001 - it is thrown into the work, which decides
            self._advance(None, error)
        else:
            self._advance(value)

    async def _carry_out(self, step: Step | None) -> Any:
        match step:
            case Wait():
                await self._wait(step.until - self._clock.monotonic())
            case Poll():
                return await self._ground.send("events.query", step.arguments, step.further)
            case Load():
                return await self._kept("load")
            case Save():
                await self._kept("save", step.position)
            case Take():
                self._ground.closing.check()
                return self._turn is not None and await self._turn.take()
        return None

    async def _kept(self, method: str, *arguments: str) -> Any:
        if self._cursor is None:
            return None
        if isinstance(self._cursor, FileCursor):  # a disk may be slow
            await self._written()
            self._write = submit("io", partial(getattr(self._cursor, method), *arguments))
            return await asyncio.wrap_future(self._write)
        found = getattr(self._cursor, method)(*arguments)
        return await found if inspect.isawaitable(found) else found

    async def _written(self) -> None:
        """Waits for a thread that still writes the file, since the task was cancelled: not two."""
        if self._write is not None and not self._write.done():
            with suppress(Exception):  # nobody asks for it any more
                await asyncio.wrap_future(self._write)

    async def _wait(self, seconds: float) -> None:
        closing = self._ground.closing
        with closing.waking(self, self._bell.ring):
            # After it is listed: who closes the instance goes through the list once.
            if not closing.closed and not self._work.stopped:
                await self._bell.wait(seconds)
        closing.check()


def _stop(work: Work, bell: AsyncBell) -> None:
    work.stopped = True
    bell.ring()
