"""Waiting for a refresh, and what interrupts it: Ctrl-C, a task queue's time limit, the loop's end.

Once a token request was sent, the token that it brings exists nowhere else until it is saved. So an
interrupt is raised when that is done, at most the time-out of one token request later. A second
Ctrl-C, a second or more after the first, is the one exception.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from .single_flight import Flight

logger = logging.getLogger("flex_tokenstore")

PRESSED_TWICE = 1.0  # seconds between two presses; less is one press that bounced, or a group's
LAST_MOMENT = 1.0  # seconds that a refresh that was given up has to end by itself
SAVING = 5.0  # seconds beyond the request's limit that an interrupt waits for the save


class WaitEnded(Exception):
    """The time that :func:`waiting_until` gave for waits is over; what was waited for goes on."""


# Monotonic time until which callers of this thread wait; None: without an end.
_until: ContextVar[float | None] = ContextVar("flex_tokenstore_until", default=None)


@contextlib.contextmanager
def waiting_until(end: float | None) -> Iterator[None]:
    """A block in which a sync session waits for a token no longer than until ``end``.

    A token request that is under way goes on in its own thread, and its token is saved.

    Args:
        end: By ``time.monotonic()``; None: without an end.

    Raises:
        WaitEnded: The time was over during a wait in the block.
    """
    mark = _until.set(end)
    try:
        yield
    finally:
        _until.reset(mark)


def wait_for_ever() -> None:
    """Ends the effect of :func:`waiting_until` in this context."""
    _until.set(None)


def finish(flight: Flight, waiter: object, limit: float, give_up: Callable[[], None]) -> None:
    """Blocks until the flight is over, in a thread that an exception may strike at any line.

    Args:
        flight: What to wait for.
        waiter: Who waits, as the flight knows it; it leaves at the first exception.
        limit: Seconds that a token request may take, for the message.
        give_up: Ends the token request at once.

    Raises:
        WaitEnded: The caller's time was over.
        BaseException: What arrived meanwhile: at once if no request was sent, else at the end.
    """
    flight.check_thread()
    arrived: list[BaseException] = []
    since, end = time.monotonic(), _until.get()
    until = float("inf")
    first: BaseException | None = None
    while True:
        try:
            while arrived:
                first = _heed(arrived.pop(0), first, flight, waiter, limit, give_up)
                # Counted from the first interrupt: further ones do not make the wait longer.
                until = min(until, time.monotonic() + limit + SAVING)
            while not flight.over() and time.monotonic() < until:
                flight.wait_a_while(since, None if first else end)
                # Whoever was interrupted waits for the save, whatever time it takes.
                late = end is not None and first is None and time.monotonic() >= end
                if late and not flight.over():
                    flight.leave(waiter)
                    raise Leave(WaitEnded())
                if flight.given_up:
                    until = min(until, flight.given_up_at + LAST_MOMENT)
            break
        except Leave as leave:
            first = leave.error
            break
        except BaseException as error:  # noqa: BLE001 - all are raised in the end
            arrived.append(error)  # nothing more here, where the next one may strike
    if first is not None:
        raise first


class Leave(Exception):
    """The wait ends now, with this error."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _heed(
    error: BaseException,
    first: BaseException | None,
    flight: Flight,
    waiter: object,
    limit: float,
    give_up: Callable[[], None],
) -> BaseException:
    """Called for each exception that arrives while waiting; returns what to raise at the end."""
    flight.leave(waiter)  # before looking: see Flight.stops_before
    if not flight.sent or flight.over():
        # Nothing was sent, or it is done: there is nothing to lose.
        raise Leave(first or error)
    # Only after Ctrl-C is there a user who may read a warning, and press it again.
    if not isinstance(error, KeyboardInterrupt):
        return first or error
    if pressed_twice(flight):
        give_up_for_good(flight, give_up)
        raise Leave(error)
    warn(flight, limit)
    return error


def pressed_twice(flight: Flight) -> bool:
    """Whether this Ctrl-C comes long enough after the one that was answered with a message."""
    return flight.warned_at is not None and time.monotonic() - flight.warned_at >= PRESSED_TWICE


def warn(flight: Flight, limit: float) -> None:
    """Says, once for a flight, what is being waited for."""
    if flight.warned_at is None:
        flight.warned_at = time.monotonic()
        logger.warning(
            "finishing the token request, at most %g s, so that its token is not lost; "
            "press Ctrl-C again to stop at once",
            limit,
        )


def give_up_for_good(flight: Flight, give_up: Callable[[], None]) -> None:
    """The user insists: ends the token request, whose token may be lost."""
    flight.given_up, flight.given_up_at = True, time.monotonic()
    logger.warning(
        "stopped during a token request; its token may be lost, and then the next run signs in "
        "with the client secret"
    )
    # The grants are the program's own code; whatever they raise, Ctrl-C ends the program.
    with contextlib.suppress(Exception):
        give_up()
