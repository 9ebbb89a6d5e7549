"""A forked child does not keep its parent's lock.

A server frees a lock when the last copy of its connection's socket is closed, and a child has one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

# Where drivers have their socket: psycopg, psycopg2 and mysqlclient; PyMySQL; aiomysql and
# asyncmy; asyncpg.
_PATHS = ((), ("_sock",), ("_writer", "transport"), ("_transport",))

_pid = os.getpid()
_noted: dict[object, tuple[int, tuple[int, int]]] = {}


def note(holder: object, connection: Any) -> None:
    """From now on a forked child closes its copy of this connection's socket.

    Args:
        holder: Who holds or waits for the lock; each has one connection.
        connection: SQLAlchemy's, sync or async, that has just answered.
    """
    with suppress(Exception):  # a driver that does not tell
        fd = _socket_of(connection)
        _noted[holder] = (fd, _inode(fd))


def forget(holder: object) -> None:
    """The connection holds no lock any more."""
    _noted.pop(holder, None)


def _socket_of(connection: Any) -> int:
    pooled = getattr(connection, "sync_connection", connection).connection
    for path in _PATHS:
        owner = pooled.driver_connection
        for name in path:
            owner = getattr(owner, name, None)
        if hasattr(owner, "get_extra_info"):  # a transport of asyncio
            owner = owner.get_extra_info("socket")
        if hasattr(owner, "fileno"):
            return int(owner.fileno())
    raise LookupError


def _inode(fd: int) -> tuple[int, int]:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


def after_fork() -> None:
    """In a child: lets go of its parent's locks, if Python's fork hooks have not done so.

    A fork in C (uWSGI's) runs none of them; then this is done when the child first uses a store.
    """
    global _pid
    if _pid != os.getpid():
        _pid = os.getpid()
        _let_parents_go()


def _let_parents_go() -> None:
    if not _noted:
        return
    null = os.open(os.devnull, os.O_RDWR)
    for fd, inode in _noted.values():
        with suppress(OSError):
            if _inode(fd) == inode:  # else it was closed, and the number is another's
                # Replaced, not closed: the driver's object will close the number, and may write
                # its good-bye before, which would end the parent's session.
                os.dup2(null, fd, inheritable=False)
    os.close(null)
    _noted.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork)
