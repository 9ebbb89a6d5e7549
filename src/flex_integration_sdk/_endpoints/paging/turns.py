"""Whose turn it is, among the threads that share an iterator.

A lock would do, but for exceptions of signal handlers: one that strikes where a lock is released
leaves it held, and the iterator would hang for ever. Here a turn whose owner has left is known by
the owner's stack, and whatever is shared is changed by single operations that Python makes atomic.
"""

from __future__ import annotations

import sys
import threading
from types import CodeType, FrameType

from flex_integration_sdk.errors import NestedCallError

_SLICE = 0.1  # seconds until a waiting thread looks whether the owner still is at work


class Turns:
    """The turns of one iterator.

    Args:
        work: The code of the method that takes turns; its ``self`` is the iterator.
    """

    def __init__(self, work: CodeType) -> None:
        self._work = work
        self._owner: dict[str, tuple[int, threading.Lock]] = {}

    def take(self, turn: threading.Lock, iterator: object) -> None:
        """Waits for the turn; to be called within ``try``, whose ``finally`` calls :meth:`give`.

        Args:
            turn: A new lock, locked.
            iterator: The ``self`` of the method.

        Raises:
            NestedCallError: This thread has the turn: a signal handler or a finalizer interrupted
                it.
        """
        me = threading.get_ident()
        while (owner := self._owner.setdefault("owner", (me, turn)))[1] is not turn:
            thread, others = owner
            if thread == me:
                at_work = self._is_at_work(sys._getframe(2), iterator)
            else:
                others.acquire(timeout=_SLICE)  # its end wakes all, since each wakes the next
                _release(others)
                at_work = self._is_at_work(sys._current_frames().get(thread), iterator)
            if not at_work:
                self._remove(others)
            elif thread == me:
                raise NestedCallError(
                    "an iterator was used by a signal handler or a finalizer that interrupted it "
                    "in the same thread. Set a flag there, and go on afterwards"
                )

    def give(self, turn: threading.Lock) -> None:
        """Ends the turn, if it was taken."""
        self._remove(turn)
        _release(turn)

    def _remove(self, turn: threading.Lock) -> None:
        owner = self._owner.get("owner")
        if owner is not None and owner[1] is turn:
            self._owner.pop("owner", None)

    def _is_at_work(self, frame: FrameType | None, iterator: object) -> bool:
        while frame is not None:
            if frame.f_code is self._work and frame.f_locals.get("self") is iterator:
                return True
            frame = frame.f_back
        return False


def _release(turn: threading.Lock) -> None:
    try:
        turn.release()
    except RuntimeError:  # another thread has released it
        return
