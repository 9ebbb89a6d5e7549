"""What a process has now that it did not have before.

The tests of one worker share a process. A thread, a descriptor or a connection that another test
left may still be ending, or stay; so a test looks at what is new since it began, never at all.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 60.0  # seconds that a busy machine may take for what ends by itself


class Since:
    """The threads and descriptors that this process did not have when this object was made."""

    def __init__(self) -> None:
        self._threads = set(threading.enumerate())
        self._files = set(_files())

    def __contains__(self, thread: threading.Thread) -> bool:
        return thread not in self._threads

    def threads(self, name: str | None = None) -> list[threading.Thread]:
        """New ones; with ``name`` only those that are called so."""
        new = [each for each in threading.enumerate() if each in self]
        return [each for each in new if name in (None, each.name)]

    def files(self, kind: str = "") -> list[str]:
        """What new descriptors are open on; only what begins with ``kind``, such as "socket:".

        Linux gives each socket and pipe a number of its own, so that one which takes the
        descriptor of another is seen as new.
        """
        new = [what for each, what in set(_files()) - self._files]
        return [what for what in new if what.startswith(kind)]


def wait_until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Looks again and again; fails if it does not hold in time."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def _files() -> list[tuple[str, str]]:
    found = []
    folder = Path("/proc/self/fd")
    for each in os.listdir(folder) if folder.is_dir() else []:
        try:
            found.append((each, os.readlink(folder / each)))
        except OSError:
            continue  # that of the listing itself
    return found
