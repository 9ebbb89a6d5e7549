"""The connections of a process to one server, each lent to one request at a time.

No lock is held by anybody who could be interrupted: a signal handler may make a call of another
instance at any line of this one's, and would wait for that lock for ever. What is shared is changed
by single steps of dicts. A connection belongs to its request, weakly: a request that
an exception ends at the wrong line, before it can give its connection back, takes none with it.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .closing import Closing
    from .deadline import Watch

# The server allows 10 connections to an address. API calls leave one to token requests: behind them
# a refresh would wait while all who need it wait for the refresh.
CONNECTIONS = 10
API_CONNECTIONS = CONNECTIONS - 1
# Seconds after which whoever waits looks again, whether it was told to or not: Windows cannot
# interrupt an endless wait, and an interrupted thread may not have told it.
_SLICE = 0.25


class Busy(Exception):
    """No connection became free in time; nothing was sent."""


class Slot:
    """Room for one connection: an HTTP client of its own that makes no second one."""

    def __init__(self) -> None:
        self.client: Any = None
        self.idle_since = 0.0
        """``time.monotonic()`` when it was given back."""
        self._holder: dict[str, weakref.ref[object]] = {}
        self._heirs: dict[int, tuple[object, object]] = {}

    def claim(self, who: object) -> bool:
        """Whether ``who`` holds it from now on, until it is released or ``who`` is collected."""
        mine: weakref.ref[object] = weakref.ref(who)
        found = self._holder.setdefault("by", mine)
        if found is mine:
            return True
        if found() is not None:
            return False
        # Of several that find the holder gone one inherits. The dead reference is kept, so that no
        # other object gets its id.
        if self._heirs.setdefault(id(found), (mine, found))[0] is not mine:
            return False
        self._holder["by"] = mine
        return True

    def held_by(self, who: object) -> bool:
        """Whether ``who`` holds it."""
        found = self._holder.get("by")
        return found is not None and found() is who

    def release(self, who: object) -> None:
        """Frees it, if ``who`` holds it."""
        if self.held_by(who):
            self._holder.pop("by", None)


class Line:
    """Who waits, in the order of arrival, and what wakes each one. It holds them weakly."""

    def __init__(self) -> None:
        self._waiting: dict[weakref.ref[object], Callable[[], object]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(self, who: object, wake: Callable[[], object]) -> None:
        self._waiting[weakref.ref(who)] = wake

    def leave(self, who: object) -> None:
        self._waiting.pop(weakref.ref(who), None)

    def first(self) -> object | None:
        """Who is next; None: nobody waits."""
        for each in list(self._waiting):
            who = each()
            if who is not None:
                return who
            self._waiting.pop(each, None)
        return None

    def wake(self) -> None:
        """Wakes the first one, which then looks for a slot."""
        who = self.first()
        wake = None if who is None else self._waiting.get(weakref.ref(who))
        if wake is not None:
            with suppress(RuntimeError):  # woken already, or its event loop was closed
                wake()


class Slots:
    """All connections to one server, and who waits for one."""

    def __init__(self) -> None:
        self.all = tuple(Slot() for _ in range(CONNECTIONS))
        self.tokens, self.calls = Line(), Line()

    def take(self, watch: Watch | Place) -> Slot | None:
        """Takes a free slot, unless somebody has waited for longer."""
        return None if self._later(watch) else self._claim(watch)

    def give_back(self, holder: object) -> None:
        """Frees the slot of the request ``holder``, and wakes the next one."""
        for slot in self.all:
            slot.release(holder)
        self.wake()

    def held_by(self, holder: object) -> list[Slot]:
        """The slots of a request: one at most."""
        return [slot for slot in self.all if slot.held_by(holder)]

    def wake(self) -> None:
        """Wakes the first one that waits. Token requests come first, since calls wait for them."""
        self.tokens.wake()
        self.calls.wake()

    def wait(self, watch: Watch | Place, seconds: float | None, closing: Closing) -> Slot:
        """Waits for a slot, for a sync request, until it is its turn.

        Raises:
            Busy: None was free for ``seconds``.
            SessionClosedError: The instance was closed meanwhile.
            Ended: The request must not go on.
        """
        end = float("inf") if seconds is None else time.monotonic() + seconds
        line = self._line(watch)
        # Not an Event: a signal handler may wake it, and could interrupt a thread that holds its
        # lock.
        alarm = threading.Lock()
        alarm.acquire()
        line.enter(watch.holder, alarm.release)
        try:
            with closing.waking(alarm, alarm.release):
                while True:
                    slot = self._in_turn(watch)
                    if slot is not None:
                        return slot
                    watch.check()
                    closing.check()
                    left = end - time.monotonic()
                    if left <= 0:
                        raise Busy
                    alarm.acquire(timeout=min(left, _SLICE))
        finally:
            line.leave(watch.holder)
            # Whoever leaves the line may have been woken in place of the next one.
            self.wake()

    async def wait_async(
        self, watch: Watch | Place, seconds: float | None, closing: Closing
    ) -> Slot:
        """Waits for a slot, for an async request. It does not block the event loop.

        Raises:
            Busy: None was free for ``seconds``.
            SessionClosedError: The instance was closed meanwhile.
            Ended: The request must not go on.
        """
        import asyncio

        loop = asyncio.get_running_loop()
        line = self._line(watch)
        alarm = asyncio.Event()
        line.enter(watch.holder, alarm.set)
        try:
            with closing.waking(alarm, lambda: loop.call_soon_threadsafe(alarm.set)):
                async with asyncio.timeout(seconds):
                    while True:
                        slot = self._in_turn(watch)
                        if slot is not None:
                            return slot
                        watch.check()
                        closing.check()
                        await alarm.wait()
                        alarm.clear()
        except TimeoutError:
            raise Busy from None
        finally:
            line.leave(watch.holder)
            self.wake()

    def _line(self, watch: Watch | Place) -> Line:
        return self.tokens if watch.token else self.calls

    def _later(self, watch: Watch | Place) -> bool:
        """Whether others are to be served before one that comes now."""
        return self.tokens.first() is not None or (
            not watch.token and self.calls.first() is not None
        )

    def _in_turn(self, watch: Watch | Place) -> Slot | None:
        if self._line(watch).first() is not watch.holder:
            return None
        if not watch.token and self.tokens.first() is not None:
            return None
        return self._claim(watch)

    def _claim(self, watch: Watch | Place) -> Slot | None:
        mine = self.all if watch.token else self.all[CONNECTIONS - API_CONNECTIONS :]
        # Those that have a connection first.
        for slot in sorted(mine, key=lambda each: each.client is None):
            if slot.claim(watch.holder):
                return slot
        return None


class Place:
    """What a session holds from before its lock until its token request is done.

    There are as many as connections: who has a place soon finds a connection. Without it thousands
    would hold their locks while they wait for one, until their leases expire.
    """

    token = True

    @property
    def holder(self) -> object:
        """As that of a watch: only the frames of the session keep it."""
        return self

    def check(self) -> None:
        """As that of a watch, but nothing ends it."""
