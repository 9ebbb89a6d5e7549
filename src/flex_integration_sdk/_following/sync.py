"""Events as they happen, for sync programs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from .bell import Bell
from .cursor import AnyCursor, Cursor, name_of, opened
from .ground import Ground, worker_stores
from .plan import Plan
from .signals import Signals
from .sync_turn import SyncTurn
from .told import state_of
from .turn import Clock, Turn
from .work import Hand, Load, Poll, Save, Step, Take, Wait, Work

if TYPE_CHECKING:
    from types import TracebackType

    from flex_integration_sdk._endpoints.lazy import Send
    from flex_integration_sdk.resources import Event


class EventStream:
    """Events as they happen: ``with sdk.events.follow(cursor="orders.json") as stream:`` and then
    ``for event in stream: …``.

    ``sdk.events.follow`` makes it. One thread iterates over it; any thread, and a signal handler,
    can call :meth:`stop`. Asking for the next event says that the last one is handled; so does
    leaving the ``with`` block without an exception. After an exception, the event under way
    is not handled: it comes again, in this program or in the next run.
    """

    def __init__(
        self,
        ground: Ground[Send],
        plan: Plan,
        cursor: AnyCursor | None,
        *,
        clock: Clock | None = None,
        bell: Bell | None = None,
    ) -> None:
        self._clock = clock = clock or Clock()
        self._ground, self._plan = ground, plan
        self._cursor = cast("Cursor | None", opened(cursor))
        self._bell = bell or Bell()
        self._turn: SyncTurn | None = None
        turn = None
        if plan.worker is not None:
            turn = Turn(plan.takeover, clock)
            name = plan.worker
            self._turn = SyncTurn(turn, lambda: worker_stores(ground, name), self._bell.ring)
        called = None if self._cursor is None else name_of(self._cursor)
        self._work = Work(plan, turn, called, clock)
        self._steps = self._work.steps()
        self._step: Step | None = None
        self._is_started = self._is_ended = False
        self._is_out = False  # whether the program has the event of the step
        # Without this object in it: one that is dropped is to be collected at once.
        self._stop = partial(_stop, self._work, self._bell)
        self._signals = Signals(plan.stop_on, self._stop)

    def stop(self) -> None:
        """Lets the event under way be finished, and then ends the iteration.

        It returns at once. A wait ends at once, a query that was sent is waited for. You may call
        it from any thread, from a signal handler, and twice.
        """
        self._stop()

    def done(self) -> None:
        """Says that the last event is handled, without asking for the next one.

        Raises:
            CursorError: The position cannot be saved.
        """
        # In the other mode it is saved already: the next save would be that of the next event.
        if self._is_out and self._plan.is_careful:
            self._advance(None)
            while self._is_saving():
                self._perform()

    def close(self) -> None:
        """Ends the iteration; the last event counts as handled. You may call it twice.

        Raises:
            CursorError: The position cannot be saved; all else is closed.
        """
        try:
            self.done()
        finally:
            self._end()

    def __repr__(self) -> str:
        state = state_of(self._work, started=self._is_started, ended=self._is_ended)
        return f"<{type(self).__name__}: {state}>"

    def __iter__(self) -> Iterator[Event]:
        # An event that a loop was left with, as by an exception, is not handled: it comes again.
        if self._plan.is_careful:
            self._is_out = False
        return self

    def __next__(self) -> Event:
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
                    self._perform()
        except Exception:
            self._end()
            raise
        self._end()
        raise StopIteration

    def __enter__(self) -> EventStream:
        self._signals.install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._end()

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

    def _end(self) -> None:
        self._is_ended, self._is_out, self._step = True, False, None
        self._steps.close()
        self._signals.restore()
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.end()

    def _advance(self, value: Any, error: Exception | None = None) -> None:
        self._is_out = False
        try:
            self._step = self._steps.send(value) if error is None else self._steps.throw(error)
        except StopIteration:
            self._step, self._is_ended = None, True

    def _perform(self) -> None:
        """Carries out one step. One that Ctrl-C interrupts is done again at the next call."""
        try:
            value = self._carry_out(self._step)
        except Exception as error:  # noqa: BLE001 - it is thrown into the work, which decides
            self._advance(None, error)
        else:
            self._advance(value)

    def _carry_out(self, step: Step | None) -> Any:
        match step:
            case Wait():
                self._wait(step.until - self._clock.monotonic())
            case Poll():
                return self._ground.send("events.query", step.arguments, step.further)
            case Load():
                return None if self._cursor is None else self._cursor.load()
            case Save():
                if self._cursor is not None:
                    self._cursor.save(step.position)
            case Take():
                self._ground.closing.check()
                return self._turn is not None and self._turn.take()
        return None

    def _wait(self, seconds: float) -> None:
        closing = self._ground.closing
        with closing.waking(self, self._bell.ring):
            # After it is listed: who closes the instance goes through the list once.
            if not closing.closed and not self._work.stopped:
                self._bell.wait(seconds)
        closing.check()


def _stop(work: Work, bell: Bell) -> None:
    work.stopped = True
    bell.ring()
