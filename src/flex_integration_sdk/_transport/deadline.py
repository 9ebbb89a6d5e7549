"""Ends each request in time, from outside; nothing else does.

The HTTP library's own time-outs are for a single read or write: a server that sends a byte now and
then, or one ``103 Early Hints`` after the other, never meets them. So each request has a
:class:`Watch`, which says until when it may go on; when that is over, its connection is shut down
under the HTTP library, which then finds it closed. Sync requests of a process share one thread that
looks at their watches; in asyncio a timer does (``aio_network.py``).

A process that was stopped (Ctrl-Z, a laptop's lid) finds its response there, though late. It is
still read: a token that is thrown away is lost, and the refresh token is used up. That it was
stopped shows in the watchdog's own clock: one tick took far longer than it should.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Literal, Protocol

from flex_tokenstore.embedding import PerProcess

# Seconds between two looks of the thread; a request ends at most two ticks after its time.
TICK = 0.1
# A tick that is later by so many seconds means that the process was stopped or starved, not busy.
GAP = 0.4
# Seconds to read what had arrived while it was stopped, and how often one request is given it: a
# machine that starves us all the time must not keep requests alive for ever.
GRACE, GRACES = 1.0, 3
# The thread ends after so many ticks without a request.
IDLE_TICKS = 10
# A long transfer goes on as long as so many bytes come in each ``timeout`` …
PIECE = 64 << 10
# … but a response is not waited for longer than so many times ``timeout``: at the default of 30 s
# ten minutes, in which even 128 MB come over a slow line (220 KB/s).
WHOLE = 20

# What a request waits for once it was sent, as messages say it.
RECEIVING = "the response was not complete"

Reason = Literal["late", "abandoned", "closed"]

# Asked at each tick: does what is due, such as closing idle connections, and says whether the
# thread must go on for it.
CHORES: list[Callable[[float], bool]] = []


class Ended(Exception):
    """The watch of this request has ended the request."""


class Stoppable(Protocol):
    """What a request can be waiting for."""

    def stop(self, watch: Watch) -> None:
        """Ends the wait, if ``watch`` still waits there. Any thread may call it."""


class Life:
    """The life of one request: only the frames that make the request keep this object.

    An exception can end these frames at any line, even while they clean up. What they held
    is then free.
    """


class Watch:
    """Knows until when one request may go on, and what it waits for now.

    Args:
        limit: Seconds.
        owner: The client whose request it is.
        token: Whether it is a token request: then ``limit`` is for all of it. Else it begins again
            with each piece of a long transfer. The time begins when the request gets a connection
            to use or to make.
        bounded: Whether there is an end for the whole of a long transfer.
    """

    def __init__(
        self, limit: float, owner: object, *, token: bool = False, bounded: bool = True
    ) -> None:
        self.limit, self.owner, self.token = limit, owner, token
        self.ended: Reason | None = None
        self.phase = "no connection was free"
        self.plain = False
        """Whether the request goes out without TLS."""
        self.sent = False
        """Whether any of the request itself was sent."""
        self.unseen = False
        """Whether its connection is the program's own, which is out of reach."""
        self.peer: tuple[str, int | None] | None = None
        """Host and port that it is connecting to; None: it has a connection."""
        self.exchange: Any = None
        """Whom to tell about its connection."""
        self.opened: list[Any] = []
        """Connections made for it: the HTTP library loses one where a SOCKS proxy refuses."""
        self._life: weakref.ref[Life] | None = None
        self.lender: Any = None
        """Whose connection it uses."""
        self.until = float("inf")
        """When the whole call must end, by ``time.monotonic()``."""
        self._last = float("inf")
        self._bounded = bounded
        self._end = float("inf")
        self._due: float | None = None
        self._graces = 0
        self._moved = 0
        self._waits_for: Stoppable | None = None

    def live(self) -> Life:
        """Marks the request as alive, for as long as its maker keeps what this returns."""
        life = Life()
        self._life = weakref.ref(life)
        return life

    @property
    def holder(self) -> object:
        """The holder of a connection: the request, not the watch, which others keep too."""
        life = None if self._life is None else self._life()
        return self if life is None else life

    def gone(self) -> bool:
        """Whether nobody makes the request any more."""
        return self._life is not None and self._life() is None

    def begin(self) -> None:
        """The request has a connection to use, or to make."""
        if self._end == float("inf"):
            now = time.monotonic()
            self._end = min(now + self.limit, self.until)
            last = now + self.limit * WHOLE if self._bounded else float("inf")
            self._last = min(last, self.until)

    def use(self, what: Stoppable) -> None:
        """The request goes on with this.

        Raises:
            Ended: It must not go on.
        """
        self.begin()
        # In this order, and ``stop`` in the other: one of the two sees what the other wrote.
        self._waits_for = what
        self.check()

    def check(self) -> None:
        """Raises Ended if the request must not go on."""
        if self.ended:
            raise Ended

    def moved(self, size: int) -> None:
        """Notes that so many bytes of a body were sent or received."""
        self._moved += size
        if self._moved >= PIECE and not self.token:
            self._moved = 0
            self._end = min(time.monotonic() + self.limit, self._last)
            self._due = None

    def pause(self) -> None:
        """The request waits for the program's own file: this time is not the server's."""
        self._end, self._due = self.until, None

    def resume(self) -> None:
        """The request goes on, with all of its time for the next piece."""
        self._end = min(time.monotonic() + self.limit, self._last)

    def left(self) -> float:
        """Seconds until somebody should look at this watch."""
        return max(0.0, (self._due or self._end) - time.monotonic())

    def over(self, now: float, *, stopped: bool) -> bool:
        """Whether the request must end.

        In two steps: what has arrived when its time is over is still read. ``stopped``: this look
        comes far later than it should.
        """
        if now < self._end:
            return False
        # A process that was stopped gets GRACE: what arrived meanwhile may be a new token.
        if self._due is None or (stopped and self._graces < GRACES):
            self._graces += stopped
            self._due = now + (GRACE if stopped else TICK)
        return now >= self._due

    def stop(self, reason: Reason) -> None:
        """Ends the request. Any thread may call it, and more than once."""
        self.ended = self.ended or reason
        if self._waits_for is not None:
            self._waits_for.stop(self)


