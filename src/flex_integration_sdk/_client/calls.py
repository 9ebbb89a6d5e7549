"""Which threads have a call of an instance under way.

A signal handler or a finalizer can interrupt a call anywhere, within a lock of the HTTP client or
of the session too. What it calls then waits for a lock that its own thread holds, for ever. So a
call that was made from within another is refused, and a close is put off.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn, TypeVar

from flex_integration_sdk.errors import NestedCallError
from flex_tokenstore.embedding import refuse_within_report

T = TypeVar("T")

_WHY = (
    "the SDK was called from on_progress, a source of an upload, a signal handler or a finalizer "
    "that interrupted {} on the same instance, and would wait for it for ever. Set a flag there, "
    "and make the call afterwards"
)


def refuse_within_renewal() -> NoReturn:
    """Raises NestedCallError; for the thread that obtains the session's token.

    Only a finalizer can do this: the garbage collector runs finalizers in any thread.
    """
    refuse_within_report()  # of a callback it says more
    _refuse_within_on_request()
    raise NestedCallError(_WHY.format("the refresh of the token"))


def _refuse_within_on_request() -> None:
    """Raises NestedCallError if ``on_request`` called the caller."""
    # There is no such callback unless somebody has imported it.
    if (reporting := sys.modules.get("flex_integration_sdk._transport.reporting")) is not None:
        reporting.refuse_within_on_request()


def _stack() -> Iterator[FrameType]:
    """The frames of this thread, beginning with the caller's caller."""
    frame = sys._getframe(1).f_back
    while frame is not None:
        yield frame
        frame = frame.f_back


class Calls:
    """The calls of one sync instance."""

    def __init__(self) -> None:
        # By thread: whether it is to be closed at the end. Each use of it is one step.
        self._threads: dict[int, bool] = {}

    def run(self, function: Callable[[], T], close: Callable[[], object]) -> T:
        """Runs ``function`` as a call of this thread. It must call no code of the program.

        Args:
            function: What to run.
            close: Closes the instance; called at the end if that was put off until then.

        Raises:
            NestedCallError: This thread is within such a call already.
        """
        thread = threading.get_ident()
        if thread in self._threads and self._is_beneath():
            _refuse_within_on_request()
            raise NestedCallError(_WHY.format("another call in this thread"))
        try:
            # Within `try`: an exception of a signal handler may come right after this line.
            self._threads[thread] = False
            return function()
        finally:
            if self._threads.pop(thread, False):
                close()

    def put_off_close(self) -> bool:
        """True if a call of this thread was interrupted: its end will close the instance."""
        thread = threading.get_ident()
        if thread not in self._threads or not self._is_beneath():
            return False
        self._threads[thread] = True
        return True

    def _is_beneath(self) -> bool:
        """Whether a call is really on this thread's stack.

        It is not there if a debugger left it without its end, or if another greenlet runs it.
        """
        # Of ``run`` there may be one frame more: that which asks.
        asking = sys._getframe(1)
        return any(
            frame.f_code is Calls.run.__code__
            and frame is not asking
            and frame.f_locals.get("self") is self
            for frame in _stack()
        )
