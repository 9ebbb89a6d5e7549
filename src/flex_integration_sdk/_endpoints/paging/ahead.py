"""A page that a thread fetches while the program works on the page before."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from flex_integration_sdk._values.waits import SLICE


class Ahead:
    """A page that is being fetched.

    Args:
        fetch: Returns the page, or raises.
        asked: What was asked for.
    """

    def __init__(self, fetch: Callable[[], Any], asked: object) -> None:
        self.asked = asked
        # Appended to once, which is one step: page or None, and error or None.
        self._outcome: list[tuple[Any, BaseException | None]] = []
        self._alarm = threading.Lock()
        self._alarm.acquire()
        run = copy_context().run
        outcome, alarm = self._outcome, self._alarm

        def work() -> None:
            try:
                outcome.append((run(fetch), None))
            except BaseException as error:  # noqa: BLE001 - for the program's thread
                outcome.append((None, error))
            finally:
                alarm.release()

        try:
            _spawn(work)
        except RuntimeError:  # no further thread
            work()

    def wait(self) -> None:
        """Waits for the page. An exception from a signal handler may end it; call it again then."""
        # The outcome says when it is over: whoever was interrupted may have taken the alarm.
        while not self._outcome:
            self._alarm.acquire(timeout=SLICE)

    def result(self) -> Any:
        """The page; raises what its request raised."""
        page, error = self._outcome[0]
        if error is None:
            return page
        try:
            raise error
        finally:
            del error  # which has this frame, else garbage for the collector


def _spawn(work: Callable[[], None]) -> None:
    """Starts a thread with a name.

    ``Thread.start`` waits with a lock that an exception from a signal handler could leave held. So
    another thread calls it, where no signal handler runs.
    """

    def start() -> None:
        # A daemon: the program's end does not wait for a page that nobody will read.
        thread = threading.Thread(target=work, name="flex-integration-page", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no further thread, or the interpreter is shutting down
            work()

    _thread.start_new_thread(start, ())
