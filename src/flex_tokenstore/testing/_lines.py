"""Something happens at a certain line of a store: another program's call, or this one's end."""

from __future__ import annotations

import inspect
import linecache
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from ._handles import Handle

_DONE, _CRASHED, _FAILED = 0, 77, 78  # exit codes
_NOT_POLICY = ("_store", "_plugin", "_concurrency", "_host", "_values", "_config", "testing")


class Line:
    """Counts the lines that the store runs, and does something before one of them.

    Args:
        handle: Whose store it is: all code in the folders of its classes counts.
        number: Before which line it is done; the first has 1.
        action: What is done.
    """

    def __init__(self, handle: Handle, number: int, action: Callable[[], None]) -> None:
        self._files = _files_of(handle)
        self._number = number
        self._action = action
        self._mutex = threading.Lock()
        self._is_over = self._has_begun = False
        self._acted = threading.Event()
        self.count = 0
        self.place: str | None = None
        """Where it was done: the file, the line and its text."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within it the lines are counted, in this thread and in new ones."""
        before = sys.gettrace()
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(before)
            threading.settrace(before)
            with self._mutex:
                self._is_over = True
            # Another thread may be at that line, such as one of a server beside the store.
            if self._has_begun:
                self._acted.wait()

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(self._files):
            return None
        if event == "line" and self._is_next():
            self.place = _place(frame)
            try:
                self._action()
            finally:
                self._acted.set()
        return self._trace

    def _is_next(self) -> bool:
        with self._mutex:
            self.count += 1
            if self.count != self._number or self._is_over:
                return False
            self._has_begun = True
            return True


def crash(
    opened: Callable[[], Handle], name: str, arguments: dict[str, Any], number: int
) -> tuple[str | None, int]:
    """Forks a child that opens the store and dies, as by ``kill -9``, before a line of a call.

    Returns:
        That line, or None if the call has fewer of them; and how many lines were run.

    Raises:
        RuntimeError: The call itself failed.
    """
    source, target = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = _FAILED
        try:
            code = _run_to(opened(), name, arguments, number, target)
        finally:
            os._exit(code)
    os.close(target)
    with os.fdopen(source) as stream:
        count, _, place = stream.read().partition(" ")
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (_DONE, _CRASHED):
        raise RuntimeError(f"{name} failed in a forked child")
    return place or None, int(count)


def _run_to(handle: Handle, name: str, arguments: dict[str, Any], number: int, target: int) -> int:
    def die() -> None:
        os.write(target, f"{line.count} {line.place}".encode())
        os._exit(_CRASHED)

    handle.get()  # modules and connections
    line = Line(handle, number, die)
    with line.watched():
        handle.hook(name, **arguments)
    os.write(target, f"{line.count} ".encode())
    return _DONE


def _files_of(handle: Handle) -> tuple[str, ...]:
    """What the paths of the store's own files start with."""
    binding = handle.store._opened.binding
    found = set()
    for plugin in (binding.plugin, binding.innermost.plugin):
        for cls in type(plugin).__mro__[:-1]:
            try:
                file = inspect.getfile(cls)
            except (TypeError, OSError):
                continue  # a built-in class, or one that was made in an interpreter
            package = sys.modules[cls.__module__].__package__
            if not any(f".{part}" in f".{cls.__module__}" for part in _NOT_POLICY):
                found.add(f"{Path(file).parent}{os.sep}" if package else file)
    return tuple(found)


def _place(frame: FrameType) -> str:
    code = frame.f_code
    text = linecache.getline(code.co_filename, frame.f_lineno).strip()
    return f"{Path(code.co_filename).name}:{frame.f_lineno} ({text:.60})"
