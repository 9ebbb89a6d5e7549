"""Finds calls that block the event loop's thread, however short they are on a test machine."""

from __future__ import annotations

import builtins
import io
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_FUNCTIONS = {builtins.open, io.open, time.sleep, os.fsync, os.system, os.waitpid}
_ON_SOCKETS = {"connect", "recv", "recv_into", "recvfrom", "send", "sendall", "sendto", "accept"}
_MODULES = ("sqlite3", "_sqlite3", "psycopg_c", "MySQLdb")


@contextmanager
def no_blocking_calls() -> Iterator[list[str]]:
    """Collects the blocking calls that this thread makes within it.

    They are seen by a profile function, which the interpreter tells of each call of a built-in
    function: blocking sockets, ``open``, ``time.sleep``, SQLite. A driver written in C that
    waits by itself is not seen; the tests that measure pauses are for those.
    """
    seen: list[str] = []

    def profile(frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call" and (name := _blocking(function)):
            seen.append(f"{name} ({frame.f_code.co_filename}:{frame.f_lineno})")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield seen
    finally:
        sys.setprofile(before)


def _blocking(function: Any) -> str | None:
    owner = getattr(function, "__self__", None)
    name: str = getattr(function, "__name__", "")
    if isinstance(owner, socket.SocketType):
        # A timeout of None or of some seconds: it waits. asyncio's sockets have 0.
        waits = name in _ON_SOCKETS and owner.gettimeout() != 0.0
        return f"socket.{name}" if waits else None
    if type(owner).__module__ in _MODULES:
        return f"{type(owner).__name__}.{name}"
    try:
        return name if function in _FUNCTIONS else None
    except TypeError:  # a method of something that has no hash
        return None
