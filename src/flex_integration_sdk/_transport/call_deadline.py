"""The end of a whole call: ``total_timeout``, with its waits and repetitions.

Whatever makes a call wait looks at the deadline of the call that its thread or task makes. A token
request does not: others wait for its token too, and it goes on when this call has ended.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, TypeVar

from flex_integration_sdk.errors import CallTimeoutError
from flex_tokenstore.embedding import WaitEnded, waiting_until

if TYPE_CHECKING:
    from .deadline import Watch

T = TypeVar("T")
Part = Literal["response", "connection", "pause", "token"]

_NAMES: dict[Part, str] = {
    "response": "for responses",
    "connection": "for a free connection",
    "pause": "in pauses for rate limits and repetitions",
    "token": "for the token and all else",
}
_REMEDIES: dict[Part, str] = {
    "response": "Check the network and the proxy, ask for less (per_page, fields)",
    "connection": "Make fewer calls at once",
    "pause": "Make fewer calls in that time",
    "token": "Find out with `flex-sdk doctor` whether another program holds the token lock",
}


class CallDeadline:
    """Until when one call may go on, and where its time went.

    Args:
        seconds: The limit.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.began = time.monotonic()
        self.end = self.began + seconds
        self.sent = False
        """Whether any of an API request was sent."""
        self._spent: dict[Part, float] = {}
        self._open: dict[Part, float] = {}

    def left(self) -> float:
        """Seconds until the end; not below 0."""
        return max(0.0, self.end - time.monotonic())

    def over(self) -> bool:
        """Whether the call must end."""
        return time.monotonic() >= self.end

    def begin(self, part: Part) -> None:
        """From now on time goes there."""
        self._open[part] = time.monotonic()

    def finish(self, part: Part) -> None:
        """No time goes there any more."""
        seconds = time.monotonic() - self._open.pop(part)
        self._spent[part] = self._spent.get(part, 0.0) + seconds

    def error(self, ahead: float = 0.0) -> CallTimeoutError:
        """The error for a call that ends by its time.

        Args:
            ahead: Seconds of a pause that would go beyond the end, so that it was not begun.
        """
        spent = self._parts()
        if ahead:
            most: Part = "pause"
            text = (
                f"the call would take longer than total_timeout ({self.seconds:g} s): it must "
                f"pause for {ahead:.1f} s more"
            )
        else:
            most = max(spent, key=lambda part: spent[part])
            text = f"the call took longer than total_timeout ({self.seconds:g} s)"
        told = ", ".join(
            f"{seconds:.1f} s {_NAMES[part]}" for part, seconds in spent.items() if seconds >= 0.05
        )
        text += f"; {told}" if told else ""
        failure = CallTimeoutError(
            f"{text}. {_REMEDIES[most]}, or raise total_timeout",
            limit="total_timeout",
            seconds=self.seconds,
            spent={part: seconds for part, seconds in spent.items() if seconds},
        )
        failure.sent = self.sent
        return failure

    def _parts(self) -> dict[Part, float]:
        spent = dict(self._spent)
        for part, began in self._open.items():
            spent[part] = spent.get(part, 0.0) + time.monotonic() - began
        connection, pause = spent.get("connection", 0.0), spent.get("pause", 0.0)
        # A request waits for a connection first.
        response = max(0.0, spent.get("response", 0.0) - connection)
        rest = max(0.0, time.monotonic() - self.began - response - connection - pause)
        return {"token": rest, "pause": pause, "connection": connection, "response": response}


# Of the call that this thread or task makes.
CALL: ContextVar[CallDeadline | None] = ContextVar("flex_integration_sdk_call", default=None)


@contextmanager
def spending(part: Part) -> Iterator[CallDeadline | None]:
    """A block whose time is noted, if the call has a limit."""
    deadline = CALL.get()
    if deadline is None:
        yield None
        return
    deadline.begin(part)
    try:
        yield deadline
    finally:
        deadline.finish(part)


@contextmanager
def bounding(watch: Watch) -> Iterator[None]:
    """A block that makes a request of a call, which ends with the call."""
    with spending("response") as deadline:
        if deadline is None:
            yield
            return
        watch.until = deadline.end
        try:
            yield
        finally:
            deadline.sent = deadline.sent or watch.sent or watch.unseen


def whole_call(seconds: float | None, call: Callable[[], T]) -> T:
    """Makes one call of a sync program.

    Args:
        seconds: What it may take in all; None: no limit.
        call: Makes it.

    Raises:
        CallTimeoutError: It took longer.
    """
    # A callback of a call that has a limit may make one without.
    if seconds is None and CALL.get() is None:
        return call()
    deadline = None if seconds is None else CallDeadline(seconds)
    mark = CALL.set(deadline)
    try:
        with waiting_until(None if deadline is None else deadline.end):
            return call()
    except WaitEnded:
        failure = None if deadline is None else deadline.error()
    finally:
        CALL.reset(mark)
    # Outside of ``except``: the error's context would keep the frames of the wait.
    raise failure or WaitEnded


async def whole_call_async(seconds: float | None, call: Callable[[], Awaitable[T]]) -> T:
    """Makes one call of an asyncio program; as :func:`whole_call`."""
    if seconds is None and CALL.get() is None:
        return await call()
    import asyncio

    deadline = None if seconds is None else CallDeadline(seconds)
    failure: CallTimeoutError | None = None
    scope = asyncio.timeout(seconds)
    mark = CALL.set(deadline)
    try:
        async with scope:
            return await call()
    except TimeoutError as error:
        if deadline is None or isinstance(error, CallTimeoutError) or not scope.expired():
            raise
        failure = deadline.error()
    finally:
        CALL.reset(mark)
    raise failure
