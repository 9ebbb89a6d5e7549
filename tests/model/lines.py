"""The sync session, struck by an exception at any line or opcode of the thread that waits.

The model of :mod:`.model` drives the async session, whose callers can only be interrupted where
they wait. An exception from a signal handler (Ctrl-C, a task queue's time limit) strikes a thread
anywhere. So here the shipped session runs in real threads, and a tracer raises in one of them at
its first event, its second, and so on, until the call ends before it is struck. Python itself looks
for signals at fewer points than there are opcodes; what stands all of them stands the real ones.

After each stroke the next call, another thread's call and ``close()`` must end (I5), at most one
refresh was made, the secret was not sent (I3), and no token is lost (I6).
"""

from __future__ import annotations

import dis
import linecache
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple
from unittest import mock

from flex_tokenstore import TokenSession, open_store
from flex_tokenstore._concurrency import loop_thread, per_process, promise, spawn
from flex_tokenstore._session import base, budget, driver, flow, single_flight, sync, waits
from flex_tokenstore._store import sync as sync_store
from flex_tokenstore.errors import TokenStoreError
from tests.support.fakes import IDENTITY, DictStore, Server, stored

from .shipped import Fault, planted
from .world import Violation

FLOW = Path(flow.__file__).parent
STRUCK = frozenset(map(str, FLOW.glob("*.py"))) | frozenset(
    module.__file__
    for module in (
        promise,
        per_process,
        single_flight,
        budget,
        waits,
        spawn,
        loop_thread,
        sync_store,
        base,
        driver,
        sync,
    )
)
"""Files of the session's, in whose lines an exception strikes."""
STDLIB = ("threading.py", "contextlib.py", "concurrent/futures/_base.py")
PATIENCE = 10.0  # seconds in which what must end has to end
MOST = 20_000  # events of one call
ENOUGH = 3  # calls in a row that end before they are struck


class Struck(Exception):
    """What the tracer raises, as a task queue's time limit does."""


class Point(NamedTuple):
    """When to strike: at this event, and perhaps once more so many events later."""

    number: int
    again: int | None = None
    error: type[BaseException] = Struck


class Striker:
    """Traces one thread, and raises in it. ``opcodes``: at those of the session's modules too."""

    def __init__(self, point: Point, *, opcodes: bool) -> None:
        self.point = point
        self.opcodes = opcodes
        self.left = point.number
        self.where: list[str] = []

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename
        ours = name in STRUCK
        if not (ours or name.endswith(STDLIB)) or _is_finalizer(frame):
            return None
        frame.f_trace_opcodes = self.opcodes and ours
        if event == "opcode":
            # Between the two, where Python looks for no signal, nothing is bound to ``as`` yet.
            if frame.f_lasti not in _bound_by_with(frame.f_code):
                self._count(frame)
        elif event == "line" and (ours or not _leaves_with(frame)):
            self._count(frame)
        return self

    def _count(self, frame: FrameType) -> None:
        self.left -= 1
        if self.left:
            return
        self.where.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        if len(self.where) == 1 and self.point.again is not None:
            self.left = self.point.again
        raise self.point.error


def _is_finalizer(frame: FrameType | None) -> bool:
    """Within a ``__del__``, from which Python lets no exception out."""
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


@cache
def _bound_by_with(code: CodeType) -> frozenset[int]:
    """Where the value that a ``with`` has entered is bound or dropped."""
    opcodes = list(dis.get_instructions(code))
    return frozenset(
        after.offset
        for before, after in pairwise(opcodes)
        if before.opname in ("BEFORE_WITH", "LOAD_SPECIAL")
    )


def _leaves_with(frame: FrameType) -> bool:
    """At the end of a ``with`` block of the standard library's, which holds a lock of its own:
    the tracer looks there, but Python looks for signals in calls and at the ends of loops."""
    code, line = frame.f_code, frame.f_lineno
    if linecache.getline(code.co_filename, line).lstrip()[:5] != "with ":
        return False
    # By position, not by name: each version of Python names its byte codes anew.
    body = min(
        (begin for begin, _, at in code.co_lines() if at is not None and at > line), default=0
    )
    return any(begin == frame.f_lasti > body for begin, _, at in code.co_lines() if at == line)


SHORT_WAITS = (
    Fault(single_flight, "SLICE", 0.05),
    Fault(single_flight, "SLOW_START", 0.2),
    Fault(loop_thread, "SLICE", 0.05),
)


@contextmanager
def shorter_waits(faults: Sequence[Fault] = ()) -> Iterator[None]:
    """The session's waits are shorter meanwhile, or each stroke would take seconds.

    Args:
        faults: Planted faults.
    """
    with planted((*SHORT_WAITS, *faults)):
        yield


class AsyncDictStore:
    """The three methods as coroutines: a sync session runs them in its private loop thread."""

    def __init__(self) -> None:
        self.plain = DictStore()

    async def get_token(self) -> Any:
        return self.plain.get_token()

    async def set_token(self, token: dict[str, Any]) -> None:
        self.plain.set_token(token)

    async def remove_token(self) -> None:
        self.plain.remove_token()


