"""What stands for an exception of somebody else's code, so that no secret in its text is shown.

A driver may quote the row that it read, cut short or encoded, which no comparison with known
secrets finds, and while a token is read none is known. So its text is never passed on. What helps
in finding the fault is: the type, the error number, and the place in the code.
"""

from __future__ import annotations

import errno
import os
import re
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

DEEPEST = 20  # errors of a chain, or of a group, that are looked at; a chain may be a circle
_FRAMES = 4  # places in the code that a stand-in names, the innermost last
# Where an error's code is: of psycopg, of psycopg2, on Windows; the others are HTTP clients'.
_CODES = ("sqlstate", "pgcode", "winerror", "code", "status", "status_code")


class StandIn(Exception):
    """Stands for an exception of somebody else's code, whose text may hold a secret.

    Its class has the name and module of the original's class, and the built-in exception that
    the original was as a base: ``isinstance(error.__cause__, OSError)`` works, and so does
    ``errno``.
    """


def stand_in(error: BaseException) -> Exception:
    """Makes an exception that may be shown, to be raised ``from`` or logged.

    It has the type's name, the error number and the places in the code of the original, and so have
    its causes. It does not have the original's text and frames, which may quote a secret:
    ``raise TokenUnavailableError("…") from stand_in(error)``.

    Args:
        error: An exception of somebody else's code: a driver, a callback.

    Returns:
        An exception that is also an instance of the built-in class that the original was an
        instance of: ``isinstance(found, OSError)`` works, and so does ``errno``.
    """
    return _stand_in(error, set())


def described(error: BaseException) -> str:
    """The type of an exception and, if the system's error number tells it, what went wrong."""
    said = _system_text(error)
    return type(error).__name__ + (f" ({said})" if said else "")


def where(error: BaseException) -> str:
    """The places in the code that an exception went through, the innermost last."""
    places: deque[str] = deque(maxlen=_FRAMES)
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        file = "/".join(code.co_filename.replace("\\", "/").split("/")[-2:])
        places.append(f"{file}:{traceback.tb_lineno} in {code.co_name}")
        traceback = traceback.tb_next
    return ", ".join(places)


def _stand_in(error: BaseException, seen: set[int]) -> Exception:
    if isinstance(error, StandIn):
        return error
    seen.add(id(error))
    made = _group(error, seen) if isinstance(error, BaseExceptionGroup) else _single(error)
    below = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if below is not None and id(below) not in seen and len(seen) < DEEPEST:
        made.__cause__ = _stand_in(below, seen)
    made.__suppress_context__ = True
    return made


def _single(error: BaseException) -> Exception:
    kind = type(error)
    known = (each for each in kind.__mro__ if each.__name__ in _BASES and _is_builtin(each))
    base = next(known, Exception)  # none for SystemExit and its like
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    cls: Any = type(kind.__name__, (StandIn, base), {**names, "__str__": _text})
    made: Exception = cls()
    made.args = ("; ".join(part for part in (*_facts(error), where(error), _WITHHELD) if part),)
    number = attribute(error, "errno")
    # By type(): a stranger's subclass of int may have any text.
    if isinstance(made, OSError) and type(number) is int:
        made.errno, made.strerror = number, _system_text(error) or None
    name = attribute(error, "name")
    if isinstance(made, (ImportError, NameError, AttributeError)) and _is_name(name):
        made.name = name
    return made


def _group(error: BaseExceptionGroup[Any], seen: set[int]) -> Exception:
    inner = [each for each in error.exceptions[:DEEPEST] if id(each) not in seen]
    if not inner or len(seen) >= DEEPEST:
        return _single(error)
    message = "; ".join(part for part in (where(error), _WITHHELD) if part)
    return ExceptionGroup(message, [_stand_in(each, seen) for each in inner])


_WITHHELD = "its text is not shown, for it may quote a secret"


def _text(self: Exception) -> str:
    return str(self.args[0])


def _facts(error: BaseException) -> Iterator[str]:
    """What is told of it beside its type: numbers and names, never its text."""
    yield _system_text(error)
    for name in _CODES if _system_text(error) else ("errno", *_CODES):
        code = attribute(error, name)
        # An SQLSTATE has five such characters; a longer text could be a secret.
        if type(code) is int or (type(code) is str and re.fullmatch("[0-9A-Z]{1,6}", code)):
            yield f"{name} {code}"
    if isinstance(error, SyntaxError):
        yield f"line {error.lineno}"
    name = attribute(error, "name")
    if isinstance(error, (ImportError, NameError, AttributeError)) and _is_name(name):
        yield f"{name!r}"


def _system_text(error: BaseException) -> str:
    number = attribute(error, "errno")
    return os.strerror(number) if type(number) is int and number in errno.errorcode else ""


def attribute(error: object, name: str) -> Any:
    """An attribute of a stranger's object; None: it has none, or looking for it raises."""
    try:
        return getattr(error, name, None)
    except Exception:  # noqa: BLE001 - a property of a stranger's class
        return None


def _is_name(value: object) -> bool:
    """A name in Python code, of a module say."""
    return type(value) is str and all(part.isidentifier() for part in value.split("."))


def _is_builtin(cls: type) -> bool:
    return cls.__module__ == "builtins"


_BASES = {
    *("ArithmeticError", "AssertionError", "AttributeError", "BlockingIOError", "BrokenPipeError"),
    *("BufferError", "ChildProcessError", "ConnectionAbortedError", "ConnectionError"),
    *("ConnectionRefusedError", "ConnectionResetError", "EOFError", "Exception"),
    *("FileExistsError", "FileNotFoundError", "ImportError", "IndexError", "InterruptedError"),
    *("IsADirectoryError", "KeyError", "LookupError", "MemoryError", "ModuleNotFoundError"),
    *("NameError", "NotADirectoryError", "NotImplementedError", "OSError", "OverflowError"),
    *("PermissionError", "ProcessLookupError", "RecursionError", "RuntimeError", "SyntaxError"),
    *("TimeoutError", "TypeError", "UnicodeError", "ValueError", "ZeroDivisionError"),
}
"""Built-in exceptions that can be made without arguments, and then hold nothing."""
