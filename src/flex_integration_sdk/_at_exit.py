"""The program's end closes the instances that nobody closed, such as those of a module.

A web application makes its instance once, at the top of a module, and no line of it runs after the
last request. That is not a leak, so it is closed without a warning. One that is forgotten and
collected while the program runs still gives the ResourceWarning.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from ._client import InstanceBase

_OURS = "flex-"  # how the names of our own threads begin

_instances: WeakSet[InstanceBase] = WeakSet()
_ended: list[int] = []  # ids of processes: a forked child has the list too


def watch(instance: InstanceBase) -> None:
    """Has the instance closed at the program's end, unless it is closed before."""
    _instances.add(instance)


def has_ended() -> bool:
    """The program ends, and whatever is collected now was not forgotten."""
    return os.getpid() in _ended


# Registered when the SDK is imported, so that functions which the program registers later, and
# which may make a last call, come before it: they are run in the opposite order.
@atexit.register
def close_all() -> None:
    """Closes what this process has used; what it inherited by a fork is its parent's."""
    _ended.append(os.getpid())
    if _others_run():
        return  # a daemon thread may make calls until the very end; the system closes connections
    for instance in list(_instances):
        if not instance._closed and instance._closing.process == os.getpid():
            instance._close_at_exit()


def _others_run() -> bool:
    """Whether a thread of the program is left. All that are left by now are daemons."""
    me = threading.current_thread()
    threads = (each for each in threading.enumerate() if each is not me and each.is_alive())
    return any(not each.name.startswith(_OURS) for each in threads)