class Stage:
    """A server, a store and a session, for one stroke."""

    def __init__(self, *, asynchronous: bool = False) -> None:
        self.server = Server()
        self.server.before = self._before
        keeper = AsyncDictStore() if asynchronous else DictStore()
        self.store: DictStore = keeper.plain if isinstance(keeper, AsyncDictStore) else keeper
        self.store.token = stored(self.server, age=4000)
        self.session: Any = TokenSession(
            open_store(keeper, IDENTITY, host_lock="off"), self.server, request_timeout=3.0
        )
        self.hold = False
        """Whether the server keeps the answer until the struck thread waits, or was struck."""
        self.struck = threading.Event()
        self.asked = threading.Event()
        self.daemons: list[bool] = []

    def _before(self) -> None:
        self.daemons.append(threading.current_thread().daemon)
        self.asked.set()
        last = time.monotonic() + 0.3
        while self.hold and not self.struck.is_set() and time.monotonic() < last:
            if self._waiting() > 1:
                break
            time.sleep(0.001)

    def _waiting(self) -> int:
        flight = self.session._gate.current(self.session)
        return 0 if flight is None else len(getattr(flight, "_wakers", ()))

    def under_way(self) -> None:
        """Another thread's call, whose request waits for its answer."""
        self.hold = True
        threading.Thread(target=lambda: quietly(self.session.token), daemon=True).start()
        assert self.asked.wait(PATIENCE)


def quietly(work: Callable[[], Any]) -> Any:
    """What it gives, or the error that it raises."""
    try:
        return work()
    except BaseException as error:
        return error


class Scene(NamedTuple):
    """A call to strike. ``prepare`` sets the stage and gives it and the call."""

    name: str
    prepare: Callable[[], tuple[Stage, Callable[[], Any]]]
    revokes: bool = False


def _call() -> tuple[Stage, Callable[[], Any]]:
    stage = Stage()
    return stage, stage.session.token


def _join() -> tuple[Stage, Callable[[], Any]]:
    stage = Stage()
    stage.under_way()
    return stage, stage.session.token


def _close() -> tuple[Stage, Callable[[], Any]]:
    stage = Stage()
    stage.under_way()
    return stage, stage.session.close


def _close_unsaved() -> tuple[Stage, Callable[[], Any]]:
    stage = Stage()
    stage.store.set_errors = [OSError("disk full")]
    stage.session.token()
    return stage, stage.session.close


def _revoke() -> tuple[Stage, Callable[[], Any]]:
    stage = Stage()
    stage.store.token = stored(stage.server)
    return stage, stage.session.revoke


def _peek() -> tuple[Stage, Callable[[], Any]]:
    stage = Stage(asynchronous=True)
    return stage, stage.session.peek


def _call_async() -> tuple[Stage, Callable[[], Any]]:
    stage = Stage(asynchronous=True)
    return stage, stage.session.token


def _close_async() -> tuple[Stage, Callable[[], Any]]:
    stage = Stage(asynchronous=True)
    stage.session.peek()
    return stage, stage.session.close


SCENES = (
    Scene("a call that refreshes", _call),
    Scene("a call that joins a refresh", _join),
    Scene("close during a refresh", _close),
    Scene("close with a token to save", _close_unsaved),
    Scene("revoke", _revoke, revokes=True),
    Scene("a look at an async store", _peek),
    Scene("a call with an async store", _call_async),
    Scene("close of an async store", _close_async),
)


def strike(scene: Scene, point: Point, *, opcodes: bool = True) -> bool:
    """Strikes once; False if the call ended before. Raises :class:`Violation`."""
    stage, call = scene.prepare()
    striker = Striker(point, opcodes=opcodes)
    # A coroutine that was struck before its first step complains: in the struck thread itself.
    with mock.patch.object(sys, "unraisablehook", _say_nothing):
        ended = within(lambda: quietly(lambda: _traced(striker, call, stage.struck)))
    _must_end(scene.name, ended, f"struck at {striker.where}", point.error)
    _check(stage, scene, striker.where)
    return bool(striker.where)


def _say_nothing(_: object) -> None: ...


def _traced(striker: Striker, call: Callable[[], Any], struck: threading.Event) -> Any:
    sys.settrace(striker)
    try:
        return call()
    finally:
        sys.settrace(None)
        struck.set()


def _must_end(what: str, ended: list[Any] | None, at: str, *errors: type[BaseException]) -> None:
    if ended is None:
        raise Violation(f"I5: {what} does not end, {at}")
    error = ended[0]
    if isinstance(error, BaseException) and not isinstance(error, (TokenStoreError, *errors)):
        raise Violation(f"I5: {what} ends with {error!r}, {at}") from error


def within(work: Callable[[], Any]) -> list[Any] | None:
    """What ``work`` gives, in a list; None if it does not end."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return found or None


def _check(stage: Stage, scene: Scene, where: list[str]) -> None:
    session, at = stage.session, f"after {scene.name} was struck at {where}"
    for what, work in (
        ("the next call", session.token),
        ("another thread's call", session.token),
        ("close()", session.close),
        ("close() once more", session.close),
    ):
        _must_end(what, within(partial(quietly, work)), at)
    calls = stage.server.calls
    _must(calls.count("refresh") <= 1, f"I5: {calls} {at}")
    _must(scene.revokes or "sign_in" not in calls, f"I3: the secret is sent {at}")
    _must(calls.count("sign_in") <= 1, f"I5: {calls} {at}")
    token = stage.store.token
    kept = token is not None and token["refresh_token"] in stage.server.live
    _must(kept or (scene.revokes and token is None), f"I6: the token is lost {at}")
    _must(not any(stage.daemons), f"I6: the program's end takes a token request along: {at}")


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Violation(otherwise)


def strike_everywhere(
    scene: Scene,
    *,
    opcodes: bool = False,
    again: Sequence[int | None] = (None,),
    error: type[BaseException] = Struck,
) -> int:
    """Strikes the call at each of its events; gives their number.

    That number varies with how the threads run: a call that ends before it is struck is tried
    at the next few, too.
    """
    before = 0
    for number in range(1, MOST):
        points = [Point(number, later, error) for later in again]
        reached = [strike(scene, point, opcodes=opcodes) for point in points]
        before = 0 if any(reached) else before + 1
        if before == ENOUGH:
            return number - ENOUGH
    raise Violation(f"I5: {scene.name} goes on for ever")
