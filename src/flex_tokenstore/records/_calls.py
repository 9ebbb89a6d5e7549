"""How a primitive is called: on which client, what its errors mean, and what becomes of the client.

Generators again: they yield pauses, and what a coroutine function returned. The async base awaits
it; all else is the same for both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from inspect import isawaitable
from typing import Any

from ..errors import StoreOptionsError, TokenStoreError
from ._clients import Client, Clients, Loop
from ._record import Answer, Call, Changed, Kind, Problem, Sleep, Steps

# After a time-out too: the answer may still come, and connections may be forgotten.
_MOVE_GIVEN = (Kind.LOST, Kind.SILENT, Kind.WRONG_SERVER)
_MOVE = (*_MOVE_GIVEN, Kind.UNAVAILABLE)


class Calls:
    """The calls of one store's primitives.

    Args:
        store: The store; its primitives are looked up by name.
        files: Paths that a client depends on.
        idle: Seconds after which an unused client is replaced.
        timeout: Seconds that a call may take, for messages.
        loop: Returns the event loop that runs the caller; None in a sync store.
    """

    def __init__(
        self,
        store: Any,
        files: Iterable[str | None],
        idle: float,
        timeout: float,
        loop: Callable[[], Loop],
    ) -> None:
        self._store = store
        self._timeout = timeout
        self._clients = Clients(files, idle)
        self._loop = loop

    def close(self) -> Steps[None]:
        """Closes the client of this event loop; an error of the driver is raised."""
        yield from self.abandon()
        held = self._clients.take(self._loop())
        if held is not None and not self._store.given:
            yield from self._disconnect(held)

    def close_elsewhere(self) -> Iterable[tuple[Any, Steps[None]]]:
        """Other event loops that still run, and what closes the client of each there."""
        for loop, other in self._clients.others(running=True):
            yield loop, self._close(self._clients.retire(loop, other))

    def abandon(self) -> Steps[None]:
        """Closes, without a wait, what belongs to event loops that are closed."""
        yield from ()
        abandon = getattr(self._store, "abandon", None)
        for _, held in self._clients.others(running=False):
            if abandon is not None and not self._store.given:
                with suppress(Exception):
                    abandon(held.made)

    def perform(self, step: Call) -> Steps[Answer]:
        """Carries out one call; what its errors mean is in the answer."""
        loop = self._loop()
        held: Client | None = None
        call = object()
        known = gone = False
        handled = sys.exc_info()[1]  # by the program, which calls the store meanwhile
        try:
            held = yield from self._client(loop, call)
            answer = Answer((yield from self._primitive(held.made, step)))
            known = held.proved = True
            return answer
        except Changed as changed:
            known = True
            return Answer(changed.found, changed=True)
        except StoreOptionsError as error:
            known = True
            if not _is_of_file(error):
                raise
            # Of a file that has changed since the store was opened.
            problem = Problem(Kind.UNAVAILABLE, error.message)
        except TokenStoreError:
            known = True
            raise
        except Exception as error:
            _cut(error, handled)
            found = self._problem(error, held)
            if found is None:
                raise
            problem = found
            known = True
        except GeneratorExit:
            gone = True  # nobody drives this any more
            raise
        finally:
            if held is not None:
                if (
                    not known
                ):  # Ctrl-C or cancelled: the answer may still come, to whoever asks next
                    self._clients.retire(loop, held)
                held.end(call)
                if not gone:
                    yield from self._close(self._clients.if_left(held))
        moves = problem.kind in (_MOVE_GIVEN if self._store.given else _MOVE)
        if held is not None and moves:
            yield from self._move(loop, held)
        return Answer(problem=problem)  # outside: the driver's frames hold tokens

    def _primitive(self, client: Any, call: Call) -> Steps[Any]:
        result = getattr(self._store, call.name)(client, *call.args)
        if isinstance(result, Generator):
            return (yield from self._commands(client, result))
        return (yield result) if isawaitable(result) else result

    def _commands(self, client: Any, primitive: Steps[Any]) -> Steps[Any]:
        """Carries out what a primitive that is a generator yields."""
        try:
            command = next(primitive)
            while True:
                try:
                    if isinstance(command, Sleep):
                        reply = yield command
                    else:
                        reply = self._store.send(client, command)
                        reply = (yield reply) if isawaitable(reply) else reply
                except BaseException as error:  # noqa: BLE001 - it decides; Ctrl-C must reach it too
                    command = primitive.throw(error)
                else:
                    command = primitive.send(reply)
        except StopIteration as stop:
            return stop.value
        finally:
            primitive.close()  # Ctrl-C may strike here, between two commands: it must hear of it

    def _client(self, loop: Loop, call: object) -> Steps[Client]:
        while True:
            held, old = self._clients.find(loop)
            if held is None:
                held = yield from self._connected(loop, old)
            if held.begin(call):
                return held
            yield from self._close(self._clients.if_left(held))  # another has retired it meanwhile

    def _connected(self, loop: Loop, old: Client | None) -> Steps[Client]:
        """A new client, in place of the old one; or the old one, while a file cannot be used."""
        files_changed = old is not None and self._clients.are_changed_since(old)
        if old is not None and not files_changed:
            yield from self._close(self._clients.retire(loop, old))
        yield from self.abandon()
        stamp = self._clients.stamp()
        try:
            made = self._store.connect()
            made = (yield made) if isawaitable(made) else made
        except StoreOptionsError as error:
            # Half written, or being replaced. The next call tries again, for its stamp is old.
            if old is None or not files_changed or not _is_of_file(error):
                raise
            return old
        if old is not None:
            yield from self._close(self._clients.retire(loop, old))
        held, spare = self._clients.add(loop, made, stamp)
        yield from self._close(spare)
        return held

    def _move(self, loop: Loop, held: Client) -> Steps[None]:
        """The next call is made on another connection."""
        drop_idle = getattr(self._store, "drop_idle", None)
        if self._store.given and drop_idle is not None:
            with suppress(Exception):
                dropped = drop_idle(held.made)
                if isawaitable(dropped):
                    yield dropped
        yield from self._close(self._clients.retire(loop, held))

    def _close(self, held: Client | None) -> Steps[None]:
        if held is not None and not self._store.given:
            with suppress(Exception):  # it may be dead
                yield from self._disconnect(held)

    def _disconnect(self, held: Client) -> Steps[None]:
        disconnect = getattr(self._store, "disconnect", None)
        if disconnect is not None:
            closed = disconnect(held.made)
            if isawaitable(closed):
                yield closed

    def _problem(self, error: Exception, held: Client | None) -> Problem | None:
        """None: it is not known; the framework tells a bug from an outage."""
        found: Problem | None = self._store.describe(error) or self._usual(error)
        if found is not None and found.kind is Kind.SILENT and (held is None or not held.proved):
            return found._replace(kind=Kind.UNAVAILABLE)  # it would be so on any connection
        return found

    def _usual(self, error: Exception) -> Problem | None:
        if isinstance(error, TimeoutError):
            text = f"it did not respond within {self._timeout:g} s: check that it is up"
            return Problem(Kind.SILENT, text)
        if isinstance(error, (ConnectionError, EOFError)):
            text = f"the connection broke ({type(error).__name__}): check that it is up"
            return Problem(Kind.LOST, text)
        return None


def _is_of_file(error: StoreOptionsError) -> bool:
    return str(error.option).endswith("_file")


def _cut(error: BaseException, handled: BaseException | None) -> None:
    """Takes what the program was handling out of an error's contexts: it says nothing of it."""
    each: BaseException | None = error
    for _ in range(20):  # more than errors of drivers have; a circle must end
        if each is None:
            return
        if each.__context__ is handled:
            each.__context__ = None
        each = each.__cause__ or each.__context__
