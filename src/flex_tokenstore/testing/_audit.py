"""What the process tells its system: programs started, files opened, addresses connected to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_installed: list[bool] = []
_listening: list[Callable[[Seen], None]] = []
_OURS = str(Path(__file__).parents[1])


@dataclass
class Seen:
    """One event; what it does not have is empty."""

    event: str
    name: str
    where: str  #: file and line of who caused it
    arguments: list[str] = field(default_factory=list, repr=False)
    environment: dict[str, str] = field(default_factory=dict, repr=False)


@contextmanager
def audited(look: Callable[[Seen], None] | None = None) -> Iterator[list[Seen]]:
    """Collects the events of the whole process within it (PEP 578).

    Args:
        look: Called before each of them happens.
    """
    if not _installed:
        _installed.append(True)
        sys.addaudithook(_hook)  # it cannot be removed again
    seen: list[Seen] = []
    listener = look or seen.append
    _listening.append(listener)
    try:
        yield seen
    finally:
        _listening.remove(listener)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _listening and event in _EVENTS:
        found = _EVENTS[event](*arguments)
        if found is not None:
            name, words, environment = found
            each = Seen(event, name, _where(), words, environment)
            for listener in _listening:
                listener(each)


def _program(path: Any, arguments: Any, *others: Any) -> Any:
    words = [arguments] if isinstance(arguments, (str, bytes)) else list(arguments or ())
    environment = next((each for each in reversed(others) if isinstance(each, Mapping)), {})
    texts = {_text(name): _text(value) for name, value in environment.items()}
    return _text(path or (words[0] if words else "")), [_text(word) for word in words], texts


def _variable(name: Any, value: Any) -> Any:
    return _text(name), [], {_text(name): _text(value)}


def _connection(_: Any, address: Any) -> Any:
    return str(address), [], {}


def _named(name: Any = "", *_: Any) -> Any:
    return _text(name), [], {}


def _written(path: Any, mode: Any, flags: Any) -> Any:
    writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    return _named(path) if writes and isinstance(path, (str, bytes, os.PathLike)) else None


def _shell(command: Any) -> Any:
    return _program("the shell", [command])


def _spawned(mode: Any, path: Any, arguments: Any, environment: Any = None) -> Any:
    return _program(path, arguments, environment)


_EVENTS: dict[str, Callable[..., Any]] = {
    "subprocess.Popen": _program,
    "os.exec": _program,
    "os.posix_spawn": _program,
    "os.spawn": _spawned,
    "os.system": _shell,
    "os.putenv": _variable,
    "os.unsetenv": _named,
    "socket.connect": _connection,
    "socket.getaddrinfo": _named,
    "sqlite3.connect": _named,
    "open": _written,
    "os.rename": _named,
    "os.remove": _named,
    "os.chmod": _named,
}


def _text(value: Any) -> str:
    return os.fsdecode(value) if isinstance(value, (str, bytes, os.PathLike)) else repr(value)


def _where() -> str:
    """The innermost line that is neither ours nor of the standard library."""
    frame: Any = sys._getframe(2)
    first = frame
    standard: Sequence[str] = (str(Path(os.__file__).parent), _OURS, "<")
    while frame is not None and frame.f_code.co_filename.startswith(tuple(standard)):
        frame = frame.f_back
    frame = frame or first
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
