"""Look-ups and new connections that their waiter can leave at any time."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

import httpcore2

from .deadline import Ended, Watch

# RFC 8305, section 5: the next address is tried when the last one is silent for so long.
NEXT_ADDRESS = 0.25
# Look-ups and connections that nobody waits for any more; the name server may never answer.
ABANDONED_LIMIT = 100


class Connecting:
    """Look-ups and connections in threads, so that their waiter can leave at any time.

    If a connection succeeds after the waiter has left, it is closed; nothing is sent.
    """

    def __init__(self, watch: Watch | None) -> None:
        self._watch = watch
        self._results: SimpleQueue[Any] = SimpleQueue()
        self._threads: set[object] = set()
        self._left = False
        self.pid = os.getpid()

    def __enter__(self) -> Connecting:
        if len(_abandoned) >= ABANDONED_LIMIT:
            _abandoned.difference_update([each for each in _abandoned if each.pid != self.pid])
            if len(_abandoned) >= ABANDONED_LIMIT:
                raise httpcore2.ConnectTimeout(
                    "too many name lookups are already waiting for a response"
                )
        if self._watch is not None:
            self._watch.use(self)
        return self

    def __exit__(self, *_: object) -> None:
        # In this order, and `_do` in the other: one of the two sees the late connection.
        self._left = True
        if self._threads:
            _abandoned.add(self)
        self._drop_late()

    def stop(self, watch: Watch) -> None:
        del watch
        # SimpleQueue.put can be called from a signal handler: it is reentrant.
        self._results.put(Ended())

    def look_up(self, host: str, port: int) -> list[str]:
        """The addresses of a name. If it is an address itself, no thread is needed."""
        with suppress(OSError):
            return addresses(host, port, socket.AI_NUMERICHOST)
        self._start(addresses, host, port)
        found = self._next(float("inf"))
        if isinstance(found, Exception):
            raise found
        names: list[str] = found
        return names

    def first(
        self,
        addresses: list[str],
        connect: Callable[[str, float], httpcore2.NetworkStream],
        seconds: float,
    ) -> httpcore2.NetworkStream:
        """The first connection that succeeds; each address gets a head start over the next one."""
        end = time.monotonic() + seconds
        to_try, awaited = list(addresses), 0
        failure: Exception = httpcore2.ConnectTimeout("no address responded")
        while to_try or awaited:
            # A time-out of 0 would make the socket non-blocking.
            left = max(end - time.monotonic(), 0.001)
            if to_try:
                self._start(connect, to_try.pop(0), left)
                awaited += 1
            found = self._next(min(NEXT_ADDRESS, left) if to_try else left)
            if isinstance(found, Exception):
                failure, awaited = found, awaited - 1
            elif found is not None:
                stream: httpcore2.NetworkStream = found
                return stream
            elif time.monotonic() >= end:
                break
        raise failure

    def _next(self, seconds: float) -> Any:
        """The next result; None after ``seconds``.

        Raises:
            Ended: The watch has ended the request.
        """
        # A second later than the watchdog: it may be missing, at the interpreter's end.
        left = seconds if self._watch is None else min(seconds, self._watch.left() + 1.0)
        try:
            found = self._results.get(timeout=None if left == float("inf") else left)
        except Empty:
            if left < seconds:
                raise Ended from None
            return None
        if isinstance(found, Ended):
            raise found
        return found

    def _start(self, work: Callable[..., Any], *args: Any) -> None:
        thread = object()
        self._threads.add(thread)
        # As for the watchdog: none can be started at the interpreter's end.
        if not sys.is_finalizing():
            with suppress(RuntimeError):
                made = threading.Thread(target=self._do, args=(thread, work, *args), daemon=True)
                made.name = "flex-sdk-connect"
                made.start()
                return
        self._do(thread, work, *args)

    def _do(self, thread: object, work: Callable[..., Any], *args: Any) -> None:
        try:
            found = work(*args)
        except Exception as error:  # noqa: BLE001 - raised in the waiter
            # Else the error would keep the thread's frames, and all that they hold.
            found = error.with_traceback(None)
        self._results.put(found)
        self._threads.discard(thread)
        if self._left:
            self._drop_late()

    def _drop_late(self) -> None:
        with suppress(Empty):
            while True:
                found = self._results.get_nowait()
                if isinstance(found, httpcore2.NetworkStream):
                    found.close()
        if not self._threads:
            _abandoned.discard(self)


# Nobody waits for these any more; the name server may never answer.
_abandoned: set[Connecting] = set()


def addresses(host: str, port: int, flags: int = 0) -> list[str]:
    """The addresses of a host, those of both families in turn (RFC 8305 section 4).

    Raises:
        OSError: There is no such name, or no answer.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    by_family: dict[int, dict[str, None]] = {}
    for family, _, _, _, address in found:
        by_family.setdefault(family, {})[_text(address)] = None
    columns = [list(each) for each in by_family.values()]
    longest = max(map(len, columns), default=0)
    return [column[row] for row in range(longest) for column in columns if row < len(column)]


def _text(address: tuple[Any, ...]) -> str:
    host = str(address[0])
    # A link-local address without its zone cannot be reached.
    scope = address[3] if len(address) > 3 else 0
    return f"{host}%{scope}" if scope and "%" not in host else host
