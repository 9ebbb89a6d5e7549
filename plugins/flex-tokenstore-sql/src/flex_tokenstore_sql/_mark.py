"""Who renews, in a row of its own: it outlives the connection on which a server's lock is held.

A server frees its lock when the connection ends, also where the holder lives: a restart, a
fail-over, an administrator or a time limit of the server may end it while the token request is
under way. Whoever has the lock next would then send a refresh token that is used up.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from flex_tokenstore import Secret

from ._keeper import Answer, Statement
from ._locks import LockSteps

if TYPE_CHECKING:
    from ._table import Row

_LOOKS = (0.03, 0.1)  # seconds between two looks at the mark of another; a random time
_SECOND = 1.0  # the server's clock is read in whole seconds


class Loose:
    """Lease rows that we may have written without seeing the reply; safe to take over."""

    def __init__(self) -> None:
        self._of: dict[int, set[bytes]] = {}  # a forked child does not own those of its parent

    @property
    def marks(self) -> set[bytes]:
        """Those of this process."""
        return self._of.setdefault(os.getpid(), set())


class Mark:
    """One mark. It is written and removed by whoever has the lock; else it expires with its lease.

    Args:
        row: The mark's.
        loose: Those of this store.
    """

    def __init__(self, row: Row, loose: Loose) -> None:
        self._row = row
        self._loose = loose
        self._ours = b""
        self.end: float | None = None
        """Monotonic time at which its lease expires, once it is acquired."""

    def take(self, wait: float, lease: float) -> LockSteps:
        """Writes the mark, once that of a holder who lost the lock is gone or has expired."""
        deadline = time.monotonic() + wait
        while True:
            look = yield Statement(self._row.look)
            assert isinstance(look, Answer)
            now, there = look.rows[0][0], _content(look)
            if there == self._ours != b"":  # sent twice, and the first one was done
                self._loose.marks.discard(self._ours)
                return True
            if there is None or there in self._loose.marks or _left(there, now) <= 0:
                if (yield from self._write(there, int(now), lease)):
                    return True
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            yield min(left, random.uniform(*_LOOKS))  # noqa: S311 - a jitter

    def release(self) -> LockSteps:
        """Removes the mark, if it is still ours."""
        # Until the reply is there: if it is lost, the next caller of this process may take the row.
        self._loose.marks.add(self._ours)
        yield Statement(self._row.delete, {"seen": Secret(self._ours)})
        self._loose.marks.discard(self._ours)
        return True

    def _write(self, there: bytes | None, now: int, lease: float) -> LockSteps:
        # The clock was cut to whole seconds: without one more the lease could end too early.
        end = now + _SECOND + lease
        mark = {"holder": secrets.token_hex(16), "lease": lease, "until": end}
        self._ours = json.dumps(mark).encode()
        self._loose.marks.add(self._ours)  # until it is known that we hold it
        # Before the row is sent: for its holder the lease ends before it ends for the others.
        self.end = time.monotonic() + lease
        new = {"new": Secret(self._ours)}
        if there is None:
            done = yield Statement(self._row.insert, new)
        else:
            done = yield Statement(self._row.update, {"seen": Secret(there), **new})
        if not (isinstance(done, Answer) and done.met):
            return False
        self._loose.marks.discard(self._ours)
        return True


def _content(look: Answer) -> bytes | None:
    raw = look.rows[0][1].reveal()
    return None if raw is None else bytes(raw)


def _left(mark: bytes, now: float) -> float:
    """Seconds by the server's clock; 0 for what is not a mark."""
    with suppress(ValueError, TypeError, KeyError):
        content = json.loads(mark)
        left = float(content["until"]) - float(now)
        # More than it began with: the clock was set back.
        return left if left <= float(content["lease"]) + 2 * _SECOND else 0.0
    return 0.0
