"""What was opened in an event loop belongs to it, and is let go when that loop is closed."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Any

Key = tuple[int, asyncio.AbstractEventLoop | None]


def here() -> Key:
    """This process, and the event loop that runs in this thread."""
    # By process id, not by a fork hook: a fork in C, such as uWSGI's, runs none.
    try:
        return os.getpid(), asyncio.get_running_loop()
    except RuntimeError:
        return os.getpid(), None


def is_over(key: Key) -> bool:
    """Nothing can be awaited there any more: this process has closed that loop."""
    pid, loop = key
    return pid == os.getpid() and loop is not None and loop.is_closed()


def is_running(key: Key) -> bool:
    """Another thread of this process runs that loop."""
    pid, loop = key
    return pid == os.getpid() and loop is not None and loop.is_running()


def end_transport(transport: Any) -> None:
    """Closes a transport of a loop that is closed, which nothing public does.

    Else its socket would stay open until the garbage collector finds it. The loop's own classes
    are told what the loop would tell them; others (uvloop) end with their loop.
    """
    below: Any = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)  # of TLS
    for each in (transport, below):
        with suppress(Exception):
            each.abort()  # marks it, then fails: the loop takes no more calls
        with suppress(Exception):
            each._call_connection_lost(None)
