"""The clients of one store: one for each process and event loop, replaced when they grow old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .._concurrency.per_process import PerProcess

Loop = asyncio.AbstractEventLoop | None
_Stamp = tuple[tuple[int, int, int] | None, ...]


class Client:
    """A driver's client, and who is using it."""

    __slots__ = ("calls", "made", "open", "proved", "retired", "stamp", "used")

    def __init__(self, made: Any, stamp: _Stamp) -> None:
        self.made = made
        self.stamp = stamp
        self.used = time.monotonic()
        self.calls: set[object] = set()
        self.retired = False
        self.proved = False  # an answer has come
        self.open = [True]  # who takes it out of here closes it: of two at once, one does

    def begin(self, call: object) -> bool:
        """Whether this call may use it; if so, nobody closes it before the call ends."""
        # Added before the look, each in one step: who retires it does the same the other way round,
        # so that one of the two sees the other, and no lock is needed.
        self.calls.add(call)
        if self.retired:
            self.calls.discard(call)
        return not self.retired

    def end(self, call: object) -> None:
        """This call does not use it any more."""
        self.used = time.monotonic()
        self.calls.discard(call)


class Clients:
    """Those of one store.

    A forked child does not use what its parent made, sockets and all; an event loop cannot wait for
    what belongs to another. No lock is held: a signal handler may ask while its thread makes one.

    Args:
        files: Paths of certificates and passwords; a client made before one changed is replaced.
        idle: Seconds after which an unused client is replaced: a firewall or a load balancer may
            have forgotten its connections without a word.
    """

    def __init__(self, files: Iterable[str | None], idle: float) -> None:
        self._files = [Path(file).expanduser() for file in files if file is not None]
        self._idle = idle
        # What a parent has open is kept for ever by PerProcess: closing it would say good-bye.
        self._here: PerProcess[dict[Loop, Client]] = PerProcess(dict)

    def find(self, loop: Loop) -> tuple[Client | None, Client | None]:
        """The client to use, if there is one; and one to replace."""
        held = self._here.get().get(loop)
        if held is None:
            return None, None
        idle = not held.calls and time.monotonic() - held.used > self._idle
        if idle or self.are_changed_since(held):
            return None, held
        return held, None

    def are_changed_since(self, held: Client) -> bool:
        """Whether a file has changed since this client was made."""
        return bool(self._files) and held.stamp != self.stamp()

    def add(self, loop: Loop, made: Any, stamp: _Stamp) -> tuple[Client, Client | None]:
        """The client to use from now on; and one to close, if another thread was quicker.

        Args:
            loop: Where it was made.
            made: The driver's client.
            stamp: Of the files, from before it was made: they may have changed meanwhile.
        """
        new = Client(made, stamp)
        held = self._here.get().setdefault(loop, new)
        return held, None if held is new else new

    def retire(self, loop: Loop, held: Client) -> Client | None:
        """No call begins on it any more. Returns it if it is to be closed now."""
        here = self._here.get()
        if here.get(loop) is held:
            here.pop(loop, None)
        held.retired = True
        return self.if_left(held)

    def if_left(self, held: Client) -> Client | None:
        """A retired client whose last call has ended: it is to be closed, once."""
        if held.retired and not held.calls:
            with suppress(IndexError):
                held.open.pop()
                return held
        return None

    def take(self, loop: Loop) -> Client | None:
        """The client of this loop, which is retired; returned if it is to be closed now."""
        held = self._here.get().get(loop)
        return None if held is None else self.retire(loop, held)

    def others(self, *, running: bool) -> Iterator[tuple[Any, Client]]:
        """Takes the clients of other event loops: of those that still run, or are closed."""
        here = self._here.get()
        for loop in [each for each in here if each is not None]:
            if (loop.is_running() if running else loop.is_closed()) and loop in here:
                yield loop, here.pop(loop)

    def stamp(self) -> _Stamp:
        """Of the files as they are now."""
        return tuple(_state_of(file) for file in self._files)


def end_transport(transport: Any) -> None:
    """Closes a transport of a loop that is closed, which nothing public does.

    Else its socket would stay open until the garbage collector finds it. The loop's own classes
    are told what the loop would tell them; others (uvloop) end with their loop.

    Args:
        transport: Of asyncio, such as a stream writer has.
    """
    below: Any = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)  # of TLS
    for each in (transport, below):
        with suppress(Exception):
            each.abort()  # marks it, then fails: the loop takes no more calls
        with suppress(Exception):
            each._call_connection_lost(None)


def _state_of(file: Path) -> tuple[int, int, int] | None:
    # The inode too: Kubernetes replaces a mounted file by moving a link.
    with suppress(OSError):
        found = file.stat()
        return found.st_ino, found.st_mtime_ns, found.st_size
    return None
