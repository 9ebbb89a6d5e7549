"""Starts threads where an exception from a signal handler may strike."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable


def spawn(target: Callable[[], None], name: str, *, daemon: bool) -> None:
    """Starts a thread; an exception that strikes the caller meanwhile does not harm it.

    ``Thread.start`` waits for the new thread with a lock that both take. Signal handlers run in the
    main thread only, and what they raise can leave that lock held there: the new thread would
    hang, and the program with it. So another thread calls it.

    Raises:
        RuntimeError: No thread can be started: the interpreter is shutting down.
    """

    def start() -> None:
        thread = threading.Thread(target=target, name=name, daemon=daemon)
        try:
            thread.start()
        except RuntimeError:
            target()  # the interpreter has begun to shut down meanwhile

    _thread.start_new_thread(start, ())
