"""Closes, at the program's end, the instances that nobody closed, such as those of a module.

A web application makes its instance once, at the top of a module, and no line of it runs after the
last request. That is not a leak, so it is closed without a warning. One that is forgotten and
collected while the program runs still causes the ResourceWarning.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import Protocol
from weakref import WeakSet

from flex_integration_sdk._transport.closing import Closing


class Closable(Protocol):
    """What an instance needs so that the end of the program can close it."""

    _closing: Closing

    @property
    def _closed(self) -> bool: ...
    def _close_at_exit(self) -> None: ...


_OURS = "flex-"  # how the names of our own threads begin

# Weakly: else a forgotten instance would never be collected, and cause no ResourceWarning.
_instances: WeakSet[Closable] = WeakSet()
_ended: list[int] = []  # ids of processes: a forked child has the list too


def watch(instance: Closable) -> None:
    """Registers the instance, so that the program's end closes it if nobody did before."""
    _instances.add(instance)


def has_ended() -> bool:
    """Whether the program is ending: an instance that is collected now was not forgotten."""
    return os.getpid() in _ended


# Registered when the SDK is imported, so that functions which the program registers later, and
# which may make a last call, come before it: they are run in the opposite order.
@atexit.register
def close_all() -> None:
    """Closes the instances that this process has used; an inherited one is its parent's."""
    # First: instances that are collected from here on were not forgotten.
    _ended.append(os.getpid())
    if _others_run():
        return  # a daemon thread may make calls until the very end; the system closes connections
    for instance in list(_instances):
        if not instance._closed and instance._closing.process == os.getpid():
            instance._close_at_exit()


def _others_run() -> bool:
    """Whether a daemon thread of the program still runs; all other threads have ended by now."""
    me = threading.current_thread()
    threads = (each for each in threading.enumerate() if each is not me and each.is_alive())
    return any(not each.name.startswith(_OURS) for each in threads)
