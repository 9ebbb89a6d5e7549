"""The base of a store whose driver is sync."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from ..errors import StoreOptionsError, TokenStoreError
from ..hookspecs import hookimpl
from ._base import RecordBase
from ._clients import Client
from ._record import Answer, Call, Changed, Kind, Problem, Sleep, Steps

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
        return self._run(self._policy.get())

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        self._run(self._policy.put(token, expected))

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        self._run(self._policy.put(None, expected))

    @hookimpl
    def prepare_save(self, expected: str | None) -> None:
        if hasattr(self, "prove"):
            self._run(self._policy.prove(expected))

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        held = self._run(self._lease.take(wait, lease))
        pid = os.getpid()
        try:
            yield held.lease_end
        finally:
            if os.getpid() == pid:  # a forked child does not hold it
                self._run(self._lease.release(held))

    @hookimpl
    def close(self) -> None:
        held = self._clients.take(None)
        if held is not None and not self.given:
            self._disconnect(held.made)

    def connect(self) -> Any:
        """A client of the service; the default is for stores that need none."""
        return None

    def _run(self, steps: Steps[T]) -> T:
        return _drive(steps, self._perform)

    def _perform(self, step: Call | Sleep) -> Answer | None:
        if isinstance(step, Sleep):
            time.sleep(step.seconds)
            return None
        held: Client | None = None
        call = object()
        known = False
        try:
            held = self._client(call)
            answer = Answer(self._primitive(held.made, step))
            known = held.proved = True
            return answer
        except Changed as changed:
            known = True
            return Answer(changed.found, changed=True)
        except StoreOptionsError as error:  # of a file that has changed since the store was opened
            known = True
            problem = Problem(Kind.UNAVAILABLE, error.message)
        except TokenStoreError:
            known = True
            raise
        except Exception as error:
            found = self._problem(error, held)
            if found is None:
                raise
            problem = found
            known = True
        finally:
            if held is not None:
                if not known:  # Ctrl-C, say: the answer may still come, to whoever asks next
                    self._clients.retire(None, held)
                held.end(call)
                self._close(self._clients.if_left(held))
        self._move(held, problem)
        return Answer(problem=problem)  # outside: the driver's frames hold tokens

    def _primitive(self, client: Any, call: Call) -> Any:
        result = getattr(self, call.name)(client, *call.args)
        if not isinstance(result, Generator):
            return result

        def perform(command: Any) -> Any:
            if isinstance(command, Sleep):
                return time.sleep(command.seconds)
            return self.send(client, command)

        return _drive(result, perform)

    def send(self, client: Any, command: Any) -> Any:
        """Carries out a command of a method that is a generator."""
        raise NotImplementedError(f"{type(self).__name__} yields commands, and has no send()")

    def _client(self, call: object) -> Client:
        while True:
            held, old = self._clients.find(None)
            self._close(old)
            if held is None:
                stamp = self._clients.stamp()
                held, spare = self._clients.add(None, self.connect(), stamp)
                self._close(spare)
            if held.begin(call):
                return held
            self._close(self._clients.if_left(held))  # another has retired it meanwhile

    def _move(self, held: Client | None, problem: Problem) -> None:
        if held is None or not self._must_move(held, problem):
            return
        drop_idle = getattr(self, "drop_idle", None)
        if self.given and drop_idle is not None:
            with suppress(Exception):
                drop_idle(held.made)
        self._close(self._clients.retire(None, held))

    def _close(self, held: Client | None) -> None:
        if held is not None and not self.given:
            with suppress(Exception):  # it may be dead
                self._disconnect(held.made)

    def _disconnect(self, client: Any) -> None:
        disconnect = getattr(self, "disconnect", None)
        if disconnect is not None:
            disconnect(client)


def _drive(steps: Steps[T], perform: Callable[[Any], Any]) -> T:
    try:
        step = next(steps)
        while True:
            try:
                answer = perform(step)
            except BaseException as error:  # noqa: BLE001 - they decide; Ctrl-C must reach them too
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()  # Ctrl-C may strike here, between two steps: they must hear of it
