"""The shipped session, loaded once more, with a clock and an event loop of the explorer's.

The modules are executed from their shipped source under another package name, so that a planted
fault (a replacement in that source) and the false clock touch nobody else.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import itertools
import sys
import types
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import flex_integration_sdk
import flex_tokenstore

SOURCE = Path(flex_tokenstore.__file__).parent
SDK_SOURCE = Path(flex_integration_sdk.__file__).parent
CLONED = (
    "_promise",
    "_gate",
    "_state",
    "_budget",
    "_flow",
    "_waits",
    "_attend",
    "_session_base",
    "_async_session",
)
WHERE = {
    "_attend": "_session.attend",
    "_async_session": "_session.aio",
    "_budget": "_session.budget",
    "_flow": "_session.flow",
    "_gate": "_session.single_flight",
    "_portal": "_concurrency.loop_thread",
    "_promise": "_concurrency.promise",
    "_session": "_session.sync",
    "_session_base": "_session.base",
    "_spawn": "_concurrency.spawn",
    "_state": "_session.state",
    "_store": "_store.sync",
    "_waits": "_session.waits",
}
WALL = 1_000_000.0  # what the wall clock shows at monotonic 0; a mix-up of the clocks shows
_numbers = itertools.count(1)


class Edit(NamedTuple):
    """A planted fault: ``old`` in the shipped source of ``module`` becomes ``new``."""

    module: str
    old: str
    new: str


class Clock:
    """What the cloned modules take for :mod:`time`."""

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
    """What the cloned session takes for a task of its loop. The explorer runs its coroutine."""

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
    """What the cloned session takes for its event loop: remembers what it is told to run."""

    def __init__(self) -> None:
        self.new: list[LoopTask] = []

    def is_closed(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def create_task(self, coroutine: Any, name: str) -> LoopTask:
        self.new.append(LoopTask(coroutine, name))
        return self.new[-1]


def new_package(prefix: str, cloned: Sequence[str]) -> types.ModuleType:
    """A package like the shipped one, with its very modules but for those to be copied."""
    root = types.ModuleType(f"{prefix}_{next(_numbers)}")
    root.__path__ = [str(SOURCE)]
    sys.modules[root.__name__] = root
    copied = {WHERE[name] for name in cloned}
    for path in sorted(SOURCE.glob("*")):
        if path.is_dir() and (path / "__init__.py").exists():
            package = types.ModuleType(f"{root.__name__}.{path.name}")
            package.__path__ = [str(path)]
            sys.modules[package.__name__] = package
    for path in [*SOURCE.glob("*.py"), *SOURCE.glob("_*/*.py")]:
        dotted = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        if dotted not in copied and path.stem != "__init__":
            module = importlib.import_module(f"flex_tokenstore.{dotted}")
            sys.modules[f"{root.__name__}.{dotted}"] = module
            parent, _, stem = f"{root.__name__}.{dotted}".rpartition(".")
            setattr(sys.modules[parent], stem, module)
    return root


def copy_of(package: str, name: str, edits: Sequence[Edit], source: Path) -> types.ModuleType:
    """A copy of a shipped module, with those of the faults that are meant for it."""
    dotted = WHERE.get(name, name)
    text = source.joinpath(*dotted.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    for edit in edits:
        if edit.module != name:
            continue
        if text.count(edit.old) != 1:
            raise AssertionError(
                f"a fault cannot be planted: {name}.py has {text.count(edit.old)} times\n{edit.old}"
            )
        text = text.replace(edit.old, edit.new)
    spec = importlib.util.spec_from_loader(f"{package}.{dotted}", loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    exec(compile(text, f"{package}/{name}.py", "exec"), module.__dict__)
    parent, _, stem = module.__name__.rpartition(".")
    setattr(sys.modules[parent], stem, module)
    return module


class Shipped:
    """One copy of the shipped modules, perhaps with planted faults."""

    def __init__(self, edits: Sequence[Edit] = ()) -> None:
        self.clock = Clock()
        self.loop = Loop()
        root = new_package("explored", CLONED)
        package = root.__name__
        # The one module of the SDK's: it ends a token request at its limit.
        self.deadline = self._load(package, "deadline", edits, SDK_SOURCE / "_transport")
        for name in CLONED:
            module = self._load(package, name, edits)
            setattr(self, name.lstrip("_"), module)

    promise: Any
    gate: Any
    state: Any
    budget: Any
    flow: Any
    waits: Any
    attend: Any
    session_base: Any
    async_session: Any

    def ends_in_time(self, limit: float) -> bool:
        """Whether the SDK's watchdog ends a token request that is not answered within ``limit``."""
        watchdog = self.deadline.Watchdog()
        self.clock.now = 0.0
        watch = self.deadline.Watch(limit, self, token=True)
        watch.begin()  # it has a connection
        watchdog.watches.add(watch)
        last = limit + 2 * self.deadline.TICK
        while self.clock.now < last and not watch.ended:
            self.clock.now += self.deadline.TICK
            watchdog._look(self.clock.now, stopped=False)
        return watch.ended is not None

    def _load(
        self, package: str, name: str, edits: Sequence[Edit], source: Path = SOURCE
    ) -> types.ModuleType:
        module = copy_of(package, name, edits, source)
        if "time" in module.__dict__:
            module.__dict__["time"] = self.clock
        if "asyncio" in module.__dict__:
            module.__dict__["asyncio"] = types.SimpleNamespace(
                CancelledError=asyncio.CancelledError,
                get_running_loop=lambda: self.loop,
                sleep=_pause,
                wait=_wait,
                _unregister_task=_hide,
            )
        if "running_loop" in module.__dict__:
            module.__dict__["running_loop"] = lambda: self.loop
        if name == "_async_session":
            module.__dict__["wait_for"] = _wait_for
        if "logger" in module.__dict__:
            module.__dict__["logger"] = _Silent()
        return module


class _Silent:
    def info(self, *_: Any) -> None: ...
    def warning(self, *_: Any) -> None: ...


async def _pause(seconds: float) -> None:
    await ask(importlib.import_module("flex_tokenstore._session.steps").Pause(seconds))


async def _wait(tasks: set[LoopTask], timeout: float | None) -> None:
    (task,) = tasks
    await ask(Done(task, timeout))


def _hide(task: LoopTask) -> None:
    task.hidden = True


async def _wait_for(flight: Any) -> None:
    await ask(Wait(flight))
