"""The base of a store whose driver is sync."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from ..hookspecs import hookimpl
from ._base import RecordBase
from ._record import Sleep, Steps

T = TypeVar("T")


class RecordStore(RecordBase):
    """Base of a store that keeps one record, bytes with a version, for each identity in a service.

    The author writes a class with these methods; ``client`` is what ``connect`` returned, ``key`` a
    text. What may be left out is marked with *. ::

        connect() -> client                  called at the first use, never in ``__init__``
        disconnect(client) *
        locate(key) -> str                   where that is, for people: no user, no password
        read(client, key) -> Record | None
        write(client, key, data, version) -> the new version
        delete(client, key, version)
        describe(error) -> Problem | None    what an error of the driver means
        prove(client, key, expected) *       fails if a save would be refused now and later
        acquire(client, key, owner, seconds) -> None | Busy  *   a lock of the service's own
        release(client, key, owner) *        only if this owner still holds it
        await_release(client, key, hint, seconds) -> bool  *     ends early on a release
        put_aside(client, key, name, record) *   renames content that is no token, in one step
        drop_idle(client) *                  closes idle connections of the program's own client

    ``data`` is a ``Secret`` of bytes. ``write`` and ``delete`` compare and act in one atomic step,
    and raise :class:`Changed` unless ``version`` is stored; None stands for nothing stored.
    Without ``acquire`` the lock is a record beside the token.

    The base does the rest: it repeats what may be repeated, waits for the lock, replaces
    connections that are old or lead to the wrong server, keeps corrupt content, and raises errors
    with the store's location, a remedy and no secret.

    A method may be a generator of commands instead: each one is given to ``send(client, command)``,
    and its result sent back. So one class serves sync and async programs: only ``connect``,
    ``disconnect`` and ``send`` are then written twice.
    """

    @hookimpl
    def get_token(self) -> dict[str, Any] | None:
        return _carry_out(self._policy.get())

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        _carry_out(self._policy.put(token, expected))

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        _carry_out(self._policy.put(None, expected))

    @hookimpl
    def prepare_save(self, expected: str | None) -> None:
        if hasattr(self, "prove"):
            _carry_out(self._policy.prove(expected))

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        held = _carry_out(self._lease.take(wait, lease))
        pid = os.getpid()
        try:
            yield held.lease_end
        finally:
            if os.getpid() == pid:  # a forked child does not hold it
                _carry_out(self._lease.release(held))

    @hookimpl
    def close(self) -> None:
        _carry_out(self._calls.close())

    def call(self, name: str, *args: Any) -> Any:
        """Calls a method of this store as the base does: with a client, repeated where that is
        safe, and with the base's errors. For hooks of a store's own.

        Args:
            name: Of the method; it takes the client first.
            args: The rest of what it takes.
        """
        return _carry_out(self._where.call(name, *args)).value


def _carry_out(steps: Steps[T]) -> T:
    try:
        step = next(steps)
        while True:
            try:
                if isinstance(step, Sleep):
                    time.sleep(step.seconds)
            except BaseException as error:  # noqa: BLE001 - they decide; Ctrl-C must reach them
                step = steps.throw(error)
            else:
                # Anything else came from a method that should not be a coroutine function.
                step = steps.send(step)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()  # Ctrl-C may strike here, between two steps: they must hear of it