# The watch of the request that this thread or task is making.
CURRENT: ContextVar[Watch | None] = ContextVar("flex_integration_sdk_watch", default=None)


def connects_to(watch: Watch | None, host: str, port: int | None = None) -> None:
    """Notes whom the request is connecting to: it may be a proxy."""
    if watch is not None:
        watch.peer = host, port


def connected(watch: Watch | None, stream: object = None) -> None:
    """The request has its connection."""
    if watch is not None:
        watch.peer = None
        if stream is not None:
            watch.opened.append(stream)


class Watchdog:
    """The thread that ends sync requests; there is none while nothing is under way.

    It has no lock: a signal handler may make a request, and an exception from one may come at any
    point. Sets and dicts are changed in single steps.
    """

    def __init__(self) -> None:
        self.watches: set[Watch] = set()
        self._thread: dict[str, object] = {}

    def add(self, watch: Watch) -> None:
        self.watches.add(watch)
        if not self._thread:
            self._start()

    def remove(self, watch: Watch) -> None:
        self.watches.discard(watch)

    def _start(self) -> None:
        # At the interpreter's end no thread can be started, and on Python 3.11 the attempt hangs:
        # the HTTP library's own time-outs must do.
        if sys.is_finalizing():
            return
        # A daemon: it idles for a second after the last request, and no program should wait for
        # that.
        thread = threading.Thread(target=self._run, name="flex-sdk-deadlines", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return

    def _run(self) -> None:
        me = object()
        if self._thread.setdefault("runs", me) is not me:
            return  # two threads made their first request at once
        # Not ``time.sleep``, which tests replace: this would spin.
        pause = threading.Lock()
        pause.acquire()
        idle, then = 0, time.monotonic()
        while True:
            pause.acquire(timeout=TICK)
            now = time.monotonic()
            self._look(now, stopped=now - then > TICK + GAP)
            then = now
            busy = [chore(now) for chore in CHORES]
            idle = 0 if self.watches or any(busy) else idle + 1
            if idle < IDLE_TICKS:
                continue
            # In this order, and ``add`` in the other: one of the two sees what the other wrote.
            self._thread.clear()
            if not self.watches or self._thread.setdefault("runs", me) is not me:
                return

    def _look(self, now: float, *, stopped: bool) -> None:
        for watch in tuple(self.watches):
            if watch.gone():
                self.watches.discard(watch)
            elif not watch.ended and watch.over(now, stopped=stopped):
                watch.stop("late")


watchdog = PerProcess(Watchdog).get
"""The watchdog of this process. A fork copies no thread, and one in C runs no fork hook."""
