"""The shipped session with a clock and an event loop of the explorer's, and with planted faults.

While an exploration goes on, ``time``, ``asyncio`` and the like are replaced in the modules that a
session runs, and so is each function that a planted fault names. No module is named for that: they
are found. An exploration runs in one thread, and no other thread may use a session meanwhile. At
the end of the exploration everything is put back.
"""

from __future__ import annotations

import asyncio
import sys
import time
import types
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

from flex_integration_sdk._transport import deadline
from flex_tokenstore._concurrency import event_loops
from flex_tokenstore._session import aio, attend, waits
from flex_tokenstore._session.flow.steps import Pause

# What a session of the explorer's begins in, and the module that ends a token request at its limit.
ROOTS = (aio, deadline)
PROJECT = ("flex_tokenstore", "flex_integration_sdk")
WALL = 1_000_000.0  # what the wall clock shows at monotonic 0; a mix-up of the clocks shows


class Fault(NamedTuple):
    """A planted fault: another function, method or constant in the place of a shipped one.

    ``owner``: the module or class in whose namespace the shipped code looks for ``name``.
    """

    owner: ModuleType | type
    name: str
    replacement: Any


@contextmanager
def planted(faults: Sequence[Fault]) -> Iterator[None]:
    """The shipped code has these faults until the block ends."""
    before: list[Fault] = []
    try:
        for owner, name, replacement in faults:
            if name not in vars(owner):
                raise AssertionError(
                    f"a fault cannot be planted: {owner.__name__} has no {name} of its own"
                )
            before.append(Fault(owner, name, vars(owner)[name]))
            setattr(owner, name, replacement)
        yield
    finally:
        for owner, name, shipped in reversed(before):
            setattr(owner, name, shipped)


class Clock:
    """What the shipped modules take for :mod:`time`."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return WALL + self.now


class Raised(NamedTuple):
    """An answer that is raised where it was asked for."""

    error: BaseException


_disposing: list[bool] = []


def dispose(coroutine: Any) -> None:
    """Ends a task that is not needed any more, without a further question."""
    _disposing.append(True)
    try:
        coroutine.close()
    finally:
        _disposing.clear()


@types.coroutine
def ask(question: Any) -> Generator[Any, Any, Any]:
    """Blocks the task until the explorer answers ``question``."""
    if _disposing:
        return None
    answer = yield question
    if isinstance(answer, Raised):
        raise answer.error
    return answer


class Wait(NamedTuple):
    """A caller waits until this flight has landed."""

    flight: Any


class Done(NamedTuple):
    """A task waits until another is done, or so many seconds."""

    task: LoopTask
    seconds: float | None


class LoopTask:
    """What the shipped session takes for a task of its loop. The explorer runs its coroutine."""

    def __init__(self, coroutine: Any, name: str) -> None:
        self.coroutine, self.name = coroutine, name
        self.ended = self.hidden = self.cancelled = False
        self.callbacks: list[Any] = []

    def done(self) -> bool:
        return self.ended

    def cancel(self) -> None:
        self.cancelled = True

    def add_done_callback(self, callback: Any) -> None:
        self.callbacks.append(callback)

    def end(self) -> None:
        """Its coroutine has returned or raised."""
        self.ended = True
        for callback in self.callbacks:
            callback(self)


class Loop:
    """What the shipped session takes for its event loop: remembers what it is told to run."""

    def __init__(self) -> None:
        self.new: list[LoopTask] = []

    def is_closed(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def create_task(self, coroutine: Any, name: str) -> LoopTask:
        self.new.append(LoopTask(coroutine, name))
        return self.new[-1]


clock = Clock()
"""The time of the process that steps: each sets it, since each is made anew from its inputs."""
loop = Loop()


class _Silent:
    def info(self, *_: Any) -> None: ...
    def warning(self, *_: Any) -> None: ...


async def _pause(seconds: float) -> None:
    await ask(Pause(seconds))


async def _wait(tasks: set[LoopTask], timeout: float | None) -> None:
    (task,) = tasks
    await ask(Done(task, timeout))


def _hide(task: LoopTask) -> None:
    task.hidden = True


async def _wait_for(flight: Any) -> None:
    await ask(Wait(flight))


STAND_INS: tuple[tuple[Any, Any], ...] = (
    (time, clock),
    (
        asyncio,
        types.SimpleNamespace(
            CancelledError=asyncio.CancelledError,
            get_running_loop=lambda: loop,
            sleep=_pause,
            wait=_wait,
            _unregister_task=_hide,
        ),
    ),
    (event_loops.running_loop, lambda: loop),
    (attend.wait_for, _wait_for),
    (waits.logger, _Silent()),
)
"""What the explorer controls, and what the session has in its place during an exploration."""


def _reached(roots: Sequence[ModuleType]) -> list[ModuleType]:
    """All modules of the project whose code these can run: a clock in any of them counts."""
    found: dict[str, ModuleType] = {}
    left = list(roots)
    while left:
        module = left.pop()
        if module.__name__ in found or module.__name__.split(".")[0] not in PROJECT:
            continue
        found[module.__name__] = module
        for value in vars(module).values():
            if isinstance(value, ModuleType):
                left.append(value)
            elif (name := getattr(value, "__module__", None)) in sys.modules:
                left.append(sys.modules[name])
    return list(found.values())


def controls(roots: Sequence[ModuleType] = ROOTS) -> Iterator[Fault]:
    """What puts the stand-ins where the code of these modules looks for the real things."""
    modules = _reached(roots)
    for real, stand_in in STAND_INS:
        found = [
            Fault(module, name, stand_in)
            for module in modules
            for name, value in vars(module).items()
            if value is real
        ]
        if not found:
            raise AssertionError(f"the explorer does not control the session: {real!r} is unused")
        yield from found


_CONTROLS = tuple(controls())
_exploring: list[bool] = []


@contextmanager
def exploring(faults: Sequence[Fault] = ()) -> Iterator[None]:
    """The explorer controls the shipped session, with these faults, until the block ends."""
    if _exploring:
        raise AssertionError("one exploration at a time: they would share clock and event loop")
    _exploring.append(True)
    try:
        with planted((*_CONTROLS, *faults)):
            yield
    finally:
        _exploring.clear()


def ends_in_time(limit: float) -> bool:
    """Whether the SDK's watchdog ends a token request that is not answered within ``limit``."""
    watchdog = deadline.Watchdog()
    clock.now = 0.0
    watch = deadline.Watch(limit, watchdog, token=True)
    watch.begin()  # it has a connection
    watchdog.watches.add(watch)
    last = limit + 2 * deadline.TICK
    while clock.now < last and not watch.ended:
        clock.now += deadline.TICK
        watchdog._look(clock.now, stopped=False)
    return watch.ended is not None
