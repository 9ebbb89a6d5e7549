"""What to do next, from one event to the next one; without I/O.

:meth:`Work.steps` yields steps; ``sync`` and ``aio`` carry them out, and send back what came of
each, or throw what it raised. An event is a step as well: the generator goes on when the program
has handled it. So a program that fails within an event never gets to what comes after it.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from flex_integration_sdk.errors import (
    CursorError,
    EventGapError,
    RateLimitedError,
    ServerError,
    TransportError,
)
from flex_tokenstore import TokenLockTimeoutError, TokenPermissionError, TokenUnavailableError

from .plan import Plan, cut, logger
from .position import Position, behind, moment_of, read
from .turn import Clock, Turn

_PAGE = 100
_FIRST_PAUSE = 1.0  # seconds after a failure; then twice as long each time, up to the interval
_LONGEST_PAUSE = 300.0  # seconds
_QUIET = timedelta(days=1)  # after which a position that is a moment is moved on
_SECOND = timedelta(seconds=1)  # the API's clock is known to the second, rounded down
_SLACK = timedelta(hours=1)  # by which this machine's clock may be ahead of the API's


class Take(NamedTuple):
    """Try to begin the turn; what comes back is whether it is ours."""


class Load(NamedTuple):
    """Read the cursor; what comes back is its text, or None."""


class Save(NamedTuple):
    """Write the cursor."""

    position: str


class Poll(NamedTuple):
    """Query the events; what comes back is the response."""

    arguments: dict[str, Any]
    further: dict[str, Any]


class Wait(NamedTuple):
    """Wait, unless something happens."""

    until: float
    """By the monotonic clock."""


class Hand(NamedTuple):
    """Give the event to the program; it goes on when that is handled."""

    event: Any


Step: TypeAlias = Take | Load | Save | Poll | Wait | Hand
Steps = Generator[Step, Any, None]
_PASSING = (
    TransportError,
    RateLimitedError,
    ServerError,
    TokenUnavailableError,
    TokenLockTimeoutError,
)


class Work:
    """The work of one stream.

    Args:
        plan: The arguments.
        turn: The worker's turn; None: no replicas.
        cursor: What to call the cursor in messages; None: there is none.
        clock: Tells the time.
    """

    def __init__(self, plan: Plan, turn: Turn | None, cursor: str | None, clock: Clock) -> None:
        self._plan, self._turn, self._cursor, self._clock = plan, turn, cursor, clock
        self.stopped = False
        self._position: Position | None = None
        self._failures = 0
        self._due = 0.0  # of the next poll, by the monotonic clock
        self._is_told = False  # that another replica has the turn
        self._is_checked = False  # that nothing is missing after the position

    def steps(self) -> Steps:
        """From the start until it is stopped."""
        while not self.stopped:
            if self._turn is not None and not (yield from self._begins(self._turn)):
                continue
            position = yield from self._opened()
            if position is not None and (yield from self._is_continuous(position)):
                yield from self._follow()

    def _begins(self, turn: Turn) -> Generator[Step, Any, bool]:
        if turn.is_ours:
            if turn.is_sure:
                return True
            yield Wait(self._clock.monotonic() + turn.look)  # it is being renewed, or it ends
            return False
        try:
            ours = yield Take()
        except TokenPermissionError:
            raise  # it would be refused the next time, too
        except (TokenUnavailableError, TokenLockTimeoutError) as error:
            yield from self._failed(error, "its token store could not tell whose turn it is")
            return False
        if ours:
            self._failures, self._due, self._is_checked = 0, 0.0, False
            # Another may have worked meanwhile.
            self._position = None if self._cursor else self._position
            self._is_told = False
            logger.info("worker %r: this replica works now", self._plan.worker)
            return True
        if not self._is_told:
            self._is_told = True
            waits = "another replica works, and this one waits to take over"
            logger.info("worker %r: %s", self._plan.worker, waits)
        yield Wait(self._clock.monotonic() + turn.look)
        return False

    def _opened(self) -> Generator[Step, Any, Position | None]:
        """Where to go on; saved, so that a program that dies here goes on there as well."""
        if self._position is None:
            text = (yield Load()) if self._cursor else None
            if text is not None:
                assert self._cursor is not None
                self._position = read(text, self._cursor)
                return self._position
            first = self._plan.first(self._clock.wall())
            if not (yield from self._saved(first)):
                return None
            self._position = first
        return self._position

    def _is_continuous(self, position: Position) -> Generator[Step, Any, bool]:
        """Looks whether the last event is still there: else some after it may be gone as well."""
        if position.after is None or self._is_checked:
            return True
        # Without the program's filters, which may have changed.
        asked = {"startAfterSequenceId": position.after - 1}
        response = yield from self._polled(Poll(asked, {}))
        if response is None:
            return False
        found = response.data[0] if response.data else None
        number = None if found is None else found["attributes"]["sequenceId"]
        self._is_checked = True
        if number == position.after:
            assert found is not None
            if position.event not in (None, str(found["id"])):
                raise CursorError(
                    f"{self._cursor} is of another marketplace: the event {position.after} there "
                    f"is {position.event}, and here it is {found['id']}; nothing was changed. Use "
                    "a cursor for each marketplace"
                )
        else:
            gap = EventGapError(after=position.after, at=position.at, next=number)
            logger.warning("%s", gap)
            self._plan.tell(gap)
        return True

    def _follow(self) -> Steps:
        """Polls and hands out, until it is stopped or the turn may have ended."""
        while self._goes_on():
            if self._due > self._clock.monotonic():
                yield Wait(self._due)
                continue
            began = self._clock.monotonic()
            position = self._position
            if position is None:
                return  # another has gone on, and its position is to be read
            asked = {**self._plan.query, **position.arguments}
            response = yield from self._polled(Poll(asked, dict(self._plan.further)))
            if response is None:
                continue
            is_full = len(response.data) >= (response.meta.get("perPage") or _PAGE)
            answered = self._clock.monotonic()
            self._due = (
                answered + self._plan.full_page_pause if is_full else began + self._plan.interval
            )
            for event in response.data:
                if not (yield from self._delivered(event)):
                    self._due = 0.0  # what is left of the page is not forgotten
                    return
            if not response.data:
                yield from self._moved_on(moment_of(response))

    def _delivered(self, event: Any) -> Generator[Step, Any, bool]:
        """Hands out one event; False: the stream is stopped, or others may work now."""
        position = behind(event)
        if self._position is None or not self._position.is_behind(position):
            return True
        if not self._goes_on():
            return False
        if not self._plan.is_careful:
            if not (yield from self._saved(position)):
                return False
            self._position = position
            if self._turn is not None and not self._turn.is_sure:
                logger.warning("event %s is not handled: %s", position.after, _ENDED)
                return False
            yield Hand(event)
            return True
        yield Hand(event)
        if not (yield from self._saved(position)):
            logger.warning("event %s may be handled again: %s", position.after, _ENDED)
            return False
        self._position = position
        return True

    def _saved(self, position: Position) -> Generator[Step, Any, bool]:
        """Saves the position; False: another replica may have gone on from an older one."""
        if self._cursor is None:
            return True
        if self._turn is not None:
            # Looked up as well: if this program was suspended right before, another has gone on.
            kept = yield Load()
            if not self._turn.is_ours:
                return False
            if kept is not None and position.is_behind(read(kept, self._cursor)):
                self._position = None
                return False
        yield Save(position.text())
        return True

    def _moved_on(self, there: datetime | None) -> Steps:
        """Nothing has happened since a moment: a later one must do when that is forgotten.

        Args:
            there: The time by the API's clock.
        """
        position = self._position
        if position is None or position.since is None:
            return
        # Where this machine's clock is ahead, what happens until then would be missed.
        if there is not None and self._plan.since is None and there + _SECOND <= position.since:
            ahead = (position.since - there).total_seconds()
            logger.warning("this machine's clock is %.0f s ahead of the API's", ahead)
            yield from self._set_back(position, Position(since=there))
            return
        now = cut(datetime.fromtimestamp(self._clock.wall(), UTC))
        if now - position.since > _QUIET:
            later = Position(since=now - _SLACK)
            if (yield from self._saved(later)):
                self._position = later

    def _set_back(self, position: Position, earlier: Position) -> Steps:
        """Replaces a moment by an earlier one, unless another replica has gone on."""
        if self._cursor is not None:
            kept = yield Load()
            ours = self._turn is None or self._turn.is_ours
            if kept is None or not ours or read(kept, self._cursor) != position:
                self._position = None
                return
            yield Save(earlier.text())
        self._position = earlier

    def _polled(self, poll: Poll) -> Generator[Step, Any, Any]:
        """The response; None: it failed, and there was a pause."""
        try:
            response = yield poll
        except _PASSING as error:
            if isinstance(error, TokenPermissionError):
                raise
            yield from self._failed(error, "the events could not be queried")
            return None
        if self._failures:
            logger.info("the events can be queried again")
        self._failures = 0
        return response

    def _failed(self, error: Exception, what: str) -> Steps:
        pause = min(_FIRST_PAUSE * 2.0**self._failures, self._plan.interval, _LONGEST_PAUSE)
        # As long as the API asks, if it does.
        pause = max(pause, getattr(error, "retry_after", None) or 0.0)
        self._failures = min(self._failures + 1, 20)
        logger.warning("%s, and will be again in %.0f s: %s", what, pause, error)
        self._plan.tell(error)
        until = self._clock.monotonic() + pause
        while not self.stopped and until > self._clock.monotonic():
            yield Wait(until)

    def _goes_on(self) -> bool:
        return not self.stopped and (self._turn is None or self._turn.is_sure)


_ENDED = "this program's turn has ended, and another replica may have begun"
