"""The lock: a secret of KV version 2 that names its holder, taken and left by check-and-set.

Nobody's wall clock decides. A holder counts its lease from before it asked, a waiter from when it
first saw that lock; so the waiter's count ends later. Only a lock that is older than its lease and
``SURE`` by the server's own two times (when it was written, and now) is taken over at first sight.
"""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from flex_tokenstore import Secret, TokenLockTimeoutError

from ._kv2 import Versioned
from ._server import Server
from ._steps import Answer, Sleep, Steps

SLICE = 1.0  # seconds; a wait as short as this is a slice of a longer one
LOOKS = (0.05, 0.15)  # seconds between two looks at a lock that another holds; a random time
SURE = 10.0  # seconds by which the clocks of a cluster's nodes may differ


class Held(NamedTuple):
    """What was read of the lock."""

    version: int
    holder: str
    """Empty: nobody."""
    lease: float
    """Seconds from when it was taken."""
    age: float
    """Seconds since then, by the server's clock; 0 if that is not known."""


class Lease(NamedTuple):
    """A lock that was acquired."""

    ends: float
    """By the monotonic clock."""
    version: int
    """Of the secret, as we wrote it."""


class Lock:
    """The lock of one identity."""

    def __init__(self, server: Server, secret: Versioned) -> None:
        self._server = server
        self._secret = secret
        self._path = f"{secret.path}/lock"
        self._watched: tuple[tuple[int, str], float] = ((0, ""), 0.0)  # what, first seen when
        # Values of locks that may have been taken: answer lost. By process: a forked child must
        # not take one for its own that its parent may hold.
        self._unsure_of: dict[int, list[str]] = {}

    def take(self, value: str, wait: float, lease: float) -> Steps[Lease]:
        """Takes the lock.

        Of those who wait in slices, the ones that see it pass to another are told at once, for
        what they want is likely to be stored by now.
        """
        deadline = time.monotonic() + wait
        first = None
        while True:
            held = yield from self._look(lease)
            left = self._left(held)
            passed = first not in (None, held.holder) and bool(held.holder)
            if left <= 0 or held.holder in ("", value):
                sent = time.monotonic()
                ours: Secret[dict[str, Any]] = Secret({"holder": value, "lease": lease})
                version = yield from self._secret.write(self._path, ours, held.version)
                if version is not None:
                    return Lease(sent + lease, version)
                passed = True
            first = held.holder if first is None else first
            remaining = deadline - time.monotonic()
            if remaining <= 0 or (passed and wait <= SLICE):
                raise TokenLockTimeoutError(
                    f"the lock {self._path} of {self._server.place} could not be acquired within "
                    f"{wait:g} s: another process holds it, at most until its lease "
                    "expires",
                    store=self._server.store,
                    place=self._server.place,
                )
            pause = random.uniform(*LOOKS)  # noqa: S311 - a jitter
            yield Sleep(min(pause, remaining))

    def release(self, taken: Lease) -> Steps[None]:
        """Releases the lock, if it is still ours."""
        nobody: Secret[dict[str, Any]] = Secret({"holder": "", "lease": 0})
        yield from self._secret.write(self._path, nobody, taken.version)

    @contextlib.contextmanager
    def value(self) -> Iterator[str]:
        """The value to acquire the lock with. If the reply was lost, nobody knows whether the
        lock was acquired; the next caller uses the same value, and so acquires it either way."""
        unsure = self._unsure_of.setdefault(os.getpid(), [])
        value = unsure.pop() if unsure else secrets.token_hex(16)
        try:
            yield value
        except TokenLockTimeoutError:
            # The server has replied: nothing is held, so the value is not needed again.
            raise
        except BaseException:
            # Ctrl-C and a cancelled task too: the request may have been sent.
            unsure.append(value)
            raise

    def _look(self, lease: float) -> Steps[Held]:
        url = f"{self._server.options.mount}/data/{self._path}"
        answer = yield from self._server.ask("GET", url)
        held = _read(answer, lease)
        if held is None:
            raise self._server.unavailable("it does not behave like KV version 2: check the mount")
        if held.version == 0:
            yield from self._server.check_mount()
        seen = (held.version, held.holder)
        if self._watched[0] != seen:
            self._watched = (seen, time.monotonic())  # after the answer: no earlier than it began
        return held

    def _left(self, held: Held) -> float:
        if held.age >= held.lease + SURE:
            return 0.0
        return self._watched[1] + held.lease - time.monotonic()


def _read(answer: Answer, lease: float) -> Held | None:
    outer = answer.body.reveal().get("data")
    if not outer:
        return Held(0, "", 0, 0)
    about = outer.get("metadata")
    if not isinstance(about, dict) or not isinstance(about.get("version"), int):
        return None
    fields = outer.get("data")
    if not isinstance(fields, dict):  # deleted or destroyed
        return Held(about["version"], "", 0, 0)
    given = fields.get("lease")
    known = isinstance(given, (int, float)) and not isinstance(given, bool)
    return Held(
        about["version"],
        # What cannot be read counts as held, for as long as our own lease would last.
        str(fields.get("holder", "?")),
        float(given) if known and given is not None else lease,
        _age(str(about.get("created_time")), answer.date),
    )


def _age(created: str, now: float | None) -> float:
    with contextlib.suppress(ValueError):
        if now is not None:
            return now - datetime.fromisoformat(created).timestamp()
    return 0.0
